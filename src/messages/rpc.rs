//! What the RPC dispatcher is sent.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Name;
use crate::bus::inbox;

/// Asks whoever answers the target once. Where that is not over yet, the same is asked again on the next tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Name of the channel that calls; it need not be one that is served.
    pub channel: Name,
    /// What.
    pub target: Target,
    /// Arguments, zero-extended.
    pub args: Vec<u64>,
    /// When.
    pub when: When,
}

/// When a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// At once.
    Now,
    /// On the next tick, in the order in which such calls were asked for.
    NextTick,
}

/// Forgets what a channel, which was reset, asked for on the next tick, or of Python.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// Name of the channel.
    pub channel: Name,
}

/// The host program answers a target from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What.
    pub target: Target,
}

/// Python begins to have tasks that only time brings forward, or has none any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PyTasks {
    /// Whether there are any.
    pub alive: bool,
}

/// Simulated time went on: the calls that wait for it are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The number of ticks so far.
    pub now: u64,
}

/// What can be called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Target {
    /// A method by name: CALL.
    Method(Name),
    /// A custom command by id: OTHER.
    Command(u64),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Method(name) => write!(f, "method `{name}`"),
            Self::Command(id) => write!(f, "custom command {id:#x}"),
        }
    }
}

/// What one poll of a call gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// It has ended with this result.
    Ready(u64),
    /// Ask again on the next tick.
    Pending,
    /// Whoever was asked has no such method.
    Absent,
    /// It has ended without a result; whoever was asked has reported why.
    Failed,
}

/// Who can be asked for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Callee {
    /// The host program.
    HostProgram,
    /// Python.
    Python,
    /// The testbench.
    Testbench,
}

impl std::fmt::Display for Callee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::HostProgram => "the host program",
            Self::Python => "Python",
            Self::Testbench => "the testbench",
        })
    }
}

/// What one poll of a call gives, and whose word that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Who was asked, the last of them.
    pub by: Callee,
    /// What was said.
    pub progress: Progress,
}

impl Callee {
    /// It says so.
    pub(crate) fn says(self, progress: Progress) -> Answered {
        Answered { by: self, progress }
    }
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum CallError {
    /// Nobody knows the target.
    #[error("there is no {0}: neither the host program nor Python nor the testbench has it")]
    Absent(Target),
    /// Whoever was asked says that it failed.
    #[error("{0} failed")]
    Failed(Target),
    /// The callback, of the host program or in Python, says why it failed.
    #[error("{target} failed: {cause}")]
    Raised {
        /// What.
        target: Target,
        /// Its error.
        cause: String,
    },
    /// The testbench can't be asked.
    #[error("{target} can't be called: {cause}")]
    Unreachable {
        /// What.
        target: Target,
        /// Why not.
        cause: String,
    },
    /// More arguments than the testbench takes.
    #[error("{target} was given {given} arguments; `mb_sv_call` takes 16 at most")]
    TooManyArguments {
        /// What.
        target: Target,
        /// How many.
        given: usize,
    },
}

inbox! {
    /// All that the RPC dispatcher is sent.
    "rpc" {
        Call -> Result<Answered, CallError>,
        Offer -> (),
        Cancel -> (),
        PyTasks -> (),
        Tick -> (),
    }
}
