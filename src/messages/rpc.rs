//! Messages to the RPC dispatcher.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Name, escaped_name};
use crate::bus::{Attributes, inbox};

/// Polls a target once. While it is pending, the caller repeats the message, with
/// [`Schedule::NextTick`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Name of the calling channel. It need not be a served channel.
    pub channel: Name,
    /// Target to poll.
    pub target: Target,
    /// Arguments, zero-extended.
    pub args: Vec<u64>,
    /// Time of the poll.
    pub schedule: Schedule,
}

/// Time of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schedule {
    /// Immediately, while the message is handled.
    Now,
    /// On the next tick, in order of arrival.
    NextTick,
}

/// Cancels the pending calls of a channel that was reset or has failed: those for the next tick,
/// and those in Python.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// Name of the channel.
    pub channel: Name,
}

/// Registers a target that the host program implements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterTarget {
    /// Target to register.
    pub target: Target,
}

/// Reports if Python has tasks that need a turn on each tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PyTasks {
    /// True if Python has such tasks.
    pub alive: bool,
}

/// Makes the calls that wait for this tick, after an advance of simulated time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Number of ticks so far.
    pub now: u64,
}

/// Target of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Target {
    /// Method by name: CALL.
    Method(Name),
    /// Custom command by id: OTHER.
    Command(u64),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Method(name) => write!(f, "method `{}`", escaped_name(name.as_bytes())),
            Self::Command(id) => write!(f, "custom command {id:#x}"),
        }
    }
}

/// Outcome of one poll of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// Completed with this result.
    Ready(u64),
    /// Not complete: poll again on the next tick.
    Pending,
    /// Not implemented by the callee.
    Absent,
    /// Completed without a result. The callee has reported the reason.
    Failed,
}

/// Implementer of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Provider {
    /// Rust host program.
    HostProgram,
    /// Python interpreter.
    Python,
    /// SystemVerilog testbench.
    Testbench,
}

impl std::fmt::Display for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::HostProgram => "the host program",
            Self::Python => "Python",
            Self::Testbench => "the testbench",
        })
    }
}

/// Outcome of one poll of a call, and its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollOutcome {
    /// Provider that was polled last.
    pub by: Provider,
    /// Outcome of the poll.
    pub progress: Progress,
}

impl Provider {
    /// Outcome with this provider as its source.
    pub(crate) fn outcome(self, progress: Progress) -> PollOutcome {
        PollOutcome { by: self, progress }
    }
}

/// Reason why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum CallError {
    /// Target that no callee implements.
    #[error("there is no {0}: neither the host program nor Python nor the testbench has it")]
    Absent(Target),
    /// Failure that the callee has reported itself.
    #[error("{0} failed")]
    Failed(Target),
    /// Error or panic of a function in the host program or in Python.
    #[error("{target} failed: {cause}")]
    Raised {
        /// Target of the call.
        target: Target,
        /// Error of the callback.
        cause: String,
    },
    /// Testbench that can't be called.
    #[error("{target} can't be called: {cause}")]
    Unreachable {
        /// Target of the call.
        target: Target,
        /// Reason, a clause.
        cause: String,
    },
    /// More than 16 arguments, the maximum for the testbench.
    #[error("{target} has {given} arguments; `mb_sv_call` takes at most 16")]
    TooManyArguments {
        /// Target of the call.
        target: Target,
        /// Number of arguments.
        given: usize,
    },
}

impl Attributes for PollOutcome {}

inbox! {
    /// All messages to the RPC dispatcher.
    "rpc" {
        Call -> Result<PollOutcome, CallError> { channel: channel, payload: none },
        RegisterTarget -> () { channel: none, payload: none },
        Cancel -> () { channel: channel, payload: none },
        PyTasks -> () { channel: none, payload: none },
        Tick -> () { channel: none, payload: none },
    }
}
