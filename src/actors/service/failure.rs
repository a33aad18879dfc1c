//! Errors of requests.

use mailbox_rs::{Errno, MAX_STRING, Malformed};
use thiserror::Error;

use crate::bus::NoReply;
use crate::mem::AccessError;
use crate::messages::escaped_name;
use crate::messages::foreign::Unset;
use crate::messages::rpc::CallError;

/// Error of a request.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("the {what} at {address:#x} can't be read: {cause}")]
    Text {
        what: &'static str,
        address: u64,
        cause: AccessError,
    },
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("{}", reason.as_deref().unwrap_or("the file operation failed"))]
    File {
        errno: Errno,
        /// Reason, if it says more than the error number.
        reason: Option<String>,
    },
    #[error(
        "file `{path}`{}{}",
        expanded.as_ref().map_or(String::new(), |path| format!(", which is `{path}`")),
        reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"))
    )]
    Path {
        path: String,
        /// Expanded path, if it contained variables.
        expanded: Option<String>,
        errno: Errno,
        /// Reason, if it says more than the error number.
        reason: Option<String>,
    },
    /// Lost text. The console has reported the loss.
    #[error("text could not be written")]
    Output { errno: Errno },
    #[error("file `{path}`: {unset}")]
    Unset { path: String, unset: Unset },
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("{len} bytes are more than the limit of one request ({limit})")]
    TooLong { len: u64, limit: u64 },
    #[error("fault injected by `faults.{key}`")]
    Injected { key: &'static str, errno: Errno },
    #[error(transparent)]
    NoReply(#[from] NoReply),
    #[error("internal error of the host: {0}")]
    Panic(String),
}

impl Failure {
    /// Failure of a file operation, with the path as firmware gave it and as expanded.
    pub(in crate::actors) fn on_path(self, given: &[u8], expanded: &[u8]) -> Self {
        match self {
            Self::File { errno, reason } => Self::Path {
                path: escaped_name(given),
                expanded: (expanded != given).then(|| escaped_name(expanded)),
                errno,
                reason,
            },
            other => other,
        }
    }

    /// Text of the failure, with the error number if there is no other reason. For reports on work
    /// that is not a request of firmware.
    pub(in crate::actors) fn with_cause(&self) -> String {
        match self {
            Self::File {
                errno,
                reason: None,
            }
            | Self::Path {
                errno,
                reason: None,
                ..
            }
            | Self::Output { errno } => format!("{self}: {errno}"),
            _ => self.to_string(),
        }
    }

    /// True if another actor has reported the failure.
    pub(in crate::actors) fn is_reported(&self) -> bool {
        matches!(self, Self::Output { .. })
    }

    /// Error number for the response (protocol, section *Requests*).
    pub(in crate::actors) fn errno(&self) -> Errno {
        match self {
            Self::Access(error) | Self::Text { cause: error, .. } => match error {
                AccessError::Map(_) => Errno::EFAULT,
                // The memory map ends before the string's length limit.
                AccessError::Unterminated { len } if *len < MAX_STRING => Errno::EFAULT,
                AccessError::Unterminated { .. } | AccessError::Length { .. } => Errno::EINVAL,
                AccessError::TooLong { .. } => Errno::ENOMEM,
                AccessError::Backend { .. } => Errno::EIO,
            },
            Self::Malformed(_) | Self::TooLong { .. } => Errno::EINVAL,
            Self::Call(error) => match error {
                CallError::Absent(_) | CallError::Unreachable { .. } => Errno::ENOSYS,
                CallError::TooManyArguments { .. } => Errno::EINVAL,
                CallError::Failed(_) | CallError::Raised { .. } => Errno::EIO,
            },
            Self::File { errno, .. }
            | Self::Path { errno, .. }
            | Self::Injected { errno, .. }
            | Self::Output { errno } => *errno,
            Self::Unset { .. } => Errno::ENOENT,
            Self::NoReply(_) | Self::Panic(_) => Errno::EIO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_without_a_reason_has_its_error_number() {
        let errno = Errno::ENOENT;
        let text = |reason: Option<&str>| {
            let reason = reason.map(str::to_owned);
            let failure = Failure::File { errno, reason };
            failure.on_path(b"a", b"a").with_cause()
        };
        assert_eq!(text(None), "file `a`: ENOENT (no such file or directory)");
        assert_eq!(text(Some("it is outside")), "file `a`: it is outside");
    }
}
