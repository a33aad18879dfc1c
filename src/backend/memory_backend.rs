//! Interface of a backend.

use super::AllocError;
use super::memory_model::Models;
use crate::mem::{BackendError, Buffer, Instances, Memory, Peeker};

/// Backend of one memory. Accesses are inside of the memory; offsets are in bytes from its base.
pub(super) trait MemoryBackend: Sized {
    /// Creates the backend of a memory; `None` if another backend serves this memory.
    ///
    /// # Errors
    /// Fails if the memory can't be allocated in this process.
    fn create(memory: &Memory, with: &mut Resources<'_>) -> Result<Option<Self>, AllocError>;

    /// Reads bytes to fill `to`.
    fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError>;

    /// Like [`read`](Self::read), for polling on every tick: without logs, warnings and side
    /// effects.
    fn peek(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        self.read(offset, to)
    }

    /// Like [`read`](Self::read), for a text: bytes behind the first NUL are not used.
    fn read_text(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        self.read(offset, to)
    }

    /// Returns a function for repeated polls of the bytes; `None` if it would not be faster than
    /// [`peek`](Self::peek).
    fn peeker(&self, offset: u64) -> Option<Peeker> {
        let _ = offset;
        None
    }

    /// Writes bytes.
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendError>;

    /// Writes the same byte to `len` bytes at once; `None` if the caller must split the access into
    /// writes of a bounded size.
    fn fill(&self, offset: u64, len: u64, byte: u8) -> Option<Result<(), BackendError>> {
        let _ = (offset, len, byte);
        None
    }

    /// Buffers of a memory in this process, one for each HDL instance.
    fn buffers(&self) -> &[Buffer] {
        &[]
    }
}

/// Resources for the creation of backends.
pub(super) struct Resources<'a> {
    /// Name of the first space that contains the memory.
    pub(super) space: Option<&'a str>,
    /// Models of the host program that have no memory yet.
    pub(super) models: &'a mut Models,
    /// HDL instances in this process.
    pub(super) instances: &'a mut Instances,
}
