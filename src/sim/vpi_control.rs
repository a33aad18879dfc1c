//! Output, end and name of a simulator with VPI.

use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::strand::CodeGuard;
use super::symbols::{vpi_control, vpi_get_vlog_info, vpi_printf, vpip_set_return_value};
use super::vpi_user::{ProductInfo, VPI_FINISH};
use super::{Absent, CallText};

/// Prints a text to the simulator's output and log.
pub(crate) fn print(text: &str) -> Result<(), Absent> {
    let printf = vpi_printf.get()?;
    let mut copy = CallText::new();
    let text = copy.set(text);
    let _foreign = CodeGuard::foreign();
    // SAFETY: the format takes one NUL-terminated text, which outlives the call.
    unsafe { printf(c"%s".as_ptr(), text) };
    Ok(())
}

/// True after a call of the testbench that has failed.
static HAS_FAILED: AtomicBool = AtomicBool::new(false);

/// True after an end by [`finish`], whose exit status holds.
static HAS_FINISHED: AtomicBool = AtomicBool::new(false);

/// Fails the run: its exit status is not 0.
pub(crate) fn fail() {
    HAS_FAILED.store(true, Ordering::Relaxed);
}

/// Sets the exit status of a failed run whose testbench has ended it by other means, such as
/// `$finish`. Called at the end of the simulation.
pub(crate) fn end() {
    if HAS_FAILED.load(Ordering::Relaxed) && !HAS_FINISHED.load(Ordering::Relaxed) {
        set_exit_status(1);
    }
}

/// Exit status of a run that is to end with this one: 1 in place of 0 after a failure.
pub(crate) fn exit_status(wanted: i32) -> i32 {
    match wanted {
        0 => HAS_FAILED.load(Ordering::Relaxed).into(),
        _ => wanted,
    }
}

fn set_exit_status(status: i32) {
    if let Ok(set) = vpip_set_return_value.get() {
        // SAFETY: it takes a number.
        unsafe { set(status) };
    }
}

/// Ends the simulation after the current time, with an exit status if the simulator has one.
pub(crate) fn finish(status: i32) -> Result<(), Absent> {
    let control = vpi_control.get()?;
    set_exit_status(status);
    HAS_FINISHED.store(true, Ordering::Relaxed);
    let _foreign = CodeGuard::foreign();
    // SAFETY: this operation takes a number: how much the simulator says about it.
    unsafe { control(VPI_FINISH, 0_i32) };
    Ok(())
}

/// True if the simulator supports an exit status.
pub(crate) fn has_exit_status() -> bool {
    vpip_set_return_value.get().is_ok()
}

/// True if the simulator's product name starts with this name.
pub(crate) fn is_product(name: &str) -> bool {
    let Ok(get) = vpi_get_vlog_info.get() else {
        return false;
    };
    let mut info = ProductInfo {
        argc: 0,
        argv: ptr::null_mut(),
        product: ptr::null_mut(),
        version: ptr::null_mut(),
    };
    // SAFETY: `info` is valid during the call.
    let known = unsafe { get(&mut info) } != 0;
    if !known || info.product.is_null() {
        return false;
    }
    // SAFETY: the simulator returns a NUL-terminated name, which stays valid.
    let product = unsafe { CStr::from_ptr(info.product) };
    product.to_string_lossy().starts_with(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_simulator_there_is_no_output_and_no_end() {
        let absent = |symbol| Err(Absent { symbol });
        assert_eq!(print("text"), absent("vpi_printf"));
        assert_eq!(finish(1), absent("vpi_control"));
        assert!(!has_exit_status());
        assert!(!is_product("Icarus"));
    }

    #[test]
    fn a_run_with_a_failed_call_has_no_status_0() {
        assert_eq!([exit_status(0), exit_status(3)], [0, 3]);
        fail();
        assert_eq!([exit_status(0), exit_status(3)], [1, 3]);
    }
}
