//! State of the channels that the tick loop reads without messages: number of channels served, last progress, exit codes.

use std::cell::{Cell, OnceCell};
use std::fmt;

use crate::mem::{AccessError, Outcome};
use crate::messages::front_end::ChannelState;
use crate::messages::mailbox::ChannelWords;
use crate::messages::memory::AccessSegments;
use crate::messages::{ChannelDescriptor, ChannelId};

/// Extracts the words of a mailbox from its bytes.
type ParseWords = dyn Fn(&[u8]) -> Option<ChannelWords>;

/// Read of all words of one mailbox.
pub(in crate::actors) struct WordsRead {
    pub(in crate::actors) access: AccessSegments,
    pub(in crate::actors) parse: Box<ParseWords>,
}

impl WordsRead {
    /// Extracts the words from the outcome of the read.
    pub(in crate::actors) fn parse(
        &self,
        read: Result<Outcome, AccessError>,
    ) -> Option<ChannelWords> {
        (self.parse)(&read.ok()?.into_bytes())
    }
}

impl fmt::Debug for WordsRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordsRead")
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// Guard: words are being read.
struct Inspecting<'a>(&'a Cell<bool>);

impl Drop for Inspecting<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Written by the front ends. Read by the API layer on every tick.
#[derive(Debug, Default)]
pub(crate) struct ChannelProgress {
    served: Cell<usize>,
    channels: Box<[Standing]>,
    fatal: OnceCell<String>,
    /// True while words of channels are read for a status.
    inspected: Cell<bool>,
}

/// Progress of one channel.
#[derive(Debug, Default)]
struct Standing {
    /// Tick of its last progress.
    since: Cell<u64>,
    exit: Cell<Option<u32>>,
    /// True for a channel whose protocol has no exit.
    is_endless: Cell<bool>,
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

    /// Creates the state of these channels.
    pub(crate) fn of(channels: &[ChannelDescriptor]) -> Self {
        let progress = Self::new(channels.len());
        for (id, channel) in progress.channels().zip(channels) {
            if !channel.interface.has_exit() {
                progress.has_no_exit(id);
            }
        }
        progress
    }

    /// Number of channels that have not exited. Those without an exit count if there are no others.
    pub(crate) fn served(&self) -> usize {
        self.served.get()
    }

    /// Marks a channel whose protocol has no exit: the system ends without it, and it is never late.
    fn has_no_exit(&self, channel: ChannelId) {
        let Some(standing) = self.standing(channel) else {
            return;
        };
        standing.is_endless.set(true);
        let channels = self.channels.len();
        let endless = self
            .channels
            .iter()
            .filter(|at| at.is_endless.get())
            .count();
        self.served.set(match channels - endless {
            0 => channels,
            others => others,
        });
    }

    /// All channels, including those that have exited.
    pub(crate) fn channels(&self) -> impl Iterator<Item = ChannelId> {
        (0..).map(ChannelId).take(self.channels.len())
    }

    /// Exit code of each channel, if it has exited.
    pub(crate) fn exits(&self) -> Vec<Option<u32>> {
        self.channels.iter().map(|at| at.exit.get()).collect()
    }

    /// Tick of each channel's last progress; `None` for a channel that has exited.
    pub(crate) fn progresses(&self) -> impl Iterator<Item = Option<u64>> {
        let is_due = |at: &Standing| at.exit.get().is_none() && !at.is_endless.get();
        let since = move |at: &Standing| is_due(at).then(|| at.since.get());
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
    pub(in crate::actors) fn since(&self, channel: ChannelId) -> u64 {
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
    pub(in crate::actors) fn found(&self, channel: ChannelId, words: WordsRead) {
        if let Some(at) = self.standing(channel) {
            at.words.get_or_init(|| words);
        }
    }

    /// Running channels among `ids` that are located in memory, each with the read of its words and its status. Empty while words are
    /// being read: a memory backend may request the status itself.
    pub(in crate::actors) fn inspect<'a, S: ChannelState>(
        &'a self,
        ids: &'a [ChannelId],
        statuses: &'a mut [S],
    ) -> impl Iterator<Item = (&'a WordsRead, &'a mut S)> {
        let first = !self.inspected.replace(true);
        let inspecting = first.then(|| Inspecting(&self.inspected));
        let channels = ids.iter().zip(statuses);
        channels.filter_map(move |(channel, status)| {
            inspecting.as_ref()?;
            let words = self.standing(*channel)?.words.get()?;
            status.is_open().then_some((words, status))
        })
    }

    fn standing(&self, channel: ChannelId) -> Option<&Standing> {
        self.channels.get(usize::try_from(channel.0).ok()?)
    }
}
