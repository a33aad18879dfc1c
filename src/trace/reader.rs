//! Reader of recordings. Returns entries or an error for any content of the file.

use std::ops::{Range, RangeInclusive};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::block_reader::{BlockError, BlockReader};
use super::blocks::{PREFIX, frame_at};
use super::codec::{deserialize, deserialize_first};
use super::entry::{Content, ContentRef, Entry, EntryRef};
use super::format::{FORMAT, Header, Kind, MAGIC, OLDEST_FORMAT};
use super::frame_header::{FrameHeader, Position};
use super::landmark::Landmark;
use super::open::OpenMessages;
use super::{FrameError, TraceError};
use crate::bus::Endpoint;

/// Number of bytes before the first block: the magic number and the version.
const BEGIN: u64 = MAGIC.len() as u64 + 4;

/// Iterator over the entries of a recording, from its beginning to its end.
///
/// A truncated recording ends with its last complete block of frames. A damaged one ends with an
/// error.
#[derive(Debug)]
pub struct Trace {
    file: PathBuf,
    blocks: BlockReader,
    /// Current block.
    block: Bytes,
    /// Start of its unread frames.
    unread: usize,
    /// Number of the next frame.
    frame: u64,
    position: Position,
    header: Header,
    kinds: Vec<Arc<Kind>>,
    /// Number of the kind, and root, of each message without a reply so far, by sequence number.
    open: OpenMessages<(u32, u64)>,
    last_reply: Option<LastReply>,
    current: Option<Current>,
    ended: bool,
}

/// Last entry that was read.
#[derive(Debug, Clone)]
struct Current {
    sequence: u64,
    root: u64,
    kind: u32,
    content: EntryContent,
}

/// Content of the last entry. Ranges refer to the current block.
#[derive(Debug, Clone)]
enum EntryContent {
    Message { body: Range<usize>, awaited: bool },
    LastReply,
}

/// Last reply or missing reply.
#[derive(Debug, Clone)]
enum LastReply {
    /// Bytes of the current block.
    Here(Range<usize>),
    /// Bytes of an earlier block.
    Earlier(Bytes),
    Dropped,
}

impl Trace {
    /// Opens a recording and reads its header.
    ///
    /// # Errors
    /// Fails if the file can't be read, or is not a recording of this format.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, TraceError> {
        let file = file.as_ref().to_owned();
        // Checked before the opening, which would wait for the other end of a pipe.
        if let Some(kind) = other_kind(&file) {
            return Err(TraceError::NoFile { file, kind });
        }
        let blocks = BlockReader::open(&file).map_err(|error| failed(&file, 0, error))?;
        let mut trace = Self {
            blocks,
            block: Bytes::new(),
            unread: 0,
            frame: 0,
            position: Position::default(),
            header: Header::default(),
            kinds: Vec::new(),
            open: OpenMessages::default(),
            last_reply: None,
            current: None,
            ended: false,
            file,
        };
        trace.read_header()?;
        Ok(trace)
    }

    /// Header of the recording.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Path of the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Number of unread bytes of the file.
    pub fn remaining_bytes(&self) -> u64 {
        self.blocks.remaining_bytes()
    }

    /// Skips chunks without an entry of these ticks, in a compressed recording of which only the
    /// header was read. Entries of other ticks remain, because a chunk has about a megabyte. In an
    /// uncompressed recording nothing is skipped.
    ///
    /// After a gap, the message of a reply may be missing.
    ///
    /// # Errors
    /// Fails if the file can't be read.
    pub fn skip_to(&mut self, ticks: RangeInclusive<u64>) -> Result<(), TraceError> {
        let skipped = self.blocks.skip_to(&self.file, &ticks);
        if skipped.map_err(|error| self.failed(error))? {
            self.replace_block(Bytes::new());
        }
        Ok(())
    }

    /// True if the file ended within a block. Known after the last entry was read.
    pub fn is_truncated(&self) -> bool {
        self.blocks.missing_bytes().is_some()
    }

    fn read_header(&mut self) -> Result<(), TraceError> {
        let size = self.remaining_bytes();
        let begin = match self.take(BEGIN)? {
            Some(begin) => begin,
            None => return Err(self.without_begin(size)),
        };
        let (magic, version) = begin.split_at(MAGIC.len());
        if magic != MAGIC {
            let file = self.file.clone();
            return Err(TraceError::NoTrace { file });
        }
        let found = u32_of(version);
        if !(OLDEST_FORMAT..=FORMAT).contains(&found) {
            let file = self.file.clone();
            return Err(TraceError::Version { file, found });
        }
        let Some(header) = self.next_frame()? else {
            let missing = self.blocks.missing_bytes().unwrap_or(PREFIX as u64);
            return Err(self.truncated_header(size, size.saturating_add(missing)));
        };
        let header = header_of(&self.block[header], found);
        self.header = header.map_err(|damage| self.damaged(damage))?;
        self.header.compressed = self.blocks.is_compressed();
        Ok(())
    }

    /// Error of a file of this size, which ends before its first block.
    fn without_begin(&mut self, size: u64) -> TraceError {
        let file = self.file.clone();
        if size == 0 {
            return TraceError::Empty { file };
        }
        if self.blocks.is_compressed() {
            return self.truncated_header(size, size + 1);
        }
        match self.take(size.min(MAGIC.len() as u64)) {
            Ok(Some(magic)) if MAGIC.starts_with(&magic) => {
                self.truncated_header(size, BEGIN + PREFIX as u64)
            }
            Ok(_) => TraceError::NoTrace { file },
            Err(error) => error,
        }
    }

    fn truncated_header(&self, size: u64, least: u64) -> TraceError {
        let file = self.file.clone();
        TraceError::TruncatedHeader { file, size, least }
    }

    /// Moves to the next entry. Returns false at the end.
    ///
    /// # Errors
    /// Fails if the recording is damaged, which ends it.
    pub(crate) fn advance(&mut self) -> Result<bool, TraceError> {
        self.current = None;
        while !self.ended {
            self.frame += 1;
            let read = match self.next_frame() {
                Ok(Some(frame)) => self.enter(frame).map_err(|damage| self.damaged(damage)),
                Ok(None) => {
                    self.ended = true;
                    return Ok(false);
                }
                Err(error) => Err(error),
            };
            match read {
                Ok(()) if self.current.is_some() => return Ok(true),
                Ok(()) => {}
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        Ok(false)
    }

    /// Number of the frame that was read last.
    pub(crate) fn frame(&self) -> u64 {
        self.frame
    }

    /// Last entry that was read; `None` at the end.
    #[inline(always)]
    pub(crate) fn current(&self) -> Option<EntryRef<'_>> {
        let current = self.current.as_ref()?;
        Some(EntryRef {
            frame: self.frame,
            sequence: current.sequence,
            root: current.root,
            tick: self.position.tick,
            kind: self.kinds.get(current.kind as usize)?,
            content: match (&current.content, &self.last_reply) {
                (EntryContent::Message { body, awaited }, _) => ContentRef::Message {
                    body: self.block.get(body.clone())?,
                    awaited: *awaited,
                },
                (EntryContent::LastReply, Some(LastReply::Here(body))) => ContentRef::Reply {
                    body: self.block.get(body.clone())?,
                },
                (EntryContent::LastReply, Some(LastReply::Earlier(body))) => {
                    ContentRef::Reply { body }
                }
                (EntryContent::LastReply, _) => ContentRef::Dropped,
            },
        })
    }

    /// Copy of the last entry that was read; `None` at the end.
    pub(crate) fn current_entry(&self) -> Option<Entry> {
        let current = self.current()?;
        let bytes = |body: &[u8]| match &self.last_reply {
            Some(LastReply::Earlier(earlier)) if earlier.as_ptr() == body.as_ptr() => {
                earlier.clone()
            }
            _ => self.block.slice_ref(body),
        };
        Some(Entry {
            frame: current.frame,
            sequence: current.sequence,
            root: current.root,
            tick: current.tick,
            kind: current.kind.clone(),
            content: match current.content {
                ContentRef::Message { body, awaited } => Content::Message {
                    body: bytes(body),
                    awaited,
                },
                ContentRef::Reply { body } => Content::Reply { body: bytes(body) },
                ContentRef::Dropped => Content::Dropped,
            },
        })
    }

    /// Makes the entry of a frame the current one, unless the frame only defines a kind.
    fn enter(&mut self, frame: Range<usize>) -> Result<(), FrameError> {
        let Range { start, end } = frame;
        let mut rest = &self.block[start..end];
        let header = self.position.read(&mut rest)?;
        let body = end - rest.len()..end;
        if self.blocks.take_gap() && header != FrameHeader::Landmark {
            let text = "a chunk of the recording does not begin with a landmark";
            return Err(FrameError::Content(text.to_owned()));
        }
        let (kind, root, sequence, content) = match header {
            FrameHeader::Kind => {
                self.kinds.push(Arc::new(deserialize(rest)?));
                return Ok(());
            }
            FrameHeader::Landmark => {
                let landmark = deserialize(rest)?;
                return self.landmark(landmark);
            }
            FrameHeader::Earlier {
                sequence,
                root,
                kind,
            } => return self.earlier(sequence, root, kind),
            FrameHeader::Message {
                sequence,
                root,
                kind,
                awaited,
            } => {
                // Events have no reply.
                if self.kind(kind)?.to != Endpoint::EVENT.name() {
                    self.open.insert(sequence, (kind, root));
                }
                (
                    kind,
                    root,
                    sequence,
                    EntryContent::Message { body, awaited },
                )
            }
            FrameHeader::Reply { sequence } => {
                let (kind, root) = self.close(sequence)?;
                self.last_reply = Some(LastReply::Here(body));
                (kind, root, sequence, EntryContent::LastReply)
            }
            FrameHeader::Dropped { sequence } => {
                let (kind, root) = self.close(sequence)?;
                self.last_reply = Some(LastReply::Dropped);
                (kind, root, sequence, EntryContent::LastReply)
            }
            FrameHeader::Again { sequence } => {
                let (kind, root) = self.close(sequence)?;
                if self.last_reply.is_none() {
                    return Err(FrameError::UnmatchedReply(sequence));
                }
                (kind, root, sequence, EntryContent::LastReply)
            }
        };
        self.current = Some(Current {
            sequence,
            root,
            kind,
            content,
        });
        Ok(())
    }

    fn kind(&self, number: u32) -> Result<&Kind, FrameError> {
        let at = usize::try_from(number).ok();
        let known = at.and_then(|at| self.kinds.get(at));
        known.map(|kind| &**kind).ok_or(FrameError::Kind(number))
    }

    /// Takes over the state of a landmark after a gap. Otherwise compares it.
    fn landmark(&mut self, landmark: Landmark) -> Result<(), FrameError> {
        if self.blocks.has_gaps() {
            self.frame = landmark.frame;
            self.position = landmark.position();
            // Known kinds keep their identity.
            let new = landmark.kinds.into_iter().skip(self.kinds.len());
            self.kinds.extend(new.map(Arc::new));
            return Ok(());
        }
        let is_same = landmark.frame == self.frame
            && landmark.position() == self.position
            && landmark
                .kinds
                .iter()
                .eq(self.kinds.iter().map(|kind| &**kind));
        match is_same {
            true => Ok(()),
            false => Err(FrameError::Content(
                "its landmark does not match the frames before it".to_owned(),
            )),
        }
    }

    /// Adds a message from before a gap.
    fn earlier(&mut self, sequence: u64, root: u64, kind: u32) -> Result<(), FrameError> {
        self.kind(kind)?;
        match self.open.get(sequence) {
            Some(known) if *known == (kind, root) => Ok(()),
            None if self.blocks.has_gaps() => {
                self.open.insert(sequence, (kind, root));
                Ok(())
            }
            _ => Err(FrameError::UnmatchedReply(sequence)),
        }
    }

    fn close(&mut self, sequence: u64) -> Result<(u32, u64), FrameError> {
        self.open
            .remove(sequence)
            .ok_or(FrameError::UnmatchedReply(sequence))
    }

    /// Returns the next frame's range in the block; `None` at the end, or if the file is truncated.
    fn next_frame(&mut self) -> Result<Option<Range<usize>>, TraceError> {
        if self.unread == self.block.len() {
            let Some(block) = self.blocks.next().map_err(|error| self.failed(error))? else {
                return Ok(None);
            };
            self.replace_block(block);
        }
        let unread = &self.block[self.unread..];
        let content = frame_at(unread).filter(|content| content.end <= unread.len());
        let Some(Range { start, end }) = content else {
            return Err(self.damaged(FrameError::Content(
                "it is longer than its block".to_owned(),
            )));
        };
        let frame = self.unread + start..self.unread + end;
        self.unread = frame.end;
        Ok(Some(frame))
    }

    /// Replaces the current block. The last reply keeps its bytes.
    fn replace_block(&mut self, block: Bytes) {
        if let Some(LastReply::Here(body)) = &self.last_reply {
            self.last_reply = Some(LastReply::Earlier(self.block.slice(body.clone())));
        }
        self.block = block;
        self.unread = 0;
    }

    fn take(&mut self, len: u64) -> Result<Option<Vec<u8>>, TraceError> {
        let taken = self.blocks.take(len);
        taken.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: BlockError) -> TraceError {
        failed(&self.file, self.frame, error)
    }

    /// Builds the error for an invalid entry of this frame.
    pub(crate) fn damage_of(&self, frame: u64, damage: FrameError) -> TraceError {
        TraceError::Damaged {
            file: self.file.clone(),
            frame,
            damage,
        }
    }

    fn damaged(&self, damage: FrameError) -> TraceError {
        self.damage_of(self.frame, damage)
    }
}

impl Iterator for Trace {
    type Item = Result<Entry, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.advance();
        read.map(|_| self.current_entry()).transpose()
    }
}

/// Kind of a file that is not regular. A missing file is reported by its opening.
fn other_kind(file: &Path) -> Option<&'static str> {
    let kind = file.metadata().ok()?.file_type();
    if kind.is_file() {
        return None;
    }
    Some(if kind.is_dir() {
        "folder"
    } else if kind.is_fifo() {
        "pipe"
    } else if kind.is_socket() {
        "socket"
    } else {
        "device"
    })
}

/// Error of a file at a frame.
fn failed(file: &Path, frame: u64, error: BlockError) -> TraceError {
    let file = file.to_owned();
    match error {
        BlockError::Io(cause) => TraceError::Io { file, cause },
        BlockError::Damaged(damage) => TraceError::Damaged {
            file,
            frame,
            damage,
        },
    }
}

/// Header in the first frame, for a supported format.
fn header_of(frame: &[u8], format: u32) -> Result<Header, FrameError> {
    if format == OLDEST_FORMAT {
        return deserialize(frame);
    }
    let (header, identity): (Header, _) = deserialize_first(frame)?;
    let run = deserialize(identity)?;
    Ok(Header { run, ..header })
}

/// Converts 4 little-endian bytes.
fn u32_of(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u32::from(*byte))
}
