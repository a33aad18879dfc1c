//! Rows of one run, in the order of its recording.

use std::collections::HashMap;

use anyhow::Result;
use mailbox_rs::Errno;
use serde_json::{Map, Value};
use vhost::Severity;
use vhost::messages::ServedRequest;
use vhost::messages::events::RestoreBegun;
use vhost::messages::files::path_of;
use vhost::messages::foreign::Report;
use vhost::messages::rpc::{Call, Cancel, Target};
use vhost::trace::{Content, Payloads, RunIdentity};

use super::batch::Cell;
use super::identity::Source;
use super::schema::{CONSOLE, MESSAGES, REPORTS, REQUESTS, RUNS, VERSION};
use super::table_files::TableFiles;
use crate::report::{
    Collector, Judgement, Line, MAX_TEXT_LEN, RecordingEnd, Run, Unanswered, bounded,
    replay_command,
};
use crate::trace::{DecodedEntry, entry_text};

/// Builder of a run's rows.
pub(super) struct Rows<'a> {
    id: &'a str,
    files: &'a mut TableFiles,
    has_messages: bool,
    requests: u64,
    unanswered: u64,
    reports: u64,
    lines: u64,
    /// Number of messages and replies that can't be decoded, and the first of these.
    undecoded: u64,
    first_undecoded: Option<String>,
    channels: HashMap<usize, OfChannel>,
}

/// State of a channel between two requests.
#[derive(Default)]
struct OfChannel {
    requests: u64,
    /// Bytes printed since the last request.
    printed: u64,
    method: Option<String>,
    path: Option<String>,
}

impl OfChannel {
    /// Drops method and path of the request in progress, after a reset. Printed bytes count for the
    /// next request, as in `vhost trace stat`.
    fn drop_request(&mut self) {
        (self.method, self.path) = (None, None);
    }
}

impl<'a> Rows<'a> {
    pub(super) fn new(source: &'a Source, files: &'a mut TableFiles, has_messages: bool) -> Self {
        Self {
            id: &source.id,
            files,
            has_messages,
            requests: 0,
            unanswered: 0,
            reports: 0,
            lines: 0,
            undecoded: 0,
            first_undecoded: None,
            channels: HashMap::new(),
        }
    }

    /// Adds the rows of an entry. The collector must have processed it before.
    pub(super) fn add(&mut self, decoded: &DecodedEntry, collector: &mut Collector) -> Result<()> {
        let segment = collector.segment();
        if self.has_messages {
            self.message(decoded, segment)?;
        }
        for unanswered in collector.take_unanswered() {
            let name = collector.name(unanswered.channel);
            self.unanswered(&unanswered, &name.unwrap_or_default())?;
        }
        if let Err(damage) = &decoded.body {
            self.undecoded += 1;
            let (frame, name) = (decoded.entry.frame, &decoded.entry.kind.name);
            self.first_undecoded
                .get_or_insert_with(|| bounded(format!("frame {frame}, {name}: {damage}")));
        }
        let tick = decoded.entry.tick;
        if matches!(decoded.entry.content, Content::Message { .. }) {
            if let Some(name) = &decoded.channel {
                let number = collector.number(name);
                let name = collector.name(number).unwrap_or_else(|| name.clone());
                self.asks(decoded, number);
                if let Some(served) = decoded.served() {
                    self.request(served, &name, number, (segment, tick))?;
                }
            }
            if let Some(report) = decoded.report() {
                self.report(report, segment, tick)?;
            }
            if decoded.is::<RestoreBegun>().is_some() {
                self.channels.values_mut().for_each(OfChannel::drop_request);
            }
        }
        let lines = collector.take_lines();
        self.lines(&lines, collector)
    }

    /// Keeps method and path of a request until it is served.
    fn asks(&mut self, decoded: &DecodedEntry, number: usize) {
        let of_channel = self.channels.entry(number).or_default();
        if let Some(bytes) = decoded.printed_bytes() {
            of_channel.printed = of_channel.printed.saturating_add(bytes);
        } else if let Some(Call { target, .. }) = decoded.is() {
            of_channel.method = match target {
                Target::Method(name) => Some(bounded(name.to_string())),
                Target::Command(_) => None,
            };
        } else if decoded.is::<Cancel>().is_some() {
            of_channel.drop_request();
        } else {
            let body = decoded.body.as_ref().ok().and_then(Option::as_deref);
            if let Some(path) = body.and_then(path_of) {
                of_channel.path = Some(bounded(String::from_utf8_lossy(path).into_owned()));
            }
        }
    }

    fn request(
        &mut self,
        served: &dyn ServedRequest,
        channel: &str,
        number: usize,
        (segment, tick): (u64, u64),
    ) -> Result<()> {
        let of_channel = self.channels.entry(number).or_default();
        let printed = std::mem::take(&mut of_channel.printed);
        let (method, path) = (of_channel.method.take(), of_channel.path.take());
        let error = served.error();
        let name = error.map(name_of);
        self.files.add(
            &REQUESTS,
            &[
                Cell::Text(self.id),
                Cell::Number(self.requests),
                Cell::Number(segment),
                Cell::Text(channel),
                Cell::Number(of_channel.requests),
                Cell::Text(served.kind()),
                Cell::text(method.as_deref()),
                Cell::text(path.as_deref()),
                Cell::Words(served.args()),
                small(served.slot().and_then(|slot| i32::try_from(slot).ok())),
                Cell::Number(served.since().min(tick)),
                Cell::Number(tick),
                match (error, served.value()) {
                    (None, Some(value)) => Cell::Word(value),
                    _ => Cell::Null,
                },
                small(error.map(|error| error.0)),
                Cell::text(name.as_deref()),
                Cell::Number(served.bytes(printed)),
            ],
        )?;
        of_channel.requests += 1;
        self.requests += 1;
        Ok(())
    }

    /// Adds a request without a response.
    fn unanswered(&mut self, unanswered: &Unanswered, channel: &str) -> Result<()> {
        let of_channel = self.channels.entry(unanswered.channel).or_default();
        let request = &unanswered.request;
        // Method and path of the oldest request, which was in service.
        let (method, path) = (of_channel.method.take(), of_channel.path.take());
        self.files.add(
            &REQUESTS,
            &[
                Cell::Text(self.id),
                Cell::Number(self.requests),
                Cell::Number(unanswered.segment),
                Cell::Text(channel),
                Cell::Number(of_channel.requests),
                Cell::Text(request.kind()),
                Cell::text(method.as_deref()),
                Cell::text(path.as_deref()),
                Cell::Words(request.args()),
                Cell::Null,
                Cell::Number(request.seen),
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Number(0),
            ],
        )?;
        of_channel.requests += 1;
        self.requests += 1;
        self.unanswered += 1;
        Ok(())
    }

    fn report(&mut self, report: &Report, segment: u64, tick: u64) -> Result<()> {
        let (id, text) = (bounded(report.id.clone()), bounded(report.text.clone()));
        self.files.add(
            &REPORTS,
            &[
                Cell::Text(self.id),
                Cell::Number(self.reports),
                Cell::Number(segment),
                Cell::Number(tick),
                Cell::Text(severity(report.severity)),
                Cell::Text(&id),
                Cell::Text(&text),
            ],
        )?;
        self.reports += 1;
        Ok(())
    }

    fn message(&mut self, decoded: &DecodedEntry, segment: u64) -> Result<()> {
        let entry = &decoded.entry;
        let (event, awaited, bytes) = match &entry.content {
            Content::Message { body, awaited } => ("message", Some(*awaited), body.len()),
            Content::Reply { body } => ("reply", None, body.len()),
            Content::Dropped => ("dropped", None, 0),
        };
        let text = entry_text(decoded, MAX_TEXT_LEN);
        self.files.add(
            &MESSAGES,
            &[
                Cell::Text(self.id),
                Cell::Number(entry.frame),
                Cell::Number(entry.sequence),
                Cell::Number(entry.root),
                Cell::Number(segment),
                Cell::Number(entry.tick),
                Cell::Text(event),
                Cell::Text(&entry.kind.from),
                Cell::Text(&entry.kind.to),
                Cell::Text(&entry.kind.name),
                awaited.map_or(Cell::Null, Cell::Flag),
                Cell::text(decoded.channel.as_deref()),
                Cell::Number(bytes as u64),
                Cell::Text(&text),
            ],
        )
    }

    fn lines(&mut self, lines: &[Line], collector: &Collector) -> Result<()> {
        for line in lines {
            let channel = collector.name(line.channel);
            self.line(line, channel.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    fn line(&mut self, line: &Line, channel: &str) -> Result<()> {
        let source = match line.source.as_str() {
            "" => "stdout",
            other => other,
        };
        self.files.add(
            &CONSOLE,
            &[
                Cell::Text(self.id),
                Cell::Number(self.lines),
                Cell::Number(line.segment),
                Cell::Number(line.tick),
                Cell::Text(channel),
                Cell::Text(source),
                Cell::Text(&line.text),
            ],
        )?;
        self.lines += 1;
        Ok(())
    }

    /// Ends the run: adds its last lines and its own row. Returns a text if messages can't be
    /// decoded.
    pub(super) fn end(
        mut self,
        source: &Source,
        run: &mut Run,
        allows_errors: bool,
    ) -> Result<Option<String>> {
        for line in run.console.take_new() {
            let channel = run.channels.get(line.channel);
            let name = channel.map(|channel| channel.name.clone());
            self.line(&line, name.as_deref().unwrap_or_default())?;
        }
        for unanswered in std::mem::take(&mut run.unanswered) {
            let channel = run.channels.get(unanswered.channel);
            let name = channel.map(|channel| channel.name.clone());
            self.unanswered(&unanswered, &name.unwrap_or_default())?;
        }
        let judgement = Judgement::of(run, allows_errors);
        let identity = &run.identity;
        let images = identity.images.join("\n");
        let (requests, failed) = run.counts();
        let failure = run.failure(allows_errors);
        let exits = exits(run);
        let property = |key| Cell::text(source.run.get(key));
        let replay = run.no_replay().is_none().then(|| replay_command(&run.path));
        let [infos, warnings, errors, fatals] = run.severities;
        let (end, problem) = match &run.end {
            RecordingEnd::Whole => ("whole", None),
            RecordingEnd::Open => ("open", None),
            RecordingEnd::Truncated => ("cut", None),
            RecordingEnd::Damaged(problem) => ("damaged", Some(problem.as_str())),
        };
        self.files.add(
            &RUNS,
            &[
                Cell::Text(&source.id),
                Cell::Small(VERSION.cast_signed()),
                Cell::Text(&run.file),
                property(RunIdentity::SEED),
                property(RunIdentity::REVISION),
                property(RunIdentity::HOST),
                property(RunIdentity::COMMAND),
                Cell::text(replay.as_deref()),
                Cell::Text(&identity.version),
                Cell::Flag(identity.is_whole),
                Cell::Text(match identity.payloads {
                    Payloads::Keep => "keep",
                    Payloads::Hash => "hash",
                    Payloads::Drop => "drop",
                }),
                Cell::text(Some(images.as_str()).filter(|images| !images.is_empty())),
                property(RunIdentity::BUILD_IDS),
                Cell::number(identity.loaded.map(u64::from)),
                Cell::Text(judgement.verdict.name()),
                Cell::text(judgement.reasons.first().map(String::as_str)),
                Cell::text(judgement.signature.as_deref()),
                Cell::number(failure.map(|failure| failure.tick)),
                Cell::text(failure.map(|failure| failure.id.as_str())),
                Cell::text(failure.map(|failure| failure.text.as_str())),
                Cell::number(run.exit_code().map(u64::from)),
                Cell::Text(&exits),
                Cell::Text(end),
                Cell::text(problem),
                Cell::Number(run.ticks),
                Cell::number(identity.period),
                Cell::number(source.started),
                Cell::number(source.wall),
                Cell::Number(run.entries),
                Cell::Number(run.segments),
                Cell::Number(requests),
                Cell::Number(self.unanswered),
                Cell::Number(failed),
                Cell::Number(infos),
                Cell::Number(warnings),
                Cell::Number(errors),
                Cell::Number(fatals),
                Cell::Number(source.size),
                Cell::Number(self.undecoded),
            ],
        )?;
        let undecoded = self.undecoded;
        let text = self.first_undecoded.map(|first| {
            format!("{undecoded} messages can't be decoded, and their rows are missing; the first: {first}")
        });
        Ok(text)
    }
}

/// JSON object with the exit code of each channel that has exits.
fn exits(run: &Run) -> String {
    let channels = run.channels.iter();
    let exiting = channels.filter(|channel| channel.has_exit || channel.exit.is_some());
    let codes = exiting.map(|channel| {
        let code = channel.exit.map(|(code, _)| code);
        (channel.name.to_string(), Value::from(code))
    });
    Value::from(codes.collect::<Map<_, _>>()).to_string()
}

fn small(number: Option<i32>) -> Cell<'static> {
    number.map_or(Cell::Null, Cell::Small)
}

/// Name of an error, such as `ENOENT`; its number if it has none.
fn name_of(errno: Errno) -> String {
    let text = errno.to_string();
    match text.split_once(" (") {
        Some((name, _)) => name.to_owned(),
        None => text,
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
        Severity::Fatal => "fatal",
    }
}
