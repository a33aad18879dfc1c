//! Blocks of frames.
//!
//! A block is the length of its content, the CRC-32 of length and content, 4 bytes each, and
//! frames. A frame is its length (one byte, or 255 and 4 bytes) and its content.

use std::ops::Range;

use super::codec::Encoded;

/// Size in bytes of a block's length and checksum.
pub(super) const PREFIX: usize = 8;

/// First byte of a frame whose length has 4 bytes.
const LONG: u8 = u8::MAX;

/// Content size in bytes at which a block is complete. A damaged byte makes all frames of its block
/// unreadable.
pub(super) const BLOCK: usize = 4096;

/// Checksum of a block.
pub(super) fn checksum(len: [u8; 4], content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&len);
    hasher.update(content);
    hasher.finalize()
}

/// Range of the content of the frame at the start of `bytes`, whose end may be behind `bytes`;
/// `None` if its length is cut off.
pub(super) fn frame_at(bytes: &[u8]) -> Option<Range<usize>> {
    let (start, len) = match *bytes {
        [LONG, a, b, c, d, ..] => (5, u32::from_le_bytes([a, b, c, d])),
        [LONG, ..] | [] => return None,
        [len, ..] => (1, len.into()),
    };
    let end = usize::try_from(len).ok()?.checked_add(start)?;
    Some(start..end)
}

/// Size of the block whose content starts with `bytes`, up to the frame that completes it. `None`
/// if the length of that frame is not in `bytes`.
pub(super) fn complete_size(bytes: &[u8]) -> Option<usize> {
    let mut size = 0;
    while size < BLOCK {
        size = frame_at(bytes.get(size..)?)?.end.checked_add(size)?;
    }
    Some(size)
}

/// Frames to be written, in blocks. The last block may be incomplete.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    bytes: Vec<u8>,
    /// Start of the incomplete block's content.
    open: Option<usize>,
}

/// Frame under construction.
#[derive(Debug)]
pub(super) struct Frame {
    /// Start of its block's content.
    block: usize,
    start: usize,
}

impl Blocks {
    /// Appends bytes that are not part of a block.
    pub(super) fn bare(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Number of bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Begins a frame. Its content is to be appended to the returned bytes, and then the frame is
    /// to be [ended](Self::end_frame).
    #[inline(always)]
    pub(super) fn begin_frame(&mut self) -> (Frame, &mut Vec<u8>) {
        let block = match self.open {
            Some(block) => block,
            None => {
                self.bytes.extend([0; PREFIX]);
                *self.open.insert(self.bytes.len())
            }
        };
        let start = self.bytes.len();
        self.bytes.push(0);
        (Frame { block, start }, &mut self.bytes)
    }

    /// Ends a frame whose content has been written.
    ///
    /// # Errors
    /// Fails if the content failed, or has more than 4 GiB. Then the frame is removed.
    #[inline(always)]
    pub(super) fn end_frame(&mut self, frame: Frame, written: Encoded) -> Encoded {
        let Frame { block, start } = frame;
        let written = written.and_then(|()| self.set_length(start));
        if written.is_err() {
            self.bytes.truncate(start);
        } else if self.bytes.len() - block >= BLOCK {
            return self.complete();
        }
        written
    }

    /// Sets the length of the frame that starts at `start`.
    #[inline]
    fn set_length(&mut self, start: usize) -> Encoded {
        let len = self.bytes.len() - start - 1;
        match u8::try_from(len) {
            Ok(len) if len != LONG => self.bytes[start] = len,
            _ => self.set_long_length(start, len)?,
        }
        Ok(())
    }

    /// Sets a length of 4 bytes. The content moves back to make room.
    #[inline(never)]
    fn set_long_length(&mut self, start: usize, len: usize) -> Encoded {
        let len = u32_of(len)?;
        let content = start + 1;
        self.bytes[start] = LONG;
        self.bytes.splice(content..content, len.to_le_bytes());
        Ok(())
    }

    /// Completes the last block.
    #[inline(never)]
    fn complete(&mut self) -> Encoded {
        let Some(block) = self.open else {
            return Ok(());
        };
        let (before, content) = self.bytes.split_at_mut(block);
        if content.is_empty() {
            self.bytes.truncate(block - PREFIX);
            self.open = None;
            return Ok(());
        }
        let len = u32_of(content.len())?.to_le_bytes();
        let prefix = &mut before[block - PREFIX..];
        prefix[..4].copy_from_slice(&len);
        prefix[4..].copy_from_slice(&checksum(len, content).to_le_bytes());
        self.open = None;
        Ok(())
    }

    /// Completes the last block, and returns all bytes.
    ///
    /// # Errors
    /// Fails if the block has more than 4 GiB.
    pub(super) fn completed(&mut self) -> Result<&[u8], Box<str>> {
        self.complete()?;
        Ok(&self.bytes)
    }

    /// Removes all bytes.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.open = None;
    }
}

fn u32_of(len: usize) -> Result<u32, Box<str>> {
    u32::try_from(len).map_err(|_| "a message has more than 4 GiB".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(blocks: &mut Blocks, len: usize) {
        let (frame, bytes) = blocks.begin_frame();
        bytes.extend(vec![7; len]);
        blocks.end_frame(frame, Ok(())).unwrap();
    }

    #[test]
    fn short_and_long_frames_of_one_block() {
        let mut blocks = Blocks::default();
        for len in [0, 254, 255] {
            frame(&mut blocks, len);
        }
        let bytes = blocks.completed().unwrap();
        let content = &bytes[PREFIX..];
        assert_eq!(bytes[..4], (content.len() as u32).to_le_bytes());
        let expected = crc32fast::hash(&[&bytes[..4], content].concat());
        assert_eq!(bytes[4..PREFIX], expected.to_le_bytes());
        let frames = [&[0, 254][..], &[7; 254], &[LONG, 255, 0, 0, 0], &[7; 255]];
        assert_eq!(content, frames.concat());
    }

    #[test]
    fn a_block_is_complete_at_its_size() {
        let mut blocks = Blocks::default();
        frame(&mut blocks, BLOCK);
        assert_eq!(blocks.open, None);
        frame(&mut blocks, 1);
        assert_eq!(blocks.open, Some(PREFIX + 5 + BLOCK + PREFIX));
    }

    #[test]
    fn a_frame_that_fails_leaves_no_bytes() {
        let mut blocks = Blocks::default();
        let (frame, bytes) = blocks.begin_frame();
        bytes.push(1);
        let failed = blocks.end_frame(frame, Err("no".into()));
        assert_eq!(failed, Err("no".into()));
        assert_eq!(blocks.completed(), Ok(&[][..]));
    }
}
