//! Memory models of the host program: backend `model`.

use std::cell::RefCell;

use super::AllocError;
use super::memory_backend::{MemoryBackend, Resources};
use super::memory_model::{MemoryModel, ModelError, Models};
use crate::foreign::host_code;
use crate::mem::{Backend, BackendError, Memory};

/// Takes the model of a memory, named `space.memory`, or else `memory`.
fn take(memory: &str, space: Option<&str>, models: &mut Models) -> Option<Box<dyn MemoryModel>> {
    let full = space.map(|space| format!("{space}.{memory}"));
    full.and_then(|full| models.remove(&full))
        .or_else(|| models.remove(memory))
}

/// Model of one memory, whose errors are converted to text.
pub(super) struct Model(RefCell<Box<dyn MemoryModel>>);

impl MemoryBackend for Model {
    fn create(memory: &Memory, with: &mut Resources<'_>) -> Result<Option<Self>, AllocError> {
        if memory.backend != Backend::Model {
            return Ok(None);
        }
        let model = take(&memory.name, with.space, with.models);
        Ok(model.map(|model| Self(RefCell::new(model))))
    }

    fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        self.with("`read_block`", |model| model.read_block(offset, to))
    }

    fn peek(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        self.with("`peek`", |model| model.peek(offset, to))
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendError> {
        self.with("`write_block`", |model| model.write_block(offset, data))
    }
}

impl Model {
    fn with(
        &self,
        function: &'static str,
        act: impl FnOnce(&mut dyn MemoryModel) -> Result<(), ModelError>,
    ) -> Result<(), BackendError> {
        let mut model = self.0.try_borrow_mut().map_err(|_| {
            BackendError::Model("it is accessed from inside an access of its own".to_owned())
        })?;
        // The error's conversion to text is code of the host program, too.
        let run = || act(&mut **model).map_err(|error| error.to_string());
        host_code::run(function, run)
            .unwrap_or_else(|panicked| Err(panicked.to_string()))
            .map_err(BackendError::Model)
    }
}
