//! Recorded results of memories.

use crate::actors::memory::LocalMemory;
use crate::bus::Ticket;
use crate::mem::{AccessError, BackendError, Op, OpOutcome, Segment, Segments, Store};
use crate::system::replay::comparison::SharedComparison;

/// Memories that return recorded results.
pub(in crate::system::replay) struct RecordedMemory(SharedComparison);

impl RecordedMemory {
    pub(in crate::system::replay) fn new(comparison: SharedComparison) -> Self {
        Self(comparison)
    }
}

impl LocalMemory for RecordedMemory {
    fn execute(&self, of: Ticket, _: &Op<Segments>) -> Result<OpOutcome, AccessError> {
        self.0
            .reply(of.sequence)
            .unwrap_or_else(|| Err(after_end()))
    }
}

/// No recorded result: the replay has ended, and the value is not used.
pub(super) fn after_end() -> AccessError {
    AccessError::Backend {
        memory: "a recording".to_owned(),
        offset: 0,
        len: 0,
        cause: Box::new(BackendError::OtherMap),
    }
}

/// Memories without bytes, which are not accessed before the end of the replay.
pub(in crate::system::replay) struct NoMemory;

impl Store for NoMemory {
    fn read(&self, _: &Segment, _: &mut [u8]) -> Result<(), AccessError> {
        Err(after_end())
    }

    fn write(&self, _: &Segment, _: &[u8]) -> Result<(), AccessError> {
        Err(after_end())
    }
}
