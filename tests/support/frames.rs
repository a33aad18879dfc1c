//! Decoder and encoder of recordings for tests that change them, written from `docs/trace.md`
//! without the library's code.
//!
//! Here the head of a frame has all numbers, none of them relative to another frame: kinds are `0`;
//! messages `1, sequence, root, tick, kind, awaited`; replies `2, sequence, tick`; dropped messages
//! `3, sequence, tick`; repeated replies `4, sequence`.

/// Start of a recording: its name, and version 3.
const START: [u8; 12] = *b"VHOSTTRC\x03\0\0\0";

/// Start of a recording with the identity of the run behind its header.
const WITH_IDENTITY: [u8; 12] = *b"VHOSTTRC\x04\0\0\0";

const KIND: u8 = 0;
const MESSAGE: u8 = 1;
const AGAIN: u8 = 4;

const LATER: u8 = 1 << 3;
const AWAITED: u8 = 1 << 4;
const APART: u8 = 1 << 5;
const FORWARDED: u8 = 1 << 6;

/// Size of the file up to the end of the header, which has a block of its own.
pub fn header_size(recording: &[u8]) -> usize {
    START.len() + 8 + u32_at(recording, START.len()) as usize
}

/// End of the last block that is whole in the first `cut` bytes.
pub fn whole_blocks(recording: &[u8], cut: usize) -> usize {
    let mut end = START.len();
    while end + 8 <= cut {
        let next = end + 8 + u32_at(recording, end) as usize;
        if next > cut {
            break;
        }
        end = next;
    }
    end
}

/// Contents of a recording's frames, the header first.
pub fn frames(recording: &[u8]) -> Vec<Vec<u8>> {
    let without_identity = recording.strip_prefix(&START);
    let mut rest = without_identity
        .or_else(|| recording.strip_prefix(&WITH_IDENTITY))
        .unwrap();
    let mut frames = vec![];
    let mut position = Position::default();
    while let Some((prefix, after)) = rest.split_at_checked(8) {
        let (mut block, after) = after.split_at(u32_at(prefix, 0) as usize);
        while let Some((&first, content)) = block.split_first() {
            let (len, content) = match first {
                255 => (u32_at(content, 0) as usize, &content[4..]),
                _ => (first.into(), content),
            };
            let (frame, after) = content.split_at(len);
            frames.push(match frames.is_empty() {
                true => frame.to_vec(),
                false => position.absolute(frame),
            });
            block = after;
        }
        rest = after;
    }
    frames
}

/// Recording of these frames, in blocks of a few frames, with valid checksums.
pub fn recording(frames: &[Vec<u8>]) -> Vec<u8> {
    recording_from(START, frames)
}

/// Recording of these frames with an identity behind the header.
pub fn recording_with_identity(frames: &[Vec<u8>]) -> Vec<u8> {
    recording_from(WITH_IDENTITY, frames)
}

fn recording_from(start: [u8; 12], frames: &[Vec<u8>]) -> Vec<u8> {
    let mut recording = start.to_vec();
    let mut position = Position::default();
    let relative = frames
        .iter()
        .enumerate()
        .map(|(number, frame)| match number {
            0 => frame.clone(),
            // An invalid head is written unchanged.
            _ => position.relative(frame).unwrap_or_else(|| frame.clone()),
        });
    let relative: Vec<_> = relative.collect();
    let (header, others) = relative.split_at(1);
    for frames in std::iter::once(header).chain(others.chunks(20)) {
        let block: Vec<u8> = frames.iter().flat_map(|frame| with_length(frame)).collect();
        let len = u32::try_from(block.len()).unwrap().to_le_bytes();
        recording.extend(len);
        recording.extend(crc32fast::hash(&[&len, &block[..]].concat()).to_le_bytes());
        recording.extend(block);
    }
    recording
}

fn with_length(frame: &[u8]) -> Vec<u8> {
    match u8::try_from(frame.len()) {
        Ok(len) if len < 255 => [&[len], frame].concat(),
        _ => [&[255], &(frame.len() as u32).to_le_bytes()[..], frame].concat(),
    }
}

/// Frames with repeated replies written out.
pub fn written_out(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut written: Vec<Vec<u8>> = vec![];
    for (at, frame) in frames.iter().enumerate() {
        let before = written.last().filter(|_| at > 1 && frame[0] == AGAIN);
        let reply = before.map(|before| {
            let mut rest = &before[1..];
            number(&mut rest).unwrap();
            [&before[..1], &frame[1..], rest].concat()
        });
        written.push(reply.unwrap_or_else(|| frame.clone()));
    }
    written
}

/// Sequence number of the last message, and tick of the last frame.
#[derive(Default)]
struct Position {
    sequence: u64,
    tick: u64,
}

impl Position {
    fn absolute(&mut self, frame: &[u8]) -> Vec<u8> {
        let (tag, mut rest) = (frame[0], &frame[1..]);
        if tag == KIND {
            return frame.to_vec();
        }
        let has = |flag| tag & flag != 0;
        let first = number(&mut rest).unwrap();
        if has(LATER) {
            self.tick += number(&mut rest).unwrap();
        }
        let of = tag & 7;
        if of != MESSAGE {
            let sequence = self.sequence - first;
            let tick = if of == AGAIN { vec![] } else { vec![self.tick] };
            let numbers = [vec![sequence], tick].concat();
            return [vec![of], written(&numbers), rest.to_vec()].concat();
        }
        self.sequence = match has(APART) {
            true => number(&mut rest).unwrap(),
            false => self.sequence + 1,
        };
        let forwarded = if has(FORWARDED) {
            number(&mut rest).unwrap()
        } else {
            0
        };
        let numbers = [self.sequence, self.sequence - forwarded, self.tick, first];
        let awaited = vec![u8::from(has(AWAITED))];
        [vec![of], written(&numbers), awaited, rest.to_vec()].concat()
    }

    fn relative(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        let (&of, mut rest) = frame.split_first()?;
        if of == KIND {
            return Some(frame.to_vec());
        }
        if of > AGAIN {
            return None;
        }
        let sequence = number(&mut rest)?;
        let root = if of == MESSAGE {
            number(&mut rest)?
        } else {
            sequence
        };
        let tick = if of == AGAIN {
            self.tick
        } else {
            number(&mut rest)?
        };
        let later = tick.wrapping_sub(self.tick);
        let mut tag = of | if later == 0 { 0 } else { LATER };
        let later = Some(later).filter(|later| *later != 0);
        if of != MESSAGE {
            self.tick = tick;
            let numbers = [Some(self.sequence.wrapping_sub(sequence)), later];
            return Some([vec![tag], written_some(&numbers), rest.to_vec()].concat());
        }
        let kind = number(&mut rest)?;
        let (&awaited, rest) = rest.split_first()?;
        let apart = Some(sequence).filter(|_| sequence != self.sequence.wrapping_add(1));
        let forwarded = Some(sequence.wrapping_sub(root)).filter(|_| sequence != root);
        tag |= if awaited == 0 { 0 } else { AWAITED };
        tag |= apart.map_or(0, |_| APART) | forwarded.map_or(0, |_| FORWARDED);
        (self.sequence, self.tick) = (sequence, tick);
        let numbers = [Some(kind), later, apart, forwarded];
        Some([vec![tag], written_some(&numbers), rest.to_vec()].concat())
    }
}

/// Decodes a number in the format of bincode.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    let len = match first {
        0..=250 => {
            *bytes = rest;
            return Some(first.into());
        }
        251 => 2,
        252 => 4,
        _ => 8,
    };
    let (number, rest) = rest.split_at_checked(len)?;
    *bytes = rest;
    let bytes = number.iter().rev();
    Some(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn written(numbers: &[u64]) -> Vec<u8> {
    let written = numbers.iter().flat_map(|number| {
        let bytes = number.to_le_bytes();
        match *number {
            0..=250 => vec![bytes[0]],
            251..=0xffff => [&[251], &bytes[..2]].concat(),
            0x1_0000..=0xffff_ffff => [&[252], &bytes[..4]].concat(),
            _ => [&[253], &bytes[..]].concat(),
        }
    });
    written.collect()
}

fn written_some(numbers: &[Option<u64>]) -> Vec<u8> {
    let numbers: Vec<u64> = numbers.iter().copied().flatten().collect();
    written(&numbers)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}
