//! File of a recording under construction.

use std::io::{self, Write};
use std::path::Path;

use super::TraceError;
use super::blocks::{Blocks, Frame};
use super::codec::{Encoded, encode};
use super::compressed::{Compressor, MAX_BLOCK_BYTES};
use super::format::{Header, Kind, MAGIC, OLDEST_FORMAT};
use super::frame_header::{FrameHeader, Position};
use super::landmark::Landmark;
use crate::attach::AtExit;
use crate::guest::OutputFile;

/// File, and frames that are not written to it yet.
pub(super) struct Output {
    file: OutputFile,
    blocks: Blocks,
    /// Number of frames so far.
    frames: u64,
    /// Compressor, if the recording is compressed.
    compressor: Option<Compressor>,
}

/// Number of buffered bytes at which the buffer is written to the file.
const BUFFER: usize = 64 * 1024;

impl Output {
    /// Begins a file with a header.
    pub(super) fn create(file: &Path, header: &Header) -> Result<Self, TraceError> {
        let file = OutputFile::create(file).map_err(|error| TraceError::Io {
            file: error.path,
            cause: error.cause,
        })?;
        let path = file.path().to_owned();
        let begun = Self::begin(file, header);
        begun.map_err(|cause| TraceError::Io { file: path, cause })
    }

    fn begin(file: OutputFile, header: &Header) -> io::Result<Self> {
        let mut blocks = Blocks::default();
        blocks.bare(&MAGIC);
        blocks.bare(&header.format().to_le_bytes());
        let mut output = Self {
            file,
            blocks,
            frames: 0,
            compressor: header.compressed.then(Compressor::new).transpose()?,
        };
        output.append(|frame| {
            encode(header, frame)?;
            match header.format() {
                OLDEST_FORMAT => Ok(()),
                _ => encode(&header.run, frame),
            }
        })?;
        output.write_out()?;
        Ok(output)
    }

    /// Path of the file.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Appends one frame to the buffer.
    pub(super) fn append(
        &mut self,
        content: impl FnOnce(&mut Vec<u8>) -> Encoded,
    ) -> io::Result<()> {
        let (frame, bytes) = self.begin_frame();
        let written = content(bytes);
        self.end_frame(frame, written)
    }

    /// Begins a frame in the buffer: [`Blocks::begin_frame`].
    #[inline(always)]
    pub(super) fn begin_frame(&mut self) -> (Frame, &mut Vec<u8>) {
        self.blocks.begin_frame()
    }

    /// Ends a frame: [`Blocks::end_frame`].
    #[inline(always)]
    pub(super) fn end_frame(&mut self, frame: Frame, written: Encoded) -> io::Result<()> {
        let written = self.blocks.end_frame(frame, written);
        written.map_err(encoding_error)?;
        self.frames += 1;
        match self.blocks.len() {
            0..BUFFER => Ok(()),
            _ => self.write_out(),
        }
    }

    /// Writes the buffer to the file.
    pub(super) fn write_out(&mut self) -> io::Result<()> {
        self.write_to_file(Compressor::compress)
    }

    /// True if the chunk of a compressed recording has at least this number of bytes.
    fn has_chunk_of(&self, bytes: u64) -> bool {
        let compressor = self.compressor.as_ref();
        compressor.is_some_and(|it| it.content() + self.blocks.len() as u64 >= bytes)
    }

    /// Writes the buffer of a compressed recording to the file, and ends the zstd frame.
    fn end_chunk(&mut self) -> io::Result<()> {
        self.write_to_file(Compressor::compress_and_end)
    }

    /// Writes the buffer to the file, in the form that the compressor returns.
    fn write_to_file(
        &mut self,
        compress: for<'a> fn(&'a mut Compressor, &[u8]) -> io::Result<&'a [u8]>,
    ) -> io::Result<()> {
        let Self {
            file,
            blocks,
            compressor,
            ..
        } = self;
        let completed = blocks.completed().map_err(encoding_error);
        let written = completed.and_then(|bytes| match compressor {
            None => file.write_all(bytes),
            Some(_) if bytes.len() > MAX_BLOCK_BYTES as usize => Err(too_large()),
            Some(compressor) => file.write_all(compress(compressor, bytes)?),
        });
        blocks.clear();
        written?;
        self.file.flush()
    }

    /// Writes the buffer to the file, and the table of a compressed recording.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.write_out()?;
        if let Some(compressor) = &mut self.compressor {
            self.file.write_all(compressor.finish()?)?;
        }
        self.file.flush()
    }
}

/// Error for a block that would be refused when the recording is read.
#[cold]
fn too_large() -> io::Error {
    let limit = MAX_BLOCK_BYTES >> 20;
    io::Error::other(format!(
        "a message has more than {limit} MiB: record it without compression"
    ))
}

#[cold]
fn encoding_error(text: Box<str>) -> io::Error {
    io::Error::other(String::from(text))
}

impl Drop for Output {
    fn drop(&mut self) {
        // Callers that can handle an error have flushed before.
        let _ = self.finish();
    }
}

impl AtExit for Output {
    fn end(&mut self) -> io::Result<()> {
        self.finish()
    }

    fn name(&self) -> String {
        format!("recording {}", self.file.path().display())
    }
}

/// Chunks of a compressed recording, each from a landmark to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunks {
    /// Sequence number of the first message since the last landmark. Lower numbers are of earlier
    /// messages.
    first: u64,
    /// Largest sequence number of a message.
    largest: u64,
    /// True if ticks go back within the present chunk.
    goes_back: bool,
    /// Number of bytes at which a chunk ends, at the end of the tick.
    size: u64,
}

/// Default number of bytes of a chunk.
const CHUNK: u64 = 1 << 20;

impl Default for Chunks {
    fn default() -> Self {
        Self {
            first: 0,
            largest: 0,
            goes_back: false,
            size: CHUNK,
        }
    }
}

impl Chunks {
    /// Sets the number of bytes of a chunk.
    #[cfg(test)]
    pub(super) fn set_size(&mut self, bytes: u64) {
        self.size = bytes;
    }

    /// Ends a chunk that is large enough, before the first entry of a tick. Returns true if it has
    /// ended.
    pub(super) fn end(
        &mut self,
        output: &mut Output,
        position: Position,
        kinds: &[Kind],
    ) -> io::Result<bool> {
        if !output.has_chunk_of(self.size) {
            return Ok(false);
        }
        output.end_chunk()?;
        let landmark = Landmark {
            frame: output.frames,
            sequence: position.sequence,
            tick: position.tick,
            goes_back: std::mem::take(&mut self.goes_back),
            kinds: kinds.to_vec(),
        };
        output.append(|frame| {
            Position::default().write(FrameHeader::Landmark, 0, frame);
            encode(&landmark, frame)
        })?;
        // A reader that looks for a landmark unpacks only its block.
        output.write_out()?;
        self.first = self.largest + 1;
        Ok(true)
    }

    /// Adds an entry to the state. Returns true for a reply whose message is in an earlier chunk.
    pub(super) fn is_earlier(&mut self, sequence: u64, is_message: bool, goes_back: bool) -> bool {
        self.goes_back |= goes_back;
        if is_message {
            self.largest = self.largest.max(sequence);
        }
        !is_message && sequence < self.first
    }
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, Serializer, ser::Error as _};
    use tempfile::TempDir;

    use super::*;
    use crate::trace::Trace;

    /// Value without a serialized form.
    struct Formless;

    impl Serialize for Formless {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("it has no form"))
        }
    }

    fn output(folder: &TempDir, compressed: bool) -> Output {
        let header = Header {
            compressed,
            ..Header::new()
        };
        Output::create(&folder.path().join("run.trace"), &header).unwrap()
    }

    fn entries(folder: &TempDir) -> usize {
        let trace = Trace::open(folder.path().join("run.trace")).unwrap();
        trace.map(Result::unwrap).count()
    }

    #[test]
    fn a_value_without_a_form_is_an_error_and_leaves_no_frame() {
        for compressed in [false, true] {
            let folder = TempDir::new().unwrap();
            let mut output = output(&folder, compressed);
            let written = output.append(|frame| {
                frame.extend([1; 10_000]);
                encode(&Formless, frame)
            });
            assert_eq!(written.unwrap_err().to_string(), "it has no form");
            output.finish().unwrap();
            drop(output);
            assert_eq!(entries(&folder), 0);
        }
    }
}
