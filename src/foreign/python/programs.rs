//! Signals of programs that Python starts. Threads of Python's block `SIGPIPE` and `SIGXFSZ`, the simulator's while it runs Python, and a
//! program would inherit that.

use std::ffi::CString;

use pyo3::types::{PyAnyMethods, PyDict, PyModule, PyTuple};
use pyo3::{Bound, PyAny, PyResult, Python, pyfunction, wrap_pyfunction};

use crate::sim::{Unblocked, ignore_instead_of_blocking, is_forked_by_the_library};

/// Wraps the functions that start programs.
const PROGRAMS: &str = include_str!("programs.py");

/// Has programs that are started, and children that are forked, find neither signal blocked.
pub(super) fn install(py: Python<'_>) -> PyResult<()> {
    let programs = CString::new(PROGRAMS)?;
    let programs = PyModule::from_code(py, &programs, c"vhost/programs.py", c"_vhost_programs")?;
    let (start, forked) = (wrap_pyfunction!(start, py)?, wrap_pyfunction!(forked, py)?);
    programs.call_method1("install", (start, forked))?;
    Ok(())
}

/// Calls a function that starts a program.
#[pyfunction]
#[pyo3(signature = (function, /, *args, **kwargs))]
fn start<'py>(
    function: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let _unblocked = Unblocked::new();
    function.call(args, kwargs)
}

/// Runs in a child that was forked, in Python unless the library has forked it.
#[pyfunction]
fn forked() {
    if !is_forked_by_the_library() {
        ignore_instead_of_blocking();
    }
}
