//! Stands in for memories of the process, for files and for what doorbells see.

use std::cell::RefCell;
use std::collections::HashMap;

use bytes::Bytes;
use mailbox_rs::{Errno, Layout, OpenFlags};

use super::score::Shared;
use crate::actors::files::{Disk, DiskFile};
use crate::actors::memory::Local;
use crate::bus::Ticket;
use crate::config::ChannelConfig;
use crate::mem::{
    AccessError, BackendError, MemoryId, MemoryMap, Op, Outcome, Segment, Segments, Store, part,
};
use crate::messages::announced::{FileOpened, FileRead, FileSought, FileWritten, Rang};
use crate::messages::mailbox::Sight;

/// Memories that answer what they answered.
pub(super) struct RecordedMemory(Shared);

impl RecordedMemory {
    pub(super) fn new(score: Shared) -> Self {
        Self(score)
    }
}

impl Local for RecordedMemory {
    fn execute(&self, of: Ticket, _: &Op<Segments>) -> Result<Outcome, AccessError> {
        self.0.answer(of.sequence).unwrap_or_else(|| Err(unknown()))
    }
}

/// Where the recording has no answer: the replay is over, and nobody reads this.
fn unknown() -> AccessError {
    AccessError::Backend {
        memory: "a recording".to_owned(),
        offset: 0,
        len: 0,
        cause: Box::new(BackendError::OtherMap),
    }
}

/// A disk that answers what it answered.
pub(super) struct RecordedDisk(Shared);

impl RecordedDisk {
    pub(super) fn new(score: Shared) -> Self {
        Self(score)
    }
}

impl Disk for RecordedDisk {
    fn open(&mut self, _: &str, _: OpenFlags) -> Result<Box<dyn DiskFile>, Errno> {
        let seen: FileOpened = self.0.announced().ok_or(Errno::EIO)?;
        seen.opened?;
        Ok(Box::new(RecordedDisk(self.0.clone())))
    }
}

/// An open file is as good as any: what it answers comes next.
impl DiskFile for RecordedDisk {
    fn read(&mut self, _: u64) -> Result<Bytes, Errno> {
        let seen: Option<FileRead> = self.0.announced();
        seen.map_or(Err(Errno::EIO), |seen| seen.read)
    }

    fn write(&mut self, _: &[u8]) -> Result<u64, Errno> {
        let seen: Option<FileWritten> = self.0.announced();
        seen.map_or(Err(Errno::EIO), |seen| seen.written)
    }

    fn seek(&mut self, _: u64) -> Result<u64, Errno> {
        let seen: Option<FileSought> = self.0.announced();
        seen.map_or(Err(Errno::EIO), |seen| seen.sought)
    }
}

/// What doorbells look at: the words of channels, as they were when a bell rang last.
pub(super) struct Sights {
    score: Shared,
    channels: Vec<(Layout, Segments)>,
    seen: RefCell<HashMap<(MemoryId, u64), u8>>,
}

impl Sights {
    pub(super) fn new(score: Shared, map: &MemoryMap, channels: &[ChannelConfig]) -> Self {
        let served = channels.iter().filter_map(|channel| {
            let mailbox = channel.mailbox?;
            let size = mailbox.layout.channel_size;
            let place = map.resolve(channel.space, mailbox.address, size);
            Some((mailbox.layout, place.unwrap_or_default()))
        });
        Self {
            score,
            channels: served.collect(),
            seen: RefCell::default(),
        }
    }

    /// The bell of a channel that has the segment rings next: what it is to see.
    fn ringing(&self, at: &Segment) -> Result<(), AccessError> {
        let Some(rang) = self.score.announced::<Rang>() else {
            return Ok(());
        };
        let channel = usize::try_from(rang.channel.0).ok();
        let Some((layout, place)) = channel.and_then(|channel| self.channels.get(channel)) else {
            return Ok(());
        };
        let has = |part: &Segment| {
            part.memory == at.memory
                && part.offset <= at.offset
                && at.offset < part.offset + part.len
        };
        if !place.iter().any(has) {
            return Ok(());
        }
        if let Some(sight) = &rang.sight {
            self.see(layout, place, sight);
        }
        rang.blind.map_or(Ok(()), Err)
    }

    fn see(&self, layout: &Layout, place: &Segments, sight: &Sight) {
        let handshake = sight.handshake.as_ref();
        let words = [
            (layout.state, Some(sight.state)),
            (layout.request.idx_p, Some(sight.request_put)),
            (layout.response.idx_c, sight.response_taken),
            (layout.version, handshake.map(|words| words.version)),
            (
                layout.request.idx_c,
                handshake.map(|words| words.request_taken),
            ),
            (
                layout.response.idx_p,
                handshake.map(|words| words.response_put),
            ),
        ];
        let mut seen = self.seen.borrow_mut();
        for (offset, word) in words {
            let Some(word) = word else { continue };
            let bytes = part(place, offset, 4).into_iter().flat_map(|segment| {
                (0..segment.len).map(move |byte| (segment.memory, segment.offset + byte))
            });
            seen.extend(bytes.zip(word.to_le_bytes()));
        }
    }
}

/// Only looked at: all else that is asked of memory goes by messages.
impl Store for Sights {
    fn read(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.ringing(at)?;
        let seen = self.seen.borrow();
        for (to, offset) in to.iter_mut().zip(at.offset..) {
            *to = seen.get(&(at.memory, offset)).copied().unwrap_or(0);
        }
        Ok(())
    }

    fn write(&self, _: &Segment, _: &[u8]) -> Result<(), AccessError> {
        Err(unknown())
    }
}
