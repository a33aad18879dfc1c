//! Backdoor access to the chip's memories.

use std::ffi::{CString, c_char, c_int, c_void};

use super::arguments::{Out, OutBytes, array, open_array, path, string, text, utf8};
use super::error::Error;
use super::guard::guard;
use crate::mem::SpaceId;
use crate::system::Vhost;

macro_rules! numbers {
    ($($write:ident, $read:ident: $number:ty;)+) => {$(
        /// Writes one number, little endian.
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $write(space: *const c_char, address: u64, data: $number) {
            guard(stringify!($write), (), |call| {
                // SAFETY: C gives NULL or a C string, which stays until this returns.
                let space = unsafe { string(space, "space") }?;
                let vhost = call.system_state()?.system_at_once()?;
                Ok(vhost.write_in(space_id(&vhost, space)?, address, &data.to_le_bytes())?)
            });
        }

        /// Reads one number, little endian.
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $read(space: *const c_char, address: u64, data: *mut $number) {
            guard(stringify!($read), (), |call| {
                // SAFETY: C gives NULL or room for a number until this returns.
                let data = unsafe { Out::new(data, 0, "data") }?;
                // SAFETY: C gives NULL or a C string, which stays until this returns.
                let space = unsafe { string(space, "space") }?;
                let vhost = call.system_state()?.system_at_once()?;
                let mut number = [0; size_of::<$number>()];
                vhost.read_in(space_id(&vhost, space)?, address, &mut number)?;
                data.set(<$number>::from_le_bytes(number));
                Ok(())
            });
        }
    )+};
}

/// Id of the space with this name. Only a name without a space is checked for other errors.
#[inline]
fn space_id(vhost: &Vhost, name: &[u8]) -> Result<SpaceId, Error> {
    vhost
        .space_id(name)
        .map_err(|unknown| match utf8(name, "space") {
            Ok(_) => unknown.into(),
            Err(error) => error,
        })
}

numbers! {
    mb_backdoor_write_u8, mb_backdoor_read_u8: u8;
    mb_backdoor_write_u16, mb_backdoor_read_u16: u16;
    mb_backdoor_write_u32, mb_backdoor_read_u32: u32;
    mb_backdoor_write_u64, mb_backdoor_read_u64: u64;
}

/// Writes a string and its NUL.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_backdoor_write_string(
    space: *const c_char,
    address: u64,
    data: *const c_char,
) {
    guard("mb_backdoor_write_string", (), |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let space = unsafe { text(space, "space") }?;
        // SAFETY: as above.
        let data = unsafe { string(data, "data") }?;
        Ok(call
            .system_state()?
            .system_at_once()?
            .write_string(space, address, data)?)
    });
}

/// Reads a string up to its NUL.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_backdoor_read_string(
    space: *const c_char,
    address: u64,
    data: *mut *const c_char,
) {
    guard("mb_backdoor_read_string", (), |call| {
        // SAFETY: C gives NULL or room for a pointer until this returns.
        let data = unsafe { Out::new(data, c"".as_ptr(), "data") }?;
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let space = unsafe { text(space, "space") }?;
        let read = call
            .system_state()?
            .system_at_once()?
            .read_string(space, address)?;
        // Has no NUL: reading stops at the first one.
        let read = CString::new(read).unwrap_or_default();
        data.set(call.system_state()?.returned.string.store(read));
        Ok(())
    });
}

/// Writes all of a SystemVerilog array.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_backdoor_write_block(
    space: *const c_char,
    address: u64,
    data: *mut c_void,
) -> c_int {
    guard("mb_backdoor_write_block", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let space = unsafe { text(space, "space") }?;
        // SAFETY: it is imported with `byte unsigned data[]`.
        let data = unsafe { open_array(data, "data") }?;
        call.system_state()?
            .system_at_once()?
            .write(space, address, data.to_vec()?)?;
        Ok(data.size())
    })
}

/// Fills all of a SystemVerilog array.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_backdoor_read_block(
    space: *const c_char,
    address: u64,
    data: *mut c_void,
) -> c_int {
    guard("mb_backdoor_read_block", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let space = unsafe { text(space, "space") }?;
        // SAFETY: it is imported with `byte unsigned data[]`.
        let data = unsafe { open_array(data, "data") }?;
        data.fill(&call.system_state()?.system_at_once()?.read(
            space,
            address,
            data.len() as u64,
        )?)?;
        Ok(data.size())
    })
}

/// Writes all of a C array.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_backdoor_write_mem(
    space: *const c_char,
    address: u64,
    data: *const c_void,
    len: u64,
) -> i64 {
    guard("mb_backdoor_write_mem", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let space = unsafe { text(space, "space") }?;
        // SAFETY: C gives NULL or `len` bytes, which stay until this returns.
        let data: &[u8] = unsafe { array(data.cast(), len, "data") }?;
        call.system_state()?
            .system_at_once()?
            .write_from(space, address, data)?;
        Ok(len.cast_signed())
    })
}

/// Fills all of a C array.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_backdoor_read_mem(
    space: *const c_char,
    address: u64,
    data: *mut c_void,
    len: u64,
) -> i64 {
    guard("mb_backdoor_read_mem", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let space = unsafe { text(space, "space") }?;
        // SAFETY: C gives NULL or room for `len` bytes until this returns.
        let data = unsafe { OutBytes::new(data, len, "data") }?;
        data.fill(
            &call
                .system_state()?
                .system_at_once()?
                .read(space, address, data.len())?,
        );
        Ok(len.cast_signed())
    })
}

/// Loads an image.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_load_elf(space: *const c_char, file: *const c_char) -> c_int {
    guard("mb_load_elf", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let space = unsafe { text(space, "space") }?;
        // SAFETY: as above.
        let file = unsafe { path(file, "file") }?;
        call.system_state()?
            .system_at_once()?
            .load_elf(space, file)?;
        Ok(0)
    })
}
