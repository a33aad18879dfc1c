//! Signals of programs started by Python. Threads that run Python block `SIGPIPE` and `SIGXFSZ`,
//! and programs would inherit that.

use std::ffi::CString;

use pyo3::types::{PyAnyMethods, PyDict, PyModule, PyTuple};
use pyo3::{Bound, PyAny, PyResult, Python, pyfunction, wrap_pyfunction};

use crate::sim::{Unblocked, ignore_instead_of_blocking, is_forked_by_the_library};

/// Python code that wraps the functions that start programs.
const PROGRAMS: &str = include_str!("programs.py");

/// Unblocks both signals in started programs and forked children.
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

/// Runs in a forked child. Sets its signals, unless the library itself has forked.
#[pyfunction]
fn forked() {
    if !is_forked_by_the_library() {
        ignore_instead_of_blocking();
    }
}
