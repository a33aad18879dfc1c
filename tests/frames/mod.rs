//! Splits recordings into frames and rebuilds them, for tests that change them. Follows
//! `docs/trace.md` and uses no code of the library.

/// Beginning of a recording: magic and version 2.
const BEGIN: [u8; 12] = *b"VHOSTTRC\x02\0\0\0";

/// Payloads of a recording's frames, the header first.
pub(crate) fn frames(recording: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = recording.strip_prefix(&BEGIN).unwrap();
    let mut frames = vec![];
    while let Some((prefix, after)) = rest.split_at_checked(8) {
        let len = u32::from_le_bytes(prefix[..4].try_into().unwrap());
        let (frame, after) = after.split_at(len as usize);
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}

/// Builds a recording from frames, with correct checksums.
pub(crate) fn recording(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut recording = BEGIN.to_vec();
    for frame in frames {
        recording.extend(u32::try_from(frame.len()).unwrap().to_le_bytes());
        recording.extend(crc32fast::hash(frame).to_le_bytes());
        recording.extend(frame);
    }
    recording
}

/// Expands replies that stand for several forwarded messages.
#[allow(dead_code, reason = "not every test changes replies")]
pub(crate) fn written_out(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    const AGAIN: u8 = 4;
    let mut written: Vec<Vec<u8>> = vec![];
    for (at, frame) in frames.iter().enumerate() {
        let before = written.last().filter(|_| at > 1 && frame[0] == AGAIN);
        let reply = before.map(|before| {
            let sequence = 1..1 + number_len(before[1]);
            [&before[..1], &frame[1..], &before[sequence.end..]].concat()
        });
        written.push(reply.unwrap_or_else(|| frame.clone()));
    }
    written
}

/// Length of a variable-length number with this first byte.
fn number_len(first: u8) -> usize {
    match first {
        0..=250 => 1,
        251 => 3,
        252 => 5,
        _ => 9,
    }
}
