//! Safe wrappers of the simulator and of C's standard output.
//!
//! - [`strand`]: calls from any thread, one at a time; [`attention`]: causes for a call to do more than it is called for.
//! - [`symbols`]: declarations of every simulator function that is called.
//! - [`vpi_user`]: structures of VPI.
//! - [`symbol`]: symbol lookup: a weak reference, then `dlsym`.
//! - [`scope`]: DPI scope of exported functions.
//! - [`lifetime`]: life of a simulation, and of its scopes and handles.
//! - [`testbench`]: exported functions of the testbench: methods, tasks, reports.
//! - [`sv_memory`], [`c_memory`]: black-box memories of the testbench and of a C model.
//! - [`system_task`], [`vpi_testbench`]: system tasks, and the testbench of a simulator without DPI; [`hdl_array`]: its arrays;
//!   [`vpi_value`]: its variables; [`vpi_control`]: its output and its end.
//! - [`vpi`], [`uvm_hdl`]: words of HDL arrays, as [`vecval`]s.
//! - [`open_array`]: `byte unsigned data[]` of the caller of an imported function.
//! - [`python`]: interpreter settings before start, and the GIL.
//! - [`time`]: simulated time; [`caller`]: place of a call in the testbench.
//! - [`call_timeout`]: timeout of foreign calls in wall time.
//! - [`printf`]: one number, formatted by C.
//! - [`stdout`]: C's `stdout`, shared with the simulator's own prints.
//! - [`fork`]: forks of the process; [`generation`]: their number.
//! - [`supervise`]: forked processes whose exit status the parent learns by a pipe.
//! - [`inherited`]: files and sockets of this process alone, which a child does not share.
//! - [`signals`], [`locale`], [`float`], [`library`]: state of the process that this library must not change, or be changed by.
//!
//! No knowledge of actors or the bus. Every call is made on the simulator's calling thread.

#![allow(
    unsafe_code,
    reason = "calls functions that only the running program can provide"
)]

pub(crate) mod attention;
mod c_memory;
pub(crate) mod call_timeout;
mod caller;
pub(crate) mod current_system;
mod float;
pub(crate) mod fork;
pub(crate) mod generation;
pub(crate) mod hdl_array;
pub(crate) mod inherited;
mod library;
pub(crate) mod lifetime;
mod locale;
pub(crate) mod open_array;
#[cfg(test)]
pub(crate) mod prototype;
#[cfg(feature = "python")]
mod python;
pub(crate) mod scope;
mod signals;
pub(crate) mod snprintf;
mod stdout;
pub(crate) mod strand;
pub(crate) mod supervise;
mod sv_memory;
mod symbol;
mod symbols;
mod system_name;
pub(crate) mod system_task;
pub(crate) mod testbench;
mod text;
pub(crate) mod time;
pub(crate) mod uvm_hdl;
pub(crate) mod vecval;
pub(crate) mod vpi;
pub(crate) mod vpi_control;
pub(crate) mod vpi_testbench;
mod vpi_user;
pub(crate) mod vpi_value;

pub(crate) use c_memory::{api_look, api_read, api_write};
#[cfg(feature = "python")]
pub(crate) use float::FloatEnvironment;
pub(crate) use library::keep_loaded;
pub(crate) use locale::os_error_text;
#[cfg(feature = "python")]
pub(crate) use python::{
    PrepareError, is_forked_by_the_library, is_python_usable, make_global, name_python_program,
    prepare_python, python_is_ours, with_gil,
};
#[cfg(feature = "python")]
pub(crate) use signals::{Disposition, Quiet, Unblocked, ignore_instead_of_blocking};
pub(crate) use signals::{quietly, quietly_to_file};
pub(crate) use stdout::CStdout;
pub(crate) use sv_memory::SvMemory;
pub(crate) use system_name::{
    FIRST as FIRST_SYSTEM, further_system_name, set_system_name, system_name,
};
pub(crate) use text::{CallText, c_text};

use thiserror::Error;

/// Missing simulator function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the simulator has no `{symbol}`{}", self.advice())]
pub(crate) struct Absent {
    /// Symbol name.
    pub(crate) symbol: &'static str,
}

impl Absent {
    /// Part of the error message.
    fn advice(&self) -> &'static str {
        if vpi_testbench::is_without_dpi() {
            ", and no DPI by which a testbench could export it"
        } else {
            ": define and export it, or link the object that does"
        }
    }
}

/// Error of a call to a function of the testbench, or of a use of its arrays.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum SimError {
    /// Missing function.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// Present, but callable in a DPI scope only, and none is known.
    #[error(
        "`{symbol}` can't be called, since no DPI scope is known: call `mb_init` from the package or module that \
         exports it, import the functions you call as `context`, or name the scope by `mb_set_scope` or VHOST_SCOPE"
    )]
    NoScope {
        /// Symbol name.
        symbol: &'static str,
    },
    /// Simulation of the function has ended.
    #[error(
        "`{symbol}` can't be called, since the simulation that exports it has ended: call `mb_shutdown` before a model is \
         deleted, and `mb_init` for the next one"
    )]
    Ended {
        /// Symbol name.
        symbol: &'static str,
    },
    /// Method that no system task has registered.
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
    Argument(#[from] system_task::ArgumentError),
    /// Report inside a report.
    #[error("`mb_report` can't be called from inside itself")]
    Reporting,
}
