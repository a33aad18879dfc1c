//! Bytes of this process that stand for an HDL array, shared with whoever models the chip.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

/// A dense array of bytes. Clones are the same bytes: a chip model in the same thread reads and writes
/// them while the host does.
#[derive(Clone)]
pub struct Buffer(Rc<[Cell<u8>]>);

impl Buffer {
    /// `size` zeros; `None` where there is no room for so many.
    pub fn new(size: u64) -> Option<Self> {
        let size = usize::try_from(size).ok()?;
        // What a configuration says must not abort the process, as an allocation does that fails.
        Vec::<u8>::new().try_reserve_exact(size).ok()?;
        Some(Self((0..size).map(|_| Cell::new(0)).collect()))
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no byte at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fills `to` from `offset` on. False, and nothing is read, where that passes the end.
    #[must_use = "an access past the end does nothing"]
    pub fn read(&self, offset: usize, to: &mut [u8]) -> bool {
        let Some(cells) = self.part(offset, to.len()) else {
            return false;
        };
        for (to, cell) in to.iter_mut().zip(cells) {
            *to = cell.get();
        }
        true
    }

    /// Puts `data` at `offset`. False, and nothing is written, where that passes the end.
    #[must_use = "an access past the end does nothing"]
    pub fn write(&self, offset: usize, data: &[u8]) -> bool {
        let Some(cells) = self.part(offset, data.len()) else {
            return false;
        };
        for (cell, byte) in cells.iter().zip(data) {
            cell.set(*byte);
        }
        true
    }

    /// The bytes themselves.
    pub fn cells(&self) -> &[Cell<u8>] {
        &self.0
    }

    fn part(&self, offset: usize, len: usize) -> Option<&[Cell<u8>]> {
        self.0.get(offset..offset.checked_add(len)?)
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_their_bytes() {
        let (host, chip) = (Buffer::new(8).unwrap(), Buffer::new(8).unwrap());
        let seen_by_chip = host.clone();
        assert!(host.write(6, &[1, 2]));
        let mut read = [0; 2];
        assert!(seen_by_chip.read(6, &mut read));
        assert_eq!(read, [1, 2]);
        assert!(chip.read(6, &mut read));
        assert_eq!(read, [0, 0]);
    }

    #[test]
    fn nothing_passes_the_end() {
        let buffer = Buffer::new(4).unwrap();
        assert!(!buffer.write(3, &[1, 2]));
        assert!(!buffer.read(usize::MAX, &mut [0; 2]));
        assert!(buffer.write(4, &[]));
        assert_eq!(buffer.cells()[3].get(), 0);
    }

    #[test]
    fn what_nobody_has_is_not_had() {
        assert!(Buffer::new(u64::MAX).is_none());
        assert!(Buffer::new(1 << 62).is_none());
    }
}
