//! Log of requests, one per line.

use std::fmt::{self, Write as _};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use mailbox_rs::State;
use parking_lot::Mutex;
use serde::Serialize;

use super::{AtExit, Attach, AttachContext, AttachError, Findings, end_at_exit};
use crate::bus::{Content, Observation, Spawner, Tap, Topic};
use crate::guest::{self, OutputFile, Quiet};
use crate::messages::events::RestoreBegun;
use crate::messages::files::{new_path_of, path_of};
use crate::messages::foreign::{Report, Severity, report_in};
use crate::messages::mailbox::DoorbellRang;
use crate::messages::rpc::{Call, Target};
use crate::messages::{ChannelId, ServedRequest, printed_text, served_request};

/// Logger of requests and reports, one per line.
///
/// ```text
/// tick 1300: core0: CALL method 0x80000100 args [0x5], `wait`; gives 0xc; slot 2, taken in tick 1290
/// ```
///
/// In JSON each line is an object; `docs/attach.md` has its keys.
pub struct Logger {
    to: To,
    json: bool,
}

enum To {
    File(PathBuf),
    Writer(Box<dyn Write + Send>),
}

impl Logger {
    /// Writes to a file and truncates it first. Its name may have `%p` for the process id, `%t` for
    /// the time of the start, `%s` for the system's name.
    pub fn file(file: impl Into<PathBuf>) -> Self {
        Self::new(To::File(file.into()))
    }

    /// Writes to stderr.
    pub fn stderr() -> Self {
        Self::new(To::Writer(Box::new(guest::stderr())))
    }

    /// Writes to `writer`.
    pub fn writer(writer: impl Write + Send + 'static) -> Self {
        Self::new(To::Writer(Box::new(Quiet::new(writer))))
    }

    /// Writes JSON, one object per line.
    #[must_use]
    pub fn json(self) -> Self {
        Self { json: true, ..self }
    }

    fn new(to: To) -> Self {
        Self { to, json: false }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}

impl Attach for Logger {
    fn attach(
        self: Box<Self>,
        context: &AttachContext,
        _: &Spawner,
    ) -> Result<Box<dyn Tap>, AttachError> {
        let output = match self.to {
            To::Writer(writer) => Output { writer, file: None },
            To::File(file) => {
                let file = OutputFile::create(&file)?;
                Output {
                    file: Some(file.path().to_owned()),
                    writer: Box::new(BufWriter::new(file)),
                }
            }
        };
        let output = Arc::new(Mutex::new(output));
        end_at_exit(&output);
        Ok(Box::new(Log {
            output,
            json: self.json,
            context: context.clone(),
            about: context.channels().iter().map(|_| None).collect(),
            findings: context.findings("log"),
            failed: false,
        }))
    }
}

/// Destination of the lines.
struct Output {
    writer: Box<dyn Write + Send>,
    file: Option<PathBuf>,
}

impl AtExit for Output {
    fn end(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn name(&self) -> String {
        match &self.file {
            Some(file) => format!("the log {}", file.display()),
            None => "the log of requests".to_owned(),
        }
    }
}

/// Attached tap of [`Logger`].
struct Log {
    output: Arc<Mutex<Output>>,
    json: bool,
    context: AttachContext,
    /// Details of the request in service, per channel.
    about: Vec<Option<RequestDetail>>,
    findings: Findings,
    failed: bool,
}

/// Object that a request points to.
enum RequestDetail {
    /// Name of a method.
    Method(String),
    /// Path of a file; both paths if one is renamed.
    Path(String),
    /// Text for the console.
    Text(Text),
}

/// Text from one or more parts, which may end within a character.
#[derive(Default)]
struct Text {
    start: Vec<u8>,
}

impl Text {
    /// Adds a part, up to the maximum length in a line.
    fn push(&mut self, piece: &[u8]) {
        let room = (MAX_JSON_CHARACTERS * MAX_CHARACTER_BYTES).saturating_sub(self.start.len());
        self.start
            .extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

impl RequestDetail {
    /// Name, path or text, truncated to the maximum length in a line.
    fn text(self) -> String {
        match self {
            Self::Method(text) | Self::Path(text) => text,
            Self::Text(text) => text_of(&text.start),
        }
    }
}

/// Maximum number of characters of a text, in a text line and in JSON.
const MAX_CHARACTERS: usize = 60;
const MAX_JSON_CHARACTERS: usize = 1000;

/// Maximum number of bytes of a character.
const MAX_CHARACTER_BYTES: usize = 4;

impl Log {
    fn log(&mut self, seen: &Observation<'_>) -> io::Result<()> {
        if let Some(Call {
            channel, target, ..
        }) = seen.content.downcast_ref()
        {
            let channels = self.context.channels().iter();
            let of = (0..).zip(channels).find(|(_, of)| *of.name == **channel);
            if let (Some((number, _)), Target::Method(name)) = (of, target) {
                self.learn(ChannelId(number), || {
                    RequestDetail::Method(cut(name, MAX_JSON_CHARACTERS).to_owned())
                });
            }
        } else if let Some((channel, text)) = seen.content.body().and_then(printed_text) {
            self.learn(channel, || RequestDetail::Text(Text::default()));
            if let Some(Some(RequestDetail::Text(known))) = self.of(channel) {
                known.push(text);
            }
        } else if let Some((channel, path)) = path_in(seen) {
            self.learn(channel, || RequestDetail::Path(path));
        } else if seen.content.downcast_ref::<RestoreBegun>().is_some() {
            self.about.iter_mut().for_each(|about| *about = None);
        } else if let Some(DoorbellRang {
            channel,
            words: Some(words),
            ..
        }) = seen.content.downcast_ref()
            && words.state != State::READY.0
        {
            // A reset has dropped the request in service.
            self.forget(*channel);
        } else if let Some(served) = seen.content.body().and_then(served_request) {
            self.served(served, seen.tick)?;
        } else if let Some(report) = seen.content.body().and_then(report_in) {
            self.reported(report, seen.tick)?;
        }
        Ok(())
    }

    /// Stores the detail of a request, if none is known.
    fn learn(&mut self, channel: ChannelId, about: impl FnOnce() -> RequestDetail) {
        if let Some(known) = self.of(channel) {
            known.get_or_insert_with(about);
        }
    }

    fn forget(&mut self, channel: ChannelId) -> Option<RequestDetail> {
        self.of(channel)?.take()
    }

    fn of(&mut self, ChannelId(number): ChannelId) -> Option<&mut Option<RequestDetail>> {
        self.about.get_mut(usize::try_from(number).ok()?)
    }

    fn served(&mut self, served: &dyn ServedRequest, tick: u64) -> io::Result<()> {
        let channel = self.context.name_of(served.channel());
        let about = self.forget(served.channel());
        if self.json {
            return self.write_json(&ServedLine {
                tick,
                taken: served.since(),
                channel: &channel,
                slot: served.slot(),
                request: served.kind(),
                args: served.args(),
                about: about.map(RequestDetail::text),
                value: served.value(),
                error: served.error().map(|errno| errno.to_string()),
            });
        }
        let line = format!("tick {tick}: {channel}: {}", served.request_text());
        self.write_line(line, about, &served.outcome_text())
    }

    /// Writes the line of a request: the request, its detail, and the outcome.
    fn write_line(
        &self,
        mut line: String,
        about: Option<RequestDetail>,
        outcome: &dyn fmt::Display,
    ) -> io::Result<()> {
        // Writing to a `String` can't fail.
        let _ = match about {
            None => Ok(()),
            Some(RequestDetail::Method(name)) => {
                write!(line, ", `{}`", plain(cut(&name, MAX_CHARACTERS)))
            }
            Some(about) => {
                let text = about.text();
                let short = cut(&text, MAX_CHARACTERS);
                let rest = if short.len() < text.len() { "…" } else { "" };
                write!(line, ", {short:?}{rest}")
            }
        };
        self.write(&format!("{line}{outcome}"))
    }

    fn reported(&mut self, report: &Report, tick: u64) -> io::Result<()> {
        let Report { severity, id, text } = report;
        if self.json {
            return self.write_json(&ReportLine {
                tick,
                severity: severity.name(),
                id,
                text,
            });
        }
        let severity = severity.name();
        self.write(&format!("tick {tick}: {severity}: {id}: {}", plain(text)))
    }

    fn write_json(&self, line: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(line).map_err(io::Error::other)?;
        self.write(&text)
    }

    fn write(&self, line: &str) -> io::Result<()> {
        writeln!(self.output.lock().writer, "{line}")
    }
}

/// JSON line of a request.
#[derive(Serialize)]
struct ServedLine<'a> {
    tick: u64,
    taken: u64,
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<u32>,
    request: &'a str,
    args: &'a [u64],
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// JSON line of a report.
#[derive(Serialize)]
struct ReportLine<'a> {
    tick: u64,
    severity: &'a str,
    id: &'a str,
    text: &'a str,
}

impl Tap for Log {
    fn observe(&mut self, seen: &Observation<'_>) {
        if self.failed {
            return;
        }
        let logged = self.log(seen);
        self.report_failure(logged);
        // A fatal error may end the process at once.
        let fatal = |report: &Report| report.severity == Severity::Fatal;
        if seen.content.downcast_ref().is_some_and(fatal) {
            self.end();
        }
    }

    fn flush(&mut self) {
        if !self.failed {
            self.end();
        }
    }
}

impl Log {
    fn end(&mut self) {
        let ended = self.output.lock().end();
        self.report_failure(ended);
    }

    /// Reports the first write error.
    fn report_failure(&mut self, logged: io::Result<()>) {
        if let Err(error) = logged
            && !self.failed
        {
            self.failed = true;
            let text = format!(
                "{} can't be written any more: {error}",
                self.output.lock().name()
            );
            self.findings.raise(Severity::Warning, text);
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.end();
    }
}

/// Escapes line ends and other control characters.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Path in a message, or both paths if one is renamed, with the channel.
fn path_in(seen: &Observation<'_>) -> Option<(ChannelId, String)> {
    let Content::Message(body) = seen.content else {
        return None;
    };
    let path = text_of(path_of(body)?);
    let path = match new_path_of(body) {
        Some(to) => format!("{path} -> {}", text_of(to)),
        None => path,
    };
    match body.topic()? {
        Topic::Id(id) => Some((ChannelId(id), path)),
        Topic::Name(_) => None,
    }
}

/// Text of firmware, truncated to the maximum length in a line.
fn text_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    cut(&text, MAX_JSON_CHARACTERS).to_owned()
}

/// First `most` characters.
fn cut(text: &str, most: usize) -> &str {
    match text.char_indices().nth(most) {
        None => text,
        Some((end, _)) => &text[..end],
    }
}
