//! Errors of checkpoints.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::messages::checkpoint::{RestoreError, SaveError};

/// Error of a checkpoint.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// File that can't be read.
    #[error("checkpoint {} can't be read: {cause}", file.display())]
    Read {
        /// Path of the file.
        file: PathBuf,
        /// Reason of the failure.
        cause: io::Error,
    },
    /// File that can't be written.
    #[error("checkpoint {} can't be written: {cause}", file.display())]
    Write {
        /// Path of the file.
        file: PathBuf,
        /// Reason of the failure.
        cause: io::Error,
    },
    /// File that is not a checkpoint.
    #[error("{} is not a checkpoint: give a file of `mb_save`, `Vhost::save` or `vhost run --save-at`", file.display())]
    NotACheckpoint {
        /// Path of the file.
        file: PathBuf,
    },
    /// Checkpoint of another format.
    #[error(
        "checkpoint {} has format {format}, of library {version}, and this library {here} has format {known}: restore it with that library, or take a new one",
        file.display()
    )]
    Format {
        /// Path of the file.
        file: PathBuf,
        /// Number of its format.
        format: u32,
        /// Version of the library that wrote it.
        version: String,
        /// Version of this library.
        here: &'static str,
        /// Number of the format of this library.
        known: u32,
    },
    /// File that ends too early.
    #[error(
        "checkpoint {} is cut off: it has {has} of {needs} bytes; take a new one",
        file.display()
    )]
    Truncated {
        /// Path of the file.
        file: PathBuf,
        /// Size in bytes.
        has: u64,
        /// Complete size in bytes.
        needs: u64,
    },
    /// File that has changed since it was written.
    #[error("checkpoint {} is damaged: {what}; take a new one", file.display())]
    Damaged {
        /// Path of the file.
        file: PathBuf,
        /// Kind of the damage.
        what: String,
    },
    /// Checkpoint of another configuration.
    #[error(
        "the checkpoint is of another configuration: {}; use the configuration files of the run that it was taken in",
        difference(.saved.as_deref(), .here.as_deref())
    )]
    OtherConfiguration {
        /// First memory or channel of the checkpoint that differs; `None` if it has fewer.
        saved: Option<String>,
        /// The same of this system; `None` if it has fewer.
        here: Option<String>,
    },
    /// Part that the checkpoint does not have.
    #[error("the checkpoint has no part `{part}`; take a new one")]
    NoPart {
        /// Name of the part.
        part: String,
    },
    /// Part that can't be decoded.
    #[error("part `{part}` of the checkpoint is invalid: {cause}; take a new one")]
    Content {
        /// Name of the part.
        part: String,
        /// Reason of the failure.
        cause: String,
    },
    /// State that can't be written.
    #[error("the state can't be written: {0}")]
    Unserializable(String),
    /// State that can't be saved.
    #[error(transparent)]
    Save(SaveError),
    /// State that can't be restored. The system must be shut down.
    #[error(transparent)]
    Restore(RestoreError),
    /// Call at a time when there is no complete state.
    #[error(
        "a checkpoint can't be saved or restored from inside a foreign call, such as a method: return from that first"
    )]
    InCall,
    /// Service that has ended.
    #[error("service has ended, so there is no state to save or to replace: {0}")]
    Over(String),
}

fn difference(saved: Option<&str>, here: Option<&str>) -> String {
    let nothing = "no further memory or channel";
    format!(
        "it has {}, and this system has {}",
        saved.unwrap_or(nothing),
        here.unwrap_or(nothing)
    )
}
