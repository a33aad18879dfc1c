//! Writer of compressed recordings.

use std::io;

use zstd_safe::zstd_sys::ZSTD_EndDirective::{self, ZSTD_e_continue, ZSTD_e_end, ZSTD_e_flush};
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

use super::seek_table::{Frame, encode};

/// Compression level: the fastest one with entropy coding. Higher levels save a few percent of the
/// size.
const LEVEL: i32 = 1;

/// Number of content bytes at which a frame ends in any case, because sizes in the table have 32
/// bits.
const MAX_CONTENT_BYTES: u64 = 1 << 30;

/// Compressor of a recording. Its results are written to the file one after the other.
pub(in crate::trace) struct Compressor {
    context: CCtx<'static>,
    /// Complete frames.
    frames: Vec<Frame>,
    /// Stored size of the incomplete frame, and size of its content, in bytes.
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
    /// Fails if there is no memory.
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

    /// Size of the incomplete frame's content in bytes.
    pub(in crate::trace) fn content(&self) -> u64 {
        self.content
    }

    /// Compresses content. The returned bytes, with those returned before, suffice to unpack all
    /// content so far.
    ///
    /// # Errors
    /// Fails if there is no memory.
    pub(in crate::trace) fn compress(&mut self, content: &[u8]) -> io::Result<&[u8]> {
        self.bytes.clear();
        if !content.is_empty() {
            self.has_table = false;
            self.pass(content, ZSTD_e_flush)?;
            if self.content >= MAX_CONTENT_BYTES {
                self.end()?;
            }
        }
        Ok(&self.bytes)
    }

    /// Compresses content, and ends its frame.
    ///
    /// # Errors
    /// Fails if there is no memory.
    pub(in crate::trace) fn compress_and_end(&mut self, content: &[u8]) -> io::Result<&[u8]> {
        self.bytes.clear();
        self.pass(content, ZSTD_e_continue)?;
        self.end()?;
        Ok(&self.bytes)
    }

    /// Ends the frame and adds the table. Later content begins a further frame.
    ///
    /// # Errors
    /// Fails if there is no memory.
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

    /// Passes content to zstd, and appends the output.
    fn pass(&mut self, content: &[u8], directive: ZSTD_EndDirective) -> io::Result<()> {
        let before = self.bytes.len();
        let mut input = InBuffer::around(content);
        loop {
            // Room for the rest in the worst case, so that one round suffices except for output
            // that zstd has held back.
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
