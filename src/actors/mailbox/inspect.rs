//! Status of channels, together with their words in memory.
//!
//! The server reports its own state, and the asker reads the words. So a status requested inside of a memory access or of a method needs no
//! task of the server.

use std::cell::Cell;

use super::ChannelProgress;
use super::watched_words::Look;
use crate::bus::{Bus, BusError, Port};
use crate::mem::{AccessError, Outcome};
use crate::messages::mailbox::{ChannelStatus, ChannelWords, Inbox, Status, Step};
use crate::messages::memory::{self, AccessSegments};

/// Read of all words of one channel.
#[derive(Debug)]
pub(super) struct WordsRead {
    pub(super) access: AccessSegments,
    pub(super) look: Look,
}

impl WordsRead {
    /// Extracts the words from the outcome of the read.
    pub(super) fn parse(&self, read: Result<Outcome, AccessError>) -> Option<ChannelWords> {
        self.look.words(&read.ok()?.into_bytes())
    }
}

/// Guard: words are being read.
struct Inspecting<'a>(&'a Cell<bool>);

impl Drop for Inspecting<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl ChannelProgress {
    /// Running channels that are located in memory, each with the read of its words. Empty while words are being read: a memory backend may
    /// request the status itself.
    pub(super) fn inspect<'a>(
        &'a self,
        statuses: &'a mut [ChannelStatus],
    ) -> impl Iterator<Item = (&'a WordsRead, &'a mut ChannelStatus)> {
        let first = !self.inspected.replace(true);
        let inspecting = first.then(|| Inspecting(&self.inspected));
        let channels = statuses.iter_mut().enumerate();
        channels.filter_map(move |(at, status)| {
            inspecting.as_ref()?;
            let is_open = !matches!(status.step, Step::Exited { .. } | Step::GivenUp);
            is_open.then_some((self.words(at)?, status))
        })
    }
}

/// Status of each channel, in the order of the configuration, with its words in memory.
///
/// # Errors
/// [`BusError`] from inside an actor or a tap.
pub(crate) fn statuses(
    bus: &Bus,
    server: &Port<Inbox>,
    memory: &Port<memory::Inbox>,
    progress: &ChannelProgress,
) -> Result<Vec<ChannelStatus>, BusError> {
    let mut statuses = bus.ask(server, Status)?;
    for (words, status) in progress.inspect(&mut statuses) {
        let read = bus.ask(memory, words.access.clone());
        status.words = read.ok().and_then(|read| words.parse(read));
    }
    Ok(statuses)
}
