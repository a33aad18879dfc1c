//! Bytes of a recording's file, which may be compressed.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use super::compressed::{MAX_BLOCK_BYTES, UnpackError, Unpacker, is_compressed};
use crate::guest;

/// File of a recording.
#[derive(Debug)]
pub(super) enum Input {
    /// Uncompressed blocks.
    Plain {
        file: BufReader<File>,
        /// Number of unread bytes.
        left: u64,
    },
    /// Recording in frames of zstd.
    Compressed(Box<Unpacker>),
}

/// Result of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    All,
    /// The file has ended before the first byte.
    Nothing,
    /// The file has ended after a part of the bytes.
    Part,
}

/// Size of the pieces in which content of a compressed file is read. A few bytes of the file may
/// state any size.
const PIECE: usize = 1 << 20;

impl Input {
    /// Opens a file.
    pub(super) fn open(file: &Path) -> Result<Self, UnpackError> {
        let opened = guest::open(file)?;
        let size = opened.metadata()?.len();
        let mut file = BufReader::new(opened);
        let mut first = [0; 4];
        let is_compressed = match size {
            0..4 => false,
            _ => {
                file.read_exact(&mut first)?;
                file.seek_relative(-4)?;
                is_compressed(first)
            }
        };
        Ok(match is_compressed {
            true => Self::Compressed(Box::new(Unpacker::new(file, size)?)),
            false => Self::Plain { file, left: size },
        })
    }

    /// Number of unread bytes of the file.
    pub(super) fn remaining_bytes(&self) -> u64 {
        match self {
            Self::Plain { left, .. } => *left,
            Self::Compressed(unpacker) => unpacker.remaining_bytes(),
        }
    }

    /// Maximum size of a recording's block.
    pub(super) fn max_block(&self) -> u32 {
        match self {
            Self::Plain { .. } => u32::MAX,
            Self::Compressed(_) => MAX_BLOCK_BYTES,
        }
    }

    /// Fills `to` with the next bytes, if the file has enough.
    pub(super) fn fill(&mut self, to: &mut [u8]) -> Result<Filled, UnpackError> {
        match self {
            Self::Plain { left, .. } if *left == 0 => Ok(Filled::Nothing),
            Self::Plain { left, .. } if *left < to.len() as u64 => Ok(Filled::Part),
            Self::Plain { file, left } => match file.read_exact(to) {
                Ok(()) => {
                    *left -= to.len() as u64;
                    Ok(Filled::All)
                }
                // The file was truncated after its opening.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Filled::Part),
                Err(error) => Err(error.into()),
            },
            Self::Compressed(unpacker) => match unpacker.fill(to)? {
                filled if filled == to.len() => Ok(Filled::All),
                0 if !unpacker.is_truncated() => Ok(Filled::Nothing),
                _ => {
                    unpacker.fail_if_complete()?;
                    Ok(Filled::Part)
                }
            },
        }
    }

    /// Reads the next `len` bytes; `None` if the file has fewer.
    pub(super) fn take(&mut self, len: u64) -> Result<Option<Vec<u8>>, UnpackError> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        if let Self::Plain { left, .. } = self {
            if len as u64 > *left {
                return Ok(None);
            }
            // Bounded by the size of the file.
            let mut bytes = vec![0; len];
            let filled = self.fill(&mut bytes)?;
            return Ok((filled == Filled::All).then_some(bytes));
        }
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let start = bytes.len();
            bytes.resize(len.min(start + PIECE), 0);
            if self.fill(&mut bytes[start..])? != Filled::All {
                if let Self::Compressed(unpacker) = self {
                    unpacker.fail_if_complete()?;
                }
                return Ok(None);
            }
        }
        Ok(Some(bytes))
    }
}
