//! Location of the call in progress in the testbench: of an imported function or a system task.

use std::ffi::{CStr, c_char};
use std::fmt;
use std::ptr;

use super::scope;
use super::symbols::svGetCallerInfo;
use super::system_task;

/// Writes file and line of the call in progress, as `file:line`. Writes nothing if the simulator
/// does not provide them.
pub(crate) fn write_place(text: &mut dyn fmt::Write) -> fmt::Result {
    if let Some(place) = system_task::place_of_running() {
        return text.write_str(&place);
    }
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
