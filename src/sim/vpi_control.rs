//! Output, end and name of a simulator with VPI.

use std::ffi::CStr;
use std::ptr;

use super::strand::CodeGuard;
use super::symbols::{vpi_control, vpi_get_vlog_info, vpi_printf, vpip_set_return_value};
use super::vpi_user::ProductInfo;
use super::{Absent, CallText};

/// `vpiFinish` of `vpi_user.h`.
const FINISH: i32 = 67;

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

/// Ends the simulation after the current time, with an exit status if the simulator has one.
pub(crate) fn finish(status: i32) -> Result<(), Absent> {
    let control = vpi_control.get()?;
    if let Ok(set) = vpip_set_return_value.get() {
        // SAFETY: it takes a number.
        unsafe { set(status) };
    }
    let _foreign = CodeGuard::foreign();
    // SAFETY: this operation takes a number: how much the simulator says about it.
    unsafe { control(FINISH, 0_i32) };
    Ok(())
}

/// True if the simulator supports an exit status.
pub(crate) fn has_exit_status() -> bool {
    vpip_set_return_value.get().is_ok()
}

/// True if the simulator's product name starts with this name.
pub(super) fn is_product(name: &str) -> bool {
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
}
