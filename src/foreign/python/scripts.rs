//! The user's modules and the shim, after their import.

use std::ffi::CString;
use std::path::PathBuf;

use mailbox_rs::PtrWidth;
use pyo3::types::{PyAnyMethods, PyDict, PyModule, PyString, PyTuple};
use pyo3::{Bound, IntoPyObject, Py, PyAny, PyResult, Python};

use super::module::native;
use super::outcome::{Raised, progress};
use super::programs;
use crate::config::vhost_variables::PYTHON_PATH;
use crate::guest::Reserved;
use crate::messages::rpc::Progress;

/// Python code that finds and imports the modules.
const LOADER: &str = include_str!("loader.py");

/// Python code that advances calls of a user's own `poll`.
const POLLED: &str = include_str!("polled.py");

/// Shims and their shared code, for a library that was copied from its build folder: path in the
/// folder of shims, and text.
const SHIMS: [(&str, &str); 3] = [
    (
        "pymb_registry.py",
        include_str!("../../../python/pymb_registry.py"),
    ),
    (
        "async/pymb_rpc.py",
        include_str!("../../../python/async/pymb_rpc.py"),
    ),
    (
        "cocotb/pymb_rpc.py",
        include_str!("../../../python/cocotb/pymb_rpc.py"),
    ),
];

/// Shims of the build, in folders `async` and `cocotb`.
const STAGED: &str = concat!(env!("OUT_DIR"), "/vhost/python");

/// Functions and collections of a shim, or of `polled.py` for a module with a `poll` of its own.
pub(super) struct Scripts {
    poll: Py<PyAny>,
    /// Methods known to `poll`, by name; `None` if only `poll` itself knows them.
    callbacks: Option<Py<PyAny>>,
    tick: Py<PyAny>,
    cancel: Py<PyAny>,
    /// Tasks that an iteration of the event loop advances.
    tasks: Py<PyAny>,
    /// Function that returns a warning once.
    warning: Option<Py<PyAny>>,
    notes: Vec<String>,
}

impl Scripts {
    /// Imports the modules and runs the user's own start-up function.
    pub(super) fn load(py: Python<'_>) -> Result<Self, Raised> {
        // An event loop created by the import keeps its descriptors until the process ends.
        let _reserved = Reserved::new();
        Self::import(py).map_err(|error| Raised::new(py, &error))
    }

    fn import(py: Python<'_>) -> PyResult<Self> {
        let module = |text, file, name| -> PyResult<_> {
            PyModule::from_code(py, &CString::new(text)?, file, name)
        };
        programs::install(py)?;
        let loader = module(LOADER, c"vhost/loader.py", c"_vhost_loader")?;
        let polled = module(POLLED, c"vhost/polled.py", c"_vhost_polled")?;
        let folder = PYTHON_PATH
            .value()
            .map_or_else(|| STAGED.into(), PathBuf::from);
        let shims = PyDict::new(py);
        for (file, text) in SHIMS {
            shims.set_item(file, text)?;
        }
        let found = loader.call_method1("load", (native(py)?, polled, folder, shims))?;
        let part = |name| -> PyResult<_> {
            let part = found.getattr(name)?;
            Ok((!part.is_none()).then(|| part.unbind()))
        };
        Ok(Self {
            poll: found.getattr("poll")?.unbind(),
            callbacks: part("callbacks")?,
            tick: found.getattr("tick")?.unbind(),
            cancel: found.getattr("cancel")?.unbind(),
            tasks: found.getattr("tasks")?.unbind(),
            warning: part("warning")?,
            notes: found.getattr("notes")?.extract()?,
        })
    }

    /// Notes for the user that are not errors.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Takes a warning about calls that stay pending.
    pub(super) fn warning(&self, py: Python<'_>) -> Option<String> {
        let warning = self.warning.as_ref()?.call0(py).ok()?;
        warning.extract(py).ok()
    }

    /// Polls a method once.
    pub(super) fn poll(
        &self,
        py: Python<'_>,
        channel: &str,
        method: &str,
        args: &[u64],
        width: PtrWidth,
    ) -> Result<Progress, Raised> {
        self.ask(py, channel, method, args)
            .map_err(|error| Raised::new(py, &error))?
            .map_or(Ok(Progress::Absent), |answer| progress(&answer, width))
    }

    /// Calls `poll`. `None` without a call if the method is known to be absent.
    fn ask<'py>(
        &self,
        py: Python<'py>,
        channel: &str,
        method: &str,
        args: &[u64],
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let method = PyString::new(py, method);
        if let Some(callbacks) = &self.callbacks
            && !callbacks.bind(py).contains(&method)?
        {
            return Ok(None);
        }
        let mut given = Vec::with_capacity(2 + args.len());
        given.push(method.into_any());
        given.push(PyString::new(py, channel).into_any());
        for arg in args {
            given.push(arg.into_pyobject(py)?.into_any());
        }
        self.poll.bind(py).call1(PyTuple::new(py, given)?).map(Some)
    }

    /// Runs one iteration of the event loop.
    pub(super) fn tick(&self, py: Python<'_>) -> Result<(), Raised> {
        done(py, self.tick.call0(py))
    }

    /// Cancels a channel's pending calls.
    pub(super) fn cancel(&self, py: Python<'_>, channel: &str) -> Result<(), Raised> {
        done(py, self.cancel.call1(py, (channel,)))
    }

    /// True if there are tasks that only [`tick`](Self::tick) advances.
    pub(super) fn tasks_alive(&self, py: Python<'_>) -> bool {
        self.tasks.bind(py).len().is_ok_and(|len| len > 0)
    }
}

fn done(py: Python<'_>, called: PyResult<Py<PyAny>>) -> Result<(), Raised> {
    called.map(drop).map_err(|error| Raised::new(py, &error))
}
