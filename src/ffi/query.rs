//! Queries: last error, status, spaces, symbols.

use std::ffi::{c_char, c_int};

use super::arguments::{Out, text};
use super::error::Error;
use super::guard::guard;

/// Text of the last error.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_last_error() -> *const c_char {
    guard("mb_last_error", c"".as_ptr(), |call| {
        Ok(call.entered().map_or(
            // Valid result: the query itself is not a refused call.
            c"another thread is inside a call of vhost".as_ptr(),
            |system_state| system_state.returned.last_error.give(),
        ))
    })
}

/// Status text of all channels.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_status() -> *const c_char {
    guard("mb_status", c"".as_ptr(), |call| {
        let status = match call.system_state()?.running() {
            Ok(Some(vhost)) => vhost.status()?,
            Ok(None) => "not initialised".to_owned(),
            // The text is the result of this call, not an error.
            Err(error @ (Error::Busy | Error::StillFailed(_))) => error.to_string(),
            Err(error) => return Err(error),
        };
        Ok(call.system_state()?.returned.status.store_text(&status))
    })
}

/// Exit code of a channel, or of all.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_exit_code(channel: *const c_char, code: *mut u32) -> c_int {
    guard("mb_exit_code", -1, |call| {
        // SAFETY: C gives NULL or room for a number until this returns.
        let code = unsafe { Out::new(code, 0, "code") }?;
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let channel = unsafe { text(channel, "ch") }?;
        let Some(vhost) = call.system_state()?.running()? else {
            return Ok(0);
        };
        let exits = vhost.exits();
        let exited = match channel {
            "" => exit_of_all(exits.iter().map(|exit| exit.code)),
            name => match exits.iter().find(|exit| exit.name == name) {
                Some(exit) => exit.code,
                // The error lists the names of the channels.
                None => return vhost.space_of(name).map(|_| 0).map_err(Into::into),
            },
        };
        code.set(exited.unwrap_or(0));
        Ok(exited.is_some().into())
    })
}

/// First code other than 0; `None` if a channel has none.
fn exit_of_all(mut codes: impl Iterator<Item = Option<u32>>) -> Option<u32> {
    codes.try_fold(0, |first, code| match (first, code?) {
        (0, code) => Some(code),
        (first, _) => Some(first),
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
        let vhost = call.system_state()?.system_at_once()?;
        let name = vhost.space_of(channel)?;
        space.set(call.system_state()?.returned.space.store_text(name));
        Ok(())
    });
}

/// Value and size of a symbol.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_symbol(
    place: *const c_char,
    name: *const c_char,
    value: *mut u64,
    size: *mut u64,
) -> c_int {
    guard("mb_symbol", -1, |call| {
        // SAFETY: C gives NULL or room for a word until this returns.
        let value = unsafe { Out::new(value, 0, "value") }?;
        // SAFETY: as above.
        let size = unsafe { Out::new(size, 0, "size") }?;
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let place = unsafe { text(place, "place") }?;
        // SAFETY: as above.
        let name = unsafe { text(name, "name") }?;
        let symbol = call.system_state()?.system_at_once()?.symbol(place, name)?;
        value.set(symbol.value);
        size.set(symbol.size);
        Ok(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_channels_have_exited_with_the_first_failure() {
        let of_all = |codes: &[Option<u32>]| exit_of_all(codes.iter().copied());
        assert_eq!(of_all(&[Some(0), Some(0)]), Some(0));
        assert_eq!(of_all(&[Some(0), Some(3), Some(4)]), Some(3));
        assert_eq!(of_all(&[Some(3), None]), None);
    }
}
