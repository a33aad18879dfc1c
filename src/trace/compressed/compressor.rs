//! Writer of compressed recordings.

use std::io;

use zstd_safe::zstd_sys::ZSTD_EndDirective::{self, ZSTD_e_continue, ZSTD_e_end, ZSTD_e_flush};
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

use super::seek_table::{Frame, encode};

/// Level of compression: the fastest with entropy coding. Higher levels save a few percent of the size.
const LEVEL: i32 = 1;

/// Bytes of a frame's content from which on the frame ends, wherever it may: sizes of a table have 32 bits.
const MOST_CONTENT: u64 = 1 << 30;

/// Compressor of a recording. Its results are written to the file one behind the other.
pub(in crate::trace) struct Compressor {
    context: CCtx<'static>,
    /// Frames that are complete.
    frames: Vec<Frame>,
    /// Sizes in bytes of the frame that is not complete: stored, and its content.
    stored: u64,
    content: u64,
    /// True if the last frame is the table.
    has_table: bool,
    /// Output, reused.
    bytes: Vec<u8>,
}

impl Compressor {
    /// Compressor without content.
    ///
    /// # Errors
    /// Fails without memory.
    pub(in crate::trace) fn new() -> io::Result<Self> {
        let context = CCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
        let mut compressor = Self {
            context,
            frames: Vec::new(),
            stored: 0,
            content: 0,
            has_table: false,
            bytes: Vec::new(),
        };
        let set = compressor
            .context
            .set_parameter(CParameter::CompressionLevel(LEVEL));
        set.map_err(error)?;
        Ok(compressor)
    }

    /// Size in bytes of the content of the frame that is not complete.
    pub(in crate::trace) fn content(&self) -> u64 {
        self.content
    }

    /// Compresses content. All of it can be unpacked from what is returned, and from what was returned before.
    ///
    /// # Errors
    /// Fails without memory.
    pub(in crate::trace) fn compress(&mut self, content: &[u8]) -> io::Result<&[u8]> {
        self.bytes.clear();
        if !content.is_empty() {
            self.has_table = false;
            self.pass(content, ZSTD_e_flush)?;
            if self.content >= MOST_CONTENT {
                self.end()?;
            }
        }
        Ok(&self.bytes)
    }

    /// Compresses content, and ends its frame.
    ///
    /// # Errors
    /// Fails without memory.
    pub(in crate::trace) fn compress_and_end(&mut self, content: &[u8]) -> io::Result<&[u8]> {
        self.bytes.clear();
        self.pass(content, ZSTD_e_continue)?;
        self.end()?;
        Ok(&self.bytes)
    }

    /// Ends the frame and adds the table. Content that follows begins a further frame.
    ///
    /// # Errors
    /// Fails without memory.
    pub(in crate::trace) fn finish(&mut self) -> io::Result<&[u8]> {
        self.bytes.clear();
        self.end()?;
        if !self.has_table && !self.frames.is_empty() {
            let table = encode(&self.frames);
            self.frames.push(Frame {
                stored: u32::try_from(table.len()).map_err(io::Error::other)?,
                content: 0,
            });
            self.bytes.extend(table);
            self.has_table = true;
        }
        Ok(&self.bytes)
    }

    /// Ends the frame, if there is one.
    fn end(&mut self) -> io::Result<()> {
        if self.content == 0 {
            return Ok(());
        }
        self.pass(&[], ZSTD_e_end)?;
        self.frames.push(Frame {
            stored: u32::try_from(self.stored).map_err(io::Error::other)?,
            content: u32::try_from(self.content).map_err(io::Error::other)?,
        });
        (self.stored, self.content) = (0, 0);
        Ok(())
    }

    /// Passes content to zstd, and appends what it gives.
    fn pass(&mut self, content: &[u8], directive: ZSTD_EndDirective) -> io::Result<()> {
        let before = self.bytes.len();
        let mut input = InBuffer::around(content);
        loop {
            // Room for the rest in the worst case, so that a round suffices but for what zstd held back.
            let rest = content.len() - input.pos();
            self.bytes.reserve(zstd_safe::compress_bound(rest));
            let at = self.bytes.len();
            let mut output = OutBuffer::around_pos(&mut self.bytes, at);
            let left = self
                .context
                .compress_stream2(&mut output, &mut input, directive);
            let left = left.map_err(error)?;
            let is_taken = input.pos() == content.len();
            if is_taken && (left == 0 || matches!(directive, ZSTD_e_continue)) {
                break;
            }
        }
        self.stored += (self.bytes.len() - before) as u64;
        self.content += content.len() as u64;
        Ok(())
    }
}

fn error(code: usize) -> io::Error {
    io::Error::other(format!("zstd: {}", zstd_safe::get_error_name(code)))
}
