//! Memory of a hart.

use std::fmt;

/// Access to an unmapped address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessFault;

impl std::error::Error for AccessFault {}

impl fmt::Display for AccessFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("access outside of memory: use an address of the bus's memories")
    }
}

/// Memory and devices of a hart, little endian.
///
/// `N` is 1, 2, 4 or 8. Addresses of loads and stores are multiples of `N`: a misaligned access
/// traps before. Addresses of fetches are multiples of 2.
pub trait Bus {
    /// Reads `N` bytes.
    ///
    /// # Errors
    /// [`AccessFault`] if a byte is outside of memory.
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault>;

    /// Writes `N` bytes.
    ///
    /// # Errors
    /// [`AccessFault`] if a byte is outside of memory; nothing is written then.
    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), AccessFault>;

    /// Reads `N` bytes of instructions; 2 or 4.
    ///
    /// # Errors
    /// [`AccessFault`] if a byte is outside of memory, or not executable.
    #[inline(always)]
    fn fetch<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        self.load(address)
    }
}

/// RAM at a base address.
#[derive(Debug, Clone)]
pub struct Ram {
    base: u64,
    bytes: Vec<u8>,
}

impl Ram {
    /// Creates a RAM of zeros.
    pub fn new(base: u64, size: usize) -> Self {
        Self {
            base,
            bytes: vec![0; size],
        }
    }

    /// Writes bytes at an address.
    ///
    /// # Errors
    /// [`AccessFault`] if they do not fit; nothing is written then.
    pub fn write(&mut self, address: u64, data: &[u8]) -> Result<(), AccessFault> {
        let at = self.offset(address);
        let end = at.saturating_add(data.len());
        let part = self.bytes.get_mut(at..end).ok_or(AccessFault)?;
        part.copy_from_slice(data);
        Ok(())
    }

    /// Bytes of the RAM.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Offset of an address. An address before the base has an offset past the end of every RAM.
    #[inline(always)]
    fn offset(&self, address: u64) -> usize {
        usize::try_from(address.wrapping_sub(self.base)).unwrap_or(usize::MAX)
    }
}

impl Bus for Ram {
    #[inline(always)]
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        let at = self.offset(address);
        let bytes = self.bytes.get(at..).and_then(<[u8]>::first_chunk);
        bytes.copied().ok_or(AccessFault)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), AccessFault> {
        let at = self.offset(address);
        let place = self.bytes.get_mut(at..);
        let place = place.and_then(<[u8]>::first_chunk_mut);
        *place.ok_or(AccessFault)? = bytes;
        Ok(())
    }
}
