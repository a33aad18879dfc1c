//! Why an entry is no request.

use core::fmt;

use super::codes::action_name;

/// What is wrong with a request entry. Where the firmware waits for a response, it is answered `-EINVAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Malformed {
    /// The action is 0: nothing was written where an entry should be.
    Idle,
    /// No argument counts, and the request needs some.
    NoWords {
        /// Action of the request.
        action: u32,
    },
    /// A FILE request whose first argument names no operation.
    UnknownFileOperation {
        /// That argument.
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
