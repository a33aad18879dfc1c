//! Memory models of the host program.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};

use crate::foreign::host_code;

/// Error of a memory model. Its text is part of the report.
pub type ModelError = Box<dyn StdError>;

/// Memory in the host program, for memories of backend `model`.
///
/// Offsets are in bytes from the memory's base. Accesses are within its size. An access of more
/// than one byte is one call of [`read_block`](Self::read_block) or
/// [`write_block`](Self::write_block), which by default access byte by byte. A failed access is
/// reported, and fails like one of any other memory. So does an access that panics; its report
/// names the function.
///
/// A model with other users, such as functions that the simulated chip calls, is an [`Arc`] of a
/// [`Mutex`]: calls of the chip and accesses of the host may come from different threads.
pub trait MemoryModel: Send {
    /// Reads one byte.
    ///
    /// # Errors
    /// Fails if the byte can't be read.
    fn read(&mut self, offset: u64) -> Result<u8, ModelError>;

    /// Writes one byte.
    ///
    /// # Errors
    /// Fails if the byte can't be written.
    fn write(&mut self, offset: u64, data: u8) -> Result<(), ModelError>;

    /// Reads consecutive bytes.
    ///
    /// # Errors
    /// Fails if a byte can't be read.
    fn read_block(&mut self, offset: u64, data: &mut [u8]) -> Result<(), ModelError> {
        for (byte, offset) in data.iter_mut().zip(offset..) {
            *byte = host_code::run("`read`", || self.read(offset))??;
        }
        Ok(())
    }

    /// Writes consecutive bytes.
    ///
    /// # Errors
    /// Fails if a byte can't be written.
    fn write_block(&mut self, offset: u64, data: &[u8]) -> Result<(), ModelError> {
        for (byte, offset) in data.iter().zip(offset..) {
            host_code::run("`write`", || self.write(offset, *byte))??;
        }
        Ok(())
    }

    /// Reads consecutive bytes when the host polls mailboxes, on every tick. If reads have side
    /// effects, or are counted, this function must omit that.
    ///
    /// # Errors
    /// Fails if a byte can't be read.
    fn peek(&mut self, offset: u64, data: &mut [u8]) -> Result<(), ModelError> {
        host_code::run("`read_block`", || self.read_block(offset, data))?
    }
}

/// Offset past the end of a slice.
#[derive(Debug, thiserror::Error)]
#[error("offset {offset:#x} is past the end: the model has {size:#x} bytes")]
struct PastEnd {
    offset: u64,
    size: usize,
}

/// Model of plain bytes.
impl MemoryModel for Box<[u8]> {
    fn read(&mut self, offset: u64) -> Result<u8, ModelError> {
        let mut byte = [0];
        self.read_block(offset, &mut byte)?;
        Ok(byte[0])
    }

    fn write(&mut self, offset: u64, data: u8) -> Result<(), ModelError> {
        self.write_block(offset, &[data])
    }

    fn read_block(&mut self, offset: u64, data: &mut [u8]) -> Result<(), ModelError> {
        data.copy_from_slice(part(self, offset, data.len())?);
        Ok(())
    }

    fn write_block(&mut self, offset: u64, data: &[u8]) -> Result<(), ModelError> {
        part(self, offset, data.len())?.copy_from_slice(data);
        Ok(())
    }
}

fn part(bytes: &mut [u8], offset: u64, len: usize) -> Result<&mut [u8], PastEnd> {
    let size = bytes.len();
    let range = usize::try_from(offset)
        .ok()
        .and_then(|from| Some(from..from.checked_add(len)?));
    range
        .and_then(|range| bytes.get_mut(range))
        .ok_or(PastEnd { offset, size })
}

/// Model with other users. A panic while it is locked does not poison it.
impl<M: MemoryModel> MemoryModel for Arc<Mutex<M>> {
    fn read(&mut self, offset: u64) -> Result<u8, ModelError> {
        locked(self, |model| model.read(offset))
    }

    fn write(&mut self, offset: u64, data: u8) -> Result<(), ModelError> {
        locked(self, |model| model.write(offset, data))
    }

    fn read_block(&mut self, offset: u64, data: &mut [u8]) -> Result<(), ModelError> {
        locked(self, |model| model.read_block(offset, data))
    }

    fn write_block(&mut self, offset: u64, data: &[u8]) -> Result<(), ModelError> {
        locked(self, |model| model.write_block(offset, data))
    }

    fn peek(&mut self, offset: u64, data: &mut [u8]) -> Result<(), ModelError> {
        locked(self, |model| model.peek(offset, data))
    }
}

fn locked<M, T>(model: &Mutex<M>, act: impl FnOnce(&mut M) -> T) -> T {
    act(&mut model.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Models by name: `memory`, or `space.memory` if two memories have the same name.
pub(crate) type Models = HashMap<String, Box<dyn MemoryModel>>;
