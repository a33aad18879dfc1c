//! Start of a frame: a tag and numbers, most of them relative to those of the previous frame.
//!
//! | tag | meaning | numbers, in this order |
//! | --- | --- | --- |
//! | bits 0 to 2 | [`FrameHeader`]: 0 kind, 1 message, 2 reply, 3 dropped, 4 again, 5 earlier message, 6 landmark | 1: kind; 2 to 5: sequence number before the last message's |
//! | [`LATER`] | tick differs from the frame before | ticks since |
//! | [`AWAITED`] | 1: the sender waits for the reply | |
//! | [`APART`] | 1: sequence number does not follow the last message's | sequence number |
//! | [`FORWARDED`] | 1 and 5: message was forwarded | sequence number minus root |
//!
//! An earlier message has its kind as a second number after the first. Kinds and landmarks have no
//! number.
//!
//! A number up to 250 takes one byte. Larger ones are in the format of bincode.

use super::codec::deserialize_first;
use super::error::FrameError;
use super::serializer::{SHORT, number};

const LATER: u8 = 1 << 3;
const AWAITED: u8 = 1 << 4;
const APART: u8 = 1 << 5;
const FORWARDED: u8 = 1 << 6;

/// Start of a frame. The rest of the frame is a message, a reply or a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameHeader {
    /// Definition of the next kind of messages, from number 0.
    Kind,
    Message {
        sequence: u64,
        root: u64,
        kind: u32,
        awaited: bool,
    },
    Reply {
        sequence: u64,
    },
    /// Message without a reply.
    Dropped {
        sequence: u64,
    },
    /// Message whose reply, or missing reply, is the last one: it was forwarded to another
    /// receiver.
    Again {
        sequence: u64,
    },
    /// Message from before the last landmark, repeated before its reply.
    Earlier {
        sequence: u64,
        root: u64,
        kind: u32,
    },
    /// Place at which a reader may start.
    Landmark,
}

/// Sequence number of the last message, and tick of the last frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) sequence: u64,
    pub(super) tick: u64,
}

impl Position {
    /// Appends the header of a frame with this tick.
    #[inline(always)]
    pub(super) fn write(&mut self, header: FrameHeader, tick: u64, to: &mut Vec<u8>) {
        let (tag, first) = match header {
            FrameHeader::Kind => {
                to.push(0);
                return;
            }
            FrameHeader::Message { awaited, kind, .. } => (1 | flag(awaited, AWAITED), kind.into()),
            FrameHeader::Reply { sequence } => (2, self.sequence.wrapping_sub(sequence)),
            FrameHeader::Dropped { sequence } => (3, self.sequence.wrapping_sub(sequence)),
            FrameHeader::Again { sequence } => (4, self.sequence.wrapping_sub(sequence)),
            FrameHeader::Earlier { .. } | FrameHeader::Landmark => {
                return self.write_rare(header, to);
            }
        };
        let later = tick.wrapping_sub(self.tick);
        self.tick = tick;
        let tag = tag | flag(later != 0, LATER);
        let FrameHeader::Message { sequence, root, .. } = header else {
            tag_and_number(tag, first, to);
            return optional(later, to);
        };
        let apart = sequence != self.sequence.wrapping_add(1);
        self.sequence = sequence;
        let forwarded = sequence.wrapping_sub(root);
        let tag = tag | flag(apart, APART) | flag(forwarded != 0, FORWARDED);
        tag_and_number(tag, first, to);
        optional(later, to);
        if apart {
            number(sequence, to);
        }
        optional(forwarded, to);
    }

    /// Appends the header of a frame without a tick.
    #[inline(never)]
    fn write_rare(&self, header: FrameHeader, to: &mut Vec<u8>) {
        let FrameHeader::Earlier {
            sequence,
            root,
            kind,
        } = header
        else {
            to.push(6);
            return;
        };
        let forwarded = sequence.wrapping_sub(root);
        to.push(5 | flag(forwarded != 0, FORWARDED));
        number(self.sequence.wrapping_sub(sequence), to);
        number(kind.into(), to);
        optional(forwarded, to);
    }

    /// Reads a header, and removes it from `bytes`.
    #[inline]
    pub(super) fn read(&mut self, bytes: &mut &[u8]) -> Result<FrameHeader, FrameError> {
        let damage = || FrameError::Content("unknown format of its beginning".to_owned());
        let (&tag, rest) = bytes.split_first().ok_or_else(damage)?;
        *bytes = rest;
        let has = |flag| tag & flag != 0;
        if tag == 0 {
            return Ok(FrameHeader::Kind);
        }
        let known = match tag & 7 {
            1 => tag < 1 << 7,
            2..=4 => tag < 1 << 4,
            5 => tag & !FORWARDED == 5,
            6 => tag == 6,
            _ => false,
        };
        if !known {
            return Err(damage());
        }
        if tag == 6 {
            return Ok(FrameHeader::Landmark);
        }
        let first = read_number(bytes)?;
        if tag & 7 == 5 {
            let sequence = self.sequence.wrapping_sub(first);
            let kind = read_number(bytes)?;
            let forwarded = match has(FORWARDED) {
                true => read_number(bytes)?,
                false => 0,
            };
            return Ok(FrameHeader::Earlier {
                sequence,
                root: sequence.wrapping_sub(forwarded),
                kind: u32::try_from(kind).map_err(|_| damage())?,
            });
        }
        if has(LATER) {
            self.tick = self.tick.wrapping_add(read_number(bytes)?);
        }
        if tag & 7 != 1 {
            let sequence = self.sequence.wrapping_sub(first);
            return Ok(match tag & 7 {
                2 => FrameHeader::Reply { sequence },
                3 => FrameHeader::Dropped { sequence },
                _ => FrameHeader::Again { sequence },
            });
        }
        let sequence = match has(APART) {
            true => read_number(bytes)?,
            false => self.sequence.wrapping_add(1),
        };
        let forwarded = match has(FORWARDED) {
            true => read_number(bytes)?,
            false => 0,
        };
        self.sequence = sequence;
        Ok(FrameHeader::Message {
            sequence,
            root: sequence.wrapping_sub(forwarded),
            kind: u32::try_from(first).map_err(|_| damage())?,
            awaited: has(AWAITED),
        })
    }
}

fn flag(set: bool, flag: u8) -> u8 {
    if set { flag } else { 0 }
}

/// Appends a tag and its first number.
#[inline]
fn tag_and_number(tag: u8, first: u64, to: &mut Vec<u8>) {
    if first <= SHORT {
        to.extend_from_slice(&[tag, first as u8]);
        return;
    }
    to.push(tag);
    number(first, to);
}

/// Appends a number unless it is 0.
#[inline]
fn optional(value: u64, to: &mut Vec<u8>) {
    if value != 0 {
        number(value, to);
    }
}

#[inline]
fn read_number(bytes: &mut &[u8]) -> Result<u64, FrameError> {
    let (value, rest) = match bytes.split_first() {
        Some((&short, rest)) if u64::from(short) <= SHORT => (short.into(), rest),
        _ => deserialize_first(bytes)?,
    };
    *bytes = rest;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = u64> {
        prop_oneof![0..4u64, 249..253u64, any::<u64>()]
    }

    fn headers() -> impl Strategy<Value = FrameHeader> {
        let message = (numbers(), numbers(), any::<u32>(), any::<bool>());
        prop_oneof![
            Just(FrameHeader::Kind),
            message.prop_map(|(sequence, root, kind, awaited)| FrameHeader::Message {
                sequence,
                root,
                kind,
                awaited
            }),
            numbers().prop_map(|sequence| FrameHeader::Reply { sequence }),
            numbers().prop_map(|sequence| FrameHeader::Dropped { sequence }),
            numbers().prop_map(|sequence| FrameHeader::Again { sequence }),
            (numbers(), numbers(), any::<u32>()).prop_map(|(sequence, root, kind)| {
                FrameHeader::Earlier {
                    sequence,
                    root,
                    kind,
                }
            }),
            Just(FrameHeader::Landmark),
        ]
    }

    proptest! {
        #[test]
        fn headers_are_read_as_they_were_written(headers in proptest::collection::vec((headers(), numbers()), 0..20)) {
            let (mut written, mut read) = (Position::default(), Position::default());
            let mut bytes = Vec::new();
            for (header, tick) in &headers {
                written.write(*header, *tick, &mut bytes);
            }
            let mut rest = &bytes[..];
            for (header, tick) in &headers {
                prop_assert_eq!(read.read(&mut rest).unwrap(), *header);
                if !matches!(header, FrameHeader::Kind | FrameHeader::Landmark | FrameHeader::Earlier { .. }) {
                    prop_assert_eq!(read.tick, *tick);
                }
            }
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_bytes_are_a_header_or_an_error(bytes: Vec<u8>) {
            let mut rest = &bytes[..];
            let _ = Position::default().read(&mut rest);
        }
    }

    /// Number of numbers that follow a tag, by the table of this module; `None` for an unknown tag.
    fn numbers_after(tag: u8) -> Option<usize> {
        let (kind, bits) = (tag % 8, tag / 8);
        let [later, awaited, apart, forwarded, unknown] =
            [0, 1, 2, 3, 4].map(|bit| bits >> bit & 1);
        match kind {
            0 if bits == 0 => Some(0),
            1 if unknown == 0 => Some(1 + usize::from(later + apart + forwarded)),
            2..=4 if awaited + apart + forwarded + unknown == 0 => Some(1 + usize::from(later)),
            5 if later + awaited + apart + unknown == 0 => Some(2 + usize::from(forwarded)),
            6 if bits == 0 => Some(0),
            _ => None,
        }
    }

    #[test]
    fn every_tag_is_read_with_its_numbers_or_is_damage() {
        for tag in 0..=u8::MAX {
            for len in 0..6 {
                let bytes = [tag, 7, 7, 7, 7, 7];
                let mut rest = &bytes[..=len];
                let header = Position::default().read(&mut rest);
                match numbers_after(tag) {
                    Some(numbers) if numbers <= len => {
                        header.unwrap();
                        assert_eq!(rest.len(), len - numbers, "{tag:#x}");
                    }
                    _ => assert!(header.is_err(), "{tag:#x}, {len} bytes"),
                }
            }
            assert!(Position::default().read(&mut &[][..]).is_err());
        }
    }

    /// Numbers at the limits of each of their encodings.
    const EDGES: [u64; 9] = [
        0,
        1,
        250,
        251,
        0xffff,
        0x1_0000,
        0xffff_ffff,
        0x1_0000_0000,
        u64::MAX,
    ];

    /// Every kind of header, with every combination of edges, after every position of edges.
    #[test]
    fn every_header_of_edges_is_read_as_it_was_written() {
        let mut bytes = Vec::new();
        for (before, tick, sequence) in EDGES
            .iter()
            .flat_map(|a| EDGES.iter().flat_map(move |b| EDGES.map(|c| (*a, *b, c))))
        {
            let messages = EDGES.iter().flat_map(|root| {
                [(0, false), (250, true), (u32::MAX, true)].map(|(kind, awaited)| {
                    FrameHeader::Message {
                        sequence,
                        root: *root,
                        kind,
                        awaited,
                    }
                })
            });
            let earlier = EDGES.map(|root| FrameHeader::Earlier {
                sequence,
                root,
                kind: 250,
            });
            let others = [
                FrameHeader::Kind,
                FrameHeader::Landmark,
                FrameHeader::Reply { sequence },
                FrameHeader::Dropped { sequence },
                FrameHeader::Again { sequence },
            ];
            for header in messages.chain(others).chain(earlier) {
                let start = Position {
                    sequence: before,
                    tick: 1,
                };
                let (mut written, mut read) = (start, start);
                bytes.clear();
                written.write(header, tick, &mut bytes);
                let mut rest = &bytes[..];
                assert_eq!(read.read(&mut rest).unwrap(), header);
                assert_eq!((read, rest.len()), (written, 0));
                // A part of a header is damage, never another header of the same length.
                for len in 0..bytes.len() {
                    assert!(Position::read(&mut start.clone(), &mut &bytes[..len]).is_err());
                }
            }
        }
    }

    #[test]
    fn messages_in_a_row_are_two_bytes() {
        let mut bytes = Vec::new();
        let mut position = Position::default();
        for sequence in 1..=2 {
            let header = FrameHeader::Message {
                sequence,
                root: sequence,
                kind: 9,
                awaited: true,
            };
            position.write(header, 0, &mut bytes);
        }
        position.write(FrameHeader::Reply { sequence: 1 }, 3, &mut bytes);
        assert_eq!(bytes, [1 | AWAITED, 9, 1 | AWAITED, 9, 2 | LATER, 1, 3]);
    }
}
