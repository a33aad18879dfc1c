//! Reads a recording. Whatever the file holds, this gives entries or an error.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::format::{FORMAT, Head, Header, Kind, MAGIC, PREFIX};
use super::vocabulary::{split, whole};
use super::{Damage, TraceError};
use crate::attach::Passing;
use crate::bus::Body;
use crate::guest;

/// A recording, read from its beginning to its end: an iterator over its entries.
///
/// A recording that was cut off ends with its last whole frame. One that was damaged ends with an error.
#[derive(Debug)]
pub struct Trace {
    file: PathBuf,
    bytes: BufReader<File>,
    /// Bytes that are left of the file.
    left: u64,
    frame: u64,
    header: Header,
    kinds: Vec<Arc<Kind>>,
    /// Messages that are not answered yet.
    open: FxHashMap<u64, (Arc<Kind>, u64)>,
    /// Reply or missing answer that was read last, with its tick.
    answered: Option<(u64, Said)>,
    ended: bool,
}

/// One message or reply of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of its frame; the header is number 0.
    pub frame: u64,
    /// Which message: its position in the order in which messages were posted. A reply has that of its message.
    pub sequence: u64,
    /// The message that the answer is for in the end; see [`Ticket::root`](crate::bus::Ticket::root).
    pub root: u64,
    /// When, in ticks.
    pub tick: u64,
    /// Sender, receiver and name of the message.
    pub kind: Arc<Kind>,
    /// What is said.
    pub said: Said,
}

impl Entry {
    /// The entry, for whoever tells whose messages are; `body` is what was [decoded](super::decode) of it.
    pub fn passing<'a>(&'a self, body: Option<&'a dyn Body>) -> Passing<'a> {
        Passing {
            sequence: self.sequence,
            root: self.root,
            from: &self.kind.from,
            to: &self.kind.to,
            is_message: matches!(self.said, Said::Message { .. }),
            body,
        }
    }
}

/// What an [`Entry`] says. [`decode`](super::decode) makes messages of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A message was posted.
    Message {
        /// The message, serialized.
        body: Bytes,
        /// Whether its sender waits for the answer.
        awaited: bool,
    },
    /// A message was answered.
    Reply {
        /// The reply, serialized.
        body: Bytes,
    },
    /// A message had no answer.
    Dropped,
}

impl Trace {
    /// Opens a recording and reads its header.
    ///
    /// # Errors
    /// A file that can't be read, or is no recording of this format.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, TraceError> {
        let file = file.as_ref().to_owned();
        let io = |cause| TraceError::Io {
            file: file.clone(),
            cause,
        };
        let opened = guest::open(&file).map_err(io)?;
        let left = opened.metadata().map_err(io)?.len();
        let mut trace = Self {
            bytes: BufReader::new(opened),
            left,
            frame: 0,
            header: Header::default(),
            kinds: Vec::new(),
            open: FxHashMap::default(),
            answered: None,
            ended: false,
            file,
        };
        trace.read_header()?;
        Ok(trace)
    }

    /// Where it comes from.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Bytes of its file that are still to be read.
    pub fn left(&self) -> u64 {
        self.left
    }

    fn read_header(&mut self) -> Result<(), TraceError> {
        let no_trace = |trace: &Self| TraceError::NoTrace {
            file: trace.file.clone(),
        };
        let begin = self.take(MAGIC.len() as u64 + 4)?;
        let begin = begin.ok_or_else(|| no_trace(self))?;
        let (magic, version) = begin.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(no_trace(self));
        }
        let found = u32_of(version);
        if found != FORMAT {
            let file = self.file.clone();
            return Err(TraceError::Version { file, found });
        }
        let header = self.next_frame()?.ok_or_else(|| no_trace(self))?;
        self.header = whole(&header).map_err(|damage| self.damaged(damage))?;
        Ok(())
    }

    fn next_entry(&mut self) -> Result<Option<Entry>, TraceError> {
        loop {
            self.frame += 1;
            let Some(frame) = self.next_frame()? else {
                return Ok(None);
            };
            let entry = self.entry(&frame);
            if let Some(entry) = entry.map_err(|damage| self.damaged(damage))? {
                return Ok(Some(entry));
            }
        }
    }

    /// The entry of a frame; none where it only names a kind.
    fn entry(&mut self, frame: &Bytes) -> Result<Option<Entry>, Damage> {
        let (head, body) = split(frame)?;
        let body = frame.slice_ref(body);
        let number = self.frame;
        let entry = |sequence, root, tick, kind, said| Entry {
            frame: number,
            sequence,
            root,
            tick,
            kind,
            said,
        };
        Ok(Some(match head {
            Head::Kind(kind) => {
                self.kinds.push(Arc::new(kind));
                return Ok(None);
            }
            Head::Message {
                sequence,
                root,
                tick,
                kind,
                awaited,
            } => {
                let known = usize::try_from(kind)
                    .ok()
                    .and_then(|kind| self.kinds.get(kind));
                let kind = known.cloned().ok_or(Damage::Kind(kind))?;
                // What is announced has no answer.
                if kind.to != "nobody" {
                    self.open.insert(sequence, (kind.clone(), root));
                }
                entry(sequence, root, tick, kind, Said::Message { body, awaited })
            }
            Head::Reply { sequence, tick } => {
                let (kind, root) = self.close(sequence)?;
                let said = Said::Reply { body };
                self.answered = Some((tick, said.clone()));
                entry(sequence, root, tick, kind, said)
            }
            Head::Dropped { sequence, tick } => {
                let (kind, root) = self.close(sequence)?;
                self.answered = Some((tick, Said::Dropped));
                entry(sequence, root, tick, kind, Said::Dropped)
            }
            Head::Again { sequence } => {
                let (kind, root) = self.close(sequence)?;
                let answered = self.answered.clone();
                let (tick, said) = answered.ok_or(Damage::NoQuestion(sequence))?;
                entry(sequence, root, tick, kind, said)
            }
        }))
    }

    fn close(&mut self, sequence: u64) -> Result<(Arc<Kind>, u64), Damage> {
        self.open
            .remove(&sequence)
            .ok_or(Damage::NoQuestion(sequence))
    }

    /// The bytes of the next frame; none at the end, or where the file was cut off.
    fn next_frame(&mut self) -> Result<Option<Bytes>, TraceError> {
        let mut prefix = [0; PREFIX];
        if !self.fill(&mut prefix)? {
            return Ok(None);
        }
        let (len, checksum) = prefix.split_at(4);
        let Some(frame) = self.take(u64::from(u32_of(len)))? else {
            return Ok(None);
        };
        if crc32fast::hash(&frame) != u32_of(checksum) {
            return Err(self.damaged(Damage::Checksum));
        }
        Ok(Some(frame.into()))
    }

    /// The next bytes; none where the file has not so many.
    fn take(&mut self, len: u64) -> Result<Option<Vec<u8>>, TraceError> {
        if len > self.left {
            return Ok(None);
        }
        // No more than the file has.
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
        Ok(self.fill(&mut bytes)?.then_some(bytes))
    }

    /// Reads the next bytes. False where the file has not so many.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<bool, TraceError> {
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            return Ok(false);
        };
        match self.bytes.read_exact(bytes) {
            Ok(()) => {
                self.left = left;
                Ok(true)
            }
            // It has become shorter meanwhile.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(cause) => {
                let file = self.file.clone();
                Err(TraceError::Io { file, cause })
            }
        }
    }

    /// Says that an entry is not what it is to be.
    pub(crate) fn damage_of(&self, entry: &Entry, damage: Damage) -> TraceError {
        TraceError::Damaged {
            file: self.file.clone(),
            frame: entry.frame,
            damage,
        }
    }

    fn damaged(&self, damage: Damage) -> TraceError {
        TraceError::Damaged {
            file: self.file.clone(),
            frame: self.frame,
            damage,
        }
    }
}

impl Iterator for Trace {
    type Item = Result<Entry, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_entry().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Of 4 bytes.
fn u32_of(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u32::from(*byte))
}
