//! Selection of the words of a channel to poll, and decoding of the bytes read.

use mailbox_rs::Layout;

use crate::bus::DOORBELL_BYTES;
use crate::mem::{Segment, Segments, subrange};
use crate::messages::mailbox::{ChannelWords, Handshake};

/// Event that a channel waits for. It determines the words to poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watched {
    /// A handshake: all of its six words.
    Handshake,
    /// A request or a reset.
    Requests,
    /// A free slot in the response queue, a request or a reset.
    Room,
}

/// Maximum span in bytes of words that are read by one access.
const TOGETHER: u64 = 16;

/// Plan for reading the polled words of a channel.
#[derive(Debug)]
pub(super) struct ReadPlan {
    watched: Watched,
    /// Segments to read, one after the other.
    pub(super) segments: Vec<Segment>,
    /// Total number of bytes.
    pub(super) len: usize,
    /// Offset of each word in the bytes read, in the order of [`Watched::words`].
    offsets: Vec<usize>,
}

impl Watched {
    /// Offsets of the polled words from the channel's base. State and request producer index come
    /// first.
    fn words(self, layout: &Layout) -> Vec<u64> {
        let mut words = vec![layout.state, layout.request.idx_p];
        match self {
            Self::Requests => {}
            Self::Room => words.push(layout.response.idx_c),
            Self::Handshake => words.extend([
                layout.response.idx_c,
                layout.version,
                layout.request.idx_c,
                layout.response.idx_p,
            ]),
        }
        words
    }

    /// Plans the read for a channel located at `channel`.
    pub(super) fn read_plan(self, layout: &Layout, channel: &Segments) -> ReadPlan {
        let words = self.words(layout);
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by_key(|word| words[*word]);

        let mut offsets = vec![0; words.len()];
        let mut spans: Vec<(u64, u64)> = Vec::new();
        let mut before = 0;
        for word in order {
            let offset = words[word];
            match spans.last_mut() {
                Some((start, len)) if offset + 4 - *start <= TOGETHER => *len = offset + 4 - *start,
                Some((_, len)) => {
                    before += *len;
                    spans.push((offset, 4));
                }
                None => spans.push((offset, 4)),
            }
            let start = spans.last().map_or(0, |(start, _)| *start);
            offsets[word] = usize::try_from(before + offset - start).unwrap_or(DOORBELL_BYTES);
        }
        let len: u64 = spans.iter().map(|(_, len)| *len).sum();
        let len = usize::try_from(len).unwrap_or(DOORBELL_BYTES);
        ReadPlan {
            watched: self,
            segments: spans
                .iter()
                .flat_map(|(start, len)| subrange(channel, *start, *len))
                .collect(),
            len,
            offsets,
        }
    }
}

impl ReadPlan {
    /// Offsets of the words in the bytes read. Changes of the reserved words between them don't
    /// matter.
    pub(super) fn offsets(&self) -> Vec<usize> {
        self.offsets.clone()
    }

    /// Decodes the words. `None` if there are too few bytes.
    pub(super) fn words(&self, bytes: &[u8]) -> Option<ChannelWords> {
        let word = |at: usize| {
            let start = *self.offsets.get(at)?;
            let bytes = bytes.get(start..start + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let mut words = ChannelWords {
            state: word(0)?,
            request_producer: word(1)?,
            response_consumer: None,
            handshake: None,
        };
        if self.watched != Watched::Requests {
            words.response_consumer = Some(word(2)?);
        }
        if self.watched == Watched::Handshake {
            words.handshake = Some(Handshake {
                version: word(3)?,
                request_consumer: word(4)?,
                response_producer: word(5)?,
            });
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use mailbox_rs::{CacheLine, PtrWidth};

    use super::*;
    use crate::mem::MemoryId;

    fn channel(layout: &Layout) -> Segments {
        Segments::from(Segment {
            memory: MemoryId(0),
            offset: 0x100,
            len: layout.channel_size,
        })
    }

    #[test]
    fn one_read_finds_requests_where_the_words_lie_together() {
        for (line, reads) in [
            (CacheLine::None, 1),
            (CacheLine::B32, 2),
            (CacheLine::B256, 2),
        ] {
            for width in [PtrWidth::P4, PtrWidth::P8] {
                let layout = Layout::new(width, line);
                let plan = Watched::Requests.read_plan(&layout, &channel(&layout));
                assert_eq!(plan.segments.len(), reads, "{width:?} {line:?}");
                assert!(plan.len <= 16);
            }
        }
    }

    #[test]
    fn every_word_is_found_in_every_layout() {
        for width in [PtrWidth::P4, PtrWidth::P8] {
            for line in [None, Some(32), Some(64), Some(128), Some(256)] {
                let line = line
                    .map_or(Some(CacheLine::None), CacheLine::from_bytes)
                    .unwrap();
                let layout = Layout::new(width, line);
                let mut bytes = vec![0; usize::try_from(layout.channel_size).unwrap()];
                let mut put = |offset: u64, value: u32| {
                    let at = usize::try_from(offset).unwrap();
                    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
                };
                put(layout.version, 1);
                put(layout.state, 2);
                put(layout.request.idx_p, 3);
                put(layout.request.idx_c, 4);
                put(layout.response.idx_p, 5);
                put(layout.response.idx_c, 6);
                for watched in [Watched::Requests, Watched::Room, Watched::Handshake] {
                    let plan = watched.read_plan(&layout, &channel(&layout));
                    let seen: Vec<u8> = plan
                        .segments
                        .iter()
                        .flat_map(|segment| {
                            let start = usize::try_from(segment.offset - 0x100).unwrap();
                            bytes[start..start + usize::try_from(segment.len).unwrap()].to_vec()
                        })
                        .collect();
                    assert_eq!(seen.len(), plan.len);
                    assert!(plan.len <= DOORBELL_BYTES);
                    let words = plan.words(&seen).unwrap();
                    assert_eq!((words.state, words.request_producer), (2, 3));
                    let full = watched != Watched::Requests;
                    assert_eq!(words.response_consumer, full.then_some(6));
                    let handshake = Handshake {
                        version: 1,
                        request_consumer: 4,
                        response_producer: 5,
                    };
                    let whole = watched == Watched::Handshake;
                    assert_eq!(words.handshake, whole.then_some(handshake));
                }
            }
        }
    }
}
