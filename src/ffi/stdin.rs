//! Standard input of firmware, from the testbench.

use std::ffi::{c_char, c_int, c_void};

use super::arguments::{array, open_array, text};
use super::guard::guard;

/// Adds bytes of a C array to a channel's standard input.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_stdin_write(
    channel: *const c_char,
    data: *const c_void,
    len: u64,
) -> i64 {
    guard("mb_stdin_write", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let channel = unsafe { text(channel, "ch") }?;
        // SAFETY: C gives NULL or `len` bytes, which stay until this returns.
        let data: &[u8] = unsafe { array(data.cast(), len, "data") }?;
        let taken = call.system_state()?.system()?.write_stdin(channel, data)?;
        Ok(i64::try_from(taken).unwrap_or(i64::MAX))
    })
}

/// Adds a whole SystemVerilog array to a channel's standard input.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_stdin_write_bytes(
    channel: *const c_char,
    data: *mut c_void,
) -> c_int {
    guard("mb_stdin_write_bytes", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let channel = unsafe { text(channel, "ch") }?;
        // SAFETY: it is imported with `byte unsigned data[]`.
        let data = unsafe { open_array(data, "data") }?.to_vec()?;
        let taken = call.system_state()?.system()?.write_stdin(channel, &data)?;
        Ok(c_int::try_from(taken).unwrap_or(c_int::MAX))
    })
}

/// Ends a channel's standard input.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_stdin_close(channel: *const c_char) -> c_int {
    guard("mb_stdin_close", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let channel = unsafe { text(channel, "ch") }?;
        call.system_state()?.system()?.close_stdin(channel)?;
        Ok(0)
    })
}
