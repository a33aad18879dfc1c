//! Memory of a test.

use std::cell::Cell;
use std::rc::Rc;

use super::memories::SPACE;
use crate::mem::{
    AccessError, BackendError, Buffer, Memory, MemoryId, MemoryMap, Segment, Segments, Store,
};

/// Memory for a map of any backends. It counts reads and writes.
#[derive(Debug)]
pub(crate) struct Ram {
    map: Rc<MemoryMap>,
    buffers: Vec<Buffer>,
    reads: Cell<usize>,
    writes: Cell<usize>,
    broken: Cell<Option<MemoryId>>,
}

impl Ram {
    /// Creates memories filled with zeros.
    pub(crate) fn new(map: &Rc<MemoryMap>) -> Rc<Self> {
        let buffer = |memory: &Memory| Buffer::new(memory.size).unwrap();
        Rc::new(Self {
            buffers: map.memories.iter().map(buffer).collect(),
            map: map.clone(),
            reads: Cell::new(0),
            writes: Cell::new(0),
            broken: Cell::new(None),
        })
    }

    /// Makes every access to this memory fail from now on.
    pub(crate) fn break_down(&self, memory: MemoryId) {
        self.broken.set(Some(memory));
    }

    /// Number of segments read and written since the last call.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.reads.take(), self.writes.take())
    }

    /// Puts bytes at an address. Not counted.
    pub(crate) fn put(&self, address: u64, data: &[u8]) {
        let place = self.map.resolve(SPACE, address, data.len() as u64).unwrap();
        let mut data = data.iter();
        for cell in self.cells(&place) {
            cell.set(*data.next().unwrap());
        }
    }

    /// Bytes at an address. Not counted.
    pub(crate) fn get(&self, address: u64, len: u64) -> Vec<u8> {
        let place = self.map.resolve(SPACE, address, len).unwrap();
        self.cells(&place).map(Cell::get).collect()
    }

    fn cells<'a>(&'a self, place: &'a Segments) -> impl Iterator<Item = &'a Cell<u8>> {
        place.iter().flat_map(|at| {
            let start = usize::try_from(at.offset).unwrap();
            let end = start + usize::try_from(at.len).unwrap();
            &self.buffers[at.memory.0 as usize].cells()[start..end]
        })
    }

    fn buffer(&self, at: &Segment, len: usize) -> Result<(&Buffer, usize), AccessError> {
        assert_eq!(at.len, len as u64, "a segment has the length of its data");
        assert!(at.len > 0, "no segment is empty");
        if self.broken.get() == Some(at.memory) {
            return Err(AccessError::Backend {
                memory: self.map.memory(at.memory).unwrap().name.clone(),
                offset: at.offset,
                len: at.len,
                cause: Box::new(BackendError::Simulator("it is broken".into())),
            });
        }
        let offset = usize::try_from(at.offset).unwrap();
        Ok((&self.buffers[at.memory.0 as usize], offset))
    }
}

impl Store for Ram {
    fn read(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.reads.set(self.reads.get() + 1);
        let (buffer, offset) = self.buffer(at, to.len())?;
        assert!(buffer.read(offset, to), "{at:?} passes the end");
        Ok(())
    }

    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError> {
        self.writes.set(self.writes.get() + 1);
        let (buffer, offset) = self.buffer(at, data.len())?;
        assert!(buffer.write(offset, data), "{at:?} passes the end");
        Ok(())
    }
}
