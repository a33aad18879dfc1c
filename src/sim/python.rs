//! Settings of the interpreter before its start, and the GIL.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use thiserror::Error;

use super::Absent;
use super::generation::generation;
use super::symbol::Symbol;

/// Part of Python's stable ABI, but looked up at run time: it is deprecated, and its successor is
/// in no stable ABI.
static PY_SET_PROGRAM_NAME: Symbol<unsafe extern "C" fn(*const libc::wchar_t)> =
    // SAFETY: this is its prototype in C.
    unsafe { Symbol::new("Py_SetProgramName") };

/// Sets the interpreter's program name. The name of a program in a virtual environment selects that
/// environment.
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

/// Makes the symbols of a loaded library visible to libraries loaded later. Has no effect if it is
/// not loaded.
pub(crate) fn make_global(library: &Path) {
    let Ok(library) = CString::new(library.as_os_str().as_bytes()) else {
        return;
    };
    let flags = libc::RTLD_NOW | libc::RTLD_GLOBAL | libc::RTLD_NOLOAD;
    // SAFETY: the name ends with a NUL. No code of the library runs, because it is loaded; it is
    // never closed.
    unsafe { libc::dlopen(library.as_ptr(), flags) };
}

// SAFETY: these are the prototypes in C, from the stable ABI of the library that pyo3 is linked
// with as well.
unsafe extern "C" {
    safe fn Py_IsInitialized() -> c_int;
    fn PyGILState_Ensure() -> c_int;
    fn PyGILState_Release(state: c_int);
    fn PyImport_ImportModule(name: *const c_char) -> *mut c_void;
    fn PyObject_GetAttrString(object: *mut c_void, name: *const c_char) -> *mut c_void;
    fn PyObject_CallObject(callable: *mut c_void, args: *mut c_void) -> *mut c_void;
    fn PyObject_Size(object: *mut c_void) -> isize;
    fn Py_DecRef(object: *mut c_void);
    fn PyEval_GetFrame() -> *mut c_void;
    fn PyErr_Clear();
    fn PyOS_BeforeFork();
    fn PyOS_AfterFork_Parent();
    fn PyOS_AfterFork_Child();
}

/// Generation of the process in which the interpreter can be used; [`ANY_GENERATION`] if this
/// library has not started it.
static USABLE: AtomicU32 = AtomicU32::new(ANY_GENERATION);

const ANY_GENERATION: u32 = u32::MAX;

/// Records that this library has started the interpreter and has to handle its forks.
pub(crate) fn python_is_ours() {
    USABLE.store(generation(), Ordering::Relaxed);
}

/// Runs `act` while this thread holds the GIL, even if it was released before; `None` if no
/// interpreter runs, or if the process was forked without [`PythonFork`].
pub(crate) fn with_gil<T>(act: impl FnOnce() -> T) -> Option<T> {
    if Py_IsInitialized() == 0 || !is_python_usable() {
        return None;
    }
    let _held = GilGuard::new();
    Some(act())
}

/// False in a process that was forked without [`PythonFork`], if this library has started the
/// interpreter.
pub(crate) fn is_python_usable() -> bool {
    let usable = USABLE.load(Ordering::Relaxed);
    usable == ANY_GENERATION || usable == generation()
}

/// Number of other threads that are in Python. The GIL must be held.
fn threads_in_python() -> usize {
    let threads = frames().map_or(0, |frames| {
        // SAFETY: it is an object, and this thread has the GIL.
        unsafe { PyObject_Size(frames.0.as_ptr()) }
    });
    // SAFETY: this thread has the GIL. An earlier error does not matter.
    unsafe { PyErr_Clear() };
    // SAFETY: this thread has the GIL. The frame is borrowed, and not used.
    let own = unsafe { PyEval_GetFrame() };
    usize::try_from(threads)
        .unwrap_or(0)
        .saturating_sub(usize::from(!own.is_null()))
}

/// `sys._current_frames()`: a dictionary of the threads that are in Python. The GIL must be held.
fn frames() -> Option<Object> {
    // SAFETY: the name ends with a NUL, and this thread has the GIL.
    let sys = Object::new(unsafe { PyImport_ImportModule(c"sys".as_ptr()) })?;
    // SAFETY: as above, and the module exists.
    let function = unsafe { PyObject_GetAttrString(sys.0.as_ptr(), c"_current_frames".as_ptr()) };
    let function = Object::new(function)?;
    // SAFETY: this thread has the GIL, the function exists, and NULL means no arguments.
    Object::new(unsafe { PyObject_CallObject(function.0.as_ptr(), ptr::null_mut()) })
}

/// Reference to a Python object, released while the GIL is held.
struct Object(NonNull<c_void>);

impl Object {
    /// New reference that a function has returned; `None` for NULL.
    fn new(reference: *mut c_void) -> Option<Self> {
        NonNull::new(reference).map(Self)
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: the reference belongs to this value, which exists only while the GIL is held.
        unsafe { Py_DecRef(self.0.as_ptr()) };
    }
}

/// GIL guard, released on panic too.
struct GilGuard(c_int);

impl GilGuard {
    fn new() -> Self {
        // SAFETY: there is an interpreter. Each call is paired with a release.
        Self(unsafe { PyGILState_Ensure() })
    }
}

impl Drop for GilGuard {
    fn drop(&mut self) {
        // SAFETY: it releases the state of `new`, on the same thread and in reverse order.
        unsafe { PyGILState_Release(self.0) };
    }
}

/// Python's locks, held across a fork.
#[derive(Debug)]
pub(crate) struct PythonFork {
    gil: c_int,
    /// Number of Python's other threads, which a child does not have.
    threads: usize,
}

/// True while the library ends a fork in the child.
static FORKED_BY_US: AtomicBool = AtomicBool::new(false);

/// True while Python's hooks run in a child that was forked by the library, or by code that has
/// announced the fork to the library.
pub(crate) fn is_forked_by_the_library() -> bool {
    FORKED_BY_US.load(Ordering::Relaxed)
}

impl PythonFork {
    /// Takes the locks, if an interpreter runs.
    pub(crate) fn prepare() -> Option<Self> {
        if Py_IsInitialized() == 0 {
            return None;
        }
        // SAFETY: there is an interpreter. `finish` releases it on the same thread.
        let gil = unsafe { PyGILState_Ensure() };
        let threads = threads_in_python();
        // SAFETY: this thread has the GIL.
        unsafe { PyOS_BeforeFork() };
        Some(Self { gil, threads })
    }

    /// Number of Python's threads that a child does not have.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Releases the locks in the parent or in the child, on the thread that has forked.
    pub(crate) fn finish(self, child: bool) {
        if child {
            FORKED_BY_US.store(true, Ordering::Relaxed);
            // SAFETY: it follows `PyOS_BeforeFork`, on the one thread of the child.
            unsafe { PyOS_AfterFork_Child() };
            FORKED_BY_US.store(false, Ordering::Relaxed);
            if USABLE.load(Ordering::Relaxed) != ANY_GENERATION {
                USABLE.store(generation(), Ordering::Relaxed);
            }
        } else {
            // SAFETY: it follows `PyOS_BeforeFork`, on the same thread.
            unsafe { PyOS_AfterFork_Parent() };
        }
        // SAFETY: it releases the state of `prepare`.
        unsafe { PyGILState_Release(self.gil) };
    }
}

/// Number of other threads that are in Python; 0 if no interpreter runs.
pub(crate) fn python_threads() -> usize {
    with_gil(threads_in_python).unwrap_or(0)
}

/// `PyPreConfig`, which is the same in Python 3.8 and later, with extra room.
#[repr(C)]
struct PreConfig {
    kind: c_int,
    parse_argv: c_int,
    isolated: c_int,
    use_environment: c_int,
    configure_locale: c_int,
    coerce_c_locale: c_int,
    coerce_c_locale_warn: c_int,
    utf8_mode: c_int,
    more: [c_int; 56],
}

/// `PyStatus`.
#[repr(C)]
struct Status {
    kind: c_int,
    function: *const c_char,
    message: *const c_char,
    exit_code: c_int,
}

/// Looked up, because these functions are in no stable ABI.
static PRE_CONFIG_INIT: Symbol<unsafe extern "C" fn(*mut PreConfig)> =
    // SAFETY: this is its prototype in C.
    unsafe { Symbol::new("PyPreConfig_InitPythonConfig") };

static PRE_INITIALIZE: Symbol<unsafe extern "C" fn(*const PreConfig) -> Status> =
    // SAFETY: this is its prototype in C.
    unsafe { Symbol::new("Py_PreInitialize") };

/// Error of preparing Python's start.
#[derive(Debug, Error)]
pub(crate) enum PrepareError {
    #[error(transparent)]
    Absent(#[from] Absent),
    /// Error with Python's message.
    #[error("Python rejects its environment: {0}")]
    Refused(String),
}

/// Lets Python choose its text encoding like the program `python3`: UTF-8 in the locale C, and
/// `PYTHONUTF8` if it is set. The locale and the environment of the process are unchanged.
pub(crate) fn prepare_python() -> Result<(), PrepareError> {
    let (init, prepare) = (PRE_CONFIG_INIT.get()?, PRE_INITIALIZE.get()?);
    let mut config = MaybeUninit::zeroed();
    // SAFETY: the room exceeds the size of the structure in any version.
    unsafe { init(config.as_mut_ptr()) };
    // SAFETY: all fields are integers, and are initialised.
    let mut config: PreConfig = unsafe { config.assume_init() };
    config.parse_argv = 0;
    config.configure_locale = 0;
    config.coerce_c_locale = 0;
    // SAFETY: Python has initialised the structure.
    let status = unsafe { prepare(&config) };
    if status.kind == 0 {
        return Ok(());
    }
    if status.message.is_null() {
        let code = status.exit_code;
        return Err(PrepareError::Refused(format!(
            "it requests to exit with {code}"
        )));
    }
    // SAFETY: it is a static text of Python.
    let message = unsafe { CStr::from_ptr(status.message) };
    Err(PrepareError::Refused(
        message.to_string_lossy().into_owned(),
    ))
}
