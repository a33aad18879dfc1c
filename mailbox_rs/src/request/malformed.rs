//! Error of a malformed entry.

use core::fmt;

use super::codes::{action_name, operation};
use crate::header::{NEWEST, VERSION};

/// Error of a malformed entry. If the entry has a response, that is `-EINVAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Malformed {
    /// Action 0: an entry that was never written.
    Idle,
    /// `words` is 0, and the request needs arguments.
    NoWords {
        /// Action of the request.
        action: u32,
    },
    /// FILE request with an unknown operation.
    UnknownFileOperation {
        /// First argument.
        operation: u64,
    },
    /// FILE request with an operation of a later protocol version than the session's.
    LaterFileOperation {
        /// First argument.
        operation: u64,
    },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Idle => f.write_str("action 0 is idle, no request"),
            Self::NoWords { action } => {
                write!(f, "{} with words = 0 has no arguments", action_name(action))
            }
            Self::UnknownFileOperation { operation } => {
                let last = operation::LAST;
                write!(
                    f,
                    "FILE operation {operation:#x} is unknown, 0 to {last} exist"
                )
            }
            Self::LaterFileOperation { operation } => write!(
                f,
                "FILE operation {operation} is of protocol {NEWEST}, and the session is of {VERSION}: firmware offers {NEWEST} in its \
                 handshake"
            ),
        }
    }
}

impl core::error::Error for Malformed {}
