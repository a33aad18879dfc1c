//! Log records instead of a memory: backend `log`.

use super::AllocError;
use super::memory_backend::{MemoryBackend, Resources};
use crate::mem::{Backend, BackendError, Geometry, Memory, Shape};

/// Target of the log records.
const TARGET: &str = "vhost::access";

/// Memory that logs each access. It stores nothing, and reads as zeros.
pub(super) struct Log {
    memory: String,
    shape: Shape,
}

impl MemoryBackend for Log {
    fn create(memory: &Memory, _: &mut Resources<'_>) -> Result<Option<Self>, AllocError> {
        Ok((memory.backend == Backend::Log).then(|| Self {
            memory: memory.name.clone(),
            shape: memory.shape.clone(),
        }))
    }

    fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        self.log("read", offset, to.len() as u64);
        to.fill(0);
        Ok(())
    }

    fn peek(&self, _: u64, to: &mut [u8]) -> Result<(), BackendError> {
        to.fill(0);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendError> {
        self.log("write", offset, data.len() as u64);
        Ok(())
    }

    fn fill(&self, offset: u64, len: u64, _: u8) -> Option<Result<(), BackendError>> {
        self.log("fill", offset, len);
        Some(Ok(()))
    }
}

impl Log {
    /// Logs an access: its bytes for a black box, otherwise the words of each HDL array.
    fn log(&self, what: &str, offset: u64, len: u64) {
        if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
            return;
        }
        let name = &self.memory;
        let Some(geometry) = Geometry::of(&self.shape) else {
            tracing::info!(target: TARGET, "{what} {name}: {len} bytes at offset {offset:#x}");
            return;
        };
        for run in geometry.runs(offset, len) {
            let path = self.shape.instance(run.instance).unwrap_or_default();
            let last = run.first_word + run.count() - 1;
            tracing::info!(
                target: TARGET,
                "{what} {name}: {path} words {}..={last}, {} bytes",
                run.first_word,
                run.len
            );
        }
    }
}
