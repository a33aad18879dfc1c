//! Recorded memories, files, sockets and doorbell reads.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

use bytes::Bytes;
use mailbox_rs::{
    Errno, FileStatus, Index, Layout, OpenFlags, PosixFlags, RequestEntry, Timestamp, Whence,
};
use rustc_hash::FxHashMap;

use super::comparison::SharedComparison;
use crate::actors::files::{Disk, DiskFile, Opened};
use crate::actors::memory::LocalMemory;
use crate::actors::service::{FrameDecoder, FrameDecoders};
use crate::actors::sockets::{Connection, Listener, Network};
use crate::attach::channels as served;
use crate::bus::Ticket;
use crate::config::ChannelConfig;
use crate::mem::{
    AccessError, BackendError, MemoryId, MemoryMap, Op, Outcome, Segment, Segments, Store, part,
};
use crate::messages::ChannelId;
use crate::messages::events::{
    DoorbellRang, FileAnswer, FileAnswered, FileOpened, FileRead, FileRefused, FileSeeked,
    FileWritten, FrameDecoded, NetworkResult, TextRefused, VersionOffered, WordsRang,
};
use crate::messages::files::PathAction;
use crate::messages::mailbox::ChannelWords;
use crate::messages::rtt::{DefmtFrame, FrameError};
use crate::messages::sockets::OsError;

/// Memories that return recorded results.
pub(super) struct RecordedMemory(SharedComparison);

impl RecordedMemory {
    pub(super) fn new(comparison: SharedComparison) -> Self {
        Self(comparison)
    }
}

impl LocalMemory for RecordedMemory {
    fn execute(&self, of: Ticket, _: &Op<Segments>) -> Result<Outcome, AccessError> {
        self.0.answer(of.sequence).unwrap_or_else(|| Err(unknown()))
    }
}

/// No recorded result: the replay has ended, and the value is not used.
fn unknown() -> AccessError {
    AccessError::Backend {
        memory: "a recording".to_owned(),
        offset: 0,
        len: 0,
        cause: Box::new(BackendError::OtherMap),
    }
}

/// Memories without bytes, which are not accessed before the end of the replay.
pub(super) struct NoMemory;

impl Store for NoMemory {
    fn read(&self, _: &Segment, _: &mut [u8]) -> Result<(), AccessError> {
        Err(unknown())
    }

    fn write(&self, _: &Segment, _: &[u8]) -> Result<(), AccessError> {
        Err(unknown())
    }
}

/// Disk that returns recorded results.
pub(super) struct RecordedDisk(SharedComparison);

impl RecordedDisk {
    pub(super) fn new(comparison: SharedComparison) -> Self {
        Self(comparison)
    }

    /// Next result of an operation of protocol 0.3, if it is of the kind that `wanted` takes.
    fn answer<T>(&self, wanted: impl FnOnce(FileAnswer) -> Option<T>) -> Result<T, Errno> {
        let seen: FileAnswered = self.0.next_own_event().ok_or(Errno::EIO)?;
        wanted(seen.answer?).ok_or(Errno::EIO)
    }

    fn done(&self) -> Result<(), Errno> {
        self.answer(|answer| (answer == FileAnswer::Done).then_some(()))
    }

    fn count(&self) -> Result<u64, Errno> {
        self.answer(|answer| match answer {
            FileAnswer::Count(count) => Some(count),
            _ => None,
        })
    }

    fn next_status(&self) -> Result<FileStatus, Errno> {
        self.answer(|answer| match answer {
            FileAnswer::Status(status) => Some(status),
            _ => None,
        })
    }
}

impl Disk for RecordedDisk {
    fn open(&mut self, _: &str, _: OpenFlags) -> Result<Box<dyn DiskFile>, Errno> {
        let seen: FileOpened = self.0.next_own_event().ok_or(Errno::EIO)?;
        seen.opened?;
        Ok(Box::new(RecordedDisk(self.0.clone())))
    }

    fn posix_open(&mut self, _: &Path, flags: PosixFlags, _: u32) -> Result<Opened, Errno> {
        if self.0.is_suspended() {
            let file = Box::new(RecordedDisk(self.0.clone()));
            let entries = flags.has(PosixFlags::DIRECTORY).then(Vec::new);
            return Ok(Opened { file, entries });
        }
        let entries = self.answer(|answer| match answer {
            FileAnswer::File => Some(None),
            FileAnswer::Directory(entries) => Some(Some(entries)),
            _ => None,
        })?;
        let file = Box::new(RecordedDisk(self.0.clone()));
        Ok(Opened { file, entries })
    }

    fn status(&mut self, _: &Path) -> Result<FileStatus, Errno> {
        self.next_status()
    }

    fn act(&mut self, _: &Path, _: &PathAction) -> Result<(), Errno> {
        self.done()
    }

    fn reason(&mut self) -> Option<String> {
        let seen: Option<FileRefused> = self.0.next_own_event();
        seen.map(|seen| seen.reason)
    }
}

/// Status of a file whose status is not recorded.
const NO_STATUS: FileStatus = FileStatus {
    size: 0,
    inode: 0,
    blocks: 0,
    accessed: NO_TIME,
    modified: NO_TIME,
    changed: NO_TIME,
    mode: 0,
    links: 0,
};

const NO_TIME: Timestamp = Timestamp {
    seconds: 0,
    nanoseconds: 0,
};

/// Open file. All files are the same, since results come in recorded order.
impl DiskFile for RecordedDisk {
    fn read(&mut self, _: u64) -> Result<Bytes, Errno> {
        let seen: Option<FileRead> = self.0.next_own_event();
        seen.map_or(Err(Errno::EIO), |seen| seen.read)
    }

    fn write(&mut self, _: &[u8]) -> Result<u64, Errno> {
        let seen: Option<FileWritten> = self.0.next_own_event();
        seen.map_or(Err(Errno::EIO), |seen| seen.written)
    }

    fn seek(&mut self, _: u64) -> Result<u64, Errno> {
        let seen: Option<FileSeeked> = self.0.next_own_event();
        seen.map_or(Err(Errno::EIO), |seen| seen.sought)
    }

    fn write_some(&mut self, _: &[u8]) -> Result<u64, Errno> {
        self.count()
    }

    /// Nothing depends on the position, since results come in recorded order.
    fn lseek(&mut self, _: Whence, _: i64) -> Result<u64, Errno> {
        match self.0.is_suspended() {
            true => Ok(0),
            false => self.count(),
        }
    }

    fn status(&mut self) -> Result<FileStatus, Errno> {
        if self.0.is_suspended() {
            return Ok(NO_STATUS);
        }
        self.next_status()
    }

    fn set_length(&mut self, _: u64) -> Result<(), Errno> {
        self.done()
    }

    fn sync(&mut self) -> Result<(), Errno> {
        self.done()
    }
}

/// Decoders that return recorded frames.
#[derive(Clone)]
pub(super) struct RecordedFrames(SharedComparison);

impl RecordedFrames {
    pub(super) fn new(comparison: SharedComparison) -> Self {
        Self(comparison)
    }
}

impl FrameDecoders for RecordedFrames {
    fn open(&self, _: ChannelId) -> Box<dyn FrameDecoder> {
        Box::new(self.clone())
    }
}

impl FrameDecoder for RecordedFrames {
    fn received(&mut self, _: &[u8]) {}

    fn next_frame(&mut self) -> Option<Result<DefmtFrame, FrameError>> {
        let decoded: Option<FrameDecoded> = self.0.next_own_event();
        decoded.map(|decoded| decoded.frame)
    }
}

/// Output of the console whose writes fail as recorded.
pub(super) struct RecordedOutput {
    comparison: SharedComparison,
    is_error: bool,
    /// Sink for users of the replay.
    sink: Box<dyn io::Write + Send>,
}

impl RecordedOutput {
    pub(super) fn new(
        comparison: SharedComparison,
        is_error: bool,
        sink: Box<dyn io::Write + Send>,
    ) -> Self {
        Self {
            comparison,
            is_error,
            sink,
        }
    }
}

/// The console flushes after each write.
impl io::Write for RecordedOutput {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // Failures of the replay's own sink are not those of the run.
        let _ = self.sink.write_all(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.sink.flush();
        let refused: Option<TextRefused> = self.comparison.next_own_event();
        match refused {
            Some(TextRefused { is_error, errno }) if is_error == self.is_error => {
                Err(io::Error::from_raw_os_error(errno.0))
            }
            _ => Ok(()),
        }
    }
}

/// Network that returns recorded results. The recording has an actor's results behind the message it served at the time:
/// they are read ahead, each once.
#[derive(Clone)]
pub(super) struct RecordedNetwork {
    comparison: SharedComparison,
    /// Frame of the last result.
    last: Rc<Cell<u64>>,
}

impl RecordedNetwork {
    pub(super) fn new(comparison: SharedComparison) -> Self {
        let last = Rc::default();
        Self { comparison, last }
    }

    fn next(&self) -> Option<NetworkResult> {
        let (frame, answer) = self.comparison.next_event_after(self.last.get())?;
        self.last.set(frame);
        Some(answer)
    }
}

/// Result of a request past the end of the recording.
const NO_ANSWER: OsError = OsError(libc::EIO);

impl Network for RecordedNetwork {
    fn listen(&mut self, port: u16) -> Result<Box<dyn Listener>, OsError> {
        if self.comparison.is_suspended() {
            let network = self.clone();
            return Ok(Box::new(RecordedListener { network, port }));
        }
        match self.next() {
            Some(NetworkResult::Listen(port)) => Ok(Box::new(RecordedListener {
                network: self.clone(),
                port: port?,
            })),
            _ => Err(NO_ANSWER),
        }
    }
}

struct RecordedListener {
    network: RecordedNetwork,
    port: u16,
}

impl Listener for RecordedListener {
    fn port(&self) -> u16 {
        self.port
    }

    fn accept(&mut self) -> Result<Option<Box<dyn Connection>>, OsError> {
        match self.network.next() {
            Some(NetworkResult::Accept(came)) => {
                Ok(came?.then(|| Box::new(self.network.clone()) as _))
            }
            _ => Err(NO_ANSWER),
        }
    }
}

/// Connection. All connections are the same, since results come in recorded order.
impl Connection for RecordedNetwork {
    fn send(&mut self, data: &[u8]) -> Result<Option<usize>, OsError> {
        match self.next() {
            Some(NetworkResult::Send(sent)) => Ok(sent?.map(|sent| sent.min(data.len()))),
            _ => Err(NO_ANSWER),
        }
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<Option<usize>, OsError> {
        let Some(NetworkResult::Receive(received)) = self.next() else {
            return Err(NO_ANSWER);
        };
        Ok(received?.map(|bytes| {
            let len = bytes.len().min(room.len());
            room[..len].copy_from_slice(&bytes[..len]);
            len
        }))
    }

    fn finish(&mut self) {}
}

/// Memory view of doorbells: the channels' words as of their last recorded change.
pub(super) struct RecordedDoorbells {
    comparison: SharedComparison,
    /// Served channels: the layout of a mailbox, and the location of the words.
    channels: Vec<(Option<Layout>, Segments)>,
    /// Channels by the places of the versions that their firmware offers.
    offers: FxHashMap<Segment, ChannelId>,
    /// Last recorded change.
    last: RefCell<Option<Ring>>,
    seen: RefCell<Blocks>,
}

/// Bytes by blocks: a memory, and a position in blocks.
type Blocks = FxHashMap<(MemoryId, u64), Box<[u8; BLOCK]>>;

/// Recorded change of a doorbell's words.
struct Ring {
    frame: u64,
    rang: Rang,
    /// True if its words are in the memory.
    is_seen: bool,
}

/// Event of a doorbell: that of a mailbox, or of another protocol.
enum Rang {
    Mailbox(DoorbellRang),
    Words(WordsRang),
}

impl Rang {
    fn channel(&self) -> ChannelId {
        match self {
            Self::Mailbox(rang) => rang.channel,
            Self::Words(rang) => rang.channel,
        }
    }

    fn read_error(&self) -> Option<&AccessError> {
        match self {
            Self::Mailbox(rang) => rang.read_error.as_ref(),
            Self::Words(rang) => rang.read_error.as_ref(),
        }
    }
}

/// Length of a block in bytes.
const BLOCK: usize = 512;

/// Parts of the `len` bytes from `offset` on: the block of each, its range there, and its range in the bytes.
fn blocks(offset: u64, len: usize) -> impl Iterator<Item = (u64, Range<usize>, Range<usize>)> {
    let skip = (offset % BLOCK as u64) as usize;
    let touched = if len == 0 {
        0
    } else {
        (skip + len).div_ceil(BLOCK)
    };
    (0..touched).map(move |at| {
        let (start, end) = (at * BLOCK, at * BLOCK + BLOCK);
        let (first, last) = (start.max(skip), end.min(skip + len));
        let block = offset / BLOCK as u64 + at as u64;
        (
            block,
            first - start..last - start,
            first - skip..last - skip,
        )
    })
}

impl RecordedDoorbells {
    pub(super) fn new(
        comparison: SharedComparison,
        map: &MemoryMap,
        channels: &[ChannelConfig],
    ) -> Self {
        let served = served(map, channels);
        let served = served.iter().map(|channel| {
            let layout = channel.mailbox().map(|mailbox| mailbox.layout);
            (layout, channel.place.clone())
        });
        let channels: Vec<(Option<Layout>, Segments)> = served.collect();
        let mut offers = FxHashMap::default();
        for (channel, (layout, place)) in (0..).map(ChannelId).zip(&channels) {
            let Some(layout) = layout else { continue };
            for segment in &part(place, layout.request.offer(), 4) {
                offers.entry(*segment).or_insert(channel);
            }
        }
        Self {
            comparison,
            offers,
            channels,
            last: RefCell::default(),
            seen: RefCell::default(),
        }
    }

    /// Words of the channels, as of their last recorded changes.
    pub(super) fn words(&self) -> Vec<(u32, u64, Bytes)> {
        let seen = self.seen.borrow();
        let words = seen.iter().map(|((memory, block), bytes)| {
            let offset = block * BLOCK as u64;
            (memory.0, offset, Bytes::copy_from_slice(&bytes[..]))
        });
        let mut words: Vec<_> = words.collect();
        words.sort_unstable();
        words
    }

    /// Sets words of the channels.
    pub(super) fn set_words(&self, words: &[(u32, u64, Bytes)]) {
        for (memory, offset, bytes) in words {
            let segment = Segment {
                memory: MemoryId(*memory),
                offset: *offset,
                len: bytes.len() as u64,
            };
            self.set(&Segments::from_iter([segment]), 0, bytes);
        }
    }

    /// Sets the words read by the channel that owns the segment, for its next recorded change.
    fn ringing(&self, at: &Segment) -> Result<(), AccessError> {
        let Some(frame) = self.comparison.next_frame() else {
            return Ok(());
        };
        let mut last = self.last.borrow_mut();
        if last.as_ref().is_none_or(|ring| ring.frame != frame) {
            let mailbox = self.comparison.next_event().map(Rang::Mailbox);
            let rang = mailbox.or_else(|| self.comparison.next_event().map(Rang::Words));
            *last = rang.map(|rang| Ring {
                frame,
                rang,
                is_seen: false,
            });
        }
        let Some(Ring { rang, is_seen, .. }) = &mut *last else {
            return Ok(());
        };
        let channel = usize::try_from(rang.channel().0).ok();
        let Some((layout, place)) = channel.and_then(|channel| self.channels.get(channel)) else {
            return Ok(());
        };
        let has = |part: &Segment| {
            part.memory == at.memory
                && part.offset <= at.offset
                && at.offset < part.offset + part.len
        };
        let watched = match &*rang {
            Rang::Mailbox(_) => place,
            Rang::Words(rang) => &rang.segments,
        };
        if !watched.iter().any(has) {
            return Ok(());
        }
        if !std::mem::replace(is_seen, true) {
            match (&*rang, layout) {
                (Rang::Mailbox(rang), Some(layout)) => {
                    if let Some(words) = &rang.words {
                        self.show_words(layout, place, words);
                        self.show_entries(layout, place, words, &rang.entries);
                    }
                }
                (Rang::Words(rang), _) => {
                    let words = rang.words.as_deref().unwrap_or_default();
                    self.set(&rang.segments, 0, words);
                }
                _ => {}
            }
        }
        rang.read_error().cloned().map_or(Ok(()), Err)
    }

    fn show_words(&self, layout: &Layout, place: &Segments, words: &ChannelWords) {
        let handshake = words.handshake.as_ref();
        let words = [
            (layout.state, Some(words.state)),
            (layout.request.idx_p, Some(words.request_put)),
            (layout.response.idx_c, words.response_taken),
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
        for (offset, word) in words {
            let Some(word) = word else { continue };
            self.set(place, offset, &word.to_le_bytes());
        }
    }

    /// Sets the entries before the producer index.
    fn show_entries(
        &self,
        layout: &Layout,
        place: &Segments,
        words: &ChannelWords,
        entries: &[RequestEntry],
    ) {
        let mut bytes = [0; RequestEntry::MAX_SIZE];
        let bytes = &mut bytes[..RequestEntry::size(layout.ptr_width)];
        for (behind, entry) in (1..).zip(entries.iter().rev()) {
            let index = Index(words.request_put.wrapping_sub(behind));
            entry.emit(bytes, layout.ptr_width);
            self.set(place, layout.request_entry(index.slot()), bytes);
        }
    }

    fn set(&self, place: &Segments, offset: u64, bytes: &[u8]) {
        let mut seen = self.seen.borrow_mut();
        let mut rest = bytes;
        for segment in &part(place, offset, bytes.len() as u64) {
            let len = usize::try_from(segment.len).unwrap_or(rest.len());
            let (bytes, after) = rest.split_at(len.min(rest.len()));
            for (block, there, here) in blocks(segment.offset, bytes.len()) {
                let block = seen
                    .entry((segment.memory, block))
                    .or_insert_with(|| Box::new([0; BLOCK]));
                block[there].copy_from_slice(&bytes[here]);
            }
            rest = after;
        }
    }
}

/// Doorbells only read; all other accesses are messages.
impl Store for RecordedDoorbells {
    fn read(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        if let Some(&channel) = self.offers.get(at) {
            let offered: Option<VersionOffered> = self.comparison.next_own_event();
            let offered = offered.filter(|offered| offered.channel == channel);
            let word = offered.map_or(0, |offered| u32::from(offered.version));
            to.copy_from_slice(&word.to_le_bytes()[..to.len()]);
            return Ok(());
        }
        self.ringing(at)?;
        let seen = self.seen.borrow();
        for (block, there, here) in blocks(at.offset, to.len()) {
            match seen.get(&(at.memory, block)) {
                Some(block) => to[here].copy_from_slice(&block[there]),
                None => to[here].fill(0),
            }
        }
        Ok(())
    }

    fn write(&self, _: &Segment, _: &[u8]) -> Result<(), AccessError> {
        Err(unknown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_each_byte_once() {
        for offset in [0, 1, 511, 512, 1026] {
            for len in [0, 1, 2, 511, 512, 513, 1344, 1600] {
                let mut bytes = Vec::new();
                for (block, there, here) in blocks(offset, len) {
                    assert_eq!(there.len(), here.len());
                    assert!(!there.is_empty() && there.end <= BLOCK);
                    let address = |at| block * BLOCK as u64 + at as u64;
                    bytes.extend(there.map(address).zip(here));
                }
                let expected: Vec<_> = (offset..).zip(0..len).collect();
                assert_eq!(bytes, expected, "{len} bytes at {offset}");
            }
        }
    }
}
