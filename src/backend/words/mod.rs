//! Memory whose HDL arrays are accessed word by word: converts between bytes of an access and words
//! of the arrays.

use smallvec::{SmallVec, smallvec};

use super::AllocError;
use super::memory_backend::{MemoryBackend, Resources};
use super::unknown_words::{UnknownWords, WordRange, read_text};
use crate::foreign;
use crate::mem::{Array, Backend, BackendError, Geometry, HdlProblem, Memory, Run, Word};
use crate::messages::foreign::Severity;
use crate::sim::vecval::{Vecval, read_bytes, vecvals_of, write_bytes};

/// HDL arrays of a memory, by instance.
pub(super) trait Arrays: Sized {
    /// Backend with this kind of access.
    const BACKEND: Backend;

    /// Creates the access to arrays with the same word layout, from the HDL path of each instance.
    fn new(array: Array, paths: Vec<String>) -> Self;

    /// Reads words of an instance from `first` to fill `values`.
    fn read(&self, instance: usize, first: u64, values: &mut [Vecval]) -> Result<(), BackendError>;

    /// Writes `values` to words of an instance from `first`.
    fn write(&self, instance: usize, first: u64, values: &mut [Vecval])
    -> Result<(), BackendError>;

    /// HDL path of a word of an instance, for error messages.
    fn path(&self, instance: usize, word: u64) -> String;
}

/// Memory of words of HDL arrays.
#[derive(Debug)]
pub(super) struct WordMemory<A> {
    /// Name of the memory.
    name: String,
    geometry: Geometry,
    arrays: A,
    unknown: UnknownWords,
}

/// Maximum number of vecvals in one transfer: 64 KiB of bytes in words of whole vecvals.
const MAX_TRANSFER: u64 = 16 * 1024;

/// Maximum width of a word in bytes: 2^24 bits. IEEE 1800-2017, 6.9.1, requires only 2^16 of
/// simulators.
const WIDEST: u64 = 1 << 21;

/// Values of words. An access to a few words does not allocate.
type Values = SmallVec<[Vecval; 8]>;

impl<A: Arrays> MemoryBackend for WordMemory<A> {
    fn create(memory: &Memory, _: &mut Resources<'_>) -> Result<Option<Self>, AllocError> {
        let (geometry, array) = (Geometry::of(&memory.shape), memory.shape.array());
        let (true, Some(geometry), Some(array)) = (memory.backend == A::BACKEND, geometry, array)
        else {
            return Ok(None);
        };
        let paths = memory.shape.instances().map(str::to_owned).collect();
        let arrays = A::new(array, paths);
        Ok(Some(Self::new(memory.name.clone(), geometry, arrays)))
    }

    /// Reads bytes, with unknown bits as 0. Warns once about each word with unknown bits.
    fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        let mut newly_unknown = Vec::new();
        self.read_words(offset, to, Some(&mut newly_unknown))?;
        for range in newly_unknown {
            foreign::report(Severity::Warning, "memory", &self.warning(&range));
        }
        Ok(())
    }

    /// Reads bytes without warnings, because all bits are unknown before firmware has initialised
    /// its mailbox.
    fn peek(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        self.read_words(offset, to, None).map(drop)
    }

    fn read_text(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
        let peek = |to: &mut [u8]| self.read_words(offset, to, None);
        read_text(to, peek, |to| self.read(offset, to))
    }

    /// Writes bytes. A word that is written in part is read first, and its other bytes are kept,
    /// including unknown bits.
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendError> {
        self.each_run(offset, data.len() as u64, |run| {
            let instance = instance(run)?;
            let mut values = self.room(run);
            for (value, word) in values.chunks_mut(self.vecvals()).zip(run.words()) {
                if word.len < run.width {
                    self.arrays.read(instance, word.index, value)?;
                }
                write_bytes(value, word.skip as usize, &data[word_data(&word)]);
            }
            self.arrays.write(instance, run.first_word, &mut values)
        })
    }
}

impl<A: Arrays> WordMemory<A> {
    fn new(name: String, geometry: Geometry, arrays: A) -> Self {
        Self {
            name,
            geometry,
            arrays,
            unknown: UnknownWords::default(),
        }
    }

    /// Reads bytes, with unknown bits as 0. Appends words that have unknown bits for the first time
    /// to `newly_unknown`, if given. Returns true if there were unknown bits.
    fn read_words(
        &self,
        offset: u64,
        to: &mut [u8],
        mut newly_unknown: Option<&mut Vec<WordRange>>,
    ) -> Result<bool, BackendError> {
        let mut any = false;
        self.each_run(offset, to.len() as u64, |run| {
            let mut values = self.room(run);
            self.arrays
                .read(instance(run)?, run.first_word, &mut values)?;
            for (value, word) in values.chunks(self.vecvals()).zip(run.words()) {
                let range = word_data(&word);
                let unknown = read_bytes(value, word.skip as usize, &mut to[range]);
                any |= unknown;
                if unknown && let Some(ranges) = newly_unknown.as_deref_mut() {
                    self.unknown.note(run.instance, word.index, ranges);
                }
            }
            Ok(())
        })?;
        Ok(any)
    }

    /// Text of the warning about unknown bits.
    fn warning(&self, range: &WordRange) -> String {
        let name = &self.name;
        let first = self.path(range.instance, range.first);
        if range.first == range.last {
            return format!("memory `{name}`: {first} has X or Z bits, read as 0");
        }
        let last = self.path(range.instance, range.last);
        format!("memory `{name}`: {first} to {last} have X or Z bits, read as 0")
    }

    /// HDL path of a word of an instance, for warnings.
    fn path(&self, instance: u64, word: u64) -> String {
        let instance = usize::try_from(instance).unwrap_or(usize::MAX);
        self.arrays.path(instance, word)
    }

    /// Splits an access into runs of the size of one transfer.
    fn each_run(
        &self,
        offset: u64,
        len: u64,
        mut each: impl FnMut(&Run) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        let width = self.geometry.width();
        if width > WIDEST {
            return Err(BackendError::TooWide {
                bits: width.saturating_mul(8),
            });
        }
        let words = (MAX_TRANSFER / vecvals_of(width)).max(1);
        for run in self.geometry.runs(offset, len) {
            run.transfers(words).try_for_each(|run| each(&run))?;
        }
        Ok(())
    }

    /// Number of vecvals of a word.
    fn vecvals(&self) -> usize {
        vecvals_of(self.geometry.width()) as usize
    }

    fn room(&self, run: &Run) -> Values {
        smallvec![Vecval::default(); run.count() as usize * self.vecvals()]
    }
}

fn instance(run: &Run) -> Result<usize, BackendError> {
    usize::try_from(run.instance).map_err(|_| BackendError::OtherMap)
}

fn word_data(word: &Word) -> std::ops::Range<usize> {
    let from = word.data as usize;
    from..from + word.len as usize
}

/// Error of an HDL array if the simulation has ended since its lookup.
#[cold]
pub(super) fn simulation_ended(path: &str) -> BackendError {
    let cause = "its simulation was deleted: call `mb_shutdown` before a model is deleted, and `mb_init` for the next one";
    BackendError::Hdl {
        path: path.to_owned(),
        cause: HdlProblem::Refused(cause.to_owned()),
    }
}

#[cfg(test)]
mod tests;
