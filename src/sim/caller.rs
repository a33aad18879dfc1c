//! Location of an imported function's call in the testbench.

use std::ffi::{CStr, c_char};
use std::fmt;
use std::ptr;

use super::scope;
use super::symbols::svGetCallerInfo;

/// Writes file and line of the import in progress, as `file:line`. Writes nothing if the simulator
/// does not provide them.
pub(super) fn write_place(text: &mut dyn fmt::Write) -> fmt::Result {
    // Verilator warns of a call outside of an import, and keeps the data of a deleted simulation.
    if !scope::is_alive() || !scope::is_in_import() {
        return Ok(());
    }
    let Ok(get) = svGetCallerInfo.get() else {
        return Ok(());
    };
    let mut file: *const c_char = ptr::null();
    let mut line = 0;
    // SAFETY: both outlive the call.
    let known = unsafe { get(&mut file, &mut line) } != 0;
    if !known || file.is_null() {
        return Ok(());
    }
    // SAFETY: the simulator returns a NUL-terminated name, which is valid during the import.
    let file = unsafe { CStr::from_ptr(file) };
    write!(text, "{}:{line}", file.to_string_lossy())
}
