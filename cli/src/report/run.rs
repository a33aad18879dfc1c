//! A recorded run as plain data, collected in one pass.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use mailbox_rs::Errno;
use vhost::Severity;
use vhost::attach::Table;
use vhost::messages::ServedRequest;
use vhost::trace::{Damage, Header, Payloads, TraceError};

use super::activity::Activity;
use super::collect::Collector;
use super::console::Console;
use super::kept::Kept;
use super::memories::SpaceRow;
use crate::trace::EntryReader;

/// Most requests and reports that are kept in front of the first failure.
pub(super) const LEAD: usize = 12;

/// Most channels of a run. Further ones are counted as the last.
pub(super) const MOST_CHANNELS: usize = 1024;

/// Most characters of a text.
pub(super) const LONGEST: usize = 4000;

/// Bounds of the data that is kept of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) requests: usize,
    pub(super) reports: usize,
    pub(super) lines: usize,
}

/// Recorded run.
#[derive(Debug)]
pub(super) struct Run {
    /// Path as given on the command line.
    pub(super) file: String,
    /// Origin of the recording.
    pub(super) identity: Identity,
    pub(super) channels: Vec<ChannelRow>,
    pub(super) requests: Kept<RequestRow>,
    /// Counts and latencies of all requests.
    pub(super) table: Table,
    pub(super) activity: Activity,
    pub(super) reports: Kept<ReportRow>,
    /// Number of reports of each severity.
    pub(super) severities: [u64; 4],
    pub(super) first_fatal: Option<ReportRow>,
    pub(super) console: Console,
    /// First error or fatal report, or first exit with an error, whichever came first.
    pub(super) failure: Option<Failure>,
    pub(super) spaces: Vec<SpaceRow>,
    /// Number of messages and replies.
    pub(super) entries: u64,
    /// Last tick.
    pub(super) ticks: u64,
    pub(super) end: End,
}

/// End of a recording.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The system ended.
    Whole,
    /// The file ends with a whole block, and without the system's end.
    Open,
    /// The file ends inside of a block.
    Cut,
    /// A frame is damaged; text of the error.
    Damaged(String),
}

/// Origin of a recording.
#[derive(Debug)]
pub(super) struct Identity {
    /// Version of the library that recorded it.
    pub(super) version: String,
    /// True if the recording begins with the run.
    pub(super) is_whole: bool,
    pub(super) payloads: Payloads,
    /// Paths of the configurations.
    pub(super) configurations: Vec<String>,
    /// Paths of the images.
    pub(super) images: Vec<String>,
    /// CRC-32 of the writes that loaded images and hex files; `None` if there were none, or if their
    /// bytes are not recorded.
    pub(super) loaded: Option<u32>,
    /// Variables that the configurations refer to.
    pub(super) variables: BTreeMap<String, Option<String>>,
    /// Period of a tick in picoseconds, where the configuration says one.
    pub(super) period: Option<u64>,
}

/// Channel of a run.
#[derive(Debug)]
pub(super) struct ChannelRow {
    pub(super) name: Arc<str>,
    pub(super) protocol: &'static str,
    /// True if firmware ends the channel by an exit.
    pub(super) has_exit: bool,
    /// Exit code and its tick.
    pub(super) exit: Option<(u32, u64)>,
    pub(super) requests: u64,
    pub(super) failed: u64,
    /// Tick of the last request, exit or doorbell.
    pub(super) last: Option<u64>,
    /// State at the end, for a channel without an exit.
    pub(super) state: String,
}

/// Served request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestRow {
    /// Position of the channel in the run's list.
    pub(super) channel: usize,
    pub(super) kind: &'static str,
    /// Request in the terms of its protocol.
    pub(super) text: String,
    /// Tick in which it was taken.
    pub(super) taken: u64,
    /// Tick in which it was answered.
    pub(super) answered: u64,
    pub(super) result: Outcome,
}

/// Result of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    /// Success without a value.
    Done,
    Value(u64),
    Failed(Errno),
}

/// Report for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportRow {
    pub(super) tick: u64,
    pub(super) severity: Severity,
    pub(super) id: String,
    pub(super) text: String,
}

/// First failure of a run.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) tick: u64,
    /// Channel, or source of the report.
    pub(super) id: String,
    pub(super) text: String,
    /// Requests and reports that precede it, oldest first.
    pub(super) before: Vec<Step>,
}

/// Request or report.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Request(RequestRow),
    Report(ReportRow),
}

impl Run {
    /// Reads a recording. A damaged one is read up to the damage.
    ///
    /// # Errors
    /// Fails if the file can't be read, or is no recording of this format.
    pub(super) fn read(file: &Path, bounds: Bounds) -> Result<Self, TraceError> {
        let mut reader = EntryReader::of(file, false)?;
        let mut collector = Collector::new(file, &reader, bounds);
        let end = reader.try_for_each(|decoded| decoded.map(|decoded| collector.add(&decoded)));
        let problem = end.err().map(|error| match error {
            TraceError::Damaged { frame, damage, .. } => format!("frame {frame}: {damage}"),
            other => cause_of(&other),
        });
        Ok(collector.end(problem, reader.trace().is_cut()))
    }

    /// Number of requests, and of those that failed.
    pub(super) fn counts(&self) -> (u64, u64) {
        let channels = self.channels.iter();
        channels.fold((0, 0), |(requests, failed), channel| {
            (requests + channel.requests, failed + channel.failed)
        })
    }
}

/// Error of a recording without the name of its file.
pub(super) fn cause_of(error: &TraceError) -> String {
    match error {
        TraceError::Io { cause, .. } => cause.to_string(),
        TraceError::NoTrace { .. } => "it is no recording: it does not begin with VHOSTTRC".into(),
        TraceError::Version { found, .. } => format!(
            "it has format {found}, and this command reads formats {} to {}",
            vhost::trace::OLDEST_FORMAT,
            vhost::trace::FORMAT
        ),
        TraceError::Damaged { frame, damage, .. } => match damage {
            // The number would be in each group of failures.
            Damage::Checksum => format!("damaged in frame {frame}: checksum mismatch"),
            other => format!("damaged in frame {frame}: {other}"),
        },
    }
}

impl Identity {
    pub(super) fn of(header: &Header) -> Self {
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
            variables: header.variables.clone(),
            period: None,
        }
    }

    /// Reason why the run can't be replayed.
    pub(super) fn no_replay(&self) -> Option<&'static str> {
        if !self.is_whole {
            return Some("it can't be replayed: the recording begins in the middle of the run");
        }
        (self.payloads != Payloads::Keep)
            .then_some("it can't be replayed: the recording has no payloads")
    }
}

impl RequestRow {
    pub(super) fn of(served: &dyn ServedRequest, channel: usize, answered: u64) -> Self {
        Self {
            channel,
            kind: served.kind(),
            text: bounded(served.request_text()),
            taken: served.since().min(answered),
            answered,
            result: match (served.error(), served.value()) {
                (Some(errno), _) => Outcome::Failed(errno),
                (None, Some(value)) => Outcome::Value(value),
                (None, None) => Outcome::Done,
            },
        }
    }
}

impl Outcome {
    pub(super) fn text(self) -> String {
        match self {
            Self::Done => "done".to_owned(),
            Self::Value(value) => format!("gives {value:#x}"),
            Self::Failed(errno) => format!("fails: {errno}"),
        }
    }
}

/// Text of at most [`LONGEST`] characters.
pub(super) fn bounded(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Last steps of a run, up to a number.
#[derive(Debug, Default)]
pub(super) struct Lead(VecDeque<Step>);

impl Lead {
    pub(super) fn push(&mut self, step: Step) {
        if self.0.len() == LEAD {
            self.0.pop_front();
        }
        self.0.push_back(step);
    }

    pub(super) fn take(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.0).into()
    }
}
