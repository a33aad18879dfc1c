//! State of the service of a channel's commands.

use crate::mem::Span;
use crate::messages::htif::SystemCall;

/// Most responses that wait for firmware, and most console reads that wait for a character.
pub(super) const MOST_WAITING: usize = 64;

/// Command in service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Service {
    /// No command.
    Idle,
    /// One that was taken.
    Command {
        word: u64,
        /// True after its event, and for a console read, which waits apart from later commands.
        is_served: bool,
        /// System call, once its words are known.
        call: Option<SystemCall>,
        /// Memory that the host may write.
        named: Vec<Span>,
        /// Result to be written into the first word of the system call.
        due: Option<u64>,
    },
    /// The channel has exited.
    Exited,
}
