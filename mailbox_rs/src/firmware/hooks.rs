//! What a CPU may have to do around the accesses to a channel.

/// Cache maintenance, interrupt masking and waiting; by default there is nothing to do.
///
/// On a CPU whose data cache is not coherent with what the host sees, the layout needs the CPU's
/// [`CacheLine`](crate::CacheLine): `clean` and `invalidate` are called for parts of a channel, and without it host and
/// firmware would share lines. A buffer that the host writes is cleaned before and invalidated after: meanwhile, no
/// interrupt handler may write what shares its first or last cache line.
pub trait Hooks {
    /// Writes back the cache lines of `len` bytes from `address`: the host is going to read them.
    fn clean(&mut self, address: u64, len: u64) {
        let _ = (address, len);
    }

    /// Drops the cache lines of `len` bytes from `address`: the host may have written them.
    fn invalidate(&mut self, address: u64, len: u64) {
        let _ = (address, len);
    }

    /// Masks interrupts before a request is put into the queue, and returns what [`unmask`](Self::unmask) needs.
    ///
    /// Interrupts stay masked for the few stores of one request, not until its response. An interrupt handler may
    /// so send what has no response (CPRINT, EXIT) at any time; responses carry no id, so that one which waited
    /// for a response would take that of the program it interrupts.
    fn mask(&mut self) -> usize {
        0
    }

    /// Restores the interrupts as they were before [`mask`](Self::mask).
    fn unmask(&mut self, state: usize) {
        let _ = state;
    }

    /// Called again and again while the host has not acted yet.
    fn wait(&mut self) {
        core::hint::spin_loop();
    }
}

/// Nothing to do: caches are coherent or absent, and no interrupt handler sends requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {}
