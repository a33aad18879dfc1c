//! Native part of the Python module `vhost`: Python's access to the system.
//!
//! Its functions release the GIL before they enter the bus. They use the system that a Rust program
//! has started on the calling thread, if there is one. Otherwise they use the system of the C ABI,
//! on any thread, while no other thread is inside of a call. A call from the simulator waits for
//! the end of such an access.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::types::{PyAnyMethods, PyBytes, PyMemoryView, PyModule, PyModuleMethods};
use pyo3::{
    Bound, PyAny, PyResult, Python, create_exception, pyfunction, pymodule, wrap_pyfunction,
};
use thiserror::Error;

use crate::mem::Symbol;
use crate::sim::current_system::{SystemId, current, during, selected};
use crate::sim::is_python_usable;
use crate::sim::strand::{self, CodeGuard, ForkedWhile, Overlap, strand_local};

/// System as used by Python. Numbers in memory are little-endian.
pub(crate) trait Host {
    /// True until the system has ended.
    fn is_running(&self) -> bool;

    /// Name of a channel's space.
    fn space_of(&self, channel: &str) -> Result<String, BackdoorError>;

    /// Symbol of a channel's image, or of an image in a space.
    fn symbol(&self, place: &str, name: &str) -> Result<Symbol, BackdoorError>;

    /// Executes an operation of semihosting; `None` while it waits for input.
    fn semihost(
        &self,
        channel: &str,
        hart: u32,
        operation: u64,
        argument: u64,
    ) -> Result<Option<u64>, BackdoorError>;

    /// Replaces traps of semihosting in a range of memory. Returns their number.
    fn replace_traps(&self, channel: &str, address: u64, len: u64) -> Result<u64, BackdoorError>;

    /// Reads bytes.
    fn read(&self, space: &str, address: u64, len: u64) -> Result<Bytes, BackdoorError>;

    /// Writes bytes.
    fn write(&self, space: &str, address: u64, data: Bytes) -> Result<(), BackdoorError>;

    /// Reads a string up to its NUL. The result does not contain the NUL.
    fn read_string(&self, space: &str, address: u64) -> Result<Bytes, BackdoorError>;

    /// Writes a string and a NUL.
    fn write_string(&self, space: &str, address: u64, text: &[u8]) -> Result<(), BackdoorError>;
}

/// Error of an access from Python.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum BackdoorError {
    #[error("vhost is not running: call between mb_init and mb_shutdown")]
    NoSystem,
    #[error(
        "this process was forked from a Python callback or thread: the system stays with the \
         parent process and is unavailable here"
    )]
    Forked,
    #[error(transparent)]
    Overlap(#[from] Overlap),
    #[error(
        "several systems run, and another one than the selected has methods in Python: access memory in a callback, or while \
         that system is selected"
    )]
    OtherSystem,
    #[error("{0}")]
    Failed(String),
}

strand_local! {
    static HOST: RefCell<Option<Rc<dyn Host>>> = RefCell::new(None);
}

strand_local! {
    /// Current system with methods, from their import to its end.
    static HAS_METHODS: Cell<Option<SystemId>> = Cell::new(None);
}

/// Right of a system to have methods in Python. The process has one set of modules, one event loop
/// and one set of calls, so only one system of the C ABI has the right at a time.
pub(super) struct MethodsClaim {
    /// True for a system of the C ABI, which moves between threads.
    moves: bool,
}

impl MethodsClaim {
    /// Takes the right for the current system; `None` if another system has it.
    pub(super) fn take() -> Option<Self> {
        if HAS_METHODS.find_other(Cell::get).is_some() {
            return None;
        }
        HAS_METHODS.with(|has| has.set(Some(current())));
        let moves = strand::is_entered();
        Some(Self { moves })
    }
}

impl Drop for MethodsClaim {
    fn drop(&mut self) {
        // A thread may drop its own system inside a call of the C ABI.
        HAS_METHODS.with_value_of(self.moves, |has| has.set(None));
    }
}

/// System of the C ABI for an access outside of callbacks: the selected one, or if that does not
/// run the one with methods.
///
/// # Errors
/// [`BackdoorError::OtherSystem`] if both run: a thread that a callback has started would use the
/// wrong one.
fn system_of_threads(is_outermost: bool) -> Result<SystemId, BackdoorError> {
    let own = if is_outermost { selected() } else { current() };
    during(own, || match HAS_METHODS.find_other(Cell::get) {
        Some(_) if host().is_some_and(|own| own.is_running()) => Err(BackdoorError::OtherSystem),
        Some(other) => Ok(other),
        None => Ok(own),
    })
}

/// Sets the system that Python uses: on any thread for the system of the C ABI, otherwise on this
/// thread.
pub(crate) fn serve(host: Rc<dyn Host>) {
    // Fails on a thread that is ending, which no longer needs it.
    let _ = HOST.with(|current| current.replace(Some(host)));
}

/// The system used on this thread.
fn host() -> Option<Rc<dyn Host>> {
    HOST.with(|current| current.borrow().clone()).flatten()
}

create_exception!(
    vhost,
    Error,
    PyRuntimeError,
    "Failed operation of the system, with the reason."
);

/// Accesses the system with the GIL released.
fn ask<T: Send>(
    py: Python<'_>,
    act: impl FnOnce(&dyn Host) -> Result<T, BackdoorError> + Send,
) -> PyResult<T> {
    py.detach(|| {
        if !is_python_usable() || strand::forked_while() != ForkedWhile::Idle {
            return Err(BackdoorError::Forked);
        }
        if let Some(own) = host().filter(|own| own.is_running()) {
            // A nested call like any other: it ends the settled state.
            let _entered = strand::is_entered().then(strand::enter_briefly);
            let _library = CodeGuard::library();
            return act(&*own);
        }
        // Does not wait for a thread that needs the GIL, because that is released.
        let entered = strand::enter_briefly()?;
        let _library = CodeGuard::library();
        during(system_of_threads(entered.is_outermost())?, || {
            act(&*host().ok_or(BackdoorError::NoSystem)?)
        })
    })
    .map_err(|refused| Error::new_err(refused.to_string()))
}

/// Returns the name of a channel's space.
#[pyfunction]
fn get_space(py: Python<'_>, ch: &str) -> PyResult<String> {
    ask(py, |host| host.space_of(ch))
}

/// Returns the value and the size of a symbol of a channel's image, or of an image in a space.
#[pyfunction]
fn symbol(py: Python<'_>, place: &str, name: &str) -> PyResult<(u64, u64)> {
    let symbol = ask(py, |host| host.symbol(place, name))?;
    Ok((symbol.value, symbol.size))
}

/// Executes an operation of semihosting that firmware asks for. Returns the value for a0, or None
/// while the operation waits for input.
#[pyfunction]
fn semihost(py: Python<'_>, ch: &str, hart: u32, op: u64, arg: u64) -> PyResult<Option<u64>> {
    ask(py, |host| host.semihost(ch, hart, op, arg))
}

/// Replaces traps of semihosting that firmware has copied or unpacked itself. Returns their number.
#[pyfunction]
fn replace_traps(py: Python<'_>, ch: &str, addr: u64, size: u64) -> PyResult<u64> {
    ask(py, |host| host.replace_traps(ch, addr, size))
}

/// Defines a pair of functions for each word width.
macro_rules! words {
    ($($read:ident, $write:ident: $word:ty;)+) => {$(
        #[doc = concat!("Reads a little-endian ", stringify!($word), ".")]
        #[pyfunction]
        fn $read(py: Python<'_>, space: &str, addr: u64) -> PyResult<$word> {
            let mut word = [0; size_of::<$word>()];
            let read = ask(py, |host| host.read(space, addr, word.len() as u64))?;
            word.copy_from_slice(&read);
            Ok(<$word>::from_le_bytes(word))
        }

        #[doc = concat!("Writes a little-endian ", stringify!($word), ".")]
        #[pyfunction]
        fn $write(py: Python<'_>, space: &str, addr: u64, data: $word) -> PyResult<()> {
            let data = Bytes::copy_from_slice(&data.to_le_bytes());
            ask(py, |host| host.write(space, addr, data))
        }
    )+};
}

words! {
    read_u8, write_u8: u8;
    read_u16, write_u16: u16;
    read_u32, write_u32: u32;
    read_u64, write_u64: u64;
}

/// Reads `n` bytes.
#[pyfunction]
fn read_bytes<'py>(
    py: Python<'py>,
    space: &str,
    addr: u64,
    n: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let data = ask(py, |host| host.read(space, addr, n))?;
    Ok(PyBytes::new(py, &data))
}

/// Fills a writable buffer, such as a bytearray or a NumPy array. Returns the number of bytes.
#[pyfunction]
fn read_into(py: Python<'_>, space: &str, addr: u64, buffer: &Bound<'_, PyAny>) -> PyResult<usize> {
    let buffer = bytes_of(buffer)?;
    if buffer.readonly() {
        return Err(PyValueError::new_err("the buffer is read-only"));
    }
    let len = buffer.len_bytes();
    let data = ask(py, |host| host.read(space, addr, len as u64))?;
    buffer.copy_from_slice(py, &data)?;
    Ok(len)
}

/// Writes all of a buffer, such as bytes or a NumPy array.
#[pyfunction]
fn write_bytes(py: Python<'_>, space: &str, addr: u64, data: &Bound<'_, PyAny>) -> PyResult<()> {
    let data = bytes_of(data)?.to_vec(py)?;
    ask(py, |host| host.write(space, addr, data.into()))
}

/// View of a buffer as bytes, for elements of any type.
fn bytes_of(buffer: &Bound<'_, PyAny>) -> PyResult<PyBuffer<u8>> {
    let view = PyMemoryView::from(buffer)?;
    PyBuffer::get(&view.call_method1("cast", ("B",))?)
}

/// Encoding that preserves bytes outside of UTF-8 in a Python string.
const ENCODING: (&str, &str) = ("utf-8", "surrogateescape");

/// Reads a NUL-terminated string.
#[pyfunction]
fn read_string<'py>(py: Python<'py>, space: &str, addr: u64) -> PyResult<Bound<'py, PyAny>> {
    let text = ask(py, |host| host.read_string(space, addr))?;
    PyBytes::new(py, &text).call_method1("decode", ENCODING)
}

/// Writes a string and its NUL.
#[pyfunction]
fn write_string(py: Python<'_>, space: &str, addr: u64, data: &Bound<'_, PyAny>) -> PyResult<()> {
    let text: Vec<u8> = data.call_method1("encode", ENCODING)?.extract()?;
    if text.contains(&0) {
        return Err(PyValueError::new_err(
            "a string for firmware can't contain NUL, which would end it",
        ));
    }
    ask(py, |host| host.write_string(space, addr, &text))
}

/// Functions that also have an established name `py_mb_backdoor_…`.
const BACKDOOR: [&str; 13] = [
    "read_u8",
    "read_u16",
    "read_u32",
    "read_u64",
    "read_bytes",
    "read_into",
    "read_string",
    "write_u8",
    "write_u16",
    "write_u32",
    "write_u64",
    "write_bytes",
    "write_string",
];

#[pymodule]
fn _vhost(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("Error", py.get_type::<Error>())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(get_space, module)?)?;
    module.add_function(wrap_pyfunction!(replace_traps, module)?)?;
    module.add_function(wrap_pyfunction!(semihost, module)?)?;
    module.add_function(wrap_pyfunction!(symbol, module)?)?;
    module.add_function(wrap_pyfunction!(read_u8, module)?)?;
    module.add_function(wrap_pyfunction!(read_u16, module)?)?;
    module.add_function(wrap_pyfunction!(read_u32, module)?)?;
    module.add_function(wrap_pyfunction!(read_u64, module)?)?;
    module.add_function(wrap_pyfunction!(read_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(read_into, module)?)?;
    module.add_function(wrap_pyfunction!(read_string, module)?)?;
    module.add_function(wrap_pyfunction!(write_u8, module)?)?;
    module.add_function(wrap_pyfunction!(write_u16, module)?)?;
    module.add_function(wrap_pyfunction!(write_u32, module)?)?;
    module.add_function(wrap_pyfunction!(write_u64, module)?)?;
    module.add_function(wrap_pyfunction!(write_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(write_string, module)?)?;
    module.add("py_mb_get_space", module.getattr("get_space")?)?;
    for name in BACKDOOR {
        let function = module.getattr(name)?;
        module.add(format!("py_mb_backdoor_{name}"), function)?;
    }
    Ok(())
}

/// Creates the module in a running interpreter.
pub(super) fn native(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let module = pyo3::wrap_pymodule!(_vhost)(py);
    Ok(module.into_bound(py).into_any())
}
