//! Memory of a kind that its backend can't access. A validated configuration has none.

use super::AllocError;
use super::memory_backend::{MemoryBackend, Resources};
use crate::mem::{Backend, BackendError, Memory};

/// Memory whose accesses fail.
pub(super) struct Unsupported(Backend);

impl MemoryBackend for Unsupported {
    fn create(memory: &Memory, _: &mut Resources<'_>) -> Result<Option<Self>, AllocError> {
        Ok(Some(Self(memory.backend)))
    }

    fn read(&self, _: u64, _: &mut [u8]) -> Result<(), BackendError> {
        Err(BackendError::Unsupported(self.0))
    }

    fn write(&self, _: u64, _: &[u8]) -> Result<(), BackendError> {
        Err(BackendError::Unsupported(self.0))
    }
}
