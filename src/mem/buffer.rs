//! Bytes of this process that stand for an HDL array, shared with whoever models the chip.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use super::written::Written;
use super::{Run, StaticMemRange};

/// A dense array of bytes. Clones are the same bytes: a chip model in the same thread reads and writes
/// them while the host does.
#[derive(Clone)]
pub struct Buffer {
    cells: Rc<Box<[Cell<u8>]>>,
    written: Written,
}

impl Buffer {
    /// `size` zeros; `None` where there is no room for so many.
    pub fn new(size: u64) -> Option<Self> {
        let size = usize::try_from(size).ok()?;
        // What a configuration says must not abort the process, as an allocation does that fails. The system makes zeros
        // when they are touched first: of gigabytes, only what is used takes time and room.
        let cells = bytemuck::try_zeroed_slice_box(size).ok()?;
        Some(Self {
            cells: Rc::new(cells),
            written: Written::new(size)?,
        })
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it has no byte at all.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Fills `to` from `offset` on. False, and nothing is read, where that passes the end.
    #[must_use = "an access past the end does nothing"]
    pub fn read(&self, offset: usize, to: &mut [u8]) -> bool {
        let Some(cells) = self.part(offset, to.len()) else {
            return false;
        };
        fetch(cells, to);
        true
    }

    /// Puts `data` at `offset`. False, and nothing is written, where that passes the end.
    #[must_use = "an access past the end does nothing"]
    pub fn write(&self, offset: usize, data: &[u8]) -> bool {
        let Some(cells) = self.part(offset, data.len()) else {
            return false;
        };
        put(cells, data);
        self.written.mark(offset, data.len());
        true
    }

    /// Which bytes were written so far, whatever their value: by the host, or by a chip model through [`Self::write`].
    /// In ascending order, with gaps between them.
    pub fn written(&self) -> Vec<StaticMemRange> {
        self.written.ranges()
    }

    /// All bytes as they are now; `None` where there is no room for them.
    pub(super) fn copy(&self) -> Option<Vec<u8>> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(self.len()).ok()?;
        copy.extend(self.cells.iter().map(Cell::get));
        Some(copy)
    }

    /// Reads a run to where its bytes belong in `to`, the data of the access. False where the buffer or the data ends before.
    pub(super) fn read_run(&self, run: &Run, to: &mut [u8]) -> bool {
        let read = self.each_piece(run, |cells, at| {
            fetch(cells, to.get_mut(at..at + cells.len())?);
            Some(())
        });
        read.is_some()
    }

    /// Writes the bytes of a run, which are in `data`, the data of the access. False where the buffer or the data ends before.
    pub(super) fn write_run(&self, run: &Run, data: &[u8]) -> bool {
        let written = self.each_piece(run, |cells, at| {
            put(cells, data.get(at..at + cells.len())?);
            Some(())
        });
        // In the buffer the run lies together, and is marked at once.
        if let (Some(()), Some(start), Some(len)) = (written, index(run.start()), index(run.len)) {
            self.written.mark(start, len);
        }
        written.is_some()
    }

    /// Hands out each piece of a run that lies together in the data of the access, and where it is there.
    fn each_piece(
        &self,
        run: &Run,
        mut each: impl FnMut(&[Cell<u8>], usize) -> Option<()>,
    ) -> Option<()> {
        let (width, stride) = (index(run.width)?, index(run.stride)?);
        let (skip, data) = (index(run.skip)?, index(run.data)?);
        let cells = self.part(index(run.start())?, index(run.len)?)?;
        if run.is_one_piece() {
            return each(cells, data);
        }
        let (first, others) = cells.split_at_checked(width - skip)?;
        each(first, data)?;
        let mut next = data + (stride - skip);
        for word in others.chunks(width) {
            each(word, next)?;
            next += stride;
        }
        Some(())
    }

    /// The bytes themselves. What is set here does not count as [written](Self::written).
    pub fn cells(&self) -> &[Cell<u8>] {
        &self.cells
    }

    fn part(&self, offset: usize, len: usize) -> Option<&[Cell<u8>]> {
        self.cells.get(offset..offset.checked_add(len)?)
    }
}

fn fetch(cells: &[Cell<u8>], to: &mut [u8]) {
    for (to, cell) in to.iter_mut().zip(cells) {
        *to = cell.get();
    }
}

fn put(cells: &[Cell<u8>], data: &[u8]) {
    for (cell, byte) in cells.iter().zip(data) {
        cell.set(*byte);
    }
}

/// Nothing that is in memory lies further on.
fn index(at: u64) -> Option<usize> {
    usize::try_from(at).ok()
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
    fn what_was_written_is_known() {
        let buffer = Buffer::new(200).unwrap();
        let seen_by_chip = buffer.clone();
        assert!(buffer.write(0, &[0; 4]));
        assert!(seen_by_chip.write(4, &[1; 96]));
        assert!(buffer.write(150, &[]));
        assert!(!buffer.write(199, &[1, 2]));
        assert!(buffer.read(180, &mut [0; 4]));
        buffer.cells()[120].set(7);
        let whole = StaticMemRange {
            offset: 0,
            len: 100,
        };
        assert_eq!(buffer.written(), [whole]);
        assert_eq!(seen_by_chip.written(), [whole]);
        let copy = buffer.copy().unwrap();
        assert_eq!((copy.len(), copy[3], copy[99], copy[120]), (200, 0, 1, 7));
    }

    /// A gigabyte for each of a chip's many memories is no rarity, and little of it is used.
    #[test]
    fn what_is_not_used_takes_no_room() {
        const SIZE: u64 = 1 << 30;
        let buffers: Vec<_> = (0..16).filter_map(|_| Buffer::new(SIZE)).collect();
        assert_eq!(buffers.len(), 16);
        for buffer in &buffers {
            let mut read = [0; 4];
            assert!(buffer.write(buffer.len() - 2, &[1, 2]));
            assert!(buffer.read(buffer.len() - 4, &mut read));
            assert_eq!(read, [0, 0, 1, 2]);
        }
    }

    #[test]
    fn what_nobody_has_is_not_had() {
        assert!(Buffer::new(u64::MAX).is_none());
        assert!(Buffer::new(1 << 62).is_none());
    }
}
