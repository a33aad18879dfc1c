//! Status of channels, together with their words in memory.
//!
//! The server reports its own state, and the asker reads the words. So a status requested inside of a memory access or of a method needs no
//! task of the server.

use crate::actors::service::ChannelProgress;
use crate::bus::{Bus, BusError, Port};
use crate::messages::mailbox::{ChannelStatus, Inbox, Status};
use crate::messages::memory;

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
