//! State of the channels that the tick loop reads without messages: number of channels served, last progress, exit codes.

use std::cell::{Cell, OnceCell};

use super::inspect::WordsRead;
use crate::messages::ChannelId;

/// OwnedObservation by the mailbox server. Read by the API layer on every tick.
#[derive(Debug, Default)]
pub(crate) struct ChannelProgress {
    served: Cell<usize>,
    channels: Box<[Standing]>,
    fatal: OnceCell<String>,
    /// True while words of channels are read for a status.
    pub(super) inspected: Cell<bool>,
}

/// Progress of one channel.
#[derive(Debug, Default)]
struct Standing {
    /// Tick of its last progress.
    since: Cell<u64>,
    exit: Cell<Option<u32>>,
    /// Read of the channel's words, set when the channel was located in memory.
    words: OnceCell<WordsRead>,
}

impl ChannelProgress {
    /// Creates the state of this many running channels.
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            served: Cell::new(channels),
            channels: (0..channels).map(|_| Standing::default()).collect(),
            fatal: OnceCell::new(),
            inspected: Cell::new(false),
        }
    }

    /// Number of channels that have not exited.
    pub(crate) fn served(&self) -> usize {
        self.served.get()
    }

    /// All channels, including those that have exited.
    pub(super) fn channels(&self) -> impl Iterator<Item = ChannelId> {
        (0..).map(ChannelId).take(self.channels.len())
    }

    /// Exit code of each channel, if it has exited.
    pub(crate) fn exits(&self) -> Vec<Option<u32>> {
        self.channels.iter().map(|at| at.exit.get()).collect()
    }

    /// Tick of each channel's last progress; `None` for a channel that has exited.
    pub(crate) fn progresses(&self) -> impl Iterator<Item = Option<u64>> {
        let since = |at: &Standing| at.exit.get().is_none().then(|| at.since.get());
        self.channels.iter().map(since)
    }

    /// Error that ended the service of all channels.
    pub(crate) fn fatal(&self) -> Option<&str> {
        self.fatal.get().map(String::as_str)
    }

    /// Ends the service of all channels with this error. The first error stays.
    pub(crate) fn fail(&self, text: &str) {
        self.fatal.get_or_init(|| text.to_owned());
    }

    /// Tick of the channel's last progress.
    pub(super) fn since(&self, channel: ChannelId) -> u64 {
        self.standing(channel).map_or(0, |at| at.since.get())
    }

    /// Records progress of a channel.
    pub(crate) fn progress(&self, channel: ChannelId, now: u64) {
        if let Some(at) = self.standing(channel) {
            at.since.set(now);
        }
    }

    /// Records a channel's exit.
    pub(crate) fn exited(&self, channel: ChannelId, code: u32) {
        let standing = self.standing(channel);
        if let Some(at) = standing.filter(|at| at.exit.get().is_none()) {
            at.exit.set(Some(code));
            self.served.set(self.served.get().saturating_sub(1));
        }
    }

    /// Stores the read of a channel's words, once the channel is located in memory.
    pub(super) fn found(&self, channel: ChannelId, words: WordsRead) {
        if let Some(at) = self.standing(channel) {
            at.words.get_or_init(|| words);
        }
    }

    /// Read of the words of the channel at this position of the configuration.
    pub(super) fn words(&self, channel: usize) -> Option<&WordsRead> {
        self.channels.get(channel)?.words.get()
    }

    fn standing(&self, channel: ChannelId) -> Option<&Standing> {
        self.channels.get(usize::try_from(channel.0).ok()?)
    }
}
