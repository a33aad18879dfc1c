//! Note in firmware's image about its channels.
//!
//! Source: protocol, section *Note of the image*.

use core::fmt;

use crate::header::{NEWEST, Version};
use crate::layout::{CacheLine, PtrWidth};

/// Name of the section of an image that has the notes.
pub const NOTE_SECTION: &str = ".note.vhost";

/// Size of one note in bytes.
pub const NOTE_SIZE: usize = 36;

/// Name of the notes, with NUL and padding.
const NAME: [u8; 8] = *b"vhost\0\0\0";

/// Length of the name with NUL.
const NAME_LEN: u32 = 6;

/// Type of the note.
const TYPE: u32 = 1;

/// Size of the description in bytes.
const DESCRIPTION: u32 = 16;

/// Properties of the channels of an image.
///
/// ```
/// use mailbox_rs::{CacheLine, ImageNote, NEWEST, PtrWidth};
///
/// let note = ImageNote {
///     version: NEWEST,
///     ptr_width: PtrWidth::P8,
///     cache_line: CacheLine::B64,
///     channels: 2,
/// };
/// assert_eq!(ImageNote::of_section(&note.to_bytes()), Ok(Some(note)));
/// assert_eq!(ImageNote::of_section(&[]), Ok(None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ImageNote {
    /// Highest protocol version of firmware's client.
    pub version: Version,
    /// Width of a pointer.
    pub ptr_width: PtrWidth,
    /// Cache line of the channels.
    pub cache_line: CacheLine,
    /// Number of channels; the sum of all notes.
    pub channels: u32,
}

/// Error of the notes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadNote {
    /// Note that does not end within the section.
    Cut {
        /// Offset in the section.
        offset: usize,
    },
    /// Description of another size.
    Size {
        /// Size in bytes.
        size: u32,
    },
    /// Pointer width other than 4 or 8 bytes.
    PtrWidth {
        /// Number of bytes.
        bytes: u32,
    },
    /// Cache line that the protocol lacks.
    CacheLine {
        /// Number of bytes.
        bytes: u32,
    },
    /// Two notes with different cache lines.
    TwoLines {
        /// Line of the first note.
        first: CacheLine,
        /// Line of the other note.
        other: CacheLine,
    },
    /// Two notes with different pointer widths.
    TwoWidths,
}

impl ImageNote {
    /// Note for firmware that is compiled with this crate.
    #[must_use]
    pub const fn native(cache_line: CacheLine, channels: u32) -> Self {
        Self {
            version: NEWEST,
            ptr_width: PtrWidth::NATIVE,
            cache_line,
            channels,
        }
    }

    /// Bytes in the section.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; NOTE_SIZE] {
        let version = (self.version.major as u32) << 16 | self.version.minor as u32;
        let name = [
            u32::from_le_bytes([NAME[0], NAME[1], NAME[2], NAME[3]]),
            u32::from_le_bytes([NAME[4], NAME[5], NAME[6], NAME[7]]),
        ];
        let words = [
            NAME_LEN,
            DESCRIPTION,
            TYPE,
            name[0],
            name[1],
            version,
            self.ptr_width.bytes() as u32,
            self.cache_line.bytes() as u32,
            self.channels,
        ];
        let mut bytes = [0; NOTE_SIZE];
        let mut i = 0;
        while i < NOTE_SIZE {
            bytes[i] = words[i / 4].to_le_bytes()[i % 4];
            i += 1;
        }
        bytes
    }

    /// Sum of all notes of a section; `None` if it has none. Notes of other names and types, and
    /// zeros between notes, are ignored.
    ///
    /// # Errors
    ///
    /// Fails if a note is malformed, or if two differ in pointer width or cache line.
    pub fn of_section(section: &[u8]) -> Result<Option<Self>, BadNote> {
        let mut sum: Option<Self> = None;
        let mut offset = 0;
        while let Some(rest) = section.get(offset..).filter(|rest| rest.len() >= 4) {
            if rest[..4] == [0; 4] {
                offset += 4;
                continue;
            }
            let (note, size) = Self::first(rest).map_err(|bad| match bad {
                BadNote::Cut { .. } => BadNote::Cut { offset },
                bad => bad,
            })?;
            offset += size;
            let Some(note) = note else { continue };
            sum = Some(match sum {
                None => note,
                Some(sum) => sum.plus(note)?,
            });
        }
        Ok(sum)
    }

    /// First note of `bytes`, if it has this name and type, and its size with padding.
    fn first(bytes: &[u8]) -> Result<(Option<Self>, usize), BadNote> {
        let cut = BadNote::Cut { offset: 0 };
        let word = |at: usize| {
            let word = bytes.get(at..at.checked_add(4)?)?;
            Some(u32::from_le_bytes(word.try_into().ok()?))
        };
        let header = word(0).zip(word(4)).zip(word(8));
        let ((name_len, size), kind) = header.ok_or(cut)?;
        let padded = |len: u32| usize::try_from(len).ok()?.checked_next_multiple_of(4);
        let description = padded(name_len).and_then(|len| len.checked_add(12));
        let description = description.ok_or(cut)?;
        let end = padded(size).and_then(|len| len.checked_add(description));
        let end = end.filter(|end| *end <= bytes.len()).ok_or(cut)?;
        if name_len != NAME_LEN || bytes[12..20] != NAME || kind != TYPE {
            return Ok((None, end));
        }
        if size < DESCRIPTION {
            return Err(BadNote::Size { size });
        }
        let field = |i: usize| word(description + 4 * i).ok_or(cut);
        let (bits, line) = (field(1)?, field(2)?);
        let note = Self {
            version: field(0)?.into(),
            ptr_width: bits
                .checked_mul(8)
                .and_then(PtrWidth::from_bits)
                .ok_or(BadNote::PtrWidth { bytes: bits })?,
            cache_line: CacheLine::from_bytes(line.into())
                .ok_or(BadNote::CacheLine { bytes: line })?,
            channels: field(3)?,
        };
        Ok((Some(note), end))
    }

    fn plus(self, other: Self) -> Result<Self, BadNote> {
        if self.ptr_width != other.ptr_width {
            return Err(BadNote::TwoWidths);
        }
        if self.cache_line != other.cache_line {
            return Err(BadNote::TwoLines {
                first: self.cache_line,
                other: other.cache_line,
            });
        }
        Ok(Self {
            version: self.version.max(other.version),
            channels: self.channels.saturating_add(other.channels),
            ..self
        })
    }
}

/// Format: "protocol 0.3, pointers of 32 bits, cache line of 64 bytes, 1 channel".
impl fmt::Display for ImageNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.ptr_width.bytes() * 8;
        write!(f, "protocol {}, pointers of {bits} bits, ", self.version)?;
        match self.cache_line.bytes() {
            0 => f.write_str("no cache line, ")?,
            bytes => write!(f, "cache line of {bytes} bytes, ")?,
        }
        match self.channels {
            1 => f.write_str("1 channel"),
            more => write!(f, "{more} channels"),
        }
    }
}

impl fmt::Display for BadNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Cut { offset } => write!(f, "the note at offset {offset:#x} is cut short"),
            Self::Size { size } => write!(
                f,
                "a note has {size} bytes, and at least {DESCRIPTION} are needed"
            ),
            Self::PtrWidth { bytes } => {
                write!(f, "its pointers have {bytes} bytes, and 4 or 8 are valid")
            }
            Self::CacheLine { bytes } => write!(
                f,
                "its cache line has {bytes} bytes, and 0, 32, 64, 128 or 256 are valid"
            ),
            Self::TwoLines { first, other } => write!(
                f,
                "channels have cache lines of {} and {} bytes; compile all sources with the same MB_CACHE_LINE",
                first.bytes(),
                other.bytes()
            ),
            Self::TwoWidths => f.write_str(
                "channels have pointers of 32 and 64 bits; compile all sources for one CPU",
            ),
        }
    }
}

impl core::error::Error for BadNote {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;
    use std::vec::Vec;

    fn note(ptr_width: PtrWidth, line: u64, channels: u32) -> ImageNote {
        ImageNote {
            version: NEWEST,
            ptr_width,
            cache_line: CacheLine::from_bytes(line).unwrap(),
            channels,
        }
    }

    fn section(notes: &[ImageNote]) -> Vec<u8> {
        notes.iter().flat_map(|note| note.to_bytes()).collect()
    }

    #[test]
    fn the_bytes_are_those_of_the_protocol() {
        let bytes = note(PtrWidth::P8, 256, 3).to_bytes();
        let expected = [
            [6, 0, 0, 0],
            [16, 0, 0, 0],
            [1, 0, 0, 0],
            *b"vhos",
            *b"t\0\0\0",
            [3, 0, 0, 0],
            [8, 0, 0, 0],
            [0, 1, 0, 0],
            [3, 0, 0, 0],
        ];
        assert_eq!(bytes, expected.concat()[..]);
    }

    #[test]
    fn channels_of_all_notes_are_counted() {
        for width in [PtrWidth::P4, PtrWidth::P8] {
            for line in [0, 32, 64, 128, 256] {
                let notes = [note(width, line, 1), note(width, line, 3)];
                let mut bytes = section(&notes[..1]);
                // Padding, and a note of another tool.
                bytes.extend([0; 8]);
                bytes.extend(b"\x04\0\0\0\x05\0\0\0\x01\0\0\0GNU\0abcde\0\0\0");
                bytes.extend(notes[1].to_bytes());
                let sum = note(width, line, 4);
                assert_eq!(ImageNote::of_section(&bytes), Ok(Some(sum)));
            }
        }
        let many = note(PtrWidth::P4, 0, u32::MAX);
        let sum = ImageNote::of_section(&section(&[many, many]));
        assert_eq!(sum, Ok(Some(many)));
    }

    #[test]
    fn notes_that_contradict_are_refused() {
        let (one, other) = (note(PtrWidth::P4, 32, 1), note(PtrWidth::P4, 64, 1));
        let bad = ImageNote::of_section(&section(&[one, other])).unwrap_err();
        let text = bad.to_string();
        assert!(text.contains("cache lines of 32 and 64 bytes"), "{text}");
        let wide = note(PtrWidth::P8, 32, 1);
        let bad = ImageNote::of_section(&section(&[one, wide]));
        assert_eq!(bad, Err(BadNote::TwoWidths));
    }

    #[test]
    fn malformed_notes_are_refused() {
        let good = note(PtrWidth::P4, 0, 1).to_bytes();
        for (at, value, bad) in [
            (4, 12, BadNote::Size { size: 12 }),
            (24, 5, BadNote::PtrWidth { bytes: 5 }),
            (28, 16, BadNote::CacheLine { bytes: 16 }),
        ] {
            let mut bytes = good;
            bytes[at] = value;
            assert_eq!(ImageNote::of_section(&bytes), Err(bad));
        }
        for len in 4..NOTE_SIZE {
            let cut = Err(BadNote::Cut { offset: 0 });
            assert_eq!(ImageNote::of_section(&good[..len]), cut, "{len}");
        }
        let mut twice = section(&[note(PtrWidth::P4, 0, 1); 2]);
        twice.pop();
        let cut = Err(BadNote::Cut { offset: 36 });
        assert_eq!(ImageNote::of_section(&twice), cut);
    }

    proptest! {
        #[test]
        fn hostile_sections_do_no_harm(
            mut bytes in prop::collection::vec(any::<u8>(), 0..120),
            start: bool,
            at in 0..36_usize,
            value: u8,
        ) {
            if start && bytes.len() >= 36 {
                bytes[..36].copy_from_slice(&note(PtrWidth::P4, 0, 1).to_bytes());
                bytes[at] = value;
            }
            let _ = ImageNote::of_section(&bytes);
        }
    }
}
