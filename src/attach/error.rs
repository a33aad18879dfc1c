//! Why something can't be attached.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::guest::OutputError;

/// Why something can't be attached.
#[derive(Debug, Error)]
pub enum AttachError {
    /// An actor is attached to the system of the C ABI.
    #[error(
        "an actor can't be attached to the system of the C ABI, which moves between threads: attach a tap, which may send to an actor \
         that runs elsewhere"
    )]
    ActorMoves,
    /// A filter names a channel that is not served.
    #[error(
        "no channel `{name}` is served, of which a tap wants to see messages; served are: {served}"
    )]
    NoChannel {
        /// As it was asked for.
        name: String,
        /// Those that there are.
        served: String,
    },
    /// A file can't be written.
    #[error("{} can't be written: {cause}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// A name that nothing has.
    #[error(
        "nothing is called `{name}` that could be attached: there are `log`, `log-json`, `check` and `statistics`"
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// A severity that is none.
    #[error("`check={value}`: a severity is one of `info`, `warning`, `error` and `fatal`")]
    Severity {
        /// What was given.
        value: String,
    },
    /// A file without a name.
    #[error("`{name}=` names no file: give one, or leave the `=` out for stderr")]
    NoFile {
        /// What would have written it.
        name: String,
    },
}

impl From<OutputError> for AttachError {
    fn from(OutputError { path, cause }: OutputError) -> Self {
        Self::File { file: path, cause }
    }
}
