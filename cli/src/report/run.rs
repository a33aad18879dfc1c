//! A recorded run as plain data, collected in one pass.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mailbox_rs::Errno;
use vhost::Severity;
use vhost::attach::Table;
use vhost::messages::ServedRequest;
use vhost::trace::{FrameError, Header, Payloads, RunIdentity, TraceError};

use super::activity::Activity;
use super::bounded::Bounded;
use super::collect::Collector;
use super::console::Console;
use super::memories::SpaceRow;
use crate::run::is_made;
use crate::trace::{EntryReader, OpenRequest};
use crate::waves::{Segment, UNANSWERED};

/// Maximum number of requests and reports that are kept before the first failure.
pub(crate) const LEAD: usize = 12;

/// Maximum number of channels of a run. Further ones are counted as the last one.
pub(crate) const MAX_CHANNELS: usize = 1024;

/// Maximum number of characters of a text.
pub(crate) const MAX_TEXT_LEN: usize = 4000;

/// Limits of the data that is kept of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) requests: usize,
    pub(crate) reports: usize,
    pub(crate) lines: usize,
}

/// Recorded run.
#[derive(Debug)]
pub(crate) struct Run {
    /// Path as given on the command line.
    pub(crate) path: PathBuf,
    /// Path as text.
    pub(crate) file: String,
    /// Origin of the recording.
    pub(crate) identity: Identity,
    pub(crate) channels: Vec<ChannelRow>,
    pub(super) requests: Bounded<RequestRow>,
    /// Counts and latencies of all requests.
    pub(super) table: Table,
    pub(super) activity: Activity,
    pub(super) reports: Bounded<ReportRow>,
    /// Number of reports of each severity.
    pub(crate) severities: [u64; 4],
    /// Report on errors that attached checkers have found.
    pub(super) found: Option<ReportRow>,
    pub(crate) console: Console,
    /// First error or fatal report, or first exit with an error, whichever came first.
    pub(super) first_failure: Option<Failure>,
    /// First of these failures, except reports of severity error by firmware or the host.
    pub(super) first_ending: Option<Failure>,
    /// First fatal report.
    pub(super) first_fatal: Option<ReportRow>,
    pub(super) spaces: Vec<SpaceRow>,
    /// Number of messages and replies.
    pub(crate) entries: u64,
    /// Last tick.
    pub(crate) ticks: u64,
    /// Number of segments.
    pub(crate) segments: u64,
    /// Requests without a response that were not taken yet, if they are passed on.
    #[cfg(feature = "parquet")]
    pub(crate) unanswered: Vec<Unanswered>,
    pub(crate) end: RecordingEnd,
}

/// End of a recording.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RecordingEnd {
    /// The system ended.
    Whole,
    /// The file ends with a whole block, and without the system's end.
    Open,
    /// The file ends inside of a block.
    Truncated,
    /// A frame is damaged; text of the error.
    Damaged(String),
}

/// Origin of a recording.
#[derive(Debug)]
pub(crate) struct Identity {
    /// Version of the library that recorded it.
    pub(crate) version: String,
    /// True if the recording begins with the run.
    pub(crate) is_whole: bool,
    pub(crate) payloads: Payloads,
    /// Paths of the configurations.
    pub(crate) configurations: Vec<String>,
    /// Paths of the images.
    pub(crate) images: Vec<String>,
    /// CRC-32 of the writes that loaded images and hex files; `None` if there were none, or if
    /// their bytes are not recorded.
    pub(crate) loaded: Option<u32>,
    /// Name, design, seed, command and further properties.
    pub(crate) run: RunIdentity,
    /// User variables in the configurations.
    pub(crate) variables: BTreeMap<String, Option<String>>,
    /// Period of a tick in picoseconds, if configured.
    pub(crate) period: Option<u64>,
}

/// Channel of a run.
#[derive(Debug)]
pub(crate) struct ChannelRow {
    pub(crate) name: Arc<str>,
    pub(crate) protocol: &'static str,
    /// Position of the first channel with the same firmware. An exit by one of them is an exit of
    /// all.
    pub(super) firmware: usize,
    /// True if firmware can end the channel by an exit.
    pub(crate) has_exit: bool,
    /// Exit code and its tick.
    pub(crate) exit: Option<(u32, u64)>,
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    /// Tick of the last request, exit or doorbell.
    pub(crate) last: Option<u64>,
    /// State at the end, for a channel without an exit.
    pub(crate) state: String,
}

/// Served request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestRow {
    /// Position of the channel in the run's list.
    pub(crate) channel: usize,
    /// Segment of a run that returns to checkpoints.
    pub(crate) segment: Segment,
    pub(crate) kind: &'static str,
    /// Request in the terms of its protocol.
    pub(crate) text: String,
    /// Tick in which it was taken.
    pub(crate) taken: u64,
    /// Tick in which it was answered; the last tick of the segment without a response.
    pub(crate) answered: u64,
    pub(crate) result: RequestResult,
}

/// Result of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RequestResult {
    /// Success without a value.
    Done,
    Value(u64),
    Failed(Errno),
    /// No response.
    None,
}

/// Request that was dropped without a response.
#[cfg(feature = "parquet")]
#[derive(Debug)]
pub(crate) struct Unanswered {
    /// Position of the channel in the run's list.
    pub(crate) channel: usize,
    /// Number of the segment.
    pub(crate) segment: u64,
    pub(crate) request: OpenRequest,
}

/// Report for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportRow {
    pub(crate) tick: u64,
    pub(crate) severity: Severity,
    pub(crate) id: String,
    pub(crate) text: String,
}

/// Kind of an event that fails a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Report of severity error.
    Error,
    /// Report on errors that attached checkers have found.
    Findings,
    /// Fatal report.
    Fatal,
    /// Exit with a code other than 0.
    Exit,
}

/// First failure of a run.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    pub(crate) tick: u64,
    /// Channel, or source of the report.
    pub(crate) id: String,
    pub(crate) text: String,
    /// Requests and reports that precede it, oldest first.
    pub(crate) before: Vec<Step>,
}

/// Request or report.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Request(RequestRow),
    Report(ReportRow),
}

impl Run {
    /// Reads a recording. A damaged one is read up to the damage.
    ///
    /// # Errors
    /// Fails if the file can't be read, or is not a recording in this format.
    pub(crate) fn read(file: &Path, bounds: Bounds) -> Result<Self, TraceError> {
        let mut reader = EntryReader::of(file, false)?;
        let mut collector = Collector::new(file, &reader, bounds);
        let end = reader.try_for_each(|decoded| decoded.map(|decoded| collector.add(&decoded)));
        let problem = end.err().map(|error| problem_of(&error));
        Ok(collector.end(problem, reader.trace().is_truncated()))
    }

    /// First failure of the run. With `allows_errors`, reports of severity error are not failures.
    pub(crate) fn failure(&self, allows_errors: bool) -> Option<&Failure> {
        match allows_errors {
            true => self.first_ending.as_ref(),
            false => self.first_failure.as_ref(),
        }
    }

    /// Exit code of a channel's firmware, and its tick, by any of its channels; `None` without an
    /// exit.
    pub(super) fn exit_of(&self, channel: &ChannelRow) -> Option<(u32, u64)> {
        let mut same = self.channels.iter();
        channel
            .exit
            .or_else(|| same.find_map(|it| it.exit.filter(|_| it.firmware == channel.firmware)))
    }

    /// Channels that have an exit, and whose firmware has not exited.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &ChannelRow> {
        let channels = self.channels.iter();
        channels.filter(|channel| channel.has_exit && self.exit_of(channel).is_none())
    }

    /// True if all firmware that can exit has exited, and there is some.
    pub(super) fn has_exited(&self) -> bool {
        let mut channels = self.channels.iter();
        channels.any(|channel| channel.exit.is_some()) && self.waiting().next().is_none()
    }

    /// Exit code of the run as in `vhost run`: the first code other than 0 in the order of the
    /// channels, or 0 if all firmware has exited.
    #[cfg(feature = "parquet")]
    pub(crate) fn exit_code(&self) -> Option<u32> {
        let exits = self.channels.iter().filter_map(|channel| channel.exit);
        let mut failed = exits.map(|(code, _)| code).filter(|code| *code != 0);
        failed.next().or_else(|| self.has_exited().then_some(0))
    }

    /// Reason why the run can't be replayed.
    pub(crate) fn no_replay(&self) -> Option<&'static str> {
        let damaged = "it can't be replayed: the recording is damaged";
        let is_damaged = matches!(self.end, RecordingEnd::Damaged(_));
        self.identity
            .no_replay()
            .or_else(|| is_damaged.then_some(damaged))
    }

    /// Numbers of requests and of failed requests.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let channels = self.channels.iter();
        channels.fold((0, 0), |(requests, failed), channel| {
            (requests + channel.requests, failed + channel.failed)
        })
    }
}

/// Text of an error at which the entries of a recording end.
pub(crate) fn problem_of(error: &TraceError) -> String {
    match error {
        TraceError::Damaged { frame, damage, .. } => format!("frame {frame}: {damage}"),
        other => cause_of(other),
    }
}

/// Text of a recording's error without the name of its file.
pub(crate) fn cause_of(error: &TraceError) -> String {
    match error {
        TraceError::Io { cause, .. } => cause.to_string(),
        TraceError::NoFile { kind, .. } => {
            format!("it is a {kind}, and a recording is a regular file")
        }
        TraceError::Empty { .. } => "it is empty: nothing was recorded in it".into(),
        TraceError::TruncatedHeader { size, least, .. } => {
            format!("it was cut off inside of its header: it has {size} bytes, of at least {least}")
        }
        TraceError::NoTrace { .. } => "it is no recording: it does not begin with VHOSTTRC".into(),
        TraceError::Version { found, .. } => format!(
            "it has format {found}, and this command reads formats {} to {}",
            vhost::trace::OLDEST_FORMAT,
            vhost::trace::FORMAT
        ),
        TraceError::Damaged { frame, damage, .. } => match damage {
            // The number would differ within a group of failures.
            FrameError::Checksum => format!("damaged in frame {frame}: checksum mismatch"),
            other => format!("damaged in frame {frame}: {other}"),
        },
    }
}

impl Identity {
    pub(crate) fn of(header: &Header) -> Self {
        let configurations = [&header.memories, &header.mailboxes];
        let configurations = configurations.into_iter().flatten();
        let images = header.files.iter().filter(|(_, image)| image.is_some());
        Self {
            version: header.version.clone(),
            is_whole: header.whole,
            payloads: header.payloads,
            configurations: configurations.map(|source| source.file.clone()).collect(),
            images: images.map(|(file, _)| file.clone()).collect(),
            loaded: None,
            run: header.run.clone(),
            variables: header
                .named_variables()
                .filter(|(name, _)| !is_made(name))
                .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
                .collect(),
            period: None,
        }
    }

    /// Reason why the run can't be replayed.
    fn no_replay(&self) -> Option<&'static str> {
        if !self.is_whole {
            return Some("it can't be replayed: the recording begins in the middle of the run");
        }
        (self.payloads != Payloads::Keep)
            .then_some("it can't be replayed: the recording has no payloads")
    }
}

impl RequestRow {
    pub(crate) fn of(
        served: &dyn ServedRequest,
        channel: usize,
        segment: Segment,
        answered: u64,
    ) -> Self {
        Self {
            channel,
            segment,
            kind: served.kind(),
            text: bounded(served.request_text()),
            taken: served.since().min(answered),
            answered,
            result: match (served.error(), served.value()) {
                (Some(errno), _) => RequestResult::Failed(errno),
                (None, Some(value)) => RequestResult::Value(value),
                (None, None) => RequestResult::Done,
            },
        }
    }

    /// Request without a response up to tick `last`.
    pub(crate) fn unanswered(
        request: &OpenRequest,
        channel: usize,
        segment: Segment,
        last: u64,
    ) -> Self {
        Self {
            channel,
            segment,
            kind: request.kind(),
            text: bounded(request.text()),
            taken: request.seen.min(last),
            answered: last,
            result: RequestResult::None,
        }
    }
}

impl RequestResult {
    /// Number for the page: 1 for an error, 2 for no response, else 0.
    pub(super) fn mark(self) -> u8 {
        match self {
            Self::Done | Self::Value(_) => 0,
            Self::Failed(_) => 1,
            Self::None => 2,
        }
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::Done => "done".to_owned(),
            Self::Value(value) => format!("gives {value:#x}"),
            Self::Failed(errno) => format!("fails: {errno}"),
            Self::None => UNANSWERED.to_owned(),
        }
    }
}

/// Text, cut off after [`MAX_TEXT_LEN`] characters.
pub(crate) fn bounded(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_TEXT_LEN) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Last steps of a run, up to a limit.
#[derive(Debug, Default)]
pub(crate) struct Lead(VecDeque<Step>);

impl Lead {
    pub(crate) fn push(&mut self, step: Step) {
        if self.0.len() == LEAD {
            self.0.pop_front();
        }
        self.0.push_back(step);
    }

    pub(crate) fn steps(&self) -> Vec<Step> {
        self.0.iter().cloned().collect()
    }
}
