//! Queries: last error, status, spaces.

use std::ffi::c_char;

use super::arguments::{Out, text};
use super::error::Error;
use super::guard::guard;

/// Text of the last error.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_last_error() -> *const c_char {
    guard("mb_last_error", c"".as_ptr(), |call| {
        Ok(call.entered().map_or(
            // An answer, and no refused call.
            c"another thread is inside a call of vhost".as_ptr(),
            |process| process.returned.last_error.give(),
        ))
    })
}

/// Status text of all channels.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_status() -> *const c_char {
    guard("mb_status", c"".as_ptr(), |call| {
        let status = match call.process()?.running() {
            Ok(Some(vhost)) => vhost.status()?,
            Ok(None) => "not initialised".to_owned(),
            // The text is the result of this call, not an error.
            Err(error @ (Error::Busy | Error::StillFailed(_))) => error.to_string(),
            Err(error) => return Err(error),
        };
        Ok(call.process()?.returned.status.store_text(&status))
    })
}

/// Name of a channel's space.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_get_space(channel: *const c_char, space: *mut *const c_char) {
    guard("mb_get_space", (), |call| {
        // SAFETY: C gives NULL or room for a pointer until this returns.
        let space = unsafe { Out::new(space, c"".as_ptr(), "space") }?;
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let channel = unsafe { text(channel, "ch") }?;
        let vhost = call.process()?.system_at_once()?;
        let name = vhost.space_of(channel)?;
        space.set(call.process()?.returned.space.store_text(name));
        Ok(())
    });
}
