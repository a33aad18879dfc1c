//! The simulator and C's standard output, as safe functions.
//!
//! - [`strand`]: calls from any thread, one at a time.
//! - [`symbols`]: every function of the simulator that is called, declared in one place.
//! - [`symbol`]: how one is found: a weak reference, then `dlsym`.
//! - [`scope`]: the DPI scope that exported functions are called in.
//! - [`lifetime`]: whether what a simulation has given may still be used.
//! - [`testbench`]: what the testbench exports: its methods, its tasks, its reports.
//! - [`sv_memory`], [`c_memory`]: black-box memories, which the testbench or a C model holds.
//! - [`vpi`], [`uvm_hdl`]: words of HDL arrays, as [`vecval`]s.
//! - [`open_array`]: `byte unsigned data[]` of an imported function's caller.
//! - [`python`]: what an interpreter must be told before it starts, and its lock.
//! - [`printf`]: one number, printed by C.
//! - [`stdout`]: C's `stdout`, shared with the simulator's own prints.
//!
//! Nothing here knows of actors or of the bus. All of it is called on the thread that the simulator called from.

#![allow(
    unsafe_code,
    reason = "calls functions that only the running program can provide"
)]

mod c_memory;
pub(crate) mod lifetime;
pub(crate) mod open_array;
pub(crate) mod printf;
#[cfg(test)]
pub(crate) mod prototype;
#[cfg(feature = "python")]
mod python;
pub(crate) mod scope;
mod stdout;
pub(crate) mod strand;
mod sv_memory;
mod symbol;
mod symbols;
pub(crate) mod testbench;
mod text;
pub(crate) mod uvm_hdl;
pub(crate) mod vecval;
pub(crate) mod vpi;

pub(crate) use c_memory::{api_read, api_write};
#[cfg(feature = "python")]
pub(crate) use python::{make_global, name_python_program, with_gil};
pub(crate) use stdout::CStdout;
pub(crate) use sv_memory::SvMemory;
pub(crate) use text::c_text;

use thiserror::Error;

/// The simulator lacks a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the simulator has no `{symbol}`: define it, export it, or link what does")]
pub(crate) struct Absent {
    /// Its name.
    pub(crate) symbol: &'static str,
}

/// Why an exported function of the testbench could not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum SimError {
    /// It isn't there.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// It is there, but a simulator calls it in a scope only, and none is known.
    #[error(
        "`{symbol}` can't be called, since no DPI scope is known: call `mb_init` from the package or module that \
         exports it, import the functions you call as `context`, or name the scope by `mb_set_scope` or VHOST_SCOPE"
    )]
    NoScope {
        /// Its name.
        symbol: &'static str,
    },
    /// The simulation in which it was is over.
    #[error(
        "`{symbol}` can't be called, since the simulation that exports it has ended: call `mb_shutdown` before a model is \
         deleted, and `mb_init` for the next one"
    )]
    Ended {
        /// Its name.
        symbol: &'static str,
    },
    /// A report is being made already.
    #[error("`mb_report` can't be called from inside itself")]
    Reporting,
}
