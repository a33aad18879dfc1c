//! Interpreter settings before start, and the GIL.

use std::ffi::{CString, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Absent;
use super::symbol::Symbol;

/// Part of Python's stable ABI. Looked up at run time: it is deprecated, and its successor is in no stable ABI.
static PY_SET_PROGRAM_NAME: Symbol<unsafe extern "C" fn(*const libc::wchar_t)> =
    // SAFETY: this is the prototype that C gives it.
    unsafe { Symbol::new("Py_SetProgramName") };

/// Sets the interpreter's program name. A program in a virtual environment selects that environment.
pub(crate) fn name_python_program(program: &str) -> Result<(), Absent> {
    let set = PY_SET_PROGRAM_NAME.get()?;
    let wide = program.chars().map(|c| u32::from(c).cast_signed());
    let wide: Vec<libc::wchar_t> = wide.chain([0]).collect();
    // Leaked: the interpreter keeps the pointer.
    let wide = wide.leak();
    // SAFETY: the text ends with a NUL, and is never freed or changed.
    unsafe { set(wide.as_ptr()) };
    Ok(())
}

/// Makes the symbols of a loaded library visible to libraries loaded later. Does nothing if it is not loaded.
pub(crate) fn make_global(library: &Path) {
    let Ok(library) = CString::new(library.as_os_str().as_bytes()) else {
        return;
    };
    let flags = libc::RTLD_NOW | libc::RTLD_GLOBAL | libc::RTLD_NOLOAD;
    // SAFETY: the name ends with a NUL. No code of the library's runs, since it is loaded; it is never closed.
    unsafe { libc::dlopen(library.as_ptr(), flags) };
}

// SAFETY: these are the prototypes of C, in the stable ABI of the library that pyo3 is linked with, too.
unsafe extern "C" {
    safe fn Py_IsInitialized() -> c_int;
    fn PyGILState_Ensure() -> c_int;
    fn PyGILState_Release(state: c_int);
}

/// Runs a function with the GIL held by this thread; `None` if no interpreter runs.
pub(crate) fn with_gil<T>(act: impl FnOnce() -> T) -> Option<T> {
    if Py_IsInitialized() == 0 {
        return None;
    }
    let _held = Held::new();
    Some(act())
}

/// GIL guard, released on panic too.
struct Held(c_int);

impl Held {
    fn new() -> Self {
        // SAFETY: there is an interpreter. It may be asked for as often as it is given back.
        Self(unsafe { PyGILState_Ensure() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: it gives back what `new` has got, on the same thread and in the opposite order.
        unsafe { PyGILState_Release(self.0) };
    }
}
