//! Standard output of an interpreter started by this library, redirected to C's `stdout`.

use std::ffi::CString;
use std::io::{self, Write};

use pyo3::exceptions::PyOSError;
use pyo3::types::{PyAnyMethods, PyModule};
use pyo3::{PyErr, PyResult, Python, pyfunction, wrap_pyfunction};

use crate::sim::{CStdout, quietly};

/// Python code of the stream.
const STREAM: &str = include_str!("stdout.py");

/// Redirects Python's standard output to C's `stdout`.
pub(super) fn install(py: Python<'_>) -> PyResult<()> {
    let stream = CString::new(STREAM)?;
    let stream = PyModule::from_code(py, &stream, c"vhost/stdout.py", c"_vhost_stdout")?;
    let (write, flush) = (wrap_pyfunction!(write, py)?, wrap_pyfunction!(flush, py)?);
    stream.call_method1("install", (write, flush))?;
    Ok(())
}

/// Writes all of `data` and returns the number of bytes.
#[pyfunction]
fn write(py: Python<'_>, data: &[u8]) -> PyResult<usize> {
    py.detach(|| quietly(|| CStdout.write_all(data)))
        .map_err(error)?;
    Ok(data.len())
}

/// Flushes C's `stdout`.
#[pyfunction]
fn flush(py: Python<'_>) -> PyResult<()> {
    py.detach(|| quietly(|| CStdout.flush())).map_err(error)
}

/// Converts an error like Python's own streams: `BrokenPipeError` if the pipe has no reader.
fn error(error: io::Error) -> PyErr {
    let number = error.raw_os_error().unwrap_or(libc::EIO);
    PyOSError::new_err((number, error.to_string()))
}
