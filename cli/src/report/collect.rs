//! Collector of a run's data, fed with its entries in order.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use vhost::Severity;
use vhost::attach::{Table, is_summary};
use vhost::messages::checkpoint::{SavedChannel, SavedSource, SavedText};
use vhost::messages::console::{Finish, Print, PrintError, PrintMarked, PutRaw, Restore};
use vhost::messages::events::{DoorbellRang, Resumed, SystemStarted, WordsRang};
use vhost::messages::foreign::{Exit, Report};
use vhost::messages::front_end;
use vhost::messages::htif::HtifStatus;
use vhost::messages::mailbox::{ChannelStatus, RecordedStatus};
use vhost::messages::rtt::RttStatus;
use vhost::messages::semihosting::SemihostingStatus;
use vhost::messages::{ChannelId, Interface};
use vhost::trace::{Content, Payloads};

use super::activity::Activity;
use super::bounded::Bounded;
use super::console::Console;
#[cfg(feature = "parquet")]
use super::console::Line;
use super::memories::spaces;
#[cfg(feature = "parquet")]
use super::run::Unanswered;
use super::run::{
    Bounds, Cause, ChannelRow, Failure, Identity, Lead, MAX_CHANNELS, RecordingEnd, ReportRow,
    RequestRow, Run, Step, bounded,
};
use crate::trace::{DecodedEntry, EntryReader, OpenRequest, OpenRequests};
use crate::waves::{Segment, Segments};

/// Default period of a tick in picoseconds. A configuration with this value may not have set it.
const DEFAULT_PERIOD: u64 = 1000;

/// Run under construction.
pub(crate) struct Collector {
    run: Run,
    /// Position of each channel, by name.
    numbers: HashMap<Arc<str>, usize>,
    /// Requests without a response so far.
    open: OpenRequests,
    /// Last recorded status of each channel, with its tick.
    statuses: HashMap<usize, (u64, String)>,
    lead: Lead,
    segments: Segments,
    /// Segment of the last entry, and its tick.
    last: (Segment, u64),
    /// Hash of the writes that load images; `None` once the system has started.
    loading: Option<crc32fast::Hasher>,
    has_loaded: bool,
    has_ended: bool,
    /// True if requests without a response are passed on.
    #[cfg(feature = "parquet")]
    passes_on: bool,
}

impl Collector {
    pub(crate) fn new(file: &Path, reader: &EntryReader, bounds: Bounds) -> Self {
        let header = reader.trace().header();
        let descriptors = reader.channels().descriptors();
        let channels = descriptors.iter().map(|channel| ChannelRow {
            name: channel.name.clone(),
            firmware: position(channel.firmware),
            protocol: match channel.interface {
                Interface::Mailbox(_) => "mailbox",
                Interface::Htif(_) => "HTIF",
                Interface::Rtt(_) => "RTT",
                Interface::Semihosting(_) => "semihosting",
            },
            has_exit: channel.interface.has_exit(),
            exit: None,
            requests: 0,
            failed: 0,
            last: None,
            state: String::new(),
        });
        let channels: Vec<ChannelRow> = channels.take(MAX_CHANNELS).collect();
        let names = channels.iter().map(|channel| channel.name.clone());
        let numbers = names.zip(0..).collect();
        let period = reader.channels().period();
        let period = period.filter(|period| *period != DEFAULT_PERIOD);
        Self {
            run: Run {
                path: file.to_owned(),
                file: file.display().to_string(),
                identity: Identity {
                    period,
                    ..Identity::of(header)
                },
                channels,
                requests: Bounded::new(bounds.requests, |row| row.result.mark() > 0),
                table: Table::default(),
                activity: Activity::new(),
                reports: Bounded::new(bounds.reports, |row| row.severity >= Severity::Error),
                severities: [0; 4],
                first_fatal: None,
                found: None,
                console: Console::new(bounds.lines),
                first_failure: None,
                first_ending: None,
                spaces: spaces(reader.channels().map(), descriptors),
                entries: 0,
                ticks: 0,
                segments: 1,
                #[cfg(feature = "parquet")]
                unanswered: Vec::new(),
                end: RecordingEnd::Open,
            },
            numbers,
            open: OpenRequests::of(reader.channels()),
            statuses: HashMap::new(),
            lead: Lead::default(),
            last: (Segments::new().present(), 0),
            segments: Segments::new(),
            loading: (header.whole && header.payloads != Payloads::Drop)
                .then(crc32fast::Hasher::new),
            has_loaded: false,
            has_ended: false,
            #[cfg(feature = "parquet")]
            passes_on: false,
        }
    }

    pub(crate) fn add(&mut self, decoded: &DecodedEntry) {
        let entry = &decoded.entry;
        let tick = entry.tick;
        self.run.entries += 1;
        self.run.ticks = self.run.ticks.max(tick);
        self.load(decoded);
        let segment = self.segments.present();
        if segment != self.last.0 {
            // Lines that a restore cuts off end in the previous segment.
            self.run.console.finish(None);
            self.run.console.enter(segment.number);
        }
        self.last = (segment, tick);
        self.segments.follow(decoded);
        let dropped = self.open.follow(decoded);
        self.unanswered(dropped);
        if !matches!(entry.content, Content::Message { .. }) {
            self.status(decoded);
            return;
        }
        if let Some(Restore { text }) = decoded.is() {
            self.restore_text(text, tick);
        }
        if let Some(front_end::Restore { channels }) = decoded.is() {
            channels
                .iter()
                .for_each(|saved| self.restore_exit(saved, tick));
        }
        // State at the beginning of a part of a recording.
        if let Some(Resumed { tick, state, .. }) = decoded.is() {
            self.restore_text(&state.text, *tick);
            let saved = state.channels.iter();
            saved.for_each(|saved| self.restore_exit(saved, *tick));
        }
        if let Some(name) = &decoded.channel {
            let channel = self.number(name);
            self.served(decoded, channel);
            self.print(decoded, channel);
            let has_rung =
                decoded.is::<DoorbellRang>().is_some() || decoded.is::<WordsRang>().is_some();
            if has_rung && let Some(row) = self.run.channels.get_mut(channel) {
                row.last = Some(tick);
            }
            if let Some(exit) = decoded.is::<Exit>() {
                self.exit(exit, channel, tick);
            }
        }
        if let Some(report) = decoded.report() {
            self.report(report, tick);
        }
        if let Some(Finish { channel: None }) = decoded.is() {
            self.run.console.finish(None);
            self.has_ended = true;
        }
    }

    /// Ends the run. `problem`: error at which the recording ends.
    pub(crate) fn end(mut self, problem: Option<String>, is_truncated: bool) -> Run {
        self.run.console.finish(None);
        let run = &self.run;
        let states = run.channels.iter().enumerate().map(|(number, channel)| {
            match (channel.exit, run.exit_of(channel)) {
                (Some((code, tick)), _) => format!("exited with code {code} in tick {tick}"),
                (None, Some((code, tick))) => {
                    format!(
                        "its firmware exited by another channel, with code {code} in tick {tick}"
                    )
                }
                (None, None) => {
                    let open = self.open.oldest(&channel.name);
                    state(channel, open, self.statuses.get(&number))
                }
            }
        });
        let states: Vec<String> = states.collect();
        for (channel, state) in self.run.channels.iter_mut().zip(states) {
            channel.state = state;
        }
        let open = self.open.take();
        self.unanswered(open);
        self.run.segments = self.segments.present().number;
        self.run.end = match problem {
            Some(problem) => RecordingEnd::Damaged(problem),
            None if is_truncated => RecordingEnd::Truncated,
            None if self.has_ended => RecordingEnd::Whole,
            None => RecordingEnd::Open,
        };
        self.run
    }

    /// Enables [`take_lines`](Self::take_lines) and [`take_unanswered`](Self::take_unanswered).
    #[cfg(feature = "parquet")]
    pub(crate) fn pass_on(&mut self) {
        self.run.console.pass_new();
        self.passes_on = true;
    }

    /// Lines that have ended since the last call.
    #[cfg(feature = "parquet")]
    pub(crate) fn take_lines(&mut self) -> Vec<Line> {
        self.run.console.take_new()
    }

    /// Segment of the last entry.
    #[cfg(feature = "parquet")]
    pub(crate) fn segment(&self) -> u64 {
        self.last.0.number
    }

    /// Requests that were dropped without a response since the last call.
    #[cfg(feature = "parquet")]
    pub(crate) fn take_unanswered(&mut self) -> Vec<Unanswered> {
        std::mem::take(&mut self.run.unanswered)
    }

    /// Name of a channel by its position.
    #[cfg(feature = "parquet")]
    pub(crate) fn name(&self, number: usize) -> Option<Arc<str>> {
        let channel = self.run.channels.get(number);
        channel.map(|channel| channel.name.clone())
    }

    /// Position of a channel, which is added if it is unknown.
    pub(crate) fn number(&mut self, name: &Arc<str>) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let channels = &mut self.run.channels;
        if channels.len() >= MAX_CHANNELS {
            return MAX_CHANNELS - 1;
        }
        channels.push(ChannelRow {
            name: name.clone(),
            protocol: "unknown",
            firmware: channels.len(),
            has_exit: false,
            exit: None,
            requests: 0,
            failed: 0,
            last: None,
            state: String::new(),
        });
        self.numbers.insert(name.clone(), channels.len() - 1);
        channels.len() - 1
    }

    /// Adds a write that precedes the start of the system.
    fn load(&mut self, decoded: &DecodedEntry) {
        let Some(loading) = &mut self.loading else {
            return;
        };
        let (kind, content) = (&decoded.entry.kind, &decoded.entry.content);
        if let Content::Message { body, .. } = content
            && kind.from == "outside"
            && kind.to == "memory"
        {
            loading.update(body);
            self.has_loaded = true;
        }
        if decoded.is::<SystemStarted>().is_some() {
            let hash = self.loading.take().map(crc32fast::Hasher::finalize);
            self.run.identity.loaded = hash.filter(|_| self.has_loaded);
        }
    }

    fn served(&mut self, decoded: &DecodedEntry, channel: usize) {
        let Some(row) = self.run.channels.get_mut(channel) else {
            return;
        };
        // Name of the row, since the table is limited like the channels.
        let name = row.name.clone();
        if let Some(bytes) = decoded.printed_bytes() {
            self.run.table.printed(&name, bytes);
        }
        let (Some(served), tick) = (decoded.served(), decoded.entry.tick) else {
            return;
        };
        row.requests += 1;
        row.failed += u64::from(served.error().is_some());
        row.last = Some(tick);
        self.run.table.served(&name, served, tick);
        self.run.activity.add(tick);
        let request = RequestRow::of(served, channel, self.last.0, tick);
        self.lead(|| Step::Request(request.clone()));
        self.run.requests.push(request);
    }

    fn print(&mut self, decoded: &DecodedEntry, channel: usize) {
        let tick = decoded.entry.tick;
        let console = &mut self.run.console;
        if let Some(Print { text, .. }) = decoded.is() {
            console.print(channel, "", tick, text);
        } else if let Some(PrintError { text, .. }) = decoded.is() {
            console.print(channel, "stderr", tick, text);
        } else if let Some(PrintMarked { mark, text, .. }) = decoded.is() {
            console.print(channel, &bounded(mark.clone()), tick, text);
        } else if let Some(PutRaw { is_error, data, .. }) = decoded.is() {
            let source = if *is_error { "stderr" } else { "" };
            console.print(channel, source, tick, data);
        } else if let Some(Finish { channel: Some(_) }) = decoded.is() {
            console.finish(Some(channel));
        }
    }

    /// Keeps dropped requests without a response, up to the last entry.
    fn unanswered(&mut self, dropped: Vec<(Arc<str>, OpenRequest)>) {
        let (segment, tick) = self.last;
        for (name, request) in dropped {
            let channel = self.number(&name);
            self.run
                .requests
                .push(RequestRow::unanswered(&request, channel, segment, tick));
            #[cfg(feature = "parquet")]
            if self.passes_on {
                let segment = segment.number;
                self.run.unanswered.push(Unanswered {
                    channel,
                    segment,
                    request,
                });
            }
        }
    }

    /// Replaces unfinished lines by those of a checkpoint.
    fn restore_text(&mut self, text: &SavedText, tick: u64) {
        let console = &mut self.run.console;
        console.finish(None);
        for line in &text.lines {
            let channel = position(line.channel);
            if channel >= self.run.channels.len() {
                continue;
            }
            let source = match line.source {
                SavedSource::Output => "",
                SavedSource::Error => "stderr",
                SavedSource::Marked(number) => {
                    let mut marks = text.marks.iter();
                    let mark = marks.find(|(of, at, _)| (*of, *at) == (line.channel, number));
                    mark.map_or("", |(_, _, mark)| mark)
                }
            };
            console.print(channel, &bounded(source.to_owned()), tick, &line.text);
        }
    }

    fn exit(&mut self, exit: &Exit, channel: usize, tick: u64) {
        let Some(row) = self.run.channels.get_mut(channel) else {
            return;
        };
        row.exit.get_or_insert((exit.code, tick));
        row.last = Some(tick);
        if exit.code != 0 {
            let (id, text) = (
                row.name.to_string(),
                format!("exited with code {}", exit.code),
            );
            self.fail(Cause::Exit, tick, id, text);
        }
    }

    /// Sets the exit of a channel to that of a checkpoint. An exit with an error stays, like other
    /// errors.
    fn restore_exit(&mut self, saved: &SavedChannel, tick: u64) {
        let row = self.run.channels.get_mut(position(saved.channel));
        if let Some(row) = row.filter(|row| row.exit.is_none_or(|(code, _)| code == 0)) {
            row.exit = saved.exit.map(|code| (code, tick));
            if let Some(code) = saved.exit.filter(|code| *code != 0) {
                let id = row.name.to_string();
                self.fail(Cause::Exit, tick, id, format!("exited with code {code}"));
            }
        }
    }

    fn report(&mut self, report: &Report, tick: u64) {
        let row = ReportRow {
            tick,
            severity: report.severity,
            id: bounded(report.id.clone()),
            text: bounded(report.text.clone()),
        };
        let [info, warning, error, fatal] = &mut self.run.severities;
        let count = match row.severity {
            Severity::Info => info,
            Severity::Warning => warning,
            Severity::Error => error,
            Severity::Fatal => fatal,
        };
        *count += 1;
        if row.severity == Severity::Fatal && self.run.first_fatal.is_none() {
            self.run.first_fatal = Some(row.clone());
        }
        let is_found = is_summary(report);
        if is_found {
            self.run.found = Some(row.clone());
        }
        let cause = match row.severity {
            Severity::Info | Severity::Warning => None,
            Severity::Error if is_found => Some(Cause::Findings),
            Severity::Error => Some(Cause::Error),
            Severity::Fatal => Some(Cause::Fatal),
        };
        if let Some(cause) = cause {
            self.fail(cause, tick, row.id.clone(), row.text.clone());
        }
        self.lead(|| Step::Report(row.clone()));
        self.run.reports.push(row);
    }

    /// Keeps a step for the list that precedes a failure.
    fn lead(&mut self, step: impl FnOnce() -> Step) {
        if self.run.first_ending.is_none() {
            self.lead.push(step());
        }
    }

    /// Keeps the first failure.
    fn fail(&mut self, cause: Cause, tick: u64, id: String, text: String) {
        let failure = || Failure {
            cause,
            tick,
            id: id.clone(),
            text: text.clone(),
            before: self.lead.steps(),
        };
        let run = &mut self.run;
        run.first_failure.get_or_insert_with(failure);
        if cause != Cause::Error {
            run.first_ending.get_or_insert_with(failure);
        }
    }

    /// Keeps the last status of each channel.
    fn status(&mut self, decoded: &DecodedEntry) {
        fn texts<T: Display>(statuses: Option<&Vec<T>>) -> impl Iterator<Item = String> {
            statuses.into_iter().flatten().map(T::to_string)
        }
        if decoded.entry.kind.name != "Status" {
            return;
        }
        let mailboxes = decoded.is::<Vec<ChannelStatus>>().into_iter().flatten();
        let mailboxes = mailboxes.map(|status| RecordedStatus(status).to_string());
        let all = mailboxes
            .chain(texts(decoded.is::<Vec<HtifStatus>>()))
            .chain(texts(decoded.is::<Vec<RttStatus>>()))
            .chain(texts(decoded.is::<Vec<SemihostingStatus>>()));
        for text in all {
            // The text of a status begins with the name of its channel.
            let of = self.run.channels.iter().position(|channel| {
                let rest = text.strip_prefix(&*channel.name);
                rest.is_some_and(|rest| rest.starts_with(": "))
            });
            if let Some(of) = of {
                self.statuses
                    .insert(of, (decoded.entry.tick, bounded(text)));
            }
        }
    }
}

/// Position of a channel in the run's list: configured channels are in the order of their numbers.
fn position(channel: ChannelId) -> usize {
    usize::try_from(channel.0).unwrap_or(usize::MAX)
}

/// State of a channel without an exit, at the end of its recording.
fn state(
    channel: &ChannelRow,
    open: Option<&OpenRequest>,
    status: Option<&(u64, String)>,
) -> String {
    let mut text = match (open, channel.last) {
        (Some(open), _) => format!("not answered since tick {}: {}", open.seen, open.text()),
        (None, Some(last)) => format!("no request is open; last activity in tick {last}"),
        (None, None) if channel.protocol == "mailbox" => "no request, and no handshake".to_owned(),
        (None, None) => "no request".to_owned(),
    };
    if let Some((tick, status)) = status {
        text.push_str(&format!("\nstatus in tick {tick}: {status}"));
    }
    text
}
