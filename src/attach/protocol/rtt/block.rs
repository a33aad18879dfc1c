//! Control block of RTT and its descriptors, decoded by `docs/rtt.md`.

use crate::attach::protocol::rules::word;
use crate::mem::Span;

/// Mark of a control block.
const MARK: &[u8; 16] = b"SEGGER RTT\0\0\0\0\0\0";

/// Size of the mark and of the two numbers of 32 bits after it, in bytes.
pub(super) const HEADER: u64 = 24;

/// Number of bytes that the host reads to determine the widths of the numbers. No control block has
/// this size. A shorter read may be due to the end of memory.
pub(super) const WIDE_HEAD: u64 = 64;

/// Maximum number of buffers in one direction.
pub(super) const MAX_BUFFERS: u64 = 64;

/// Maximum size of a buffer, in bytes.
pub(super) const MAX_BUFFER_SIZE: u64 = 16 << 20;

/// True if bytes begin with the mark.
pub(super) fn has_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(MARK)
}

/// Numbers of up and down buffers in the first bytes of a control block. The error has invalid
/// ones.
pub(super) fn counts(bytes: &[u8]) -> Result<(u64, u64), (u64, u64)> {
    let at = |at| word(bytes, at, 4).unwrap_or_default();
    let (up, down) = (at(16), at(20));
    match up <= MAX_BUFFERS && down <= MAX_BUFFERS {
        true => Ok((up, down)),
        false => Err((up, down)),
    }
}

/// Widths of the numbers of a control block, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Widths {
    /// Size of a pointer.
    pub(super) pointer: u64,
    /// Size of a number, a size and an offset.
    pub(super) number: u64,
}

impl Widths {
    fn header(self) -> u64 {
        16 + 2 * self.number
    }

    fn descriptor(self) -> u64 {
        2 * self.pointer + 4 * self.number
    }

    /// Offset of a number in the descriptor at a position. Number 0 is the size, followed by write
    /// offset, read offset and flags.
    pub(super) fn offset(self, position: usize, number: u64) -> u64 {
        let first = self.header() + position as u64 * self.descriptor();
        first + 2 * self.pointer + number * self.number
    }
}

/// Positions of numbers in a descriptor, for [`Widths::offset`].
pub(super) const WRITE: u64 = 1;
pub(super) const READ: u64 = 2;
pub(super) const FLAGS: u64 = 3;

/// Bits of a mode in the flags.
pub(super) const MODE: u64 = 3;

/// Control block, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) widths: Widths,
    /// Number of up buffers, whose descriptors come first.
    pub(super) up: usize,
    pub(super) buffers: Vec<Buffer>,
}

/// Descriptor of a buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Buffer {
    /// Address of the name; 0 for none.
    pub(super) name: u64,
    /// Address of the bytes.
    pub(super) data: u64,
    pub(super) size: u64,
    pub(super) write: u64,
    pub(super) read: u64,
    pub(super) flags: u64,
}

impl Block {
    /// Decodes a complete control block; `None` for a part of one. Its length shows the widths of
    /// the numbers: with pointers of 64 bits, all numbers may have 64 bits, too.
    pub(super) fn parse(bytes: &[u8], pointer: u64) -> Option<Self> {
        let number = |number| Widths { pointer, number };
        [number(4), number(pointer)].into_iter().find_map(|widths| {
            let count = |at: u64| {
                let count = word(bytes, at as usize, widths.number as usize)?;
                (count <= MAX_BUFFERS).then_some(count)
            };
            let (up, down) = (count(16)?, count(16 + widths.number)?);
            let len = widths.header() + (up + down) * widths.descriptor();
            if len != bytes.len() as u64 {
                return None;
            }
            let descriptors = bytes.get(widths.header() as usize..)?;
            let descriptors = descriptors.chunks_exact(widths.descriptor() as usize);
            Some(Self {
                widths,
                up: up as usize,
                buffers: descriptors.map(|it| Buffer::parse(it, widths)).collect(),
            })
        })
    }

    /// True unless all buffers that are set up are invalid, as after the mark in a constant of
    /// firmware. A search passes over such a mark.
    pub(super) fn is_likely(&self) -> bool {
        let mut set_up = self.buffers.iter().filter(|buffer| buffer.is_set_up());
        set_up.clone().next().is_none() || set_up.any(Buffer::is_possible)
    }
}

impl Buffer {
    fn parse(bytes: &[u8], widths: Widths) -> Self {
        let Widths { pointer, number } = widths;
        let at = |at: u64, len: u64| word(bytes, at as usize, len as usize).unwrap_or_default();
        let numbers = |nth| at(2 * pointer + nth * number, number);
        Self {
            name: at(0, pointer),
            data: at(pointer, pointer),
            size: numbers(0),
            write: numbers(WRITE),
            read: numbers(READ),
            flags: at(2 * pointer + FLAGS * number, 4),
        }
    }

    /// True if firmware has set the buffer up.
    pub(super) fn is_set_up(&self) -> bool {
        self.data != 0 && self.size != 0
    }

    /// True if the offsets are within the buffer, and its size is valid.
    pub(super) fn is_possible(&self) -> bool {
        self.is_set_up()
            && self.size <= MAX_BUFFER_SIZE
            && self.write < self.size
            && self.read < self.size
    }

    /// Number of bytes from the read offset to a write offset of a valid buffer.
    pub(super) fn filled(&self, write: u64) -> u64 {
        distance(self.read, write, self.size)
    }
}

/// Number of bytes from one offset of a ring to another.
pub(super) fn distance(from: u64, to: u64, size: u64) -> u64 {
    match from <= to {
        true => to - from,
        false => size.saturating_sub(from).saturating_add(to),
    }
}

/// Length of a range, if it starts at an offset of a buffer's bytes and stays within them.
pub(super) fn piece_at(buffer: &Buffer, offset: u64, at: Span) -> Option<u64> {
    let begins = buffer.data.checked_add(offset)? == at.address;
    (begins && at.len <= buffer.size.saturating_sub(offset)).then_some(at.len)
}
