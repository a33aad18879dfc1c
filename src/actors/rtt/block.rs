//! Control block as read, its polled words, and the names of its buffers.

use super::channel::{Channel, MAX_POLLED_BUFFERS};
use super::control_block::{Descriptor, HEADER, Header, HeaderState, Layout, WIDE_HEAD};
use super::targets::Complaint;
use crate::actors::service::{Failure, TurnRead};
use crate::bus::DOORBELL_BYTES;
use crate::mem::{Op, Segment, Segments, Span, subrange};
use crate::messages::checkpoint::SavedPoll;
use crate::messages::foreign::Severity;
use crate::messages::rtt::{BufferName, Direction};

/// Maximum length of a buffer's name, with its NUL.
const MAX_NAME_LENGTH: u64 = 64;

/// Control block, as read.
pub(super) struct Block {
    pub(super) address: u64,
    pub(super) place: Segments,
    pub(super) header: Header,
    pub(super) layout: Layout,
    /// Descriptors of up buffers, then of down buffers.
    pub(super) descriptors: Vec<Descriptor>,
}

/// Number of bytes of a polled word. For a wide offset it is the lower half.
const WORD: u64 = 4;

impl Channel {
    /// Reads the control block; `None` if it is absent, or can't be read.
    pub(super) async fn read_block(&self, address: u64) -> Result<Option<Block>, Failure> {
        let read = |len| Op::Read(Span { address, len });
        let Ok(header) = self.service.access(read(HEADER)).await else {
            return Ok(None);
        };
        let header = match HeaderState::of(&header.into_bytes()) {
            HeaderState::Present(header) => header,
            HeaderState::Impossible(header) => {
                self.report_impossible(address, header);
                return Ok(None);
            }
            HeaderState::Absent => {
                self.report(&format!(
                    "RTT: the control block at {address:#x} is gone; the host waits for a new one"
                ));
                return Ok(None);
            }
        };
        // The place of the upper half of a wide number has the number of down buffers in the other
        // layout.
        let wide = match header.down {
            0 => {
                let head = self.service.access(read(WIDE_HEAD)).await;
                head.ok()
                    .and_then(|head| self.layout.wide(&head.into_bytes()))
            }
            _ => None,
        };
        let (layout, header) = wide.unwrap_or((self.layout, header));
        let len = layout.offset(header.up + header.down);
        let bytes = match self.service.access(read(len)).await {
            Ok(outcome) => outcome.into_bytes(),
            Err(failure) => {
                // A mark that a search has found may not belong to a control block.
                if self.block.get().is_some() {
                    self.report(&format!(
                        "RTT: the control block at {address:#x} can't be read: {failure}"
                    ));
                }
                return Ok(None);
            }
        };
        let span = Span { address, len };
        let memory = &self.service.peers.memory;
        let place = memory.locate(self.service.space, span).await??;
        let size = usize::try_from(layout.descriptor()).unwrap_or(usize::MAX);
        let first = usize::try_from(layout.header()).unwrap_or(usize::MAX);
        let descriptors = bytes.get(first..).unwrap_or_default().chunks_exact(size);
        let descriptors = descriptors.filter_map(|bytes| layout.parse(bytes));
        Ok(Some(Block {
            address,
            place,
            header,
            layout,
            descriptors: descriptors.collect(),
        }))
    }

    /// Plans the reads of polled words, by offsets from the control block. One read is made in a
    /// tick; several take turns. The words are the write offsets of the up buffers, the read offset
    /// of the first down buffer while it is full, and the mark unless it would need a second read.
    pub(super) fn plan(&self, block: &Block, is_full: bool) -> Vec<SavedPoll> {
        let Header { up, .. } = block.header;
        let at = |position, offset| block.layout.offset(position) + offset;
        let mut words: Vec<u64> = (0..up.min(MAX_POLLED_BUFFERS))
            .map(|number| at(number, block.layout.write_offset()))
            .collect();
        if is_full {
            words.push(at(up, block.layout.read_offset()));
        }
        let is_one_read = |first: u64| {
            let end = words.last().map_or(first, |last| last + WORD);
            end - first <= DOORBELL_BYTES as u64
        };
        // If only one read is possible, the offsets are more important than the mark.
        let first = words.first().copied().unwrap_or_default();
        if is_one_read(0) || !is_one_read(first) {
            words.insert(0, 0);
        }
        let mut reads: Vec<SavedPoll> = vec![];
        for word in words {
            match reads.last_mut() {
                Some(read) if word + WORD - read.at <= DOORBELL_BYTES as u64 => {
                    read.len = word + WORD - read.at;
                    read.words.push((word - read.at) as usize);
                }
                _ => reads.push(SavedPoll {
                    at: word,
                    len: WORD,
                    words: vec![0],
                }),
            }
        }
        reads
    }

    /// Polls words of a control block from now on.
    pub(super) fn poll(&self, place: &Segments, plan: &[SavedPoll]) {
        if let [read] = plan {
            let segments = subrange(place, read.at, read.len);
            return self.poller.watch_words(segments, read.words.clone());
        }
        let mut reads = vec![];
        let mut words: Vec<Segment> = vec![];
        let mut first = 0;
        for read in plan {
            for word in &read.words {
                words.extend(subrange(place, read.at + *word as u64, WORD));
            }
            reads.push(TurnRead {
                segments: subrange(place, read.at, read.len),
                offsets: read.words.clone(),
                first,
            });
            first += read.words.len();
        }
        self.poller.watch_in_turns(words, reads);
    }

    /// Number and name of a buffer. The name is read when its address has changed.
    pub(super) async fn name(&self, direction: Direction, number: u32, address: u64) -> BufferName {
        if let Some((known, buffer)) = self.names.borrow().get(&(direction, number))
            && *known == address
        {
            return buffer.clone();
        }
        let read = Op::Text(Span {
            address,
            len: MAX_NAME_LENGTH,
        });
        let name = match address {
            0 => None,
            _ => {
                let read = self.service.access(read).await;
                let bytes = read.map(|outcome| outcome.into_bytes());
                let text = bytes.ok().and_then(|bytes| text_of(&bytes));
                if text.is_none() && self.complaints.is_new(Complaint::Name, direction, number) {
                    let direction = direction.name();
                    let text = format!(
                        "RTT: the name of {direction} channel {number}, at {address:#x}, is no text of less than {MAX_NAME_LENGTH} bytes"
                    );
                    self.service.report(Severity::Info, &text);
                }
                text
            }
        };
        let buffer = BufferName { number, name };
        let known = (address, buffer.clone());
        self.names.borrow_mut().insert((direction, number), known);
        buffer
    }
}

/// Name of a buffer; `None` if the bytes are not printable text.
fn text_of(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    let is_name = !text.is_empty() && !text.chars().any(char::is_control);
    is_name.then(|| text.to_owned())
}
