//! Actions of the CPU around accesses to a channel.

/// Cache maintenance, interrupt masking and waiting; the defaults do nothing.
///
/// A CPU whose data cache is not coherent with the host's view needs its
/// [`CacheLine`](crate::CacheLine) in the layout. `clean` and `invalidate` are called for parts of
/// a channel, and otherwise host and firmware would share lines. A buffer that the host writes is
/// cleaned before and invalidated after the access. Meanwhile, no interrupt handler may write to
/// its first or last cache line.
pub trait Hooks {
    /// True for a write-back cache. A channel of [`CacheLine::None`](crate::CacheLine) is refused
    /// then, because host and firmware would write the same lines.
    const WRITE_BACK: bool = false;

    /// Writes back the cache lines of `len` bytes at `address`, for the host to read.
    fn clean(&mut self, address: u64, len: u64) {
        let _ = (address, len);
    }

    /// Invalidates the cache lines of `len` bytes at `address`, which the host may have written.
    fn invalidate(&mut self, address: u64, len: u64) {
        let _ = (address, len);
    }

    /// Writes back and invalidates all cache lines, if the CPU can do that without an address.
    ///
    /// Called before and after calls and custom commands with arguments, because the sizes of the
    /// memory that they point to are unknown. Without it, use
    /// [`Client::lend`](super::Client::lend).
    fn flush(&mut self) {}

    /// Masks interrupts before a request is queued. Returns the state for [`unmask`](Self::unmask).
    ///
    /// Interrupts are masked for the stores of one request, not until its response. An interrupt
    /// handler may send requests without a response (CPRINT, EXIT) at any time. It must not wait
    /// for a response: responses carry no id, and the handler would take that of the interrupted
    /// program.
    fn mask(&mut self) -> usize {
        0
    }

    /// Restores the interrupt state before [`mask`](Self::mask).
    fn unmask(&mut self, state: usize) {
        let _ = state;
    }

    /// Called repeatedly while waiting for the host.
    fn wait(&mut self) {
        core::hint::spin_loop();
    }
}

/// No actions: caches are coherent or absent, and interrupt handlers send no requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {}
