//! Python interpreter of this process. There is at most one. It is never finalised, because its
//! starter or a later system may still use it.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use pyo3::types::PyAnyMethods;
use pyo3::{PyResult, Python};

use super::failure::{Failure, StartError};
use super::outcome::Raised;
use super::stdout;
use crate::guest;
use crate::sim::strand::CodeGuard;
use crate::sim::{self, Disposition, FloatEnvironment, Quiet};

/// Runs Python code with the GIL held and in [`OwnState`], so that its changes of floating-point
/// flags and signal masks do not affect the simulator. May be nested.
pub(super) fn attached<T>(act: impl FnOnce(Python<'_>) -> Result<T, Raised>) -> Result<T, Failure> {
    // pyo3 assumes that the GIL is held if it was held when Python was called. C code called from
    // there may have released it.
    let _own = OwnState::enter();
    let _foreign = CodeGuard::foreign();
    sim::with_gil(|| Python::try_attach(act))
        .flatten()
        .ok_or(Failure::Ended)?
        .map_err(Into::into)
}

/// Guard for running Python code. Python expects that a write to a broken pipe returns an error
/// without a signal, and that numbers are rounded to nearest.
pub(super) struct OwnState {
    _quiet: Quiet,
    _float: FloatEnvironment,
}

impl OwnState {
    /// Enters the state in this thread, and in threads started meanwhile.
    /// [`programs`](super::programs) handles started programs.
    pub(super) fn enter() -> Self {
        Self {
            _quiet: Quiet::new(),
            _float: FloatEnvironment::enter(),
        }
    }
}

/// Starts the interpreter, unless the process has one, as in cocotb or if Python has loaded the
/// library.
///
/// The interpreter is that of the environment: of `VIRTUAL_ENV`, or of the first `python3` in
/// `PATH`.
pub(super) fn start() -> Result<(), StartError> {
    let libraries = libraries();
    let mut others = libraries.iter();
    if let (Some(one), Some(other)) = (others.next(), others.next()) {
        let (one, other) = (one.clone(), other.clone());
        return Err(StartError::TwoPythons { one, other });
    }
    if attached(|_| Ok(())).is_ok() {
        return Ok(());
    }
    // Extension modules find Python's symbols only if these are global. This library may have been
    // loaded without that.
    for library in &libraries {
        sim::make_global(library);
    }
    let environment = env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let environment = environment.filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = environment {
        // Checked first, because an interpreter can't be stopped.
        for library in &libraries {
            check_version(&folder, library)?;
        }
        sim::name_python_program(&folder.join("bin/python").to_string_lossy())?;
    }
    sim::prepare_python()?;
    // Python installs its own handler when `signal` is first imported.
    let _interrupt = Disposition::of(libc::SIGINT);
    let _own = OwnState::enter();
    Python::initialize();
    sim::python_is_ours();
    Python::attach(|py| {
        leave_interrupt(py)?;
        stdout::install(py)
    })
    .map_err(|error| StartError::SetUp(error.to_string()))
}

/// Resets Python's record of its `SIGINT` handler. The signal belongs to the simulator, and
/// `asyncio.run` would otherwise install a handler.
fn leave_interrupt(py: Python<'_>) -> PyResult<()> {
    let signal = py.import("signal")?;
    let (number, handler) = (signal.getattr("SIGINT")?, signal.getattr("SIG_DFL")?);
    let current = signal.call_method1("getsignal", (&number,))?;
    if current.is(&signal.getattr("default_int_handler")?) {
        signal.call_method1("signal", (number, handler))?;
    }
    Ok(())
}

/// Checks that a virtual environment has the version of Python's library. Otherwise no package
/// would be found.
fn check_version(folder: &Path, library: &Path) -> Result<(), StartError> {
    let Some((_, version)) = library.to_str().and_then(|path| path.rsplit_once("/lib")) else {
        return Ok(());
    };
    // libpython3.11.so.1.0 uses lib/python3.11, and so does the debug build libpython3.11d.so.1.0.
    let version = version.split(".so").next().unwrap_or(version);
    let packages = Path::new("lib").join(version.trim_end_matches('d'));
    if folder.join(&packages).is_dir() {
        return Ok(());
    }
    let folder = folder.to_owned();
    Err(StartError::OtherVersion { folder, packages })
}

/// Paths of the loaded libraries of Python itself.
fn libraries() -> BTreeSet<PathBuf> {
    let maps = guest::read("/proc/self/maps").unwrap_or_default();
    let maps = String::from_utf8_lossy(&maps);
    let files = maps
        .lines()
        .filter_map(|line| Some(&line[line.find('/')?..]));
    let is_python = |file: &&str| {
        let name = Path::new(file).file_name().and_then(|name| name.to_str());
        // libpython3.so only forwards to one with the version in its name.
        name.is_some_and(|name| {
            name.starts_with("libpython3.") && !name.starts_with("libpython3.so")
        })
    };
    files.filter(is_python).map(PathBuf::from).collect()
}
