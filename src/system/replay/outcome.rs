//! Result of a replay.

use std::path::PathBuf;

use thiserror::Error;

use super::Difference;
use crate::system::Error;
use crate::trace::TraceError;

/// Result of a replay without divergence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// Number of messages equal to the recorded ones, replies included.
    pub messages: u64,
    /// Number of ticks of the run.
    pub ticks: u64,
    /// True if the recording was cut off: it ends inside of a block, as after a crash.
    pub is_cut: bool,
}

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
    #[error("{} has no entry of the ticks from {first} on{}", file.display(), if *is_cut { ": it was cut off" } else { "" })]
    NoTicks {
        /// Recording file.
        file: PathBuf,
        /// First tick.
        first: u64,
        /// True if the recording was cut off.
        is_cut: bool,
    },
    /// System that can't be built from the recording.
    #[error(transparent)]
    System(#[from] Error),
    /// Divergence from the recording.
    #[error(transparent)]
    Difference(Box<Difference>),
}
