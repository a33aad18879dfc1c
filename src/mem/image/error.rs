//! Errors of ELF files.

use std::io;
use std::path::PathBuf;

/// Error of an ELF file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct ImageError {
    /// Path of the file.
    pub file: PathBuf,
    /// Cause of the error.
    pub problem: ImageProblem,
}

/// Cause of an error of an ELF file.
#[derive(Debug, thiserror::Error)]
pub enum ImageProblem {
    /// I/O error.
    #[error("can't be read: {0}")]
    Read(#[from] io::Error),
    /// Directory, pipe or device.
    #[error("is not a regular file, but a directory, a pipe or a device")]
    NotRegular,
    /// File that was written or replaced since its headers were read.
    #[error("has changed since its headers were read; start again when it is complete")]
    Changed,
    /// File without the magic number of ELF.
    #[error("not an ELF file of 32 or 64 bits{}", but(.found))]
    NotElf {
        /// Name of its format, if it is a known one.
        found: Option<&'static str>,
    },
    /// Table that is longer than that of any linked image.
    #[error("{count} {what} headers are more than the {max} that an image may have")]
    TooManyHeaders {
        /// `program` or `section`.
        what: &'static str,
        /// Number of headers in the table.
        count: u32,
        /// Maximum number of headers.
        max: u32,
    },
    /// Symbol table that is longer than that of any linked image.
    #[error(
        "its symbol table, or the names in it, have more than {max:#x} bytes; strip it of debug symbols"
    )]
    SymbolsTooLong {
        /// Maximum size in bytes.
        max: u64,
    },
    /// Invalid table, with the message of the `object` crate.
    #[error("broken ELF file: {0}")]
    Broken(object::read::Error),
    /// Big-endian file. The protocol and its firmware are little endian.
    #[error("a big-endian ELF file; only little-endian firmware is served")]
    BigEndian,
    /// Output of a compiler instead of a linker, without addresses.
    #[error("a relocatable object, whose sections have no addresses yet; link it first")]
    Relocatable,
    /// Segment whose bytes are not in the file.
    #[error(
        "segment {index} takes {len:#x} bytes at offset {offset:#x} of the file, which has {file_len:#x}; is it cut short?"
    )]
    OutsideFile {
        /// Position in the program header table.
        index: usize,
        /// Offset in the file.
        offset: u64,
        /// Number of bytes.
        len: u64,
        /// Size of the file in bytes.
        file_len: u64,
    },
    /// Segments that refer to the same bytes of the file many times.
    #[error(
        "its segments take {len:#x} bytes, many times the {file_len:#x} that the file has; do its program headers overlap?"
    )]
    LoadsTooMuch {
        /// Number of bytes of all segments.
        len: u128,
        /// Size of the file in bytes.
        file_len: u64,
    },
    /// Segment that is smaller in memory than in the file.
    #[error(
        "segment {index} has {file_size:#x} bytes in the file, but only {mem_size:#x} in memory"
    )]
    Shrinks {
        /// Position in the program header table.
        index: usize,
        /// Number of bytes in the file.
        file_size: u64,
        /// Number of bytes in memory.
        mem_size: u64,
    },
    /// Segment that does not end within 64 bits.
    #[error(
        "segment {index} of {mem_size:#x} bytes at physical address {address:#x} runs past the last address"
    )]
    Wraps {
        /// Position in the program header table.
        index: usize,
        /// Physical address.
        address: u64,
        /// Number of bytes in memory.
        mem_size: u64,
    },
    /// Invalid note about the channels.
    #[error(
        "section .note.vhost: {0}; rebuild the image with mailbox.h or mailbox_rs of one version, or leave the section out"
    )]
    Note(mailbox_rs::BadNote),
    /// Note section that is longer than that of any linked image.
    #[error(
        "section .note.vhost has {size:#x} bytes, more than the {max:#x} that an image may have"
    )]
    NoteTooLong {
        /// Size in bytes.
        size: u64,
        /// Maximum size in bytes.
        max: u64,
    },
    /// Note section whose bytes are not in the file.
    #[error("section .note.vhost is not within the file; is it cut short?")]
    NoteOutsideFile,
    /// Section `.mailbox` that does not end within 64 bits.
    #[error("section .mailbox of {size:#x} bytes at {address:#x} runs past the last address")]
    MailboxWraps {
        /// Address of the first byte.
        address: u64,
        /// Size in bytes.
        size: u64,
    },
}

impl From<object::read::Error> for ImageProblem {
    fn from(error: object::read::Error) -> Self {
        Self::Broken(error)
    }
}

/// Formats a known format as ", but Intel HEX"; empty for an unknown one.
fn but(found: &Option<&'static str>) -> String {
    found.map_or_else(String::new, |found| format!(", but {found}"))
}
