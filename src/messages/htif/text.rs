//! Texts of a command and its outcome.

use std::fmt::{self, Display};

use super::command::{Command, SystemCall, errno};

/// Displays a command, with its system call if it is known.
pub(super) struct CallText(pub(super) Command, pub(super) Option<SystemCall>);

impl Display for CallText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.1 {
            Some(call) => call.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

/// Displays a result and the tick in which the command was taken, as a suffix to the command.
pub(super) struct OutcomeText(pub(super) Option<i64>, pub(super) u64);

impl Display for OutcomeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(result, since) = self;
        match result {
            None => {}
            Some(result) if *result < 0 => write!(f, "; fails: {}", errno(*result))?,
            Some(result) => write!(f, "; gives {result:#x}")?,
        }
        write!(f, "; taken in tick {since}")
    }
}
