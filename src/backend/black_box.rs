//! Model of the testbench behind `mb_bb_mem_*`: backends `uvm` and `vpi` of black boxes.

use super::AllocError;
use super::memory_backend::{MemoryBackend, Resources};
use crate::mem::{Backend, BackendError, Memory, Shape};
use crate::sim::SvMemory;

/// Testbench's model of one memory.
pub(super) struct BlackBox(SvMemory);

impl MemoryBackend for BlackBox {
    fn create(memory: &Memory, _: &mut Resources<'_>) -> Result<Option<Self>, AllocError> {
        let is_served = matches!(memory.backend, Backend::Uvm | Backend::Vpi)
            && memory.shape == Shape::BlackBox;
        Ok(is_served.then(|| Self(SvMemory::named(&memory.name))))
    }

    fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        let done = self.0.read(offset, to);
        done.map_err(|error| BackendError::Simulator(error.to_string()))
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendError> {
        let done = self.0.write(offset, data);
        done.map_err(|error| BackendError::Simulator(error.to_string()))
    }
}
