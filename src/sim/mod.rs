//! Safe wrappers of the simulator and of C's standard output.
//!
//! - [`strand`]: calls from any thread, one at a time; [`attention`]: events that a call handles
//!   before its own work.
//! - [`symbols`]: declarations of every simulator function that is called.
//! - [`vpi_user`]: structures of VPI.
//! - [`symbol`]: symbol lookup: a weak reference, then `dlsym`.
//! - [`scope`]: DPI scope of exported functions.
//! - [`lifetime`]: lifetime of a simulation, and of its scopes and handles.
//! - [`testbench`]: exported functions of the testbench: methods, tasks, reports.
//! - [`sv_memory`], [`c_memory`]: black-box memories of the testbench and of a C model.
//! - [`error`]: errors of calls; [`absent`]: a missing function.
//! - [`without_dpi`]: simulators that have only VPI.
//! - [`system_task`], [`vpi_testbench`]: system tasks, and the testbench of a simulator without
//!   DPI; [`hdl_array`]: its arrays;
//!   [`vpi_value`]: its variables; [`vpi_control`]: its output and its end.
//! - [`vpi`], [`uvm_hdl`]: words of HDL arrays, as [`vecval`]s.
//! - [`open_array`]: `byte unsigned data[]` of the caller of an imported function.
//! - `python`: interpreter settings before start, and the GIL.
//! - [`time`]: simulated time; [`caller`]: location of a call in the testbench.
//! - [`call_timeout`]: timeout of foreign calls in wall time.
//! - [`snprintf`]: one number, formatted by C.
//! - [`stdout`]: C's `stdout`, shared with the simulator's own prints.
//! - [`fork`]: forks of the process; [`generation`]: their number.
//! - [`supervise`]: forked processes whose exit status the parent reads from a pipe.
//! - [`inherited`]: files and sockets that a child does not share.
//! - [`signals`], [`locale`], [`float`], [`library`]: state of the process that the library and the
//!   simulator must not change for each other.
//!
//! These modules do not use actors or the bus. Every call is made on the simulator's calling
//! thread.

#![allow(
    unsafe_code,
    reason = "calls functions that only the running program can provide"
)]

mod absent;
pub(crate) mod attention;
mod c_memory;
pub(crate) mod call_timeout;
pub(crate) mod caller;
pub(crate) mod current_system;
mod error;
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
mod without_dpi;

pub(crate) use absent::Absent;
pub(crate) use c_memory::{api_peek, api_read, api_write};
pub(crate) use error::SimError;
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
