//! What can be wrong with a call from C.

use std::ffi::c_int;

use thiserror::Error;

use super::process::{SERVED, WRITTEN};
use crate::attach::AttachError;
use crate::messages::sockets::SocketError;
use crate::sim::SimError;
use crate::sim::open_array::ArrayError;
use crate::sim::strand::Overlap;
use crate::system;

/// Why a call from C failed.
#[derive(Debug, Error)]
pub(super) enum Error {
    #[error(transparent)]
    System(#[from] system::Error),
    #[error(transparent)]
    Simulator(#[from] SimError),
    #[error(transparent)]
    Array(#[from] ArrayError),
    #[error(
        "{origin}: the simulator has no DPI scope `{name}`; it is the path of a module or the name of a package, in Verilator with the \
         model's name before it, unless that is \"\", and is there once the model is constructed"
    )]
    NoSuchScope {
        name: String,
        /// The argument or variable that has the name.
        origin: &'static str,
    },
    #[error("`{argument}` is NULL")]
    Null { argument: &'static str },
    #[error("`{argument}` is not UTF-8: \"{}\"", .bytes.escape_ascii())]
    NotUtf8 {
        argument: &'static str,
        bytes: Vec<u8>,
    },
    #[error("{len} bytes for `{argument}` are more than any memory has")]
    TooLong { argument: &'static str, len: u64 },
    #[error(
        "{what:#x} asks for what can't be observed: there is {SERVED} for requests and {WRITTEN} for writes"
    )]
    NotObservable { what: u32 },
    #[error("{0} is no severity: there is 0 info, 1 warning, 2 error, 3 fatal")]
    NoSeverity(c_int),
    #[error(transparent)]
    Attach(#[from] AttachError),
    #[error("{0:#x} is no handle that `c_skt_open` has given")]
    NoHandle(usize),
    #[error("pointers of this machine are too short for the handle of a socket")]
    NoHandles,
    #[error("{0} is no TCP port: they end at 65535")]
    NoPort(u32),
    #[error("the system is there already: call `mb_shutdown` before another `mb_init`")]
    Running,
    #[error(
        "it was called from inside a foreign call, `with_host` or `on_start`: return from that first"
    )]
    Reentrant,
    #[error("the system is being built or shut down: wait until that has returned")]
    Busy,
    #[error(transparent)]
    Overlap(#[from] Overlap),
    #[error("the system could not be built: {0}")]
    StillFailed(String),
    #[error("an error of the host itself: it panicked: {0}")]
    Panicked(String),
}

/// Target of an error's report, besides `mb_last_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReportTarget {
    /// The testbench's `mb_report`.
    Testbench,
    /// Standard error: the testbench must not be called from this thread.
    Stderr,
    /// No report: it was made when the error arose, or the error concerns the caller alone.
    None,
}

impl Error {
    pub(super) fn report_target(&self) -> ReportTarget {
        match self {
            Self::Overlap(_) => ReportTarget::Stderr,
            Self::StillFailed(_) | Self::System(system::Error::Fatal(_)) => ReportTarget::None,
            Self::System(system::Error::Socket(error)) if is_farewell(error) => ReportTarget::None,
            _ => ReportTarget::Testbench,
        }
    }
}

/// A client may go when it likes, and where nothing is lost by that, nothing has gone wrong.
fn is_farewell(error: &SocketError) -> bool {
    matches!(
        error,
        SocketError::Ended { .. } | SocketError::Lost { unsent: 0, .. } | SocketError::Gone { .. }
    )
}
