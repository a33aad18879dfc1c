//! Model of the testbench behind `mb_bb_mem_*`: backends `uvm` and `vpi` of black boxes.

use super::AllocError;
use super::memory_backend::{MemoryBackend, Resources};
use super::unknown_words::{UnknownWords, WordRange, read_text};
use crate::foreign;
use crate::mem::{Backend, BackendError, Memory, Shape};
use crate::messages::foreign::Severity;
use crate::sim::{SimError, SvMemory};

/// Testbench's model of one memory.
pub(super) struct BlackBox {
    /// Name of the memory.
    name: String,
    memory: SvMemory,
    /// Words of an array of `$mb_bb_mem`.
    unknown: UnknownWords,
}

/// Words with unknown bits, of one size in bytes.
type Unknown = (Vec<WordRange>, u64);

impl MemoryBackend for BlackBox {
    fn create(memory: &Memory, _: &mut Resources<'_>) -> Result<Option<Self>, AllocError> {
        let is_served = matches!(memory.backend, Backend::Uvm | Backend::Vpi)
            && memory.shape == Shape::BlackBox;
        Ok(is_served.then(|| Self {
            name: memory.name.clone(),
            memory: SvMemory::named(&memory.name),
            unknown: UnknownWords::default(),
        }))
    }

    /// Reads bytes, with unknown bits as 0. Warns once about each word with unknown bits.
    fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        let (mut ranges, mut width) = Unknown::default();
        let noted = |word, bytes| {
            self.unknown.note(0, word, &mut ranges);
            width = bytes;
        };
        let done = self.memory.read(offset, to, noted);
        done.map_err(failed)?;
        for range in ranges {
            foreign::report(Severity::Warning, "memory", &self.warning(&range, width));
        }
        Ok(())
    }

    fn peek(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        self.memory.read(offset, to, |_, _| ()).map_err(failed)
    }

    fn read_text(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        let peek = |to: &mut [u8]| {
            let mut any_unknown = false;
            let done = self.memory.read(offset, to, |_, _| any_unknown = true);
            done.map_err(failed)?;
            Ok(any_unknown)
        };
        read_text(to, peek, |to| self.read(offset, to))
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendError> {
        self.memory.write(offset, data).map_err(failed)
    }
}

impl BlackBox {
    /// Text of the warning about unknown bits in words of this number of bytes.
    fn warning(&self, range: &WordRange, width: u64) -> String {
        let (first, last) = (range.first * width, (range.last + 1) * width - 1);
        let name = &self.name;
        if first == last {
            return format!("memory `{name}`: byte {first:#x} has X or Z bits, read as 0");
        }
        format!("memory `{name}`: bytes {first:#x} to {last:#x} have X or Z bits, read as 0")
    }
}

fn failed(error: SimError) -> BackendError {
    BackendError::Simulator(error.to_string())
}
