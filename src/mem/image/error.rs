//! ELF files that are refused.

use std::io;
use std::path::PathBuf;

/// An ELF file that cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct ImageError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub problem: ImageProblem,
}

/// What is wrong with an ELF file.
#[derive(Debug, thiserror::Error)]
pub enum ImageProblem {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is a directory, a pipe or a device.
    #[error("is not a regular file, but a directory, a pipe or a device")]
    NotRegular,
    /// It was written or replaced between two looks at it.
    #[error("has changed since its headers were read; start again when it is complete")]
    Changed,
    /// It does not start as an ELF file does.
    #[error("not an ELF file of 32 or 64 bits{}", but(.found))]
    NotElf {
        /// Its format, where it is a known one.
        found: Option<&'static str>,
    },
    /// A table is longer than that of any linked image.
    #[error("{count} {what} headers are more than the {max} that an image may have")]
    TooManyHeaders {
        /// `program` or `section`.
        what: &'static str,
        /// Headers of the table.
        count: u32,
        /// Headers that it may have.
        max: u32,
    },
    /// A table of it is broken; the text is the `object` crate's.
    #[error("broken ELF file: {0}")]
    Broken(object::read::Error),
    /// The protocol is little endian, and so is its firmware.
    #[error("a big-endian ELF file; only little-endian firmware is served")]
    BigEndian,
    /// The output of a compiler, not of a linker: nothing in it has an address.
    #[error("a relocatable object, whose sections have no addresses yet; link it first")]
    Relocatable,
    /// The file bytes of a segment are not in the file.
    #[error(
        "segment {index} takes {len:#x} bytes at offset {offset:#x} of the file, which has {file_len:#x}; is it cut short?"
    )]
    OutsideFile {
        /// Position in the program header table.
        index: usize,
        /// Offset in the file.
        offset: u64,
        /// Bytes.
        len: u64,
        /// Bytes of the whole file.
        file_len: u64,
    },
    /// Segments that take the same bytes again and again.
    #[error(
        "its segments take {len:#x} bytes, many times the {file_len:#x} that the file has; do its program headers overlap?"
    )]
    LoadsTooMuch {
        /// Bytes of all segments.
        len: u128,
        /// Bytes of the whole file.
        file_len: u64,
    },
    /// A segment that is smaller in memory than in the file.
    #[error(
        "segment {index} has {file_size:#x} bytes in the file, but only {mem_size:#x} in memory"
    )]
    Shrinks {
        /// Position in the program header table.
        index: usize,
        /// Bytes in the file.
        file_size: u64,
        /// Bytes in memory.
        mem_size: u64,
    },
    /// A segment that does not end within 64 bits.
    #[error(
        "segment {index} of {mem_size:#x} bytes at physical address {address:#x} runs past the last address"
    )]
    Wraps {
        /// Position in the program header table.
        index: usize,
        /// Physical address.
        address: u64,
        /// Bytes in memory.
        mem_size: u64,
    },
    /// `.mailbox` does not end within 64 bits.
    #[error("section .mailbox of {size:#x} bytes at {address:#x} runs past the last address")]
    MailboxWraps {
        /// Its first byte.
        address: u64,
        /// Bytes.
        size: u64,
    },
}

impl From<object::read::Error> for ImageProblem {
    fn from(error: object::read::Error) -> Self {
        Self::Broken(error)
    }
}

/// ", but Intel HEX", or nothing.
fn but(found: &Option<&'static str>) -> String {
    found.map_or_else(String::new, |found| format!(", but {found}"))
}
