//! A line for each request, as it is served.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mailbox_rs::{Response, State};
use serde::Serialize;

use super::{AtExit, Attach, AttachError, Findings, Owners, Site, end_at_exit};
use crate::bus::{Observation, Tap};
use crate::messages::ChannelId;
use crate::messages::console::Print;
use crate::messages::files::Open;
use crate::messages::foreign::{Report, Severity};
use crate::messages::mailbox::{Rang, Served};
use crate::messages::rpc::Call;

/// Logs requests, and what is reported, one a line.
///
/// ```text
/// tick 1300: core0: CALL method 0x80000100 args [0x5], `wait`; gives 0xc; slot 2, taken in tick 1290
/// ```
///
/// As JSON each line is an object; `docs/attach.md` has its keys.
pub struct Logger {
    to: To,
    json: bool,
}

enum To {
    File(PathBuf),
    Writer(Box<dyn Write + Send>),
}

impl Logger {
    /// Into a file; what was there before is gone.
    pub fn file(file: impl Into<PathBuf>) -> Self {
        Self::new(To::File(file.into()))
    }

    /// To stderr.
    pub fn stderr() -> Self {
        Self::writer(io::stderr())
    }

    /// To wherever `writer` leads.
    pub fn writer(writer: impl Write + Send + 'static) -> Self {
        Self::new(To::Writer(Box::new(writer)))
    }

    /// As JSON, one object a line.
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
    fn attach(self: Box<Self>, site: &Site) -> Result<Box<dyn Tap>, AttachError> {
        let output: Box<dyn Write + Send> = match self.to {
            To::Writer(writer) => writer,
            To::File(file) => match File::create(&file) {
                Ok(opened) => Box::new(BufWriter::new(opened)),
                Err(cause) => return Err(AttachError::File { file, cause }),
            },
        };
        let output = Arc::new(Mutex::new(Output(output)));
        end_at_exit(&output);
        Ok(Box::new(Log {
            output,
            json: self.json,
            owners: Owners::new(site.channels().clone()),
            about: vec![String::new(); site.channels().len()],
            findings: site.findings("log"),
            failed: false,
        }))
    }
}

struct Output(Box<dyn Write + Send>);

impl AtExit for Output {
    fn end(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A logger at work.
struct Log {
    output: Arc<Mutex<Output>>,
    json: bool,
    owners: Owners,
    /// What the request that each channel's server is at is about: the name of a method, a path, a text.
    about: Vec<String>,
    findings: Findings,
    failed: bool,
}

/// Characters of a text that a line shows.
const MOST: usize = 60;

impl Log {
    fn log(&mut self, seen: &Observation<'_>) -> io::Result<()> {
        if let Some(Call {
            channel, target, ..
        }) = seen.event.is()
        {
            let channels = self.owners.channels().iter();
            let of = (0..).zip(channels).find(|(_, of)| *of.name == **channel);
            if let Some((number, _)) = of {
                self.learn(ChannelId(number), |about| {
                    *about = plain(&target.to_string())
                });
            }
        } else if let Some(Open { channel, path, .. }) = seen.event.is() {
            self.learn(*channel, |about| {
                *about = shown(&String::from_utf8_lossy(path));
            });
        } else if let Some(Print { channel, text }) = seen.event.is() {
            self.learn(*channel, |about| {
                // A long text comes in parts, of which the first will do.
                if about.is_empty() {
                    *about = shown(&String::from_utf8_lossy(text));
                }
            });
        } else if let Some(Rang {
            channel,
            sight: Some(sight),
            ..
        }) = seen.event.is()
            && sight.state != State::READY.0
        {
            // A reset: the request that was served is dropped.
            self.learn(*channel, String::clear);
        } else if let Some(served) = seen.event.is::<Served>() {
            self.served(served, seen.tick)?;
        } else if let Some(report) = seen.event.is::<Report>() {
            self.reported(report, seen.tick)?;
        }
        Ok(())
    }

    fn learn(&mut self, ChannelId(number): ChannelId, learn: impl FnOnce(&mut String)) {
        if let Some(about) = usize::try_from(number)
            .ok()
            .and_then(|at| self.about.get_mut(at))
        {
            learn(about);
        }
    }

    fn served(&mut self, served: &Served, tick: u64) -> io::Result<()> {
        let channel = self.owners.name_of(served.channel);
        let mut about = String::new();
        self.learn(served.channel, |known| about = std::mem::take(known));
        if self.json {
            let (value, error) = match served.response {
                None | Some(Response::Empty) => (None, None),
                Some(Response::Value(value)) => (Some(value), None),
                Some(Response::Error(errno)) => (None, Some(errno.to_string())),
            };
            return self.write_json(&ServedLine {
                tick,
                taken: served.since,
                channel: &channel,
                slot: served.slot,
                request: served.kind(),
                args: served.entry.counted_args(),
                about: (!about.is_empty()).then_some(&about),
                value,
                error,
            });
        }
        let mut line = format!("tick {tick}: {channel}: {}", served.asked());
        if !about.is_empty() {
            // Writing to a String does not fail.
            let _ = write!(line, ", {about}");
        }
        self.write(&format!("{line}{}", served.answered()))
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
        writeln!(self.lock().0, "{line}")
    }
}

/// What a line of JSON has of a request.
#[derive(Serialize)]
struct ServedLine<'a> {
    tick: u64,
    taken: u64,
    channel: &'a str,
    slot: u32,
    request: &'a str,
    args: &'a [u64],
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What a line of JSON has of a report.
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
        self.tell(logged);
        // A fatal error may end the process at once.
        let fatal = |report: &Report| report.severity == Severity::Fatal;
        if seen.event.is().is_some_and(fatal) {
            self.end();
        }
    }
}

impl Log {
    fn end(&mut self) {
        let ended = self.lock().end();
        self.tell(ended);
    }

    /// Tells, once, that it can't be written.
    fn tell(&mut self, logged: io::Result<()>) {
        if let Err(error) = logged
            && !self.failed
        {
            self.failed = true;
            let text = format!("requests can't be logged any more: {error}");
            self.findings.raise(Severity::Warning, text);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.end();
    }
}

/// A text without line ends, and without whatever else would do something to a terminal.
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

/// Text of firmware's, quoted, of which no more is made than a line shows.
fn shown(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}
