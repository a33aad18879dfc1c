//! Table of frames in zstd's seekable format: a skippable frame at the end of a file, with the
//! sizes of each frame before it.

use super::container::{Magic, skippable};

/// Last bytes of a table.
const MAGIC: u32 = 0x8f92_eab1;

/// Size of the number of frames, the descriptor and the magic number, in bytes.
pub(super) const FOOTER: usize = 9;

/// Size of a table's frame header, in bytes.
const HEADER: usize = 8;

/// Size of an entry without a checksum, in bytes.
const ENTRY: usize = 8;

/// Number of the skippable frame.
const NUMBER: u8 = 0xe;

/// Sizes of a frame in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) stored: u32,
    /// Size of the unpacked content; 0 for a skippable frame.
    pub(super) content: u32,
}

/// Encodes the frame with the table.
pub(super) fn encode(frames: &[Frame]) -> Vec<u8> {
    let mut content = Vec::with_capacity(frames.len() * ENTRY + FOOTER);
    for frame in frames {
        content.extend(frame.stored.to_le_bytes());
        content.extend(frame.content.to_le_bytes());
    }
    // A file with that many frames is larger than any disk.
    content.extend(
        u32::try_from(frames.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    content.push(0);
    content.extend(MAGIC.to_le_bytes());
    skippable(&content, NUMBER)
}

/// Size of the frame with the table, from the last bytes of a file; `None` if the file does not end
/// with a table without checksums.
pub(super) fn size(footer: &[u8; FOOTER]) -> Option<u64> {
    let [a, b, c, d, descriptor, magic @ ..] = *footer;
    let is_table = u32::from_le_bytes(magic) == MAGIC && descriptor == 0;
    let frames = u64::from(u32::from_le_bytes([a, b, c, d]));
    is_table.then_some((HEADER + FOOTER) as u64 + frames * ENTRY as u64)
}

/// Positions of the frames with data, from a table at position `before`; `None` if the table does
/// not match a file of frames up to there.
pub(super) fn decode(table: &[u8], before: u64) -> Option<Vec<u64>> {
    let (header, content) = table.split_at_checked(HEADER)?;
    let (magic, len) = header.split_at_checked(4)?;
    if Magic::of(magic.try_into().ok()?) != Some(Magic::Skippable)
        || u32::from_le_bytes(len.try_into().ok()?) as usize != content.len()
    {
        return None;
    }
    let entries = content.get(..content.len().checked_sub(FOOTER)?)?;
    let mut at = 0_u64;
    let mut frames = Vec::new();
    for entry in entries.chunks_exact(ENTRY) {
        let [a, b, c, d, w, x, y, z] = entry.try_into().ok()?;
        if u32::from_le_bytes([w, x, y, z]) > 0 {
            frames.push(at);
        }
        at = at.checked_add(u32::from_le_bytes([a, b, c, d]).into())?;
    }
    (at == before).then_some(frames)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_table_is_read_as_it_was_written(sizes in proptest::collection::vec((0..1000_u32, 0..3_u32), 0..20)) {
            let frames: Vec<_> = sizes.iter().map(|(stored, content)| Frame { stored: *stored, content: *content }).collect();
            let table = encode(&frames);
            let footer = table[table.len() - FOOTER..].try_into().unwrap();
            prop_assert_eq!(size(footer), Some(table.len() as u64));
            let before: u64 = sizes.iter().map(|(stored, _)| u64::from(*stored)).sum();
            let mut at = 0;
            let mut expected = Vec::new();
            for (stored, content) in sizes {
                if content > 0 {
                    expected.push(at);
                }
                at += u64::from(stored);
            }
            prop_assert_eq!(decode(&table, before), Some(expected));
            prop_assert_eq!(decode(&table, before + 1), None);
        }

        #[test]
        fn any_bytes_are_a_table_or_none(bytes: Vec<u8>, before: u64) {
            let _ = decode(&bytes, before);
            let footer = bytes.first_chunk::<FOOTER>();
            let _ = footer.map(size);
        }
    }
}
