//! Conversion of results and exceptions of Python to a call's progress or error.

use mailbox_rs::PtrWidth;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::types::{PyAnyMethods, PyStringMethods, PyTypeMethods};
use pyo3::{Bound, PyAny, PyErr, PyResult, Python};
use thiserror::Error;

use crate::messages::rpc::Progress;

/// Exception or invalid result as text, with the traceback if there is one.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct Raised(String);

impl Raised {
    /// Formats an exception with its traceback.
    pub(super) fn new(py: Python<'_>, error: &PyErr) -> Self {
        let text = traceback(py, error).unwrap_or_else(|_| error.to_string());
        Self(text.trim_end().to_owned())
    }
}

fn traceback(py: Python<'_>, error: &PyErr) -> PyResult<String> {
    // Before Python 3.11, an exception that no Python code catches lacks its traceback.
    let parts = (error.get_type(py), error.value(py), error.traceback(py));
    let lines = py
        .import("traceback")?
        .call_method1("format_exception", parts)?;
    // Lossy, because a message may contain surrogates, as strings of firmware that are not UTF-8
    // do.
    let line = |line: PyResult<Bound<'_, PyAny>>| Ok(line?.str()?.to_string_lossy().into_owned());
    lines.try_iter()?.map(line).collect()
}

/// Converts the result of `poll`: `(exists, finished, result)`.
pub(super) fn progress(answer: &Bound<'_, PyAny>, width: PtrWidth) -> Result<Progress, Raised> {
    let parts: PyResult<(bool, bool, Bound<'_, PyAny>)> = answer.extract();
    let (exists, finished, result) = parts.map_err(|_| {
        let answer = shown(answer);
        Raised(format!(
            "`poll` returned {answer}; it must return (exists, finished, result)"
        ))
    })?;
    match (exists, finished) {
        (false, _) => Ok(Progress::Absent),
        (true, false) => Ok(Progress::Pending),
        (true, true) => word(&result, width).map(Progress::Ready),
    }
}

/// Converts an integer, signed or unsigned, to the width of the channel.
fn word(result: &Bound<'_, PyAny>, width: PtrWidth) -> Result<u64, Raised> {
    let py = result.py();
    let number = match result.extract::<u64>() {
        Ok(number) => Ok(i128::from(number)),
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => {
            result.extract::<i64>().map(i128::from)
        }
        Err(error) => Err(error),
    };
    let (bits, range) = match width {
        PtrWidth::P4 => (32, i128::from(i32::MIN)..=i128::from(u32::MAX)),
        PtrWidth::P8 => (64, i128::from(i64::MIN)..=i128::from(u64::MAX)),
    };
    match number {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is in range, and a negative one is the word of the same bits"
        )]
        Ok(number) if range.contains(&number) => Ok(number as u64),
        Err(error) if error.is_instance_of::<PyTypeError>(py) => {
            let result = shown(result);
            Err(Raised(format!(
                "it returned {result}, which is not an integer"
            )))
        }
        Err(error) if !error.is_instance_of::<PyOverflowError>(py) => Err(Raised::new(py, &error)),
        Ok(_) | Err(_) => {
            let result = shown(result);
            Err(Raised(format!(
                "it returned {result}, which does not fit into {bits} bits, the width of its \
                 channel"
            )))
        }
    }
}

/// Formats a value and its type.
fn shown(value: &Bound<'_, PyAny>) -> String {
    let text = |text: PyResult<Bound<'_, pyo3::types::PyString>>| {
        text.map_or_else(
            |_| "?".to_owned(),
            |text| text.to_string_lossy().into_owned(),
        )
    };
    let (value, kind) = (text(value.repr()), text(value.get_type().qualname()));
    match value.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}... ({kind})", &value[..end]),
        None => format!("{value} ({kind})"),
    }
}

/// Maximum number of characters of a value in a message.
const MAX_CHARACTERS: usize = 80;
