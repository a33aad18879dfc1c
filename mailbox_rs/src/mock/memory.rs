//! Memory shared by mock firmware and the host under test.

use core::ops::Range;
use std::boxed::Box;
use std::rc::Rc;
use std::string::String;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec;

/// Byte-addressed memory, as seen by the simulated CPU.
///
/// Access takes `&self`, because both sides hold the memory. The result of an access outside of the
/// memory depends on the implementation; the mock accesses only its channel.
pub trait Memory {
    /// Reads `buf.len()` bytes at `addr`.
    fn read(&self, addr: u64, buf: &mut [u8]);

    /// Writes `data` at `addr`.
    fn write(&self, addr: u64, data: &[u8]);
}

macro_rules! memory_behind {
    ($($pointer:ty),*) => {$(
        impl<M: Memory + ?Sized> Memory for $pointer {
            fn read(&self, addr: u64, buf: &mut [u8]) {
                (**self).read(addr, buf);
            }

            fn write(&self, addr: u64, data: &[u8]) {
                (**self).write(addr, data);
            }
        }
    )*};
}

memory_behind!(&M, Box<M>, Rc<M>, Arc<M>);

/// Plain memory at a base address. Reads outside of it return zeros, and writes are ignored.
#[derive(Debug)]
pub struct Ram {
    base: u64,
    bytes: Mutex<Box<[u8]>>,
}

impl Ram {
    /// Memory of `size` zero bytes at address `base`.
    #[must_use]
    pub fn new(base: u64, size: usize) -> Self {
        Self {
            base,
            bytes: Mutex::new(vec![0; size].into_boxed_slice()),
        }
    }

    /// NUL-terminated string at `addr`; invalid UTF-8 is replaced.
    #[must_use]
    pub fn string(&self, addr: u64) -> String {
        let bytes = self.bytes();
        let at = addr
            .checked_sub(self.base)
            .and_then(|at| usize::try_from(at).ok());
        let tail = at.and_then(|at| bytes.get(at..)).unwrap_or_default();
        let end = tail
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(tail.len());
        String::from_utf8_lossy(&tail[..end]).into_owned()
    }

    /// Writes `string` and a NUL at `addr`, and returns the address after it.
    pub fn put_string(&self, addr: u64, string: &str) -> u64 {
        let end = addr + string.len() as u64;
        self.write(addr, string.as_bytes());
        self.write(end, &[0]);
        end + 1
    }

    fn bytes(&self) -> MutexGuard<'_, Box<[u8]>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Part of an access of `len` bytes inside of the memory, with its position.
    fn overlap(&self, addr: u64, len: usize, size: usize) -> (Range<usize>, Range<usize>) {
        let (addr, base) = (u128::from(addr), u128::from(self.base));
        let start = addr.max(base);
        let end = (addr + len as u128).min(base + size as u128).max(start);
        let within = |origin| (start - origin) as usize..(end - origin) as usize;
        if start == end {
            (0..0, 0..0)
        } else {
            (within(addr), within(base))
        }
    }
}

impl Memory for Ram {
    fn read(&self, addr: u64, buf: &mut [u8]) {
        let bytes = self.bytes();
        let (to, from) = self.overlap(addr, buf.len(), bytes.len());
        buf.fill(0);
        buf[to].copy_from_slice(&bytes[from]);
    }

    fn write(&self, addr: u64, data: &[u8]) {
        let mut bytes = self.bytes();
        let (from, to) = self.overlap(addr, data.len(), bytes.len());
        bytes[to].copy_from_slice(&data[from]);
    }
}
