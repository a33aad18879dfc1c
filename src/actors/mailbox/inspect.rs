//! Status of channels together with their words in memory.
//!
//! The server knows what it does, and whoever asks for a status reads the words: a status that is asked for from inside of an access to
//! memory, or of a method, needs no task of the server's.

use super::Board;
use super::watch::Look;
use crate::bus::{Bus, BusError, Port};
use crate::mem::{AccessError, Outcome};
use crate::messages::mailbox::{ChannelStatus, Inbox, Sight, Status, Step};
use crate::messages::memory::{self, AccessAt};

/// Read of all words of one channel.
#[derive(Debug)]
pub(super) struct WordsRead {
    pub(super) access: AccessAt,
    pub(super) look: Look,
}

impl WordsRead {
    /// The words in what was read.
    pub(super) fn parse(&self, read: Result<Outcome, AccessError>) -> Option<Sight> {
        self.look.sight(&read.ok()?.into_bytes())
    }
}

impl Board {
    /// Channels whose words say more than the server knows, each with the read of them.
    pub(super) fn inspect<'a>(
        &'a self,
        statuses: &'a mut [ChannelStatus],
    ) -> impl Iterator<Item = (&'a WordsRead, &'a mut ChannelStatus)> {
        let open = statuses
            .iter_mut()
            .enumerate()
            .filter(|(_, status)| !matches!(status.step, Step::Exited { .. } | Step::GivenUp));
        open.filter_map(|(at, status)| Some((self.words(at)?, status)))
    }
}

/// Status of each channel, in the order of the configuration, with its words.
///
/// # Errors
/// [`BusError`] from inside an actor or a tap.
pub(crate) fn statuses(
    bus: &Bus,
    server: &Port<Inbox>,
    memory: &Port<memory::Inbox>,
    board: &Board,
) -> Result<Vec<ChannelStatus>, BusError> {
    let mut statuses = bus.ask(server, Status)?;
    // A memory that is asked for them may ask in turn.
    if !board.inspected.replace(true) {
        for (words, status) in board.inspect(&mut statuses) {
            let read = bus.ask(memory, words.access.clone());
            status.words = read.ok().and_then(|read| words.parse(read));
        }
        board.inspected.set(false);
    }
    Ok(statuses)
}
