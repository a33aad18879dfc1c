//! Errors of attachment.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::guest::OutputError;

/// Error of attachment.
#[derive(Debug, Error)]
pub enum AttachError {
    /// An actor attached to the system of the C ABI.
    #[error(
        "an actor can't be attached to the system of the C ABI, which moves between threads: attach a tap, which may send to an actor \
         that runs elsewhere"
    )]
    ActorMoves,
    /// A filter on a channel that is not served.
    #[error(
        "channel `{name}`, selected by the filter of a tap, is not served; served are: {served}"
    )]
    NoChannel {
        /// Requested channel.
        name: String,
        /// Served channels.
        served: String,
    },
    /// A file that can't be written.
    #[error("{} can't be written: {cause}", file.display())]
    File {
        /// Path of the file.
        file: PathBuf,
        /// Error of the operating system.
        cause: io::Error,
    },
    /// An unknown attachment name.
    #[error("unknown attachment `{name}`; valid are `log`, `log-json`, `check` and `statistics`")]
    Unknown {
        /// Name as given.
        name: String,
    },
    /// An unknown severity.
    #[error("`check={value}`: invalid severity; valid are `info`, `warning`, `error` and `fatal`")]
    Severity {
        /// Value as given.
        value: String,
    },
    /// An empty file name.
    #[error("`{name}=` has no file name; give one, or leave the `=` out for stderr")]
    NoFile {
        /// Attachment that needs the file.
        name: String,
    },
}

impl From<OutputError> for AttachError {
    fn from(OutputError { path, cause }: OutputError) -> Self {
        Self::File { file: path, cause }
    }
}
