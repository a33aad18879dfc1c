//! Initial content of a memory.

use std::fmt;
use std::iter;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::hex::converter;
use super::{
    Backend, HexError, HexRuns, Init, MAX_TRANSFER, Memory, MemoryId, Op, Segment, Segments,
};
use crate::guest;

/// Error of initialising a memory.
#[derive(Debug, Error)]
pub enum InitialError {
    /// File that can't be read.
    #[error("memory `{memory}`, init: can't read {}: {cause}", file.display())]
    Read {
        /// Name of the memory.
        memory: String,
        /// Path of the file.
        file: PathBuf,
        /// I/O error.
        cause: std::io::Error,
    },
    /// Invalid memory file.
    #[error("memory `{memory}`, init: {cause}")]
    Hex {
        /// Name of the memory.
        memory: String,
        /// Error in the file.
        cause: HexError,
    },
}

/// Initial content of a memory: writes, and notes for the user.
pub struct Initial<'a> {
    id: MemoryId,
    size: u64,
    content: Content<'a>,
    /// Notes for the user.
    pub notes: Vec<Note>,
}

/// Note for the user about a memory's initial content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Seed that reproduces random content.
    Seed {
        /// Seed in use.
        seed: u64,
    },
    /// Unknown digits in a file.
    UnknownDigits {
        /// Path of the file.
        file: PathBuf,
        /// Number of digits `x`, `z` and `?`.
        count: u64,
    },
    /// File without values.
    NoValues {
        /// Path of the file.
        file: PathBuf,
    },
    /// File whose values have the width of narrower or wider words.
    OtherWords {
        /// Path of the file.
        file: PathBuf,
        /// Digits of each value.
        digits: u64,
        /// Bytes of a word of the memory.
        width: u64,
    },
}

impl Note {
    /// True if the content is probably not the intended one.
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
                    "{file}: every value has {digits} digits, as for words of {bits} bits, but \
                     each fills a word of {}{}",
                    width * 8,
                    converter("; `", *width, &after)
                )
            }
        }
    }
}

enum Content<'a> {
    /// Unchanged content.
    Any,
    Zero,
    Random {
        seed: u64,
    },
    /// Validated memory file.
    Hex {
        text: Vec<u8>,
        file: &'a Path,
        width: u64,
    },
}

impl Initial<'_> {
    /// Generates the writes in order, one at a time, so that memory use does not grow with the
    /// memory's size.
    pub fn writes(&self) -> Box<dyn Iterator<Item = Op<Segments>> + '_> {
        match &self.content {
            Content::Any => Box::new(iter::empty()),
            Content::Zero => Box::new(iter::once(Op::Fill(self.place(0, self.size), 0))),
            Content::Random { seed } => {
                let mut random = fastrand::Rng::with_seed(*seed);
                Box::new((0..self.size.div_ceil(MAX_TRANSFER)).map(move |transfer| {
                    let offset = transfer * MAX_TRANSFER;
                    let mut bytes = vec![0; MAX_TRANSFER.min(self.size - offset) as usize];
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

/// Prepares the initial content of a memory. Unchanged content has no writes. `seed` is used for
/// random content without a seed in the configuration.
///
/// # Errors
/// Fails if a file can't be read ([`InitialError::Read`]) or is invalid ([`InitialError::Hex`]).
pub fn initial(id: MemoryId, memory: &Memory, seed: u64) -> Result<Initial<'_>, InitialError> {
    let (content, notes) = match &memory.init {
        Init::None => (Content::Any, Vec::new()),
        Init::Zero => (Content::Zero, Vec::new()),
        // The backend stores nothing, so no content is generated.
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
            // The whole file is validated before the first write, and parsed a second time for the
            // writes, because the parsed words may need much more memory than their text.
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

/// Returns the notes about a file that was read to its end.
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
