//! Chunks of a compressed recording: from a landmark to the next one.

use std::ops::RangeInclusive;
use std::path::Path;

use super::blocks::{PREFIX, checksum, frame_at};
use super::codec::deserialize;
use super::compressed::UnpackError;
use super::frame_header::{FrameHeader, Position};
use super::input::Input;
use super::landmark::Landmark;

/// Chunk of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Position of its first frame of zstd in the file.
    pub(super) position: u64,
    /// Tick before the chunk's first entry.
    tick: u64,
    /// True if ticks go back within the previous chunk.
    follows_return: bool,
}

/// Chunks of a recording, in its order; none for an uncompressed one.
pub(super) fn chunks(file: &Path) -> Result<Vec<Chunk>, UnpackError> {
    let Input::Compressed(mut unpacker) = Input::open(file)? else {
        return Ok(Vec::new());
    };
    let mut chunks = Vec::new();
    for position in unpacker.frames()? {
        if chunks.is_empty() {
            chunks.push(Chunk {
                position,
                tick: 0,
                follows_return: false,
            });
            continue;
        }
        unpacker.go_to(position)?;
        // A damaged frame is part of the previous chunk, whose reader reports the damage.
        let landmark = match unpacker.first_content() {
            Ok(content) => landmark_of(content),
            Err(UnpackError::Damaged(_)) => None,
            Err(error) => return Err(error),
        };
        if let Some(Landmark {
            tick, goes_back, ..
        }) = landmark
        {
            chunks.push(Chunk {
                position,
                tick,
                follows_return: goes_back,
            });
        }
    }
    Ok(chunks)
}

/// Landmark at the start of a zstd frame.
fn landmark_of(content: &[u8]) -> Option<Landmark> {
    let (prefix, rest) = content.split_first_chunk::<PREFIX>()?;
    let [a, b, c, d, sum @ ..] = *prefix;
    let len = [a, b, c, d];
    let block = rest.get(..usize::try_from(u32::from_le_bytes(len)).ok()?)?;
    if checksum(len, block) != u32::from_le_bytes(sum) {
        return None;
    }
    let mut frame = block.get(frame_at(block)?)?;
    match Position::default().read(&mut frame) {
        Ok(FrameHeader::Landmark) => deserialize(frame).ok(),
        _ => None,
    }
}

/// Selection of chunks for the entries of some ticks, by the position of every chunk in the file:
/// true for one to be read.
///
/// The chunk before each selected one is read, too, because entries may answer its messages.
pub(super) fn selection(chunks: &[Chunk], ticks: &RangeInclusive<u64>) -> Vec<(u64, bool)> {
    let has = |at: usize| {
        let Some(chunk) = chunks.get(at) else {
            return false;
        };
        match chunks.get(at + 1) {
            Some(next) if !next.follows_return => {
                *ticks.start() <= next.tick && chunk.tick <= *ticks.end()
            }
            // Ticks may go back within the last chunk, too.
            _ => true,
        }
    };
    let numbered = chunks.iter().enumerate();
    let selected = numbered.map(|(at, chunk)| (chunk.position, has(at) || has(at + 1)));
    selected.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_before_and_behind_the_ticks_are_left_out() {
        // Ticks 0 to 10, 10 to 20, from 20 back to 5, 5 to 30, from 30.
        let ends = [(0, false), (10, false), (20, false), (5, true), (30, false)];
        let chunks: Vec<_> = (0..)
            .zip(ends)
            .map(|(position, (tick, follows_return))| Chunk {
                position,
                tick,
                follows_return,
            })
            .collect();
        let read = |ticks| {
            let all = selection(&chunks, &ticks).into_iter();
            let read = all.filter(|(_, is_read)| *is_read);
            read.map(|(position, _)| position).collect::<Vec<_>>()
        };
        assert_eq!(read(0..=u64::MAX), [0, 1, 2, 3, 4]);
        assert_eq!(read(0..=3), [0, 1, 2, 3, 4]);
        assert_eq!(read(21..=22), [1, 2, 3, 4]);
        assert_eq!(read(40..=50), [1, 2, 3, 4]);
        assert_eq!(selection(&chunks[..1], &(0..=1)), [(0, true)]);
        assert_eq!(selection(&[], &(0..=1)), []);
        let read = |ticks| {
            let all = selection(&chunks[..3], &ticks).into_iter();
            all.map(|(_, is_read)| is_read).collect::<Vec<_>>()
        };
        assert_eq!(read(0..=5), [true, true, true]);
        assert_eq!(read(21..=22), [false, true, true]);
    }
}
