//! Errors of recordings.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Error in writing or reading a recording.
#[derive(Debug, Error)]
pub enum TraceError {
    /// I/O error.
    #[error("recording {}: {cause}", file.display())]
    Io {
        /// Path of the file.
        file: PathBuf,
        /// Error of the operating system.
        cause: io::Error,
    },
    /// Not a regular file. Recordings are read several times, which other files do not allow.
    #[error("{} is a {kind}, and a recording is a regular file: copy its content to one", file.display())]
    NoFile {
        /// Path of the file.
        file: PathBuf,
        /// Kind of file.
        kind: &'static str,
    },
    /// File without content.
    #[error("{} is empty: nothing was recorded in it", file.display())]
    Empty {
        /// Path of the file.
        file: PathBuf,
    },
    /// Recording that ends inside of its header.
    #[error(
        "{} was cut off inside of its header: it has {size} bytes, of at least {least}",
        file.display()
    )]
    TruncatedHeader {
        /// Path of the file.
        file: PathBuf,
        /// Size of the file in bytes.
        size: u64,
        /// Minimum size of the file with its header.
        least: u64,
    },
    /// File that is not a recording.
    #[error("{} is not a recording: it does not begin with VHOSTTRC", file.display())]
    NoTrace {
        /// Path of the file.
        file: PathBuf,
    },
    /// Recording of an unsupported format version.
    #[error(
        "{} has format {found}, and this library reads formats {} to {}: use the version that recorded it",
        file.display(),
        super::OLDEST_FORMAT,
        super::FORMAT
    )]
    Version {
        /// Path of the file.
        file: PathBuf,
        /// Format version in the file.
        found: u32,
    },
    /// Invalid frame.
    #[error("{}, frame {frame}: {damage}", file.display())]
    Damaged {
        /// Path of the file.
        file: PathBuf,
        /// Frame number; the header is number 0.
        frame: u64,
        /// Error in the frame.
        damage: FrameError,
    },
}

/// Error in a frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Checksum mismatch.
    #[error("checksum mismatch: the file changed after recording")]
    Checksum,
    /// Content that can't be unpacked.
    #[error("can't be unpacked from here on: {0}; the file changed after recording")]
    Compressed(String),
    /// Content that can't be deserialized.
    #[error("it can't be decoded: {0}")]
    Content(String),
    /// Undefined message kind.
    #[error("its kind {0} was not declared before")]
    Kind(u32),
    /// Reply to a message that does not exist, or already has a reply.
    #[error("it replies to message {0}, which is missing or has a reply already")]
    UnmatchedReply(u64),
    /// Unknown message.
    #[error("unknown message `{name}` to `{to}` for this library")]
    Unknown {
        /// Name of the receiver.
        to: String,
        /// Name of the message.
        name: String,
    },
}
