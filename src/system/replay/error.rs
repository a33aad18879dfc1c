//! Errors of replays.

use std::path::PathBuf;

use thiserror::Error;

use super::Divergence;
use crate::system::Error;
use crate::trace::TraceError;

/// Error of a replay.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// Unreadable or damaged recording.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Recording started after the system.
    #[error("{} begins in the middle of a run, but a replay requires one from its start \
             (`VHOST_TRACE`, or `Builder::record`)", file.display())]
    NotWhole {
        /// Recording file.
        file: PathBuf,
    },
    /// Recording without payload bytes.
    #[error("{} was recorded without payloads, which a replay needs; record with VHOST_TRACE_PAYLOADS=keep", file.display())]
    NoPayloads {
        /// Recording file.
        file: PathBuf,
    },
    /// Part of a recording, which can't be replayed for one actor.
    #[error("{} was cut out of another recording, and is replayed as a whole only; replay the actor of the recording that it was cut out of", file.display())]
    CutOut {
        /// Recording file.
        file: PathBuf,
    },
    /// Ticks that a recording does not have.
    #[error("{} has no entry of the ticks from {first} on{}", file.display(), if *is_truncated { ": it was cut off" } else { "" })]
    NoTicks {
        /// Recording file.
        file: PathBuf,
        /// First tick.
        first: u64,
        /// True if the recording was cut off.
        is_truncated: bool,
    },
    /// System that can't be built from the recording.
    #[error(transparent)]
    System(#[from] Error),
    /// Divergence from the recording.
    #[error(transparent)]
    Divergence(Box<Divergence>),
}
