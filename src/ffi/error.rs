//! Errors of calls from C.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error;

use super::observe_flags::{SERVED, WRITTEN};
use crate::attach::AttachError;
use crate::bus::panic_text;
use crate::foreign::host_code;
use crate::mem::AccessError;
use crate::messages::sockets::SocketError;
use crate::sim::SimError;
use crate::sim::open_array::ArrayError;
use crate::sim::strand::{ForkedWhile, Overlap};
use crate::system;

/// Error of a call from C.
#[derive(Debug, Error)]
pub(super) enum Error {
    #[error(transparent)]
    System(#[from] system::Error),
    #[error(transparent)]
    Simulator(#[from] SimError),
    #[error(transparent)]
    Array(#[from] ArrayError),
    #[error(
        "{origin}: the simulator has no DPI scope `{name}`; give the path of a module or the name \
         of a package (in Verilator preceded by the model's name, unless that is \"\"), after the \
         construction of the model"
    )]
    NoSuchScope {
        name: String,
        /// Name of the argument or of the variable.
        origin: &'static str,
    },
    #[error(
        "environment variable VHOST_CALL_TIMEOUT is `{0}`; give a number of seconds, as 60 or 0.5, \
         or 0 for no timeout"
    )]
    CallTimeout(String),
    #[error("VHOST_CALL_TIMEOUT needs a thread, which can't be started: {0}")]
    CallTimeoutThread(std::io::Error),
    #[error("`{argument}` is NULL")]
    Null { argument: &'static str },
    #[error("`{argument}` is not UTF-8: \"{}\"", .bytes.escape_ascii())]
    NotUtf8 {
        argument: &'static str,
        bytes: Vec<u8>,
    },
    #[error("`{argument}`: {len} bytes are more than any memory has")]
    TooLong { argument: &'static str, len: u64 },
    #[error(
        "unknown observation {what:#x}; valid are {SERVED} for requests and {WRITTEN} for writes"
    )]
    NotObservable { what: u32 },
    #[error("invalid severity {0}; valid are 0 info, 1 warning, 2 error, 3 fatal")]
    NoSeverity(c_int),
    #[error(transparent)]
    Attach(#[from] AttachError),
    #[error("{0:#x} is not a handle returned by `c_skt_open`")]
    NoHandle(usize),
    #[error("no handle is left for a further socket: a system can open 2^28 in its life")]
    TooManySockets,
    #[error("pointers of this machine are too short for the handle of a socket")]
    NoHandles,
    #[error("invalid TCP port {0}: the largest is 65535")]
    NoPort(u32),
    #[error("the system exists already: call `mb_shutdown` before another `mb_init`")]
    Running,
    #[error(
        "it was called from inside a foreign call, `with_host` or `on_start`: return from that first"
    )]
    Reentrant,
    #[error("the system is being built or shut down: wait until that call has returned")]
    Busy,
    #[error(transparent)]
    Overlap(#[from] Overlap),
    #[error("the system could not be built: {0}")]
    StillFailed(String),
    #[error(transparent)]
    HostProgram(#[from] host_code::Panicked),
    #[error("the process is not being forked: call mb_fork_prepare before fork()")]
    NotPrepared,
    #[error(
        "neither mb_fork_parent nor mb_fork_child was called after mb_fork_prepare; the host \
         continues as after mb_fork_parent"
    )]
    Unfinished,
    #[error("this process is {0}")]
    OtherSide(&'static str),
    #[error("this process was forked {}: the host stays with the parent, and serves nothing here; fork between two calls, after mb_fork_prepare", moment(*.0))]
    Lost(ForkedWhile),
    #[error(
        "this process was forked in the middle of a call: the host stays with the parent, and serves nothing here"
    )]
    StillLost,
    #[error("no snapshots are enabled: call mb_snapshots first")]
    NoSnapshots,
    #[error("there is no snapshot to wake: snapshots are taken after mb_snapshots, and woken once")]
    NoSnapshot,
    #[error("this process is a snapshot that was woken: it has no snapshots of its own")]
    IsRerun,
    #[error("{count} runs are more than mb_runs can number")]
    TooManyRuns { count: u32 },
    #[error("there is no run {run}: the last mb_runs had {runs}")]
    NoRun { run: u32, runs: usize },
    #[error("there was no call {number}: give a number that `$mb_next_call` has returned")]
    NoSuchCall { number: u64 },
    #[error("call {number} was answered already: answer a call once, after its last use")]
    CallAnswered { number: u64 },
    #[error(
        "no `$mb_on_call` serves `{method}`: register it before, or give the name of one that is \
         registered"
    )]
    NotServed { method: String },
    #[error("`{argument}` is empty: give a name")]
    Empty { argument: &'static str },
    #[error(
        "invalid name `{0}` of a system: give up to 200 letters, digits and `_ - . [ ]`, a letter, digit or `_` first"
    )]
    SystemName(String),
    #[error("there is a system `{0}` already: close it first, or give another name")]
    SystemNameTaken(String),
    #[error("more than 4095 systems at a time: close those that are not used any more")]
    TooManySystems,
    #[error("{0:#x} is not a handle returned by `mb_system_open`, or its system was closed")]
    NoSystem(usize),
    #[error("pointers of this machine are too short for the handle of a system")]
    NoSystemHandles,
    #[error(
        "environment variable VHOST_SYSTEMS is `{0}`; give `one`, or `scope` for a system in each DPI scope that calls mb_init"
    )]
    SystemsVariable(String),
    #[error("internal error of the host: it panicked: {0}")]
    Panicked(String),
}

impl Error {
    /// True for an error that is reported in addition to `mb_last_error`. Other errors were
    /// reported when they occurred, are [recorded](super::refused_calls), or concern only the
    /// caller.
    pub(super) fn is_reported(&self) -> bool {
        match self {
            Self::Overlap(_)
            | Self::StillFailed(_)
            | Self::StillLost
            | Self::NoSnapshot
            | Self::IsRerun
            | Self::System(system::Error::Fatal(_)) => false,
            Self::System(system::Error::Socket(error)) => !is_disconnect(error),
            _ => true,
        }
    }

    /// True if a memory's backend could not be reached.
    pub(super) fn is_access(&self) -> bool {
        matches!(
            self,
            Self::System(system::Error::Access {
                cause: AccessError::Backend { .. },
                ..
            })
        )
    }
}

/// True for a client that has left. A client may leave, so a lost connection is an error only if
/// data was lost.
fn is_disconnect(error: &SocketError) -> bool {
    matches!(
        error,
        SocketError::Ended { .. } | SocketError::Lost { unsent: 0, .. } | SocketError::Gone { .. }
    )
}

/// Time of a fork, for messages.
fn moment(state: ForkedWhile) -> &'static str {
    match state {
        ForkedWhile::Idle => "between two calls",
        ForkedWhile::Inside => "inside a foreign call of vhost",
        ForkedWhile::OtherInside => "while another thread was inside a call of vhost",
    }
}

/// Runs `body`, and converts a panic to [`Error::Panicked`].
pub(super) fn catch<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|payload| Err(Error::Panicked(panic_text(payload.as_ref()))))
}
