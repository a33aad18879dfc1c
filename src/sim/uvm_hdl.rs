//! HDL objects through UVM's backdoor: `uvm_hdl_read` and `uvm_hdl_deposit`, which look up the path
//! in every call.

use std::cell::Cell;
use std::ffi::{c_char, c_int};
use std::fmt;

use thiserror::Error;

use super::strand::CodeGuard;
use super::symbol::Symbol;
use super::symbols::{uvm_hdl_check_path, uvm_hdl_deposit, uvm_hdl_read};
use super::vecval::{Vecval, overlay};
use super::{Absent, c_text};

/// Maximum bits of one call: the default of `UVM_HDL_MAX_WIDTH`.
pub(crate) const MAX_BITS: u64 = 1024;

/// Buffer size in vecvals, larger than any object. A testbench may raise `UVM_HDL_MAX_WIDTH`, and
/// then UVM writes all of an object, even if it is wider than configured.
const ROOM: usize = 2048;

/// Error of a UVM access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum UvmError {
    /// UVM's C code is not linked.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// Result 0; UVM has reported the cause.
    #[error("{symbol} returned 0")]
    Refused {
        /// Function name.
        symbol: &'static str,
    },
}

/// True if an object with this path exists; `None` if UVM can't check it.
pub(crate) fn exists(path: &str) -> Option<bool> {
    let check = uvm_hdl_check_path.get().ok()?;
    let mut path = c_text(path).into_bytes_with_nul();
    let _foreign = CodeGuard::foreign();
    // SAFETY: the path is NUL-terminated.
    Some(unsafe { check(path.as_mut_ptr().cast()) } != 0)
}

/// UVM's backdoor with a reusable value buffer.
#[derive(Default)]
pub(crate) struct UvmHdl(Cell<Option<Room>>);

type Room = Box<[Vecval; ROOM]>;

impl UvmHdl {
    /// Reads an object of at most [`MAX_BITS`]; `to` has one vecval per 32 bits.
    pub(crate) fn read(&self, path: &str, to: &mut [Vecval]) -> Result<(), UvmError> {
        let mut room = self.room();
        room[..to.len()].fill(Vecval::default());
        call(&uvm_hdl_read, path, &mut room)?;
        to.copy_from_slice(&room[..to.len()]);
        self.0.set(Some(room));
        Ok(())
    }

    /// Sets an object of at most [`MAX_BITS`]; `from` has one vecval per 32 bits.
    pub(crate) fn deposit(&self, path: &str, from: &[Vecval]) -> Result<(), UvmError> {
        let mut room = self.room();
        room[..from.len()].copy_from_slice(from);
        call(&uvm_hdl_deposit, path, &mut room)?;
        self.0.set(Some(room));
        Ok(())
    }

    /// Sets the low `bits` bits of an object of at most [`MAX_BITS`]. Its upper bits are unchanged.
    pub(crate) fn deposit_low(
        &self,
        path: &str,
        from: &[Vecval],
        bits: u64,
    ) -> Result<(), UvmError> {
        uvm_hdl_deposit.get()?;
        let mut room = self.room();
        room.fill(Vecval::default());
        call(&uvm_hdl_read, path, &mut room)?;
        overlay(&mut room[..], from, bits);
        call(&uvm_hdl_deposit, path, &mut room)?;
        self.0.set(Some(room));
        Ok(())
    }

    /// A report of UVM may re-enter during a call; it then gets a new buffer.
    fn room(&self) -> Room {
        let kept = self.0.take();
        kept.unwrap_or_else(|| Box::new([Vecval::default(); ROOM]))
    }
}

impl fmt::Debug for UvmHdl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UvmHdl").finish_non_exhaustive()
    }
}

fn call(
    function: &Symbol<unsafe extern "C" fn(*mut c_char, *mut Vecval) -> c_int>,
    path: &str,
    room: &mut Room,
) -> Result<(), UvmError> {
    let access = function.get()?;
    let mut path = c_text(path).into_bytes_with_nul();
    let foreign = CodeGuard::foreign();
    // SAFETY: the path is NUL-terminated, and there is room for the widest value that UVM moves.
    let answer = unsafe { access(path.as_mut_ptr().cast(), room.as_mut_ptr()) };
    drop(foreign);
    if answer == 0 {
        let symbol = function.name();
        return Err(UvmError::Refused { symbol });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_functions_are_named() {
        let absent = |symbol| Err(UvmError::Absent(Absent { symbol }));
        let uvm = UvmHdl::default();
        assert_eq!(uvm.read("top.ram[0]", &mut []), absent("uvm_hdl_read"));
        assert_eq!(uvm.deposit("top.ram[0]", &[]), absent("uvm_hdl_deposit"));
        assert_eq!(exists("top.ram[0]"), None);
    }
}
