//! Writer of recordings from the entries of another one.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::format::{Header, Kind};
use super::frame_header::{FrameHeader, Position};
use super::output::{Chunks, Output};
use super::{Content, Entry, TraceError};

/// Recording that is written entry by entry, with frame numbers of its own.
pub(crate) struct Writer {
    output: Output,
    kinds: Vec<Kind>,
    numbers: HashMap<Arc<Kind>, u32>,
    position: Position,
    chunks: Option<Chunks>,
}

impl Writer {
    /// Begins a recording.
    ///
    /// # Errors
    /// Fails if the file can't be written.
    pub(crate) fn create(file: &Path, header: &Header) -> Result<Self, TraceError> {
        Ok(Self {
            output: Output::create(file, header)?,
            kinds: Vec::new(),
            numbers: HashMap::new(),
            position: Position::default(),
            chunks: header.compressed.then(Chunks::default),
        })
    }

    /// Writes an entry. Replies must follow their messages.
    ///
    /// # Errors
    /// Fails if the file can't be written.
    pub(crate) fn write(&mut self, entry: &Entry) -> Result<(), TraceError> {
        self.append(entry).map_err(|cause| self.error(cause))
    }

    /// Path of the file, whose name may have been expanded.
    pub(crate) fn file(&self) -> &Path {
        self.output.path()
    }

    /// Completes the recording.
    ///
    /// # Errors
    /// Fails if the file can't be written.
    pub(crate) fn finish(mut self) -> Result<(), TraceError> {
        self.output.finish().map_err(|cause| self.error(cause))
    }

    fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let kind = self.number(&entry.kind)?;
        let Entry {
            sequence,
            root,
            tick,
            ..
        } = *entry;
        let is_message = matches!(entry.content, Content::Message { .. });
        if let Some(chunks) = &mut self.chunks {
            let last = self.position.tick;
            if tick != last {
                chunks.end(&mut self.output, self.position, &self.kinds)?;
            }
            if chunks.is_earlier(sequence, is_message, tick < last) {
                let header = FrameHeader::Earlier {
                    sequence,
                    root,
                    kind,
                };
                self.frame(header, last, &Bytes::new())?;
            }
        }
        let nothing = Bytes::new();
        let (header, body) = match &entry.content {
            Content::Message { body, awaited } => {
                let header = FrameHeader::Message {
                    sequence,
                    root,
                    kind,
                    awaited: *awaited,
                };
                (header, body)
            }
            Content::Reply { body } => (FrameHeader::Reply { sequence }, body),
            Content::Dropped => (FrameHeader::Dropped { sequence }, &nothing),
        };
        self.frame(header, tick, body)
    }

    /// Number of a kind, which is defined at its first use.
    fn number(&mut self, kind: &Arc<Kind>) -> io::Result<u32> {
        if let Some(number) = self.numbers.get(kind) {
            return Ok(*number);
        }
        let number = u32::try_from(self.kinds.len()).map_err(io::Error::other)?;
        self.output.append(|frame| {
            Position::default().write(FrameHeader::Kind, 0, frame);
            super::encode(&**kind, frame)
        })?;
        self.kinds.push((**kind).clone());
        self.numbers.insert(kind.clone(), number);
        Ok(number)
    }

    fn frame(&mut self, header: FrameHeader, tick: u64, body: &Bytes) -> io::Result<()> {
        let position = &mut self.position;
        self.output.append(|frame| {
            position.write(header, tick, frame);
            frame.extend_from_slice(body);
            Ok(())
        })
    }

    fn error(&self, cause: io::Error) -> TraceError {
        TraceError::Io {
            file: self.output.path().to_owned(),
            cause,
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("file", &self.output.path())
            .finish_non_exhaustive()
    }
}
