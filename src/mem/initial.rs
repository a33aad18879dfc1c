//! What a memory holds when it is built.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use smallvec::smallvec;
use thiserror::Error;

use super::{Backend, HexError, HexRuns, Init, Memory, MemoryId, Op, Segment, Segments};

/// Why a memory can't be given its first content.
#[derive(Debug, Error)]
pub enum InitialError {
    /// The file can't be read.
    #[error("memory `{memory}`, init: can't read {}: {cause}", file.display())]
    Read {
        /// Name of the memory.
        memory: String,
        /// The file.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("memory `{memory}`, init: {cause}")]
    Hex {
        /// Name of the memory.
        memory: String,
        /// What is wrong with it.
        cause: HexError,
    },
}

/// The first content of a memory: what is written, and what the user should know of it.
pub struct Initial {
    /// The writes, in order: made up one by one, however large the memory is.
    pub writes: Box<dyn Iterator<Item = Op<Segments>>>,
    /// A remark: the seed of random content, or unknown digits in a file.
    pub note: Option<String>,
}

impl Initial {
    fn new(writes: impl IntoIterator<Item = Op<Segments>> + 'static, note: Option<String>) -> Self {
        Self {
            writes: Box::new(writes.into_iter()),
            note,
        }
    }
}

impl fmt::Debug for Initial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initial")
            .field("note", &self.note)
            .finish_non_exhaustive()
    }
}

/// Bytes that one write carries.
const CHUNK: u64 = 64 << 10;

/// The first content of a memory; no writes where it is left as it is. `seed` is for random content whose
/// configuration has none.
///
/// # Errors
/// Where a file can't be read, or does not fit.
pub fn initial(id: MemoryId, memory: &Memory, seed: u64) -> Result<Initial, InitialError> {
    let place = move |offset, len| -> Segments {
        smallvec![Segment {
            memory: id,
            offset,
            len
        }]
    };
    match &memory.init {
        Init::None => Ok(Initial::new([], None)),
        Init::Zero => Ok(Initial::new([Op::Fill(place(0, memory.size), 0)], None)),
        // What is not kept need not be made up.
        Init::Random { .. } if memory.backend == Backend::Log => Ok(Initial::new([], None)),
        Init::Random { seed: own } => {
            let seed = own.unwrap_or(seed);
            let mut random = fastrand::Rng::with_seed(seed);
            let size = memory.size;
            let chunks = (0..size.div_ceil(CHUNK)).map(move |chunk| {
                let offset = chunk * CHUNK;
                let mut bytes = vec![0; CHUNK.min(size - offset) as usize];
                random.fill(&mut bytes);
                Op::Write(place(offset, bytes.len() as u64), bytes.into())
            });
            let note = format!("random content from seed {seed}");
            Ok(Initial::new(chunks, Some(note)))
        }
        Init::Hex { file, width } => {
            let text = std::fs::read(file).map_err(|cause| InitialError::Read {
                memory: memory.name.clone(),
                file: file.clone(),
                cause,
            })?;
            let mut runs = HexRuns::new(&text, file, *width, memory.size / width);
            let mut writes = Vec::new();
            for run in &mut runs {
                let run = run.map_err(|cause| InitialError::Hex {
                    memory: memory.name.clone(),
                    cause,
                })?;
                let bytes = Bytes::from(run.bytes);
                writes.push(Op::Write(
                    place(run.word * width, bytes.len() as u64),
                    bytes,
                ));
            }
            let unknown = runs.unknown_digits();
            let note = format!(
                "{}: {unknown} digits are x or z, and read as 0",
                file.display()
            );
            Ok(Initial::new(writes, (unknown > 0).then_some(note)))
        }
    }
}

#[cfg(test)]
mod tests;
