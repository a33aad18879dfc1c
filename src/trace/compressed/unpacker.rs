//! Reader of compressed recordings. Returns bytes or an error for any content of the file.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom};

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

use super::MAX_WINDOW_LOG;
use super::container::{BLOCK_HEADER, BlockHeader, FrameHeader, MAX_STORED_BYTES, Magic, PREFIX};
use super::seek_table::{self, FOOTER};

/// Unpacker of a file.
pub(in crate::trace) struct Unpacker {
    file: BufReader<File>,
    /// Size of the file in bytes.
    size: u64,
    /// Position in the file.
    at: u64,
    context: DCtx<'static>,
    /// Size of the checksum after the last block of the present frame; `None` between two frames.
    frame: Option<usize>,
    /// Stored bytes that are passed to zstd, reused.
    stored: Vec<u8>,
    /// Content of the present block.
    content: Vec<u8>,
    /// Number of bytes of the content that were taken.
    taken: usize,
    /// True if the file ended within a frame's header or within a block.
    is_truncated: bool,
}

/// Outcome of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnpackStep {
    /// There may be content, or a further step.
    On,
    /// The file has ended.
    End,
}

/// Reason why a file can't be unpacked.
#[derive(Debug)]
pub(in crate::trace) enum UnpackError {
    /// I/O error.
    Io(io::Error),
    /// Content that zstd can't unpack.
    Damaged(String),
}

impl From<io::Error> for UnpackError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Unpacker {
    /// Unpacker of a file of this size, at the start of the file.
    pub(in crate::trace) fn new(file: BufReader<File>, size: u64) -> Result<Self, UnpackError> {
        let context = DCtx::try_create().ok_or(io::Error::from(ErrorKind::OutOfMemory))?;
        let mut unpacker = Self {
            file,
            size,
            at: 0,
            context,
            frame: None,
            stored: Vec::new(),
            content: Vec::new(),
            taken: 0,
            is_truncated: false,
        };
        let set = unpacker
            .context
            .set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG));
        set.map_err(damaged)?;
        Ok(unpacker)
    }

    /// Number of unread bytes of the file.
    pub(in crate::trace) fn remaining_bytes(&self) -> u64 {
        self.size.saturating_sub(self.at)
    }

    /// True if the file ended within a part. Known at the end.
    pub(in crate::trace) fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Position of the next frame, between two frames whose content was taken.
    pub(in crate::trace) fn between_frames(&mut self) -> Result<Option<u64>, UnpackError> {
        if self.taken < self.content.len() {
            return Ok(None);
        }
        // The last block of a frame may be empty.
        while self.frame.is_some() {
            if self.step()? == UnpackStep::End {
                return Ok(None);
            }
            if self.taken < self.content.len() {
                return Ok(None);
            }
        }
        Ok(Some(self.at))
    }

    /// Moves to a frame.
    pub(in crate::trace) fn go_to(&mut self, position: u64) -> Result<(), UnpackError> {
        if position != self.at {
            let forward = position
                .checked_sub(self.at)
                .and_then(|by| i64::try_from(by).ok());
            match forward {
                Some(by) => self.file.seek_relative(by)?,
                None => drop(self.file.seek(SeekFrom::Start(position))?),
            }
            self.at = position;
        }
        self.frame = None;
        self.content.clear();
        self.taken = 0;
        self.is_truncated = false;
        Ok(())
    }

    /// Fills `to` with content. Returns the number of bytes, which is smaller only at the end of
    /// the file.
    pub(in crate::trace) fn fill(&mut self, to: &mut [u8]) -> Result<usize, UnpackError> {
        let mut filled = 0;
        while filled < to.len() {
            let rest = &self.content[self.taken..];
            if rest.is_empty() {
                match self.step()? {
                    UnpackStep::On => continue,
                    UnpackStep::End => break,
                }
            }
            let len = rest.len().min(to.len() - filled);
            to[filled..filled + len].copy_from_slice(&rest[..len]);
            self.taken += len;
            filled += len;
        }
        Ok(filled)
    }

    /// Content of the first block that has any, without taking it; empty at the end of the file.
    pub(in crate::trace) fn first_content(&mut self) -> Result<&[u8], UnpackError> {
        while self.taken == self.content.len() && self.step()? == UnpackStep::On {}
        Ok(&self.content[self.taken..])
    }

    /// Reads the next block, the header of the next frame, or a frame that is skipped.
    fn step(&mut self) -> Result<UnpackStep, UnpackError> {
        match self.frame {
            Some(checksum) => self.block(checksum),
            None => self.frame_header(),
        }
    }

    fn frame_header(&mut self) -> Result<UnpackStep, UnpackError> {
        if self.remaining_bytes() == 0 {
            return Ok(UnpackStep::End);
        }
        self.stored.clear();
        if !self.take(4)? {
            return self.truncated();
        }
        let magic = self
            .stored
            .first_chunk()
            .and_then(|first| Magic::of(*first));
        match magic {
            Some(Magic::Frame) => {}
            Some(Magic::Skippable) => return self.skip(),
            None => {
                let at = self.at - 4;
                return Err(UnpackError::Damaged(format!(
                    "no frame begins at byte {at}"
                )));
            }
        }
        if !self.take(PREFIX - 4)? {
            return self.truncated();
        }
        let header = FrameHeader::of(self.stored[PREFIX - 1]);
        if !self.take(header.size - PREFIX)? {
            return self.truncated();
        }
        let reset = self.context.reset(ResetDirective::SessionOnly);
        reset.map_err(damaged)?;
        self.unpack()?;
        self.frame = Some(header.checksum);
        Ok(UnpackStep::On)
    }

    fn skip(&mut self) -> Result<UnpackStep, UnpackError> {
        self.stored.clear();
        if !self.take(4)? {
            return self.truncated();
        }
        let len = self
            .stored
            .first_chunk()
            .map(|len| u32::from_le_bytes(*len));
        let len = u64::from(len.unwrap_or_default());
        if len > self.remaining_bytes() {
            return self.truncated();
        }
        self.go_to(self.at + len)?;
        Ok(UnpackStep::On)
    }

    fn block(&mut self, checksum: usize) -> Result<UnpackStep, UnpackError> {
        // All that was written out is there.
        if self.remaining_bytes() == 0 {
            self.fail_if_complete()?;
            return Ok(UnpackStep::End);
        }
        self.stored.clear();
        if !self.take(BLOCK_HEADER)? {
            return self.truncated();
        }
        let header = self
            .stored
            .first_chunk()
            .and_then(|it| BlockHeader::of(*it));
        let Some(BlockHeader { is_last, stored }) = header else {
            return Err(UnpackError::Damaged(
                "a block has an unknown header".to_owned(),
            ));
        };
        let behind = if is_last { checksum } else { 0 };
        if !self.take(stored + behind)? {
            return self.truncated();
        }
        self.unpack()?;
        if is_last {
            self.frame = None;
        }
        Ok(UnpackStep::On)
    }

    /// Ends the file inside of a part.
    fn truncated(&mut self) -> Result<UnpackStep, UnpackError> {
        self.fail_if_complete()?;
        self.is_truncated = true;
        self.at = self.size;
        self.frame = None;
        Ok(UnpackStep::End)
    }

    /// Fails if the file is complete, because then a part that seems to be longer has a wrong size.
    /// Moves to the end of the file.
    pub(in crate::trace) fn fail_if_complete(&mut self) -> Result<(), UnpackError> {
        if self.table_size()?.is_some() {
            let text = "the file is complete, but a frame in it has a wrong size";
            return Err(UnpackError::Damaged(text.to_owned()));
        }
        Ok(())
    }

    /// Size of the table at the end of a complete file. Leaves the position behind the end.
    fn table_size(&mut self) -> Result<Option<u64>, UnpackError> {
        let Some(footer) = self.size.checked_sub(FOOTER as u64) else {
            return Ok(None);
        };
        self.go_to(footer)?;
        self.stored.clear();
        if !self.take(FOOTER)? {
            return Ok(None);
        }
        Ok(self.stored.first_chunk().and_then(seek_table::size))
    }

    /// Appends the next bytes of the file to those that are passed to zstd. Returns false if the
    /// file has fewer.
    fn take(&mut self, len: usize) -> Result<bool, UnpackError> {
        if len as u64 > self.remaining_bytes() {
            return Ok(false);
        }
        let start = self.stored.len();
        self.stored.resize(start + len, 0);
        match self.file.read_exact(&mut self.stored[start..]) {
            Ok(()) => {
                self.at += len as u64;
                Ok(true)
            }
            // The file was truncated after its opening.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Passes the stored bytes to zstd: the header of a frame, or a block.
    fn unpack(&mut self) -> Result<(), UnpackError> {
        self.content.clear();
        self.taken = 0;
        // One byte more than any block has, so that there is always room left at the end.
        self.content.reserve(MAX_STORED_BYTES + 1);
        let mut input = InBuffer::around(&self.stored);
        let mut output = OutBuffer::around(&mut self.content);
        loop {
            let before = (input.pos(), output.pos());
            let hint = self.context.decompress_stream(&mut output, &mut input);
            hint.map_err(damaged)?;
            let is_taken = input.pos() == self.stored.len();
            if is_taken && output.pos() <= MAX_STORED_BYTES {
                return Ok(());
            }
            if before == (input.pos(), output.pos()) {
                let text = "the sizes in a header of a block do not match its content";
                return Err(UnpackError::Damaged(text.to_owned()));
            }
        }
    }

    /// Positions of all frames with data, from the table at the end, or else from the sizes of
    /// their parts.
    pub(in crate::trace) fn frames(&mut self) -> Result<Vec<u64>, UnpackError> {
        match self.table()? {
            Some(frames) => Ok(frames),
            None => self.walk(),
        }
    }

    fn table(&mut self) -> Result<Option<Vec<u64>>, UnpackError> {
        let size = self.table_size()?;
        let Some(size) = size.filter(|size| *size <= self.size) else {
            return Ok(None);
        };
        let before = self.size - size;
        self.go_to(before)?;
        self.stored.clear();
        // Bounded by the size of the file.
        let is_read = self.take(usize::try_from(size).unwrap_or(usize::MAX))?;
        let table = is_read.then(|| seek_table::decode(&self.stored, before));
        Ok(table.flatten())
    }

    /// Finds the frames up to the first one that is cut off or invalid.
    fn walk(&mut self) -> Result<Vec<u64>, UnpackError> {
        let mut frames = Vec::new();
        self.go_to(0)?;
        loop {
            let start = self.at;
            self.stored.clear();
            if !self.take(PREFIX)? {
                return Ok(frames);
            }
            let [a, b, c, d, descriptor] = self.stored[..] else {
                return Ok(frames);
            };
            match Magic::of([a, b, c, d]) {
                Some(Magic::Skippable) => {
                    self.go_to(start + 4)?;
                    if self.skip()? == UnpackStep::End {
                        return Ok(frames);
                    }
                }
                Some(Magic::Frame) => {
                    frames.push(start);
                    if !self.walk_frame(FrameHeader::of(descriptor))? {
                        return Ok(frames);
                    }
                }
                None => return Ok(frames),
            }
        }
    }

    /// Moves to the end of a frame. Returns false if the frame is cut off.
    fn walk_frame(&mut self, header: FrameHeader) -> Result<bool, UnpackError> {
        let mut behind = header.size - PREFIX;
        loop {
            if behind as u64 > self.remaining_bytes() {
                return Ok(false);
            }
            self.go_to(self.at + behind as u64)?;
            self.stored.clear();
            if !self.take(BLOCK_HEADER)? {
                return Ok(false);
            }
            let block = self
                .stored
                .first_chunk()
                .and_then(|it| BlockHeader::of(*it));
            let Some(block) = block else {
                return Ok(false);
            };
            behind = block.stored;
            if block.is_last {
                let rest = (behind + header.checksum) as u64;
                if rest > self.remaining_bytes() {
                    return Ok(false);
                }
                self.go_to(self.at + rest)?;
                return Ok(true);
            }
        }
    }
}

fn damaged(code: usize) -> UnpackError {
    UnpackError::Damaged(zstd_safe::get_error_name(code).to_owned())
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacker")
            .field("at", &self.at)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
