//! Error of a malformed entry.

use core::fmt;

use super::codes::action_name;

/// Error of a malformed entry. If firmware waits for a response, it is `-EINVAL`.
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
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Idle => f.write_str("action 0 is idle, no request"),
            Self::NoWords { action } => {
                write!(f, "{} with words = 0 has no arguments", action_name(action))
            }
            Self::UnknownFileOperation { operation } => {
                write!(f, "FILE operation {operation:#x} is unknown, 0 to 4 exist")
            }
        }
    }
}

impl core::error::Error for Malformed {}
