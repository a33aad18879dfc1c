//! Data cache of the CPU: none, or that of Rocket.

use mailbox_rs::CacheLine;
use mailbox_rs::firmware::Hooks;

/// Cache line of the channel.
pub const LINE: CacheLine = match cfg!(feature = "rocket") {
    true => CacheLine::B64,
    false => CacheLine::None,
};

/// Hooks of the CPU's cache.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cache;

#[cfg(not(feature = "rocket"))]
impl Hooks for Cache {}

/// Hooks like those of `firmware/cache/rocket.h`: a line is written back when another one evicts
/// it.
#[cfg(feature = "rocket")]
impl Hooks for Cache {
    const WRITE_BACK: bool = true;

    fn clean(&mut self, address: u64, len: u64) {
        rocket::displace(address, len);
    }

    fn invalidate(&mut self, address: u64, len: u64) {
        rocket::displace(address, len);
    }

    fn flush(&mut self) {
        rocket::displace_all();
    }
}

#[cfg(feature = "rocket")]
mod rocket {
    use core::arch::asm;

    /// Bytes of a line, and of the cache, which is direct mapped.
    const LINE: usize = 64;
    const WAY: usize = 4096;

    /// Writes back and drops the lines of these bytes.
    pub(super) fn displace(address: u64, len: u64) {
        let first = address as usize & !(LINE - 1);
        let end = (address + len) as usize;
        fence();
        for line in (first..end).step_by(LINE) {
            load(line ^ WAY);
        }
        fence();
    }

    /// Writes back and drops all lines by two loads per set: one of them evicts the line that is
    /// there.
    pub(super) fn displace_all() {
        let way = displace_all as *const () as usize & !(WAY - 1);
        fence();
        for line in (way..way + WAY).step_by(LINE) {
            load(line);
            load(line ^ WAY);
        }
        fence();
    }

    /// Orders accesses of the program, and of the CPU.
    fn fence() {
        // SAFETY: a fence has no operands, and the compiler takes it as an access to all memory.
        unsafe { asm!("fence", options(nostack, preserves_flags)) }
    }

    /// Loads a byte of RAM, which begins and ends at multiples of twice a way's size.
    fn load(address: usize) {
        // SAFETY: the address differs from one of the program in a bit below the alignment of RAM,
        // and so is in RAM. The CPU alone performs the load: it is not an access to an object of
        // the program.
        unsafe {
            asm!("lb zero, 0({0})", in(reg) address, options(nostack, readonly, preserves_flags))
        }
    }
}
