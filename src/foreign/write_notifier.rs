//! Notification of the testbench about writes to memories.

use super::report::report_failure;
use crate::mem::{AccessError, MemoryId, MemoryMap, Segment, SpaceId, Store};
use crate::sim::testbench;

/// Memories as accessed through one space. Each completed write is reported to the testbench, in
/// order.
pub(super) struct WriteNotifier<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) map: &'a MemoryMap,
    pub(super) space: SpaceId,
}

/// Maximum number of bytes in one notification of a fill.
const MAX_NOTIFIED: u64 = 64;

impl WriteNotifier<'_> {
    /// Reports a write of `data`, `skip` bytes after the start of the segment.
    fn notify(&self, at: &Segment, skip: u64, data: &[u8]) {
        let (Some(space), Some(memory)) = (self.map.space(self.space), self.map.memory(at.memory))
        else {
            return;
        };
        let address = memory.base + at.offset + skip;
        report_failure("mb_written", testbench::written(&space.name, address, data));
    }
}

impl Store for WriteNotifier<'_> {
    fn read(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.store.read(at, to)
    }

    fn peek(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.store.peek(at, to)
    }

    fn read_text(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.store.read_text(at, to)
    }

    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError> {
        self.store.write(at, data)?;
        self.notify(at, 0, data);
        Ok(())
    }

    fn fill(&self, at: &Segment, byte: u8) -> Result<(), AccessError> {
        self.store.fill(at, byte)?;
        let bytes = [byte; MAX_NOTIFIED as usize];
        for skip in (0..at.len).step_by(MAX_NOTIFIED as usize) {
            let len = MAX_NOTIFIED.min(at.len - skip) as usize;
            self.notify(at, skip, &bytes[..len]);
        }
        Ok(())
    }

    fn may_alias(&self, one: MemoryId, other: MemoryId) -> bool {
        self.store.may_alias(one, other)
    }
}
