//! Control block of RTT in memory: its layout, and its words as checked values.

use mailbox_rs::PtrWidth;

use crate::messages::RTT_HEADER;

/// Mark at the beginning of a control block. Firmware writes it last.
pub(super) const ID: [u8; 16] = *b"SEGGER RTT\0\0\0\0\0\0";

/// Bytes in front of the buffers: mark, and numbers of up and down buffers.
pub(super) const HEADER: u64 = RTT_HEADER;

/// Most buffers of a direction. A larger number is no control block.
pub(super) const MOST_BUFFERS: u32 = 64;

/// Largest buffer. A larger size is no size.
pub(super) const MOST_SIZE: u32 = 16 << 20;

/// Numbers of buffers, after the check of the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) up: u32,
    pub(super) down: u32,
}

/// State of a header in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderState {
    /// There is no mark: firmware has not set up the control block, or has been reset.
    Absent,
    /// The mark is there, and the numbers of buffers are impossible.
    Impossible(Header),
    /// A control block.
    Present(Header),
}

impl HeaderState {
    /// Checks the first [`HEADER`] bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.get(..ID.len()) != Some(&ID[..]) {
            return Self::Absent;
        }
        let (Some(up), Some(down)) = (word(bytes, 16), word(bytes, 20)) else {
            return Self::Absent;
        };
        let header = Header { up, down };
        match up <= MOST_BUFFERS && down <= MOST_BUFFERS {
            true => Self::Present(header),
            false => Self::Impossible(header),
        }
    }
}

/// Layout of a control block with pointers of one width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) ptr_width: PtrWidth,
}

/// Descriptor of a buffer, as firmware wrote it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// Address of the name; 0 for none.
    pub(super) name: u64,
    /// Address of the bytes; 0 before firmware has set the buffer up.
    pub(super) data: u64,
    /// Number of bytes.
    pub(super) size: u32,
    /// Offset of the next byte to write.
    pub(super) write: u32,
    /// Offset of the next byte to read.
    pub(super) read: u32,
}

/// Reason to refuse a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Implausible {
    #[error("its size is {size:#x} bytes, more than {MOST_SIZE:#x}")]
    Size { size: u32 },
    #[error("its {which} offset is {offset:#x}, and its size {size:#x}")]
    Offset {
        which: &'static str,
        offset: u32,
        size: u32,
    },
}

impl Layout {
    /// Bytes of a descriptor.
    pub(super) fn descriptor(self) -> u64 {
        match self.ptr_width {
            PtrWidth::P4 => 24,
            PtrWidth::P8 => 32,
        }
    }

    /// Offset of a descriptor from the control block, by its position: up buffers come first.
    pub(super) fn offset(self, position: u32) -> u64 {
        HEADER + u64::from(position) * self.descriptor()
    }

    /// Offset of the write offset within a descriptor.
    pub(super) fn write_offset(self) -> u64 {
        2 * self.ptr_width.bytes() + 4
    }

    /// Offset of the read offset within a descriptor.
    pub(super) fn read_offset(self) -> u64 {
        self.write_offset() + 4
    }

    /// Decodes a descriptor; `None` for too few bytes.
    pub(super) fn parse(self, bytes: &[u8]) -> Option<Descriptor> {
        let width = self.ptr_width.bytes() as usize;
        let pointer = |at| match self.ptr_width {
            PtrWidth::P4 => word(bytes, at).map(u64::from),
            PtrWidth::P8 => {
                let bytes = bytes.get(at..at + 8)?;
                Some(u64::from_le_bytes(bytes.try_into().ok()?))
            }
        };
        let words = 2 * width;
        Some(Descriptor {
            name: pointer(0)?,
            data: pointer(width)?,
            size: word(bytes, words)?,
            write: word(bytes, words + 4)?,
            read: word(bytes, words + 8)?,
        })
    }
}

impl Descriptor {
    /// True once firmware has set the buffer up.
    pub(super) fn is_set_up(&self) -> bool {
        self.data != 0 && self.size != 0
    }

    /// Checks size and offsets of a buffer that is set up.
    pub(super) fn check(&self) -> Result<(), Implausible> {
        let Self {
            size, write, read, ..
        } = *self;
        if size > MOST_SIZE {
            return Err(Implausible::Size { size });
        }
        for (which, offset) in [("write", write), ("read", read)] {
            if offset >= size {
                return Err(Implausible::Offset {
                    which,
                    offset,
                    size,
                });
            }
        }
        Ok(())
    }

    /// Pieces of a checked buffer that hold bytes: offset and length of each, in order.
    pub(super) fn filled(&self) -> [(u32, u32); 2] {
        let Self {
            size, write, read, ..
        } = *self;
        match read <= write {
            true => [(read, write - read), (0, 0)],
            false => [(read, size - read), (0, write)],
        }
    }

    /// Pieces of a checked buffer that are free, in order. One byte stays free: equal offsets mean that the buffer is empty.
    pub(super) fn free(&self) -> [(u32, u32); 2] {
        let Self {
            size, write, read, ..
        } = *self;
        match (read <= write, read) {
            (true, 0) => [(write, size - 1 - write), (0, 0)],
            (true, read) => [(write, size - write), (0, read - 1)],
            (false, read) => [(write, read - 1 - write), (0, 0)],
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn descriptors_have_the_layout_of_both_widths() {
        let layout = |ptr_width| Layout { ptr_width };
        let mut bytes: Vec<u8> = (0..32).collect();
        let narrow = layout(PtrWidth::P4);
        assert_eq!((narrow.offset(0), narrow.offset(2)), (24, 72));
        assert_eq!((narrow.write_offset(), narrow.read_offset()), (12, 16));
        let parsed = narrow.parse(&bytes[..24]).unwrap();
        assert_eq!((parsed.name, parsed.data), (0x0302_0100, 0x0706_0504));
        assert_eq!(parsed.write, 0x0f0e_0d0c);
        let wide = layout(PtrWidth::P8);
        assert_eq!((wide.offset(0), wide.offset(2)), (24, 88));
        assert_eq!((wide.write_offset(), wide.read_offset()), (20, 24));
        let parsed = wide.parse(&bytes).unwrap();
        assert_eq!((parsed.size, parsed.read), (0x1312_1110, 0x1b1a_1918));
        bytes.truncate(27);
        assert_eq!(wide.parse(&bytes), None);
    }

    #[test]
    fn a_header_is_read_behind_its_mark_only() {
        let mut bytes = [ID.as_slice(), &[3, 0, 0, 0], &[2, 0, 0, 0]].concat();
        let header = Header { up: 3, down: 2 };
        assert_eq!(HeaderState::of(&bytes), HeaderState::Present(header));
        bytes[17] = 1;
        let header = Header { up: 0x103, down: 2 };
        assert_eq!(HeaderState::of(&bytes), HeaderState::Impossible(header));
        assert_eq!(HeaderState::of(&bytes[..23]), HeaderState::Absent);
        bytes[15] = 1;
        assert_eq!(HeaderState::of(&bytes), HeaderState::Absent);
    }

    proptest! {
        /// Every byte of a ring is filled, free, or the one that stays free.
        #[test]
        fn filled_and_free_pieces_cover_the_ring(size in 1_u32..200, write: u32, read: u32) {
            let (write, read) = (write % size, read % size);
            let ring = Descriptor { size, write, read, ..Descriptor::default() };
            prop_assert_eq!(ring.check(), Ok(()));
            let bytes = |pieces: [(u32, u32); 2]| -> Vec<u32> {
                pieces.into_iter().flat_map(|(at, len)| at..at + len).collect()
            };
            let (filled, free) = (bytes(ring.filled()), bytes(ring.free()));
            prop_assert_eq!(filled.len() + free.len() + 1, size as usize);
            let expected: Vec<u32> = (0..filled.len() as u32).map(|at| (read + at) % size).collect();
            prop_assert_eq!(&filled, &expected);
            let expected: Vec<u32> = (0..free.len() as u32).map(|at| (write + at) % size).collect();
            prop_assert_eq!(free, expected);
        }
    }
}
