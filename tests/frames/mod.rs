//! Recordings taken apart and put together again, for tests that change them: by `docs/trace.md`, and by none of the
//! library's code.

/// Beginning of a recording: its name, and version 2.
const BEGIN: [u8; 12] = *b"VHOSTTRC\x02\0\0\0";

/// The contents of a recording's frames, the header first.
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

/// A recording of these frames, with the checksums that they should have.
pub(crate) fn recording(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut recording = BEGIN.to_vec();
    for frame in frames {
        recording.extend(u32::try_from(frame.len()).unwrap().to_le_bytes());
        recording.extend(crc32fast::hash(frame).to_le_bytes());
        recording.extend(frame);
    }
    recording
}

/// Frames with the reply written out that the one before stands for, where a message was handed on.
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

/// Bytes of a number that begins with this one.
fn number_len(first: u8) -> usize {
    match first {
        0..=250 => 1,
        251 => 3,
        252 => 5,
        _ => 9,
    }
}
