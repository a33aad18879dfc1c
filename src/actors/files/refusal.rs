//! Failed file operations.

use mailbox_rs::Errno;

/// Error of a file operation, with a reason if the number does not say enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) errno: Errno,
    pub(super) reason: Option<String>,
}

impl Refusal {
    pub(super) fn new(errno: Errno, reason: impl Into<String>) -> Self {
        let reason = Some(reason.into());
        Self { errno, reason }
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self {
            errno,
            reason: None,
        }
    }
}
