//! State of the channels that the tick loop reads without a message: number of served channels,
//! last progress, exit codes.

use std::cell::{Cell, OnceCell};
use std::fmt;

use crate::mem::{AccessError, OpOutcome};
use crate::messages::StatusWords;
use crate::messages::front_end::ChannelState;
use crate::messages::memory::AccessSegments;
use crate::messages::{ChannelDescriptor, ChannelId};

/// Extracts the words of a channel from its bytes.
type ParseWords = dyn Fn(&[u8]) -> Option<StatusWords>;

/// Read of the words of one channel for its status.
pub(in crate::actors) struct WordsRead {
    pub(in crate::actors) access: AccessSegments,
    pub(in crate::actors) parse: Box<ParseWords>,
}

impl WordsRead {
    /// Extracts the words from the outcome of the read.
    pub(in crate::actors) fn parse(
        &self,
        read: Result<OpOutcome, AccessError>,
    ) -> Option<StatusWords> {
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

/// Progress of all channels, written by the front ends and read by the API layer on every tick.
#[derive(Debug, Default)]
pub(crate) struct ChannelProgress {
    served: Cell<usize>,
    channels: Box<[ProgressRecord]>,
    fatal: OnceCell<String>,
    /// True while words of channels are read for a status.
    inspected: Cell<bool>,
}

/// Progress of one channel.
#[derive(Debug, Default)]
struct ProgressRecord {
    /// Tick of its last progress.
    since: Cell<u64>,
    exit: Cell<Option<u32>>,
    /// True for a channel whose protocol has no exit.
    is_endless: Cell<bool>,
    /// Channel of the same firmware whose exit also ends this one; `None` for the channel itself.
    firmware: Cell<Option<ChannelId>>,
    /// Read of the channel's words, set when the channel is located in memory.
    words: OnceCell<WordsRead>,
}

impl ChannelProgress {
    /// Creates the state of this many running channels.
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            served: Cell::new(channels),
            channels: (0..channels).map(|_| ProgressRecord::default()).collect(),
            fatal: OnceCell::new(),
            inspected: Cell::new(false),
        }
    }

    /// Creates the state of these channels.
    pub(crate) fn of(channels: &[ChannelDescriptor]) -> Self {
        let progress = Self::new(channels.len());
        let mut exits = 0;
        for (id, (channel, record)) in (0..)
            .map(ChannelId)
            .zip(channels.iter().zip(&progress.channels))
        {
            let is_first = channel.firmware == id;
            record.firmware.set((!is_first).then_some(channel.firmware));
            record.is_endless.set(!channel.interface.has_exit());
            exits += usize::from(is_first && channel.interface.has_exit());
        }
        if exits > 0 {
            progress.served.set(exits);
        }
        progress
    }

    /// Number of firmwares that have not exited. The channels of one firmware count as one.
    /// Channels without an exit count only if there are no others.
    pub(crate) fn served(&self) -> usize {
        self.served.get()
    }

    /// Counts the firmwares that have not exited.
    fn count(&self) {
        let is_first = |at: &ProgressRecord| at.firmware.get().is_none() && !at.is_endless.get();
        let any = self.channels.iter().any(is_first);
        let counted = self.channels().zip(&self.channels);
        let counted = counted.filter(|(_, at)| !any || is_first(at));
        let open = counted.filter(|(id, _)| !self.has_ended(*id));
        self.served.set(open.count());
    }

    /// All channels, including those that have exited.
    pub(crate) fn channels(&self) -> impl Iterator<Item = ChannelId> {
        (0..).map(ChannelId).take(self.channels.len())
    }

    /// Exit code of each channel, if it has exited.
    pub(crate) fn exits(&self) -> Vec<Option<u32>> {
        self.channels.iter().map(|at| at.exit.get()).collect()
    }

    /// Tick of the last progress of each channel's firmware. `None` for a channel that has exited,
    /// and for one without an exit, which is never late.
    pub(crate) fn progresses(&self) -> impl Iterator<Item = Option<u64>> {
        self.channels().zip(&self.channels).map(|(id, at)| {
            let is_due = !at.is_endless.get() && !self.has_ended(id);
            let latest = self.same_firmware(id).map(|it| it.since.get()).max();
            latest.filter(|_| is_due)
        })
    }

    /// Channels of the same firmware, this one included.
    fn same_firmware(&self, channel: ChannelId) -> impl Iterator<Item = &ProgressRecord> {
        let first = |id: ChannelId| self.record(id)?.firmware.get().or(Some(id));
        let own = first(channel);
        let all = self.channels().zip(&self.channels);
        all.filter(move |(id, _)| first(*id) == own)
            .map(|(_, at)| at)
    }

    /// True if firmware has exited by this channel or another one.
    fn has_ended(&self, channel: ChannelId) -> bool {
        self.same_firmware(channel)
            .any(|at| at.exit.get().is_some())
    }

    /// Error that ended the service of all channels.
    pub(crate) fn fatal(&self) -> Option<&str> {
        self.fatal.get().map(String::as_str)
    }

    /// Ends the service of all channels with this error. An earlier error is kept.
    pub(crate) fn fail(&self, text: &str) {
        self.fatal.get_or_init(|| text.to_owned());
    }

    /// Tick of the channel's last progress.
    pub(in crate::actors) fn since(&self, channel: ChannelId) -> u64 {
        self.record(channel).map_or(0, |at| at.since.get())
    }

    /// Records progress of a channel.
    pub(crate) fn progress(&self, channel: ChannelId, now: u64) {
        if let Some(at) = self.record(channel) {
            at.since.set(now);
        }
    }

    /// Records a channel's exit.
    pub(crate) fn exited(&self, channel: ChannelId, code: u32) {
        let record = self.record(channel);
        if let Some(at) = record.filter(|at| at.exit.get().is_none()) {
            let is_first = !self.has_ended(channel);
            at.exit.set(Some(code));
            let ended = usize::from(is_first);
            self.served.set(self.served.get().saturating_sub(ended));
        }
    }

    /// Sets the exit code of a channel, `None` before the exit. Its last progress is `now`.
    pub(in crate::actors) fn restore(&self, channel: ChannelId, exit: Option<u32>, now: u64) {
        if let Some(at) = self.record(channel) {
            at.exit.set(exit);
            at.since.set(now);
        }
        self.count();
    }

    /// Stores the read of a channel's words, once the channel is located in memory.
    pub(in crate::actors) fn found(&self, channel: ChannelId, words: WordsRead) {
        if let Some(at) = self.record(channel) {
            at.words.get_or_init(|| words);
        }
    }

    /// Running channels among `ids` that are located in memory, each with the read of its words and
    /// its status. Empty while words are being read, because a memory backend may itself request
    /// the status.
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
            let words = self.record(*channel)?.words.get()?;
            status.is_open().then_some((words, status))
        })
    }

    fn record(&self, channel: ChannelId) -> Option<&ProgressRecord> {
        self.channels.get(usize::try_from(channel.0).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_one_firmware_end_together() {
        let progress = ChannelProgress::new(4);
        // The second and the third channel belong to one firmware.
        progress.channels[2].firmware.set(Some(ChannelId(1)));
        progress.served.set(3);
        progress.progress(ChannelId(1), 5);
        progress.progress(ChannelId(2), 9);
        let latest = |progress: &ChannelProgress| progress.progresses().collect::<Vec<_>>();
        assert_eq!(latest(&progress), [Some(0), Some(9), Some(9), Some(0)]);
        progress.exited(ChannelId(2), 3);
        assert_eq!(progress.served(), 2);
        assert_eq!(latest(&progress), [Some(0), None, None, Some(0)]);
        // A later exit of the same firmware is not one of another.
        progress.exited(ChannelId(1), 4);
        progress.exited(ChannelId(1), 5);
        assert_eq!(progress.served(), 2);
        assert_eq!(progress.exits(), [None, Some(4), Some(3), None]);
        progress.exited(ChannelId(0), 0);
        progress.exited(ChannelId(3), 0);
        assert_eq!(progress.served(), 0);
    }
}
