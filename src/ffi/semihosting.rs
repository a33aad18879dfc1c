//! Operations and traps of semihosting that the testbench has observed.

use std::ffi::{c_char, c_int};

use super::arguments::{Out, text};
use super::guard::guard;

/// Executes an operation of semihosting. Returns 1, or 0 while the operation waits for input.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_semihost(
    channel: *const c_char,
    hart: u32,
    operation: u64,
    argument: u64,
    result: *mut u64,
) -> c_int {
    guard("mb_semihost", -1, |call| {
        // SAFETY: C gives NULL or room for a word until this returns.
        let result = unsafe { Out::new(result, u64::MAX, "result") }?;
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let channel = unsafe { text(channel, "ch") }?;
        let vhost = call.system_state()?.system()?;
        match vhost.semihost(channel, hart, operation, argument)? {
            Some(value) => {
                result.set(value);
                Ok(1)
            }
            None => Ok(0),
        }
    })
}

/// Replaces traps of semihosting that firmware has copied or unpacked. Returns their number, or -1.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_semihost_replace(
    channel: *const c_char,
    address: u64,
    len: u64,
) -> c_int {
    guard("mb_semihost_replace", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let channel = unsafe { text(channel, "ch") }?;
        let vhost = call.system_state()?.system()?;
        let replaced = vhost.replace_traps(channel, address, len)?;
        Ok(c_int::try_from(replaced).unwrap_or(c_int::MAX))
    })
}
