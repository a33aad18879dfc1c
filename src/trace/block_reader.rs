//! Blocks of a recording's file, of which chunks may be left out.

use std::io;
use std::ops::RangeInclusive;
use std::path::Path;

use bytes::Bytes;

use super::FrameError;
use super::blocks::{BLOCK, PREFIX, checksum, complete_size};
use super::chunks::{chunks, selection};
use super::compressed::UnpackError;
use super::input::{Filled, Input};

/// Reader of the blocks of a recording.
#[derive(Debug)]
pub(super) struct BlockReader {
    input: Input,
    /// Positions of the chunks of a compressed recording that were not reached, the next one last.
    /// Each has true if it is to be read.
    chunks: Vec<(u64, bool)>,
    /// True if chunks were left out: messages may be missing.
    has_gaps: bool,
    /// True if the next block begins with the landmark after a gap.
    is_behind_gap: bool,
    /// True if no chunk is left that is to be read.
    is_ended: bool,
    /// Minimum number of missing bytes, if the file ended within a block.
    cut: Option<u64>,
}

/// Error in reading a block.
#[derive(Debug)]
pub(super) enum BlockError {
    /// The file can't be read.
    Io(io::Error),
    /// The block is damaged.
    Damaged(FrameError),
}

impl From<UnpackError> for BlockError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::Io(cause) => Self::Io(cause),
            UnpackError::Damaged(text) => Self::Damaged(FrameError::Compressed(text)),
        }
    }
}

impl From<FrameError> for BlockError {
    fn from(error: FrameError) -> Self {
        Self::Damaged(error)
    }
}

impl BlockReader {
    /// Opens a file.
    pub(super) fn open(file: &Path) -> Result<Self, BlockError> {
        Ok(Self {
            input: Input::open(file)?,
            chunks: Vec::new(),
            has_gaps: false,
            is_behind_gap: false,
            is_ended: false,
            cut: None,
        })
    }

    /// True for a compressed recording.
    pub(super) fn is_compressed(&self) -> bool {
        matches!(self.input, Input::Compressed(_))
    }

    /// Number of unread bytes of the file.
    pub(super) fn remaining_bytes(&self) -> u64 {
        self.input.remaining_bytes()
    }

    /// True if chunks were left out: messages may be missing.
    pub(super) fn has_gaps(&self) -> bool {
        self.has_gaps
    }

    /// True if a gap precedes the last block, until the next call.
    pub(super) fn take_gap(&mut self) -> bool {
        std::mem::take(&mut self.is_behind_gap)
    }

    /// Minimum number of missing bytes, if the file ended within a block.
    pub(super) fn missing_bytes(&self) -> Option<u64> {
        self.cut
    }

    /// Leaves out the chunks of this file without an entry of these ticks. Returns true if the
    /// current chunk is one of them.
    pub(super) fn skip_to(
        &mut self,
        file: &Path,
        ticks: &RangeInclusive<u64>,
    ) -> Result<bool, BlockError> {
        self.chunks = selection(&chunks(file)?, ticks);
        self.chunks.reverse();
        let is_read = self.chunks.pop().is_none_or(|(_, is_read)| is_read);
        if !is_read {
            self.is_ended = !self.go_to_selected_chunk()?;
        }
        Ok(!is_read)
    }

    /// Moves to the next chunk to be read. Returns false if there is none.
    fn go_to_selected_chunk(&mut self) -> Result<bool, BlockError> {
        while let Some((position, is_read)) = self.chunks.pop() {
            if !is_read {
                continue;
            }
            if let Input::Compressed(unpacker) = &mut self.input {
                unpacker.go_to(position)?;
            }
            (self.has_gaps, self.is_behind_gap) = (true, true);
            return Ok(true);
        }
        Ok(false)
    }

    /// Skips chunks after the present one. Returns false if none is left.
    fn skip_chunks(&mut self) -> Result<bool, BlockError> {
        let Input::Compressed(unpacker) = &mut self.input else {
            return Ok(true);
        };
        let at = unpacker.between_frames()?;
        match self.chunks.last() {
            Some((position, is_read)) if Some(*position) == at => {
                if *is_read {
                    self.chunks.pop();
                    return Ok(true);
                }
                self.go_to_selected_chunk()
            }
            _ => Ok(true),
        }
    }

    /// Reads the next block, which is not empty; `None` at the end, or if the file is truncated.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, BlockError> {
        if self.is_ended || !self.chunks.is_empty() && !self.skip_chunks()? {
            return Ok(None);
        }
        let mut prefix = [0; PREFIX];
        let filled = self.input.fill(&mut prefix)?;
        if filled != Filled::All {
            self.cut = (filled == Filled::Part).then(|| self.missing(PREFIX as u64));
            return Ok(None);
        }
        let [a, b, c, d, sum @ ..] = prefix;
        let len = u32::from_le_bytes([a, b, c, d]);
        if len == 0 {
            return Err(FrameError::Content("its block is empty".to_owned()).into());
        }
        if len > self.input.max_block() {
            let text = format!("its block of {len} bytes is too large for a compressed recording");
            return Err(FrameError::Content(text).into());
        }
        let Some(block) = self.take(u64::from(len))? else {
            self.cut = Some(self.missing(u64::from(len)));
            return self.end_of_truncated_block(len);
        };
        if checksum([a, b, c, d], &block) != u32::from_le_bytes(sum) {
            return Err(FrameError::Checksum.into());
        }
        Ok(Some(block.into()))
    }

    /// Minimum number of bytes that are missing from the file for `len` further ones of the
    /// recording.
    fn missing(&self, len: u64) -> u64 {
        match &self.input {
            Input::Plain { left, .. } => len.saturating_sub(*left),
            Input::Compressed(_) => 1,
        }
    }

    /// Ends a recording that is shorter than its last block states. Fails if the frames of the
    /// block show that its length is damaged.
    fn end_of_truncated_block(&mut self, len: u32) -> Result<Option<Bytes>, BlockError> {
        let Input::Plain { left, .. } = self.input else {
            return Ok(None);
        };
        let rest = self.take(left.min(BLOCK as u64 + 5))?;
        let size = rest.and_then(|rest| complete_size(&rest));
        match size.and_then(|size| u32::try_from(size).ok()) {
            Some(size) if size != len => Err(FrameError::Checksum.into()),
            _ => Ok(None),
        }
    }

    /// Reads the next `len` bytes; `None` if the file has fewer.
    pub(super) fn take(&mut self, len: u64) -> Result<Option<Vec<u8>>, BlockError> {
        Ok(self.input.take(len)?)
    }
}
