//! Errors of calls into the simulator.

use std::error::Error;
use std::fmt;

use super::absent::Absent;
use super::system_task::ArgumentError;
use super::without_dpi::is_without_dpi;

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = if is_without_dpi() {
            ", and no DPI by which a testbench could export it"
        } else {
            ": define and export it, or link the object that does"
        };
        write!(f, "the simulator has no `{}`{advice}", self.symbol)
    }
}

impl Error for Absent {}

/// Error of a call to the testbench, or of a use of its arrays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SimError {
    /// Missing function.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// Function that can be called only in a DPI scope, while no scope is known.
    #[error(
        "`{symbol}` can't be called, since no DPI scope is known: call `mb_init` from the package or module that \
         exports it, import the functions you call as `context`, or name the scope by `mb_set_scope` or VHOST_SCOPE"
    )]
    NoScope {
        /// Symbol name.
        symbol: &'static str,
    },
    /// Function of a simulation that has ended.
    #[error(
        "`{symbol}` can't be called, since the simulation that exports it has ended: call `mb_shutdown` before a model is \
         deleted, and `mb_init` for the next one"
    )]
    Ended {
        /// Symbol name.
        symbol: &'static str,
    },
    /// Testbench method that no system task has registered.
    #[error("no `$mb_on_call` serves it")]
    Unregistered,
    /// Black-box memory without an array.
    #[error("no `$mb_bb_mem` has named its array: call it before `$mb_init`")]
    NoArray,
    /// Array of a system task whose words are not whole bytes.
    #[error("the words of the array have {bits} bits; give one with 8, or a multiple of it")]
    Words {
        /// Bits of a word.
        bits: u64,
    },
    /// Access past the end of the array behind a memory.
    #[error("the array behind it has {size} bytes only")]
    PastArray {
        /// Size of the array.
        size: u64,
    },
    /// Missing word of an array.
    #[error("the simulator gives no access to word {index} of the array")]
    NoWord {
        /// Index of the word.
        index: i64,
    },
    /// Error reported by the simulator.
    #[error("{symbol}: {message}")]
    Refused {
        /// Function of VPI.
        symbol: &'static str,
        /// Text of the simulator.
        message: String,
    },
    /// Arguments of a system task.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// Report from inside a report.
    #[error("`mb_report` can't be called from inside itself")]
    Reporting,
}
