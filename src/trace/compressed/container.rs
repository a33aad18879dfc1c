//! Layout of zstd frames, so far as it determines their sizes: RFC 8878, sections 3.1.1 and 3.1.2.

/// First bytes of a frame with data.
const FRAME: u32 = 0xfd2f_b528;

/// First bytes of a skippable frame. The last four bits may have any value.
const SKIPPABLE: u32 = 0x184d_2a50;

/// Size of a block's header in bytes.
pub(super) const BLOCK_HEADER: usize = 3;

/// Largest block, stored or unpacked, in bytes.
pub(super) const MAX_STORED_BYTES: usize = 128 * 1024;

/// Size of the magic number and of the byte after it, which is enough for [`FrameHeader::of`].
pub(super) const PREFIX: usize = 5;

/// True if a file that starts with these bytes is compressed.
pub(in crate::trace) fn is_compressed(first: [u8; 4]) -> bool {
    Magic::of(first).is_some()
}

/// Kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    /// Frame with data.
    Frame,
    /// Skippable frame, whose size follows in 4 bytes.
    Skippable,
}

impl Magic {
    /// Kind of the frame that starts with these bytes.
    pub(super) fn of(first: [u8; 4]) -> Option<Self> {
        match u32::from_le_bytes(first) {
            FRAME => Some(Self::Frame),
            other if other & !0xf == SKIPPABLE => Some(Self::Skippable),
            _ => None,
        }
    }
}

/// Header of a frame with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// Size in bytes, the magic number included.
    pub(super) size: usize,
    /// Size of the checksum after the last block, in bytes.
    pub(super) checksum: usize,
}

impl FrameHeader {
    /// Header from `descriptor`, the byte after the magic number.
    pub(super) fn of(descriptor: u8) -> Self {
        let is_single = descriptor >> 5 & 1 == 1;
        let content = match (descriptor >> 6, is_single) {
            (0, false) => 0,
            (0, true) => 1,
            (1, _) => 2,
            (2, _) => 4,
            _ => 8,
        };
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        Self {
            size: PREFIX + usize::from(!is_single) + dictionary + content,
            checksum: usize::from(descriptor >> 2 & 1) * 4,
        }
    }
}

/// Header of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockHeader {
    pub(super) is_last: bool,
    /// Number of stored bytes after the header.
    pub(super) stored: usize,
}

impl BlockHeader {
    /// Decodes a header; `None` for an invalid one.
    pub(super) fn of([a, b, c]: [u8; BLOCK_HEADER]) -> Option<Self> {
        let word = u32::from_le_bytes([a, b, c, 0]);
        let size = usize::try_from(word >> 3).ok()?;
        let stored = match word >> 1 & 3 {
            // Stored unchanged, or compressed.
            0 | 2 => size,
            // One byte, repeated.
            1 => 1,
            _ => return None,
        };
        (size <= MAX_STORED_BYTES).then_some(Self {
            is_last: word & 1 == 1,
            stored,
        })
    }
}

/// Skippable frame with this content.
pub(super) fn skippable(content: &[u8], number: u8) -> Vec<u8> {
    let magic = SKIPPABLE | u32::from(number & 0xf);
    // Contents have a few bytes for each frame of a file.
    let len = u32::try_from(content.len()).unwrap_or(u32::MAX);
    [&magic.to_le_bytes()[..], &len.to_le_bytes(), content].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zstd_safe::{CCtx, CParameter};

    use super::*;

    /// Size of a frame, computed from the sizes of its parts.
    fn size(frame: &[u8]) -> usize {
        assert_eq!(
            Magic::of(frame[..4].try_into().unwrap()),
            Some(Magic::Frame)
        );
        let header = FrameHeader::of(frame[4]);
        let mut at = header.size;
        loop {
            let block = BlockHeader::of(frame[at..at + 3].try_into().unwrap()).unwrap();
            at += BLOCK_HEADER + block.stored;
            if block.is_last {
                return at + header.checksum;
            }
        }
    }

    proptest! {
        #[test]
        fn sizes_are_those_that_zstd_finds(
            bytes in proptest::collection::vec(0..4_u8, 0..2000),
            repeated in 0..200_usize,
            checksum: bool,
            content_size: bool,
            level in -3..4,
        ) {
            let data = bytes.repeat(repeated);
            let mut context = CCtx::create();
            for parameter in [
                CParameter::CompressionLevel(level),
                CParameter::ChecksumFlag(checksum),
                CParameter::ContentSizeFlag(content_size),
            ] {
                context.set_parameter(parameter).unwrap();
            }
            let mut frame = Vec::with_capacity(zstd_safe::compress_bound(data.len()));
            context.compress2(&mut frame, &data).unwrap();
            frame.extend([1, 2, 3]);
            let expected = zstd_safe::find_frame_compressed_size(&frame);
            prop_assert_eq!(Ok(size(&frame)), expected);
        }
    }

    #[test]
    fn kinds_of_frames() {
        assert_eq!(Magic::of([0x28, 0xb5, 0x2f, 0xfd]), Some(Magic::Frame));
        assert_eq!(Magic::of([0x5e, 0x2a, 0x4d, 0x18]), Some(Magic::Skippable));
        assert!(!is_compressed(*b"VHOS"));
        assert_eq!(BlockHeader::of([7, 0, 0]), None);
        assert_eq!(BlockHeader::of([0xff, 0xff, 0xff]), None);
        assert_eq!(skippable(&[9], 14), [0x5e, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9]);
    }
}
