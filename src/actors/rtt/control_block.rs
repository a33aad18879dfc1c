//! Layout of RTT's control block in memory, and its words as checked values.

use mailbox_rs::PtrWidth;

use crate::messages::RTT_HEADER;

/// Mark at the beginning of a control block. Firmware writes it last.
pub(super) const ID: [u8; 16] = *b"SEGGER RTT\0\0\0\0\0\0";

/// Number of bytes before the descriptors: mark, and numbers of up and down buffers.
pub(super) const HEADER: u64 = RTT_HEADER;

/// Maximum number of buffers in one direction. A control block with a larger number is invalid.
pub(super) const MAX_BUFFERS: u32 = 64;

/// Maximum size of a buffer. A descriptor with a larger size is invalid.
pub(super) const MAX_BUFFER_SIZE: u32 = 16 << 20;

/// Numbers of buffers, after the check of the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) up: u32,
    pub(super) down: u32,
}

/// State of a header in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderState {
    /// No mark: firmware has not set up the control block, or has been reset.
    Absent,
    /// Mark with invalid numbers of buffers.
    Impossible(Header),
    /// Valid control block.
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
        match up <= MAX_BUFFERS && down <= MAX_BUFFERS {
            true => Self::Present(header),
            false => Self::Impossible(header),
        }
    }
}

/// Layout of a control block with pointers of one width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) ptr_width: PtrWidth,
    /// True if numbers, sizes and offsets have 64 bits, too. Rust crates use this layout with
    /// pointers of 64 bits.
    pub(super) is_wide: bool,
}

/// Number of bytes of a wide control block up to the write offset of its first buffer. They
/// distinguish it from the other layout.
pub(super) const WIDE_HEAD: u64 = 64;

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
    /// Mode in the lowest two bits.
    pub(super) flags: u32,
}

/// Bits of a mode.
const MODE: u32 = 3;

/// Reason to refuse a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Implausible {
    #[error("its size is {size:#x} bytes, more than {MAX_BUFFER_SIZE:#x}")]
    Size { size: u32 },
    #[error("its {which} offset is {offset:#x}, and its size {size:#x}")]
    Offset {
        which: &'static str,
        offset: u32,
        size: u32,
    },
}

impl Layout {
    /// Layout of SEGGER's C code.
    pub(super) fn of(ptr_width: PtrWidth) -> Self {
        let is_wide = false;
        Self { ptr_width, is_wide }
    }

    /// Layout and numbers of buffers of a wide control block, from its first [`WIDE_HEAD`] bytes.
    /// `None` for SEGGER's layout. There, a number of down buffers or a pointer follows the number
    /// of up buffers, and the place of the first size has offset and flags. If the first buffer has
    /// neither name nor flags, its read offset could be a size: then the layout is SEGGER's if the
    /// descriptor is plausible in it.
    pub(super) fn wide(self, bytes: &[u8]) -> Option<(Self, Header)> {
        let [up, down, size] = [16, 24, 48].map(|at| long(bytes, at));
        let count = |number: Option<u64>| {
            let number = u32::try_from(number?).ok()?;
            (number <= MAX_BUFFERS).then_some(number)
        };
        let (up, down) = (count(up)?, count(down)?);
        let is_size = (1..=u64::from(MAX_BUFFER_SIZE)).contains(&size?);
        let narrow = bytes.get(HEADER as usize..).and_then(|it| self.parse(it));
        let is_narrow =
            narrow.is_some_and(|it| it.name == 0 && it.is_set_up() && it.check().is_ok());
        let is_wide = self.ptr_width == PtrWidth::P8 && is_size && !is_narrow;
        let layout = Self { is_wide, ..self };
        is_wide.then_some((layout, Header { up, down }))
    }

    /// Number of bytes before the descriptors.
    pub(super) fn header(self) -> u64 {
        if self.is_wide { 32 } else { HEADER }
    }

    /// Number of bytes of a size or an offset.
    fn word(self) -> u64 {
        if self.is_wide { 8 } else { 4 }
    }

    /// Number of bytes of a descriptor: two pointers, a size, two offsets, flags.
    pub(super) fn descriptor(self) -> u64 {
        2 * self.ptr_width.bytes() + 4 * self.word()
    }

    /// Offset of a descriptor from the control block, by its position. Up buffers come first.
    pub(super) fn offset(self, position: u32) -> u64 {
        self.header() + u64::from(position) * self.descriptor()
    }

    /// Offset of the write offset within a descriptor.
    pub(super) fn write_offset(self) -> u64 {
        2 * self.ptr_width.bytes() + self.word()
    }

    /// Offset of the read offset within a descriptor.
    pub(super) fn read_offset(self) -> u64 {
        self.write_offset() + self.word()
    }

    /// Offset of the flags within a descriptor.
    pub(super) fn flags_offset(self) -> u64 {
        self.read_offset() + self.word()
    }

    /// Decodes a descriptor; `None` for too few bytes.
    pub(super) fn parse(self, bytes: &[u8]) -> Option<Descriptor> {
        let width = self.ptr_width.bytes() as usize;
        let pointer = |at| match self.ptr_width {
            PtrWidth::P4 => word(bytes, at).map(u64::from),
            PtrWidth::P8 => long(bytes, at),
        };
        // A number of more than 32 bits becomes the largest one of 32 bits, which is refused.
        let number = |at| match self.is_wide {
            true => long(bytes, at).map(|it| u32::try_from(it).unwrap_or(u32::MAX)),
            false => word(bytes, at),
        };
        let (words, each) = (2 * width, self.word() as usize);
        Some(Descriptor {
            name: pointer(0)?,
            data: pointer(width)?,
            size: number(words)?,
            write: number(words + each)?,
            read: number(words + 2 * each)?,
            flags: word(bytes, words + 3 * each)?,
        })
    }
}

impl Descriptor {
    /// True if firmware has set the buffer up.
    pub(super) fn is_set_up(&self) -> bool {
        self.data != 0 && self.size != 0
    }

    /// Flags with another mode; `None` if the mode is set already.
    pub(super) fn flags_with(&self, mode: u8) -> Option<u32> {
        let flags = self.flags & !MODE | u32::from(mode) & MODE;
        (flags != self.flags).then_some(flags)
    }

    /// Checks size and offsets of a buffer that is set up.
    pub(super) fn check(&self) -> Result<(), Implausible> {
        let Self {
            size, write, read, ..
        } = *self;
        if size > MAX_BUFFER_SIZE {
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

    /// Filled parts of a checked buffer, in order: offset and length of each.
    pub(super) fn filled(&self) -> [(u32, u32); 2] {
        let Self {
            size, write, read, ..
        } = *self;
        match read <= write {
            true => [(read, write - read), (0, 0)],
            false => [(read, size - read), (0, write)],
        }
    }

    /// Free parts of a checked buffer, in order. One byte stays free, because equal offsets mean an
    /// empty buffer.
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

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn descriptors_have_the_layout_of_both_widths() {
        let layout = Layout::of;
        let mut bytes: Vec<u8> = (0..32).collect();
        let narrow = layout(PtrWidth::P4);
        assert_eq!((narrow.offset(0), narrow.offset(2)), (24, 72));
        assert_eq!((narrow.write_offset(), narrow.read_offset()), (12, 16));
        assert_eq!(narrow.flags_offset(), 20);
        let parsed = narrow.parse(&bytes[..24]).unwrap();
        assert_eq!((parsed.name, parsed.data), (0x0302_0100, 0x0706_0504));
        assert_eq!(parsed.write, 0x0f0e_0d0c);
        let wide = layout(PtrWidth::P8);
        assert_eq!((wide.offset(0), wide.offset(2)), (24, 88));
        assert_eq!((wide.write_offset(), wide.read_offset()), (20, 24));
        let parsed = wide.parse(&bytes).unwrap();
        assert_eq!((parsed.size, parsed.read), (0x1312_1110, 0x1b1a_1918));
        assert_eq!((wide.flags_offset(), parsed.flags), (28, 0x1f1e_1d1c));
        bytes.truncate(27);
        assert_eq!(wide.parse(&bytes), None);
    }

    #[test]
    fn a_wide_control_block_is_distinguished_from_one_of_segger() {
        let narrow = Layout::of(PtrWidth::P8);
        let block = |words: &[u64]| -> Vec<u8> {
            let words = words.iter().flat_map(|word| word.to_le_bytes());
            ID.into_iter().chain(words).collect()
        };
        // Numbers, name, data, size, write offset.
        let rust = block(&[2, 1, 0x6000_0000, 0x6000_0100, 1024, 5]);
        let (wide, header) = narrow.wide(&rust).unwrap();
        assert_eq!(header, Header { up: 2, down: 1 });
        assert_eq!((wide.offset(0), wide.offset(2)), (32, 128));
        assert_eq!((wide.write_offset(), wide.read_offset()), (24, 32));
        let words = [0x6000_0000_u64, 0x6000_0100, 1024, 5, 4, 2].map(u64::to_le_bytes);
        let parsed = wide.parse(words.as_flattened()).unwrap();
        assert_eq!((parsed.size, parsed.write, parsed.read), (1024, 5, 4));
        assert_eq!((wide.flags_offset(), parsed.flags), (40, 2));
        let words = [1, 2, 1 << 40, 5, 4, 2].map(u64::to_le_bytes);
        let parsed = wide.parse(words.as_flattened()).unwrap();
        assert!(parsed.check().is_err());
        // Layout of SEGGER, without down buffers: name, data, size with write offset, read offset
        // with flags.
        for name in [0, 0x6000_0000] {
            for read in [0, 1, 5, 1023] {
                for flags in [0, 2 << 32] {
                    let c = block(&[1, name, 0x6000_0100, 1024 | 5 << 32, read | flags, 0]);
                    assert_eq!(narrow.wide(&c), None, "{name:#x} {read} {flags:#x}");
                }
            }
        }
        // Layout of Rust, without down buffers: name, data, size.
        let rust_up = block(&[1, 0, 0x6000_0000, 0x6000_0100, 1024, 5]);
        assert!(narrow.wide(&rust_up).is_some());
        assert_eq!(narrow.wide(&rust[..55]), None);
        assert_eq!(Layout::of(PtrWidth::P4).wide(&rust), None);
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
        /// Each byte of a ring is either filled, free, or the one that always stays free.
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
