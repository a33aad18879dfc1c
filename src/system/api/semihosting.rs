//! Semihosting by calls: operations of traps that the testbench has detected, and replacement of
//! traps.

use crate::mem::{TRAP_LEN, Trap, trap_offsets};
use crate::messages::front_end::{Operate, OperateError};
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::assembly::Loader;
use crate::system::running::{Stub, Vhost};

/// Number of bytes per step of a search for traps.
const SEARCH_STEP: u64 = 1 << 20;

impl Vhost {
    /// Carries out a semihosting operation of firmware, for a channel with `abi: semihosting`. The
    /// hart is at the trap, with the number of the operation in `a0` (`r0`) and the argument in
    /// `a1` (`r1`). Returns the value for `a0`.
    ///
    /// `None` while the operation waits for standard input. It has had no effect then; call again
    /// in a later tick.
    ///
    /// # Errors
    /// [`Error::Semihost`] for a channel without semihosting, or after the exit of its firmware;
    /// [`Error::Bus`] from inside a tap.
    pub fn semihost(
        &self,
        channel: &str,
        hart: u32,
        operation: u64,
        argument: u64,
    ) -> Result<Option<u64>, Error> {
        let _library = CodeGuard::library();
        let failed = |cause| Error::Semihost {
            channel: channel.to_owned(),
            cause,
        };
        let id = self.served_channel(channel);
        let id = id.map_err(|_| failed(OperateError::NoChannel))?;
        let server = self.server_of(id);
        let server = server.map_err(|_| failed(OperateError::NoChannel))?;
        let operate = Operate {
            channel: id,
            hart,
            operation,
            argument,
        };
        server.operate(&self.0.bus, operate)?.map_err(failed)
    }

    /// Replaces the semihosting traps in `len` bytes of memory from `address` on, for code that
    /// firmware has copied or unpacked. Each trap that can't be replaced is reported with its
    /// address. Returns the number of replaced traps.
    ///
    /// # Errors
    /// [`Error::NoStub`] for a channel whose traps are not replaced; [`Error::Access`] for bytes
    /// outside of memory.
    pub fn replace_traps(&self, channel: &str, address: u64, len: u64) -> Result<u64, Error> {
        let _library = CodeGuard::library();
        let loader = self.loader();
        // Foreign calls made here may re-enter.
        let taken = {
            let mut stubs = self.0.stubs.borrow_mut();
            let at = stubs.iter().position(|stub| stub.channel == channel);
            at.map(|at| stubs.swap_remove(at))
        };
        let mut stub = taken.ok_or_else(|| Error::NoStub {
            channel: channel.to_owned(),
        })?;
        let replaced = replace(&loader, &mut stub, address, len);
        self.0.stubs.borrow_mut().push(stub);
        replaced
    }
}

/// Replaces the traps in a range of memory.
fn replace(loader: &Loader<'_>, stub: &mut Stub, address: u64, len: u64) -> Result<u64, Error> {
    let mut traps = Vec::new();
    let mut done = 0;
    while done < len {
        let first = address.wrapping_add(done);
        // A trap may extend into the next step.
        let count = (SEARCH_STEP + TRAP_LEN - 2).min(len - done);
        let bytes = loader.read(stub.space, first, count)?;
        traps.extend(trap_offsets(&bytes).map(|at| {
            let address = first.wrapping_add(at);
            let physical = address;
            Trap { address, physical }
        }));
        done = done.saturating_add(SEARCH_STEP);
    }
    Ok(stub.replace(loader, &traps, ""))
}
