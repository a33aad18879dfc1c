//! What whoever ticks may read without a message: how many channels are served, when each made progress, and how they ended.

use std::cell::{Cell, OnceCell};

use super::inspect::WordsRead;
use crate::messages::ChannelId;

/// Kept by the mailbox server, read at the edge on every tick.
#[derive(Debug, Default)]
pub(crate) struct Board {
    served: Cell<usize>,
    channels: Box<[Standing]>,
    fatal: OnceCell<String>,
    /// Words of channels are being read for their status.
    pub(super) inspected: Cell<bool>,
}

/// How far one channel is.
#[derive(Debug, Default)]
struct Standing {
    /// The tick of its last progress.
    since: Cell<u64>,
    exit: Cell<Option<u32>>,
    /// Read of its words, once its place in memory is known.
    words: OnceCell<WordsRead>,
}

impl Board {
    /// For this many channels, none of which has ended.
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            served: Cell::new(channels),
            channels: (0..channels).map(|_| Standing::default()).collect(),
            fatal: OnceCell::new(),
            inspected: Cell::new(false),
        }
    }

    /// Channels that have not exited.
    pub(crate) fn served(&self) -> usize {
        self.served.get()
    }

    /// The channels, those that have exited among them.
    pub(super) fn channels(&self) -> impl Iterator<Item = ChannelId> {
        (0..).map(ChannelId).take(self.channels.len())
    }

    /// The exit code of each channel that has one.
    pub(crate) fn exits(&self) -> Vec<Option<u32>> {
        self.channels.iter().map(|at| at.exit.get()).collect()
    }

    /// The tick in which each channel made its last progress; none where it has exited.
    pub(crate) fn progresses(&self) -> impl Iterator<Item = Option<u64>> {
        let since = |at: &Standing| at.exit.get().is_none().then(|| at.since.get());
        self.channels.iter().map(since)
    }

    /// What ended the service as a whole.
    pub(crate) fn fatal(&self) -> Option<&str> {
        self.fatal.get().map(String::as_str)
    }

    /// Ends the service as a whole, unless something has.
    pub(crate) fn fail(&self, text: &str) {
        self.fatal.get_or_init(|| text.to_owned());
    }

    /// The tick of a channel's last progress.
    pub(super) fn since(&self, channel: ChannelId) -> u64 {
        self.standing(channel).map_or(0, |at| at.since.get())
    }

    /// A channel makes progress.
    pub(crate) fn progress(&self, channel: ChannelId, now: u64) {
        if let Some(at) = self.standing(channel) {
            at.since.set(now);
        }
    }

    /// A channel has exited.
    pub(crate) fn exited(&self, channel: ChannelId, code: u32) {
        let standing = self.standing(channel);
        if let Some(at) = standing.filter(|at| at.exit.get().is_none()) {
            at.exit.set(Some(code));
            self.served.set(self.served.get().saturating_sub(1));
        }
    }

    /// The place of a channel is known.
    pub(super) fn found(&self, channel: ChannelId, words: WordsRead) {
        if let Some(at) = self.standing(channel) {
            at.words.get_or_init(|| words);
        }
    }

    /// Read of a channel's words, by its position.
    pub(super) fn words(&self, channel: usize) -> Option<&WordsRead> {
        self.channels.get(channel)?.words.get()
    }

    fn standing(&self, channel: ChannelId) -> Option<&Standing> {
        self.channels.get(usize::try_from(channel.0).ok()?)
    }
}
