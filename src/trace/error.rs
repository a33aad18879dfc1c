//! What can be wrong with a recording.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A recording that can't be written or read.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The file system says so.
    #[error("recording {}: {cause}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is no recording.
    #[error("{} is no recording: it does not begin with VHOSTTRC", file.display())]
    NoTrace {
        /// The file.
        file: PathBuf,
    },
    /// It is of another version.
    #[error(
        "{} has format {found}, and this library reads format {}: use the version that recorded it",
        file.display(),
        super::FORMAT
    )]
    Version {
        /// The file.
        file: PathBuf,
        /// What it says.
        found: u32,
    },
    /// A frame is not what was written.
    #[error("{}, frame {frame}: {damage}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Its number; the header is number 0.
        frame: u64,
        /// What is wrong with it.
        damage: Damage,
    },
}

/// What is wrong with a frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Damage {
    /// Its bytes have changed.
    #[error("its checksum is another: the file was changed after it was recorded")]
    Checksum,
    /// It can't be read as what it is to be.
    #[error("it can't be read: {0}")]
    Content(String),
    /// A message of a kind that no frame has named.
    #[error("its kind {0} is not named before")]
    Kind(u32),
    /// It answers a message that is not there, or was answered.
    #[error("it answers message {0}, which is not there or was answered")]
    NoQuestion(u64),
    /// No such message is known.
    #[error("this library knows no message `{name}` to `{to}`")]
    Unknown {
        /// Whom it is for.
        to: String,
        /// Its name.
        name: String,
    },
}
