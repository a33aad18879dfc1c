//! Bytes of this process that replace an HDL array, shared with the model of the chip.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use super::dirty_map::DirtyMap;
use super::{Run, StaticMemRange};

/// Dense array of bytes. Clones share the bytes, so that a chip model in the same thread accesses
/// the same bytes as the host.
#[derive(Clone)]
pub struct Buffer {
    cells: Rc<Box<[Cell<u8>]>>,
    written: DirtyMap,
}

impl Buffer {
    /// Allocates `size` zeros; `None` if that fails.
    pub fn new(size: u64) -> Option<Self> {
        let size = usize::try_from(size).ok()?;
        // A failed allocation must not abort the process, because the size comes from the
        // configuration. The system provides zeroed pages on first access, so unused parts of
        // gigabytes cost neither time nor memory.
        let cells = bytemuck::try_zeroed_slice_box(size).ok()?;
        Some(Self {
            cells: Rc::new(cells),
            written: DirtyMap::new(size)?,
        })
    }

    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// True if the size is 0.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Reads from `offset` into `to`. Returns false, and reads nothing, if the access passes the
    /// end.
    #[inline]
    #[must_use = "an access past the end does nothing"]
    pub fn read(&self, offset: usize, to: &mut [u8]) -> bool {
        let Some(cells) = self.part(offset, to.len()) else {
            return false;
        };
        fetch(cells, to);
        true
    }

    /// Writes `data` at `offset`. Returns false, and writes nothing, if the access passes the end.
    #[inline]
    #[must_use = "an access past the end does nothing"]
    pub fn write(&self, offset: usize, data: &[u8]) -> bool {
        let Some(cells) = self.part(offset, data.len()) else {
            return false;
        };
        put(cells, data);
        self.written.mark(offset, data.len());
        true
    }

    /// Ranges written so far, by the host or by a chip model through [`Self::write`], whatever the
    /// values. In ascending order, with gaps between them.
    pub fn written(&self) -> Vec<StaticMemRange> {
        self.written.ranges()
    }

    /// Copies all bytes; `None` if the copy can't be allocated.
    pub(super) fn copy(&self) -> Option<Vec<u8>> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(self.len()).ok()?;
        copy.extend(self.cells.iter().map(Cell::get));
        Some(copy)
    }

    /// Reads a run to its places in `to`, the data of the access. Returns false if the run passes
    /// the end of the buffer or of the data.
    pub(super) fn read_run(&self, run: &Run, to: &mut [u8]) -> bool {
        let read = self.each_piece(run, |cells, at| {
            fetch(cells, to.get_mut(at..at + cells.len())?);
            Some(())
        });
        read.is_some()
    }

    /// Writes a run from its places in `data`, the data of the access. Returns false if the run
    /// passes the end of the buffer or of the data.
    pub(super) fn write_run(&self, run: &Run, data: &[u8]) -> bool {
        let written = self.each_piece(run, |cells, at| {
            put(cells, data.get(at..at + cells.len())?);
            Some(())
        });
        // The run is contiguous in the buffer, so one mark is sufficient.
        if let (Some(()), Some(start), Some(len)) = (written, index(run.start()), index(run.len)) {
            self.written.mark(start, len);
        }
        written.is_some()
    }

    /// Calls `each` for each piece of a run that is contiguous in the data of the access, with its
    /// offset there.
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

    /// Direct access to the bytes. Changes through it are not marked as [written](Self::written).
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

/// Converts an offset. One that does not fit in `usize` is past the end of any buffer.
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
    fn written_bytes_are_known() {
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

    /// Chips often have many memories of a gigabyte, of which a small part is used.
    #[test]
    fn unused_bytes_take_no_room() {
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
    fn buffers_larger_than_memory_are_refused() {
        assert!(Buffer::new(u64::MAX).is_none());
        assert!(Buffer::new(1 << 62).is_none());
    }
}
