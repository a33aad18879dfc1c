//! What a memory holds when it is built.

use std::fmt;
use std::iter;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::hex::converter;
use super::{Backend, CHUNK, HexError, HexRuns, Init, Memory, MemoryId, Op, Segment, Segments};
use crate::guest;

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
pub struct Initial<'a> {
    id: MemoryId,
    size: u64,
    content: Content<'a>,
    /// What the user should know.
    pub notes: Vec<Note>,
}

/// What the user should know of a memory's first content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// What it takes to have the same content again.
    Seed {
        /// The seed that was used.
        seed: u64,
    },
    /// Digits of a file say nothing.
    UnknownDigits {
        /// The file.
        file: PathBuf,
        /// Digits `x`, `z` and `?`.
        count: u64,
    },
    /// A file without a value.
    NoValues {
        /// The file.
        file: PathBuf,
    },
    /// Values of a file are those of narrower or wider words.
    OtherWords {
        /// The file.
        file: PathBuf,
        /// Digits of each value.
        digits: u64,
        /// Bytes a word of the memory.
        width: u64,
    },
}

impl Note {
    /// Whether the content is hardly what was meant.
    pub fn is_warning(&self) -> bool {
        !matches!(self, Self::Seed { .. })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed { seed } => write!(f, "random content from seed {seed}"),
            Self::UnknownDigits { file, count } => {
                let file = file.display();
                write!(f, "{file}: {count} digits are x or z, and read as 0")
            }
            Self::NoValues { file } => {
                let file = file.display();
                write!(
                    f,
                    "{file}: a memory file (format of `$readmemh`) without a value; the memory is left as it is"
                )
            }
            Self::OtherWords {
                file,
                digits,
                width,
            } => {
                let (file, bits) = (file.display(), digits * 4);
                let after = format!("` writes words of {width} bytes");
                write!(
                    f,
                    "{file}: every value has {digits} digits, as a memory file for words of {bits} bits has, and each fills a word of {}{}",
                    width * 8,
                    converter("; `", *width, &after)
                )
            }
        }
    }
}

enum Content<'a> {
    /// Whatever it is.
    Any,
    Zero,
    Random {
        seed: u64,
    },
    /// A file that is known to fit.
    Hex {
        text: Vec<u8>,
        file: &'a Path,
        width: u64,
    },
}

impl Initial<'_> {
    /// The writes, in order: made up one by one, however large the memory is.
    pub fn writes(&self) -> Box<dyn Iterator<Item = Op<Segments>> + '_> {
        match &self.content {
            Content::Any => Box::new(iter::empty()),
            Content::Zero => Box::new(iter::once(Op::Fill(self.place(0, self.size), 0))),
            Content::Random { seed } => {
                let mut random = fastrand::Rng::with_seed(*seed);
                Box::new((0..self.size.div_ceil(CHUNK)).map(move |chunk| {
                    let offset = chunk * CHUNK;
                    let mut bytes = vec![0; CHUNK.min(self.size - offset) as usize];
                    random.fill(&mut bytes);
                    self.write(offset, bytes)
                }))
            }
            Content::Hex { text, file, width } => {
                let runs = HexRuns::new(text, file, *width, self.size / width);
                Box::new(
                    runs.map_while(Result::ok)
                        .map(move |run| self.write(run.word * width, run.bytes)),
                )
            }
        }
    }

    fn write(&self, offset: u64, bytes: Vec<u8>) -> Op<Segments> {
        Op::Write(self.place(offset, bytes.len() as u64), bytes.into())
    }

    fn place(&self, offset: u64, len: u64) -> Segments {
        let memory = self.id;
        Segments::from(Segment {
            memory,
            offset,
            len,
        })
    }
}

impl fmt::Debug for Initial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initial")
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// The first content of a memory; no writes where it is left as it is. `seed` is for random content whose
/// configuration has none.
///
/// # Errors
/// Where a file can't be read, or does not fit.
pub fn initial(id: MemoryId, memory: &Memory, seed: u64) -> Result<Initial<'_>, InitialError> {
    let (content, notes) = match &memory.init {
        Init::None => (Content::Any, Vec::new()),
        Init::Zero => (Content::Zero, Vec::new()),
        // What is not kept need not be made up.
        Init::Random { .. } if memory.backend == Backend::Log => (Content::Any, Vec::new()),
        Init::Random { seed: own } => {
            let seed = own.unwrap_or(seed);
            (Content::Random { seed }, vec![Note::Seed { seed }])
        }
        Init::Hex { file, width } => {
            let text = guest::read(file).map_err(|cause| InitialError::Read {
                memory: memory.name.clone(),
                file: file.clone(),
                cause,
            })?;
            // All of it is looked at before any is written, and nothing is kept: a word may be short as text, and wide.
            let mut runs = HexRuns::new(&text, file, *width, memory.size / width);
            if let Some(cause) = runs.find_map(Result::err) {
                return Err(InitialError::Hex {
                    memory: memory.name.clone(),
                    cause,
                });
            }
            let notes = notes(file, &runs, *width);
            let content = Content::Hex {
                text,
                file,
                width: *width,
            };
            (content, notes)
        }
    };
    Ok(Initial {
        id,
        size: memory.size,
        content,
        notes,
    })
}

/// What the user should know of a file that was read to its end.
fn notes(file: &Path, runs: &HexRuns<'_>, width: u64) -> Vec<Note> {
    let file = || file.to_owned();
    let count = runs.unknown_digits();
    let unknown = (count > 0).then(|| Note::UnknownDigits {
        file: file(),
        count,
    });
    let nothing = (runs.values() == 0).then(|| Note::NoValues { file: file() });
    let other = runs.other_words().map(|digits| Note::OtherWords {
        file: file(),
        digits,
        width,
    });
    [unknown, nothing, other].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
