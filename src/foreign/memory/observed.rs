//! Memories with notification of the testbench about writes.

use super::super::live::tell;
use super::Memories;
use crate::mem::{AccessError, MemoryId, Segment, SpaceId, Store};
use crate::sim::testbench;

/// Memories, accessed through one space. Each completed write is reported to the testbench, in order.
pub(in crate::foreign) struct Observed<'a> {
    memories: &'a Memories,
    space: SpaceId,
}

impl Memories {
    /// Adds notification about writes through `space`.
    pub(in crate::foreign) fn observed(&self, space: SpaceId) -> Observed<'_> {
        Observed {
            memories: self,
            space,
        }
    }
}

/// Number of bytes in one notification of a fill.
const PIECE: u64 = 64;

impl Observed<'_> {
    fn tell(&self, at: &Segment, skip: u64, data: &[u8]) {
        let map = &self.memories.map;
        let (Some(space), Some(memory)) = (map.space(self.space), map.memory(at.memory)) else {
            return;
        };
        let address = memory.base + at.offset + skip;
        tell("mb_written", testbench::written(&space.name, address, data));
    }
}

impl Store for Observed<'_> {
    fn read(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.memories.read(at, to)
    }

    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError> {
        self.memories.write(at, data)?;
        self.tell(at, 0, data);
        Ok(())
    }

    fn fill(&self, at: &Segment, byte: u8) -> Result<(), AccessError> {
        self.memories.fill(at, byte)?;
        let piece = [byte; PIECE as usize];
        for skip in (0..at.len).step_by(PIECE as usize) {
            let len = PIECE.min(at.len - skip) as usize;
            self.tell(at, skip, &piece[..len]);
        }
        Ok(())
    }

    fn may_share(&self, one: MemoryId, other: MemoryId) -> bool {
        self.memories.may_share(one, other)
    }
}
