//! Recorded words of doorbells.

use std::cell::RefCell;
use std::ops::Range;

use bytes::Bytes;
use mailbox_rs::{Index, Layout, RequestEntry};
use rustc_hash::FxHashMap;

use super::memory::after_end;
use crate::attach::channels as served;
use crate::config::ChannelConfig;
use crate::mem::{AccessError, MemoryId, MemoryMap, Segment, Segments, Store, subrange};
use crate::messages::ChannelId;
use crate::messages::events::{DoorbellRang, VersionOffered, WordsRang};
use crate::messages::mailbox::ChannelWords;
use crate::system::replay::comparison::SharedComparison;

/// Memory view of doorbells: the channels' words as of their last recorded change.
pub(in crate::system::replay) struct RecordedDoorbells {
    comparison: SharedComparison,
    /// Served channels: the layout of a mailbox, and the location of the words.
    channels: Vec<(Option<Layout>, Segments)>,
    /// Channels by the places of the versions that their firmware offers.
    offers: FxHashMap<Segment, ChannelId>,
    /// Last recorded change.
    last: RefCell<Option<RecordedChange>>,
    seen: RefCell<Blocks>,
}

/// Bytes by blocks: a memory, and a position in blocks.
type Blocks = FxHashMap<(MemoryId, u64), Box<[u8; BLOCK]>>;

/// Recorded change of a doorbell's words.
struct RecordedChange {
    frame: u64,
    event: ChangeEvent,
    /// True if its words are in the memory.
    is_seen: bool,
}

/// Event of a change: that of a mailbox, or of another protocol.
enum ChangeEvent {
    Mailbox(DoorbellRang),
    Words(WordsRang),
}

impl ChangeEvent {
    fn channel(&self) -> ChannelId {
        match self {
            Self::Mailbox(event) => event.channel,
            Self::Words(event) => event.channel,
        }
    }

    fn read_error(&self) -> Option<&AccessError> {
        match self {
            Self::Mailbox(event) => event.read_error.as_ref(),
            Self::Words(event) => event.read_error.as_ref(),
        }
    }
}

/// Length of a block in bytes.
const BLOCK: usize = 512;

/// Parts of the `len` bytes from `offset` on: the block of each, its range there, and its range in
/// the bytes.
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
    pub(in crate::system::replay) fn new(
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
            for segment in &subrange(place, layout.request.offer(), 4) {
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
    pub(in crate::system::replay) fn words(&self) -> Vec<(u32, u64, Bytes)> {
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
    pub(in crate::system::replay) fn set_words(&self, words: &[(u32, u64, Bytes)]) {
        for (memory, offset, bytes) in words {
            let segment = Segment {
                memory: MemoryId(*memory),
                offset: *offset,
                len: bytes.len() as u64,
            };
            self.set(&Segments::from_iter([segment]), 0, bytes);
        }
    }

    /// Applies the next recorded change, if the segment is one of its channel's.
    fn apply_change(&self, at: &Segment) -> Result<(), AccessError> {
        let Some(frame) = self.comparison.next_frame() else {
            return Ok(());
        };
        let mut last = self.last.borrow_mut();
        if last.as_ref().is_none_or(|change| change.frame != frame) {
            let mailbox = self.comparison.next_event().map(ChangeEvent::Mailbox);
            let event = mailbox.or_else(|| self.comparison.next_event().map(ChangeEvent::Words));
            *last = event.map(|event| RecordedChange {
                frame,
                event,
                is_seen: false,
            });
        }
        let Some(RecordedChange { event, is_seen, .. }) = &mut *last else {
            return Ok(());
        };
        let channel = usize::try_from(event.channel().0).ok();
        let Some((layout, place)) = channel.and_then(|channel| self.channels.get(channel)) else {
            return Ok(());
        };
        let has = |part: &Segment| {
            part.memory == at.memory
                && part.offset <= at.offset
                && at.offset < part.offset + part.len
        };
        let watched = match &*event {
            ChangeEvent::Mailbox(_) => place,
            ChangeEvent::Words(event) => &event.segments,
        };
        if !watched.iter().any(has) {
            return Ok(());
        }
        if !std::mem::replace(is_seen, true) {
            match (&*event, layout) {
                (ChangeEvent::Mailbox(event), Some(layout)) => {
                    if let Some(words) = &event.words {
                        self.show_words(layout, place, words);
                        self.show_entries(layout, place, words, &event.entries);
                    }
                }
                (ChangeEvent::Words(event), _) => {
                    let words = event.words.as_deref().unwrap_or_default();
                    self.set(&event.segments, 0, words);
                }
                _ => {}
            }
        }
        event.read_error().cloned().map_or(Ok(()), Err)
    }

    fn show_words(&self, layout: &Layout, place: &Segments, words: &ChannelWords) {
        let handshake = words.handshake.as_ref();
        let words = [
            (layout.state, Some(words.state)),
            (layout.request.idx_p, Some(words.request_producer)),
            (layout.response.idx_c, words.response_consumer),
            (layout.version, handshake.map(|words| words.version)),
            (
                layout.request.idx_c,
                handshake.map(|words| words.request_consumer),
            ),
            (
                layout.response.idx_p,
                handshake.map(|words| words.response_producer),
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
            let index = Index(words.request_producer.wrapping_sub(behind));
            entry.emit(bytes, layout.ptr_width);
            self.set(place, layout.request_entry(index.slot()), bytes);
        }
    }

    fn set(&self, place: &Segments, offset: u64, bytes: &[u8]) {
        let mut seen = self.seen.borrow_mut();
        let mut rest = bytes;
        for segment in &subrange(place, offset, bytes.len() as u64) {
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
        self.apply_change(at)?;
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
        Err(after_end())
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
