//! Handles of further systems.
//!
//! A handle is a number in the form of a pointer. It is looked up before use, and never
//! dereferenced. NULL is the first system.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::arguments::text;
use super::error::Error;
use super::guard::guard;
use super::systems;
use crate::sim::current_system::{SystemId, current, set_current};
use crate::sim::{SimError, scope};

/// Bits shared by all handles: "sys" above 40 bits.
const MARK: u64 = 0x73_7973 << 40;

fn handle(id: SystemId) -> Result<*mut c_void, Error> {
    if id == SystemId::FIRST {
        return Ok(ptr::null_mut());
    }
    let number = usize::try_from(MARK | id.bits() as u64).map_err(|_| Error::NoSystemHandles)?;
    Ok(ptr::without_provenance_mut(number))
}

fn system(handle: *mut c_void) -> Result<SystemId, Error> {
    if handle.is_null() {
        return Ok(SystemId::FIRST);
    }
    let bits = usize::try_from(handle.addr() as u64 ^ MARK).ok();
    let id = bits.and_then(SystemId::of_bits);
    // The only handle of the first system is NULL.
    id.filter(|id| *id != SystemId::FIRST)
        .ok_or(Error::NoSystem(handle.addr()))
}

/// Error for an unknown handle, with its value as in C.
fn refused(error: Error, handle: *mut c_void) -> Error {
    match error {
        Error::NoSystem(_) => Error::NoSystem(handle.addr()),
        other => other,
    }
}

/// Opens a further system.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn mb_system_open(name: *const c_char) -> *mut c_void {
    guard("mb_system_open", ptr::null_mut(), |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let name = unsafe { text(name, "name") }?;
        handle(systems::open(call.usable_strand()?, name)?)
    })
}

/// Opens or finds the system of the caller's DPI scope. Later calls from that scope use it.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_system_of_scope() -> *mut c_void {
    guard("mb_system_of_scope", ptr::null_mut(), |call| {
        let strand = call.usable_strand()?;
        let symbol = "svGetScope";
        let caller = scope::of_caller_of_init().ok_or(SimError::NoScope { symbol })?;
        handle(systems::of_scope(strand, caller)?)
    })
}

/// Selects the system for later calls.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_system_select(handle: *mut c_void) -> c_int {
    guard("mb_system_select", -1, |call| {
        let id = system(handle)?;
        let strand = call.usable_strand()?;
        systems::check(strand, id).map_err(|error| refused(error, handle))?;
        call.select(id);
        set_current(id);
        Ok(0)
    })
}

/// Handle of the current system.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_system_current() -> *mut c_void {
    guard("mb_system_current", ptr::null_mut(), |call| {
        call.strand()?;
        handle(current())
    })
}

/// Name of the current system.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_system_name() -> *const c_char {
    guard("mb_system_name", c"".as_ptr(), |call| {
        let name = systems::name(call.strand()?);
        Ok(call.entered()?.returned.system_name.store_text(&name))
    })
}

/// Shuts a system down, and invalidates its handle.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mb_system_close(handle: *mut c_void) -> c_int {
    guard("mb_system_close", -1, |call| {
        let id = system(handle)?;
        systems::close(call.usable_strand()?, id).map_err(|error| refused(error, handle))?;
        Ok(0)
    })
}
