//! Model in C behind `__vhost_bb_mem_read` and `__vhost_bb_mem_write`: backend `api` of black
//! boxes.

use super::AllocError;
use super::memory_backend::{MemoryBackend, Resources};
use crate::mem::{Backend, BackendError, Memory, Peeker, Shape};
use crate::sim;

/// C model of one memory. Its addresses are absolute.
pub(super) struct Api {
    /// Address of the first byte.
    base: u64,
}

impl MemoryBackend for Api {
    fn create(memory: &Memory, _: &mut Resources<'_>) -> Result<Option<Self>, AllocError> {
        let is_served = memory.backend == Backend::Api && memory.shape == Shape::BlackBox;
        Ok(is_served.then_some(Self { base: memory.base }))
    }

    #[inline]
    fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        let address = self.base + offset;
        let moved = sim::api_read(self.base, address, to);
        moved_all("__vhost_bb_mem_read", address, moved, to.len())
    }

    fn peeker(&self, offset: u64) -> Option<Peeker> {
        let (base, address) = (self.base, self.base + offset);
        Some(Box::new(move |to, is_settled| {
            sim::api_peek(base, address, to, is_settled)
        }))
    }

    #[inline]
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendError> {
        let address = self.base + offset;
        let moved = sim::api_write(self.base, address, data);
        moved_all("__vhost_bb_mem_write", address, moved, data.len())
    }
}

/// Checks the number of bytes that the model moved.
#[inline]
fn moved_all(
    symbol: &'static str,
    address: u64,
    moved: Result<usize, sim::Absent>,
    requested: usize,
) -> Result<(), BackendError> {
    match moved {
        Ok(moved) if moved == requested => Ok(()),
        _ => Err(not_moved(symbol, address, moved, requested)),
    }
}

#[cold]
fn not_moved(
    symbol: &'static str,
    address: u64,
    moved: Result<usize, sim::Absent>,
    requested: usize,
) -> BackendError {
    match moved {
        Ok(moved) => BackendError::Short {
            symbol: symbol.into(),
            address,
            moved: moved as u64,
            requested: requested as u64,
        },
        Err(absent) => BackendError::Absent {
            symbol: absent.symbol.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_moves_less_than_all_is_an_error() {
        let moved = |moved| {
            let moved = moved_all("__vhost_bb_mem_read", 0x8000_0010, Ok(moved), 8);
            moved.map_err(|error| error.to_string())
        };
        assert_eq!(moved(8), Ok(()));
        for short in [0, 7, 9] {
            let text = format!("`__vhost_bb_mem_read` moved {short} of 8 bytes at 0x80000010");
            assert_eq!(moved(short), Err(text));
        }
    }
}
