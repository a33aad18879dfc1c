//! Checkpoints: the state of the system in a file.

use std::ffi::{c_char, c_int};
use std::path::Path;

use super::arguments::path;
use super::call::Call;
use super::error::Error;
use super::guard::guard;

/// Writes a checkpoint.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_save(file: *const c_char) -> c_int {
    guard("mb_save", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let file = unsafe { path(file, "file") }?;
        call.reject_reentrant()?;
        call.system_state()?.system()?.save(file)?;
        Ok(0)
    })
}

/// Continues from a checkpoint.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_restore(file: *const c_char) -> c_int {
    guard("mb_restore", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        restore(call, unsafe { path(file, "file") }?)?;
        Ok(0)
    })
}

pub(super) fn restore(call: &mut Call, file: &Path) -> Result<(), Error> {
    call.reject_reentrant()?;
    let vhost = call.system_state()?.system()?;
    vhost.restore(file)?;
    call.restored(&vhost)
}
