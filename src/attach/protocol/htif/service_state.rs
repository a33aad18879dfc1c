//! State of the service of a channel's commands.

use crate::mem::Span;
use crate::messages::htif::SystemCall;

/// Maximum number of responses that wait for firmware, and of console reads that wait for a
/// character.
pub(super) const MAX_WAITING_COMMANDS: usize = 64;

/// Command in service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Service {
    /// No command.
    Idle,
    /// Command that was taken.
    Command {
        word: u64,
        /// True after the command's event, and for a console read, which waits independently of
        /// later commands.
        is_served: bool,
        /// System call, after its words are known.
        call: Option<SystemCall>,
        /// Memory that the host may write.
        named: Vec<Span>,
        /// Result for the first word of the system call.
        due: Option<u64>,
    },
    /// The channel has exited.
    Exited,
}
