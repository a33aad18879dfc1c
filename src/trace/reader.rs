//! Reader of recordings. Returns entries or an error for any content of the file.

use std::ops::{Range, RangeInclusive};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::blocks::{BLOCK, PREFIX, checksum, complete_size, frame_at};
use super::chunks::{chunks, selection};
use super::codec::{deserialize, deserialize_first};
use super::compressed::Unpacked;
use super::entry::{Content, ContentRef, Entry, EntryRef};
use super::format::{FORMAT, Header, Kind, MAGIC, OLDEST_FORMAT};
use super::head::{Head, Position};
use super::input::{Filled, Input};
use super::landmark::Landmark;
use super::open::OpenMessages;
use super::{Damage, TraceError};
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
    input: Input,
    /// Positions of the chunks of a compressed recording that were not reached, the next one last.
    /// Each has true if it is to be read.
    chunks: Vec<(u64, bool)>,
    /// True if chunks were left out: messages may be missing.
    has_gaps: bool,
    /// True if the next frame is the landmark after a gap.
    is_behind_gap: bool,
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
    /// Last reply or missing reply.
    answered: Option<Answer>,
    current: Option<Current>,
    ended: bool,
    /// Minimum number of missing bytes, if the file ended within a block.
    cut: Option<u64>,
}

/// Last entry that was read.
#[derive(Debug, Clone)]
struct Current {
    sequence: u64,
    root: u64,
    kind: u32,
    part: Part,
}

/// Content of the last entry. Ranges refer to the current block.
#[derive(Debug, Clone)]
enum Part {
    Message {
        body: Range<usize>,
        awaited: bool,
    },
    /// Last reply or missing reply.
    Answer,
}

/// Reply or missing reply.
#[derive(Debug, Clone)]
enum Answer {
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
        let input = Input::open(&file).map_err(|error| failed(&file, 0, error))?;
        let mut trace = Self {
            input,
            chunks: Vec::new(),
            has_gaps: false,
            is_behind_gap: false,
            block: Bytes::new(),
            unread: 0,
            frame: 0,
            position: Position::default(),
            header: Header::default(),
            kinds: Vec::new(),
            open: OpenMessages::default(),
            answered: None,
            current: None,
            ended: false,
            cut: None,
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
    pub fn left(&self) -> u64 {
        self.input.left()
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
        let all = chunks(&self.file).map_err(|error| failed(&self.file, self.frame, error))?;
        self.chunks = selection(&all, &ticks);
        self.chunks.reverse();
        let is_read = self.chunks.pop().is_none_or(|(_, is_read)| is_read);
        if !is_read {
            self.replace_block(Bytes::new());
            self.ended = !self.leave_out()?;
        }
        Ok(())
    }

    /// Moves to the next chunk to be read. Returns false if there is none.
    fn leave_out(&mut self) -> Result<bool, TraceError> {
        while let Some((position, is_read)) = self.chunks.pop() {
            if !is_read {
                continue;
            }
            if let Input::Compressed(unpacker) = &mut self.input {
                let gone = unpacker.go_to(position);
                gone.map_err(|error| failed(&self.file, self.frame, error))?;
            }
            (self.has_gaps, self.is_behind_gap) = (true, true);
            return Ok(true);
        }
        Ok(false)
    }

    /// Skips chunks after the present one. Returns false if none is left.
    fn skip_chunks(&mut self) -> Result<bool, TraceError> {
        let Input::Compressed(unpacker) = &mut self.input else {
            return Ok(true);
        };
        let at = unpacker.between_frames();
        let at = at.map_err(|error| failed(&self.file, self.frame, error))?;
        match self.chunks.last() {
            Some((position, is_read)) if Some(*position) == at => {
                if *is_read {
                    self.chunks.pop();
                    return Ok(true);
                }
                self.leave_out()
            }
            _ => Ok(true),
        }
    }

    /// True if the file ended within a block. Known after the last entry was read.
    pub fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    fn read_header(&mut self) -> Result<(), TraceError> {
        let size = self.left();
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
            let missing = self.cut.unwrap_or(PREFIX as u64);
            return Err(self.cut_header(size, size.saturating_add(missing)));
        };
        let header = header_of(&self.block[header], found);
        self.header = header.map_err(|damage| self.damaged(damage))?;
        self.header.compressed = matches!(self.input, Input::Compressed(_));
        Ok(())
    }

    /// Error of a file of this size, which ends before its first block.
    fn without_begin(&mut self, size: u64) -> TraceError {
        let file = self.file.clone();
        if size == 0 {
            return TraceError::Empty { file };
        }
        if let Input::Compressed(_) = self.input {
            return self.cut_header(size, size + 1);
        }
        match self.take(size.min(MAGIC.len() as u64)) {
            Ok(Some(magic)) if MAGIC.starts_with(&magic) => {
                self.cut_header(size, BEGIN + PREFIX as u64)
            }
            Ok(_) => TraceError::NoTrace { file },
            Err(error) => error,
        }
    }

    fn cut_header(&self, size: u64, least: u64) -> TraceError {
        let file = self.file.clone();
        TraceError::CutHeader { file, size, least }
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
            content: match (&current.part, &self.answered) {
                (Part::Message { body, awaited }, _) => ContentRef::Message {
                    body: self.block.get(body.clone())?,
                    awaited: *awaited,
                },
                (Part::Answer, Some(Answer::Here(body))) => ContentRef::Reply {
                    body: self.block.get(body.clone())?,
                },
                (Part::Answer, Some(Answer::Earlier(body))) => ContentRef::Reply { body },
                (Part::Answer, _) => ContentRef::Dropped,
            },
        })
    }

    /// Copy of the last entry that was read; `None` at the end.
    pub(crate) fn current_entry(&self) -> Option<Entry> {
        let current = self.current()?;
        let bytes = |body: &[u8]| match &self.answered {
            Some(Answer::Earlier(earlier)) if earlier.as_ptr() == body.as_ptr() => earlier.clone(),
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
    fn enter(&mut self, frame: Range<usize>) -> Result<(), Damage> {
        let Range { start, end } = frame;
        let mut rest = &self.block[start..end];
        let head = self.position.read(&mut rest)?;
        let body = end - rest.len()..end;
        if std::mem::take(&mut self.is_behind_gap) && head != Head::Landmark {
            let text = "a chunk of the recording does not begin with a landmark";
            return Err(Damage::Content(text.to_owned()));
        }
        let (kind, root, sequence, part) = match head {
            Head::Kind => {
                self.kinds.push(Arc::new(deserialize(rest)?));
                return Ok(());
            }
            Head::Landmark => {
                let landmark = deserialize(rest)?;
                return self.landmark(landmark);
            }
            Head::Earlier {
                sequence,
                root,
                kind,
            } => return self.earlier(sequence, root, kind),
            Head::Message {
                sequence,
                root,
                kind,
                awaited,
            } => {
                // Events have no reply.
                if self.kind(kind)?.to != Endpoint::EVENT.name() {
                    self.open.insert(sequence, (kind, root));
                }
                (kind, root, sequence, Part::Message { body, awaited })
            }
            Head::Reply { sequence } => {
                let (kind, root) = self.close(sequence)?;
                self.answered = Some(Answer::Here(body));
                (kind, root, sequence, Part::Answer)
            }
            Head::Dropped { sequence } => {
                let (kind, root) = self.close(sequence)?;
                self.answered = Some(Answer::Dropped);
                (kind, root, sequence, Part::Answer)
            }
            Head::Again { sequence } => {
                let (kind, root) = self.close(sequence)?;
                if self.answered.is_none() {
                    return Err(Damage::UnmatchedReply(sequence));
                }
                (kind, root, sequence, Part::Answer)
            }
        };
        self.current = Some(Current {
            sequence,
            root,
            kind,
            part,
        });
        Ok(())
    }

    fn kind(&self, number: u32) -> Result<&Kind, Damage> {
        let at = usize::try_from(number).ok();
        let known = at.and_then(|at| self.kinds.get(at));
        known.map(|kind| &**kind).ok_or(Damage::Kind(number))
    }

    /// Takes over the state of a landmark after a gap. Otherwise compares it.
    fn landmark(&mut self, landmark: Landmark) -> Result<(), Damage> {
        if self.has_gaps {
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
            false => Err(Damage::Content(
                "its landmark does not match the frames before it".to_owned(),
            )),
        }
    }

    /// Adds a message from before a gap.
    fn earlier(&mut self, sequence: u64, root: u64, kind: u32) -> Result<(), Damage> {
        self.kind(kind)?;
        match self.open.get(sequence) {
            Some(known) if *known == (kind, root) => Ok(()),
            None if self.has_gaps => {
                self.open.insert(sequence, (kind, root));
                Ok(())
            }
            _ => Err(Damage::UnmatchedReply(sequence)),
        }
    }

    fn close(&mut self, sequence: u64) -> Result<(u32, u64), Damage> {
        self.open
            .remove(sequence)
            .ok_or(Damage::UnmatchedReply(sequence))
    }

    /// Returns the next frame's range in the block; `None` at the end, or if the file is truncated.
    fn next_frame(&mut self) -> Result<Option<Range<usize>>, TraceError> {
        if self.unread == self.block.len() {
            let Some(block) = self.next_block()? else {
                return Ok(None);
            };
            self.replace_block(block);
        }
        let unread = &self.block[self.unread..];
        let content = frame_at(unread).filter(|content| content.end <= unread.len());
        let Some(Range { start, end }) = content else {
            return Err(self.damaged(Damage::Content("it is longer than its block".to_owned())));
        };
        let frame = self.unread + start..self.unread + end;
        self.unread = frame.end;
        Ok(Some(frame))
    }

    /// Replaces the current block. The last reply keeps its bytes.
    fn replace_block(&mut self, block: Bytes) {
        if let Some(Answer::Here(body)) = &self.answered {
            self.answered = Some(Answer::Earlier(self.block.slice(body.clone())));
        }
        self.block = block;
        self.unread = 0;
    }

    /// Reads the next block, which is not empty; `None` at the end, or if the file is truncated.
    fn next_block(&mut self) -> Result<Option<Bytes>, TraceError> {
        if !self.chunks.is_empty() && !self.skip_chunks()? {
            return Ok(None);
        }
        let mut prefix = [0; PREFIX];
        let filled = self.input.fill(&mut prefix);
        let filled = filled.map_err(|error| failed(&self.file, self.frame, error))?;
        if filled != Filled::All {
            self.cut = (filled == Filled::Part).then(|| self.missing(PREFIX as u64));
            return Ok(None);
        }
        let [a, b, c, d, sum @ ..] = prefix;
        let len = u32::from_le_bytes([a, b, c, d]);
        if len == 0 {
            return Err(self.damaged(Damage::Content("its block is empty".to_owned())));
        }
        if len > self.input.most_block() {
            let text = format!("its block of {len} bytes is too large for a compressed recording");
            return Err(self.damaged(Damage::Content(text)));
        }
        let Some(block) = self.take(u64::from(len))? else {
            self.cut = Some(self.missing(u64::from(len)));
            return self.end_of_cut_block(len);
        };
        if checksum([a, b, c, d], &block) != u32::from_le_bytes(sum) {
            return Err(self.damaged(Damage::Checksum));
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
    fn end_of_cut_block(&mut self, len: u32) -> Result<Option<Bytes>, TraceError> {
        let Input::Plain { left, .. } = self.input else {
            return Ok(None);
        };
        let rest = self.take(left.min(BLOCK as u64 + 5))?;
        let size = rest.and_then(|rest| complete_size(&rest));
        match size.and_then(|size| u32::try_from(size).ok()) {
            Some(size) if size != len => Err(self.damaged(Damage::Checksum)),
            _ => Ok(None),
        }
    }

    /// Reads the next `len` bytes; `None` if the file has fewer.
    fn take(&mut self, len: u64) -> Result<Option<Vec<u8>>, TraceError> {
        let taken = self.input.take(len);
        taken.map_err(|error| failed(&self.file, self.frame, error))
    }

    /// Builds the error for an invalid entry of this frame.
    pub(crate) fn damage_of(&self, frame: u64, damage: Damage) -> TraceError {
        TraceError::Damaged {
            file: self.file.clone(),
            frame,
            damage,
        }
    }

    fn damaged(&self, damage: Damage) -> TraceError {
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
fn failed(file: &Path, frame: u64, error: Unpacked) -> TraceError {
    let file = file.to_owned();
    match error {
        Unpacked::Io(cause) => TraceError::Io { file, cause },
        Unpacked::Damaged(text) => TraceError::Damaged {
            file,
            frame,
            damage: Damage::Compressed(text),
        },
    }
}

/// Header in the first frame, for a supported format.
fn header_of(frame: &[u8], format: u32) -> Result<Header, Damage> {
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
