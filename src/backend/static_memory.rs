//! Buffers of this process: backend `static`.

use super::AllocError;
use super::memory_backend::{MemoryBackend, Resources};
use crate::mem::{Backend, BackendError, Buffer, Memory, Peeker, Shape, StaticMem};

/// Memory in this process.
pub(super) struct StaticMemory {
    bytes: StaticMem,
    size: u64,
}

impl MemoryBackend for StaticMemory {
    fn create(memory: &Memory, with: &mut Resources<'_>) -> Result<Option<Self>, AllocError> {
        if memory.backend != Backend::Static || memory.shape == Shape::BlackBox {
            return Ok(None);
        }
        let bytes = StaticMem::new(&memory.shape, with.instances).ok_or_else(|| AllocError {
            memory: memory.name.clone(),
            size: memory.size,
        })?;
        let size = memory.size;
        Ok(Some(Self { bytes, size }))
    }

    #[inline]
    fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        if self.bytes.read(offset, to) {
            Ok(())
        } else {
            Err(BackendError::PastEnd { size: self.size })
        }
    }

    /// A single buffer has the memory's bytes in the order of their offsets.
    fn peeker(&self, offset: u64) -> Option<Peeker> {
        let [only] = self.bytes.buffers() else {
            return None;
        };
        let (buffer, offset) = (only.clone(), usize::try_from(offset).ok()?);
        Some(Box::new(move |to, _| match buffer.read(offset, to) {
            true => to.len(),
            false => usize::MAX,
        }))
    }

    #[inline]
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendError> {
        if self.bytes.write(offset, data) {
            Ok(())
        } else {
            Err(BackendError::PastEnd { size: self.size })
        }
    }

    fn buffers(&self) -> &[Buffer] {
        self.bytes.buffers()
    }
}
