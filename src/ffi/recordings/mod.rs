//! Recordings in Python: native part of `vhost.trace` and `vhost.replay`, which need no system.
//!
//! It is a separate module from that of the backdoor; the library contains both. The GIL is
//! released while a recording is read or replayed, so that other threads continue.

mod reader;
mod value;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::types::{PyDict, PyDictMethods as _, PyList, PyModule, PyModuleMethods as _};
use pyo3::{
    Bound, PyResult, Python, create_exception, pyclass, pyfunction, pymethods, pymodule,
    wrap_pyfunction,
};

use self::reader::{Reader, Table};
use self::value::{Buffers, Type, tuples};
use crate::foreign::python::PyError;
use crate::system::{ActorName, Replay, ReplayError};
use crate::trace::{Matcher, Payloads, Trace, TraceError};

create_exception!(
    vhost,
    DifferenceError,
    PyError,
    "First difference between a replay and its recording."
);

/// Maximum number of rows that are read at a time.
const MAX_ROWS: usize = 1 << 20;

/// Open recording.
#[pyclass(module = "vhost._recordings", name = "Reader", frozen)]
struct PyReader(Mutex<State>);

struct State {
    reader: Reader,
    /// Error after the rows that were read.
    failed: Option<TraceError>,
}

#[pymethods]
impl PyReader {
    /// Opens a recording.
    #[new]
    fn new(py: Python<'_>, file: PathBuf) -> PyResult<Self> {
        let reader = py.detach(|| Reader::open(&file)).map_err(raised)?;
        Ok(Self(Mutex::new(State {
            reader,
            failed: None,
        })))
    }

    /// Origin of the recording.
    fn header<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let header = self.with(py, |state| state.reader.header().clone());
        let dict = PyDict::new(py);
        dict.set_item("version", &header.version)?;
        dict.set_item("whole", header.whole)?;
        dict.set_item(
            "payloads",
            match header.payloads {
                Payloads::Keep => "keep",
                Payloads::Hash => "hash",
                Payloads::Drop => "drop",
            },
        )?;
        let run = PyDict::new(py);
        for (key, value) in header.run.iter() {
            run.set_item(key, value)?;
        }
        dict.set_item("run", run)?;
        let variables = PyDict::new(py);
        for (name, value) in header.named_variables() {
            variables.set_item(name, value)?;
        }
        dict.set_item("variables", variables)?;
        Ok(dict)
    }

    /// True if the file ends within a block. Known at the end.
    fn is_cut(&self, py: Python<'_>) -> bool {
        self.with(py, |state| state.reader.is_truncated())
    }

    /// Number of undecodable messages and replies so far.
    fn undecoded(&self, py: Python<'_>) -> u64 {
        self.with(py, |state| state.reader.undecoded())
    }

    /// Next rows of a table as tuples; none at the end.
    fn rows<'py>(&self, py: Python<'py>, table: &str, most: usize) -> PyResult<Bound<'py, PyList>> {
        let table = table_of(table)?;
        let rows = self
            .with(py, |state| state.read(table, most))
            .map_err(raised)?;
        tuples(py, &rows)
    }

    /// Next rows of a table: their number, and a column for each name in `columns`.
    fn columns<'py>(
        &self,
        py: Python<'py>,
        table: &str,
        most: usize,
    ) -> PyResult<(usize, Bound<'py, PyList>)> {
        let table = table_of(table)?;
        let read = self.with(py, |state| {
            let rows = state.read(table, most)?;
            let columns = table.columns().iter().enumerate();
            let columns = columns.map(|(at, (_, of))| Buffers::of(&rows, at, *of));
            Ok((rows.len(), columns.collect::<Vec<_>>()))
        });
        let (rows, columns) = read.map_err(raised)?;
        let list = PyList::empty(py);
        for column in columns {
            pyo3::types::PyListMethods::append(&list, column.to_python(py)?)?;
        }
        Ok((rows, list))
    }
}

impl PyReader {
    /// Uses the recording with the GIL released.
    fn with<T: Send>(&self, py: Python<'_>, act: impl FnOnce(&mut State) -> T + Send) -> T {
        py.detach(|| act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl State {
    fn read(&mut self, table: Table, most: usize) -> Result<Vec<value::Row>, TraceError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let (rows, error) = self.reader.read(table, most.min(MAX_ROWS));
        match error {
            Some(error) if rows.is_empty() => Err(error),
            // Rows before the damage are returned first.
            later => {
                self.failed = later;
                Ok(rows)
            }
        }
    }
}

fn table_of(name: &str) -> PyResult<Table> {
    Table::named(name).ok_or_else(|| {
        PyValueError::new_err(format!("table `{name}`: give `requests` or `messages`"))
    })
}

fn raised(error: TraceError) -> pyo3::PyErr {
    PyError::new_err(error.to_string())
}

/// Names and types of a table's columns.
#[pyfunction]
fn columns(table: &str) -> PyResult<Vec<(&'static str, &'static str)>> {
    let columns = table_of(table)?.columns().iter();
    let named = columns.map(|(name, of)| {
        let of = match of {
            Type::Flag => "flag",
            Type::Number => "number",
            Type::Words => "words",
            Type::Text => "text",
        };
        (*name, of)
    });
    Ok(named.collect())
}

/// First difference of two recordings: number of equal entries before it, the frames of both, and
/// their ticks. `None` for equal recordings. A recording that has ended has no frame.
type Differing = (u64, Option<(u64, u64)>, Option<(u64, u64)>);

/// Compares the entries of two recordings.
#[pyfunction]
fn diff(py: Python<'_>, one: PathBuf, other: PathBuf) -> PyResult<Option<Differing>> {
    let compared = py.detach(|| {
        let (mut one, mut other) = (Trace::open(&one)?, Trace::open(&other)?);
        let mut same = Matcher::default();
        let mut equal = 0;
        loop {
            match (one.next().transpose()?, other.next().transpose()?) {
                (None, None) => return Ok(None),
                (Some(a), Some(b)) if same.is(&a, &b) => equal += 1,
                (a, b) => {
                    let [a, b] = [a, b].map(|entry| entry.map(|it| (it.frame, it.tick)));
                    return Ok(Some((equal, a, b)));
                }
            }
        }
    });
    compared.map_err(raised)
}

/// Error of a replay, as text.
enum Failed {
    Differs(String),
    Other(String),
}

/// Replays a recording, or one actor of it. Returns the number of messages and ticks.
#[pyfunction]
#[pyo3(signature = (file, only = None))]
fn replay(py: Python<'_>, file: PathBuf, only: Option<&str>) -> PyResult<(u64, u64, bool)> {
    let only = only
        .map(str::parse::<ActorName>)
        .transpose()
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let replayed = py.detach(|| {
        let replay = Replay::of(&file);
        let replay = match only {
            Some(actor) => replay.only(actor),
            None => replay,
        };
        replay.run().map_err(|error| match error {
            ReplayError::Divergence(divergence) => Failed::Differs(divergence.to_string()),
            other => Failed::Other(other.to_string()),
        })
    });
    match replayed {
        Ok(replayed) => Ok((replayed.messages, replayed.ticks, replayed.is_truncated)),
        Err(Failed::Differs(text)) => Err(DifferenceError::new_err(text)),
        Err(Failed::Other(text)) => Err(PyError::new_err(text)),
    }
}

#[pymodule]
fn _recordings(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("DifferenceError", py.get_type::<DifferenceError>())?;
    module.add_class::<PyReader>()?;
    module.add_function(wrap_pyfunction!(columns, module)?)?;
    module.add_function(wrap_pyfunction!(diff, module)?)?;
    module.add_function(wrap_pyfunction!(replay, module)?)
}
