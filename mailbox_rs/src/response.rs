//! Responses from host to firmware: raw entry and meaning.
//!
//! Source: protocol, sections *Layout* and *Requests*.

use crate::bytes::{get_u32, get_word, put_u32, put_word};
use crate::errno::Errno;
use crate::layout::PtrWidth;

/// Response entry: `u32 words`, `P rets`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ResponseEntry {
    /// 0 for an empty response, 1 for a value.
    pub words: u32,
    /// Value or negated error number, in the low bytes of the pointer width; zero above.
    pub rets: u64,
}

impl ResponseEntry {
    /// Size of the larger entry in bytes, that for 8-byte pointers.
    pub const MAX_SIZE: usize = 16;

    /// Size of an entry in bytes.
    #[must_use]
    pub const fn size(width: PtrWidth) -> usize {
        2 * width.bytes() as usize
    }

    /// Parses an entry; `None` if `bytes` is too short.
    #[must_use]
    pub fn parse(bytes: &[u8], width: PtrWidth) -> Option<Self> {
        Some(Self {
            words: get_u32(bytes, 0)?,
            rets: get_word(bytes, rets_offset(width), width)?,
        })
    }

    /// Writes the entry, with zeroed padding, to the start of `bytes`.
    ///
    /// # Panics
    ///
    /// If `bytes` is shorter than [`size`](Self::size).
    pub fn emit(&self, bytes: &mut [u8], width: PtrWidth) {
        bytes[..rets_offset(width)].fill(0);
        put_u32(bytes, 0, self.words);
        put_word(bytes, rets_offset(width), self.rets, width);
    }

    /// Value, or the error it encodes; 0 for an empty response.
    ///
    /// For requests whose values never overlap with errors. A result of CALL, MEMCMP or a custom
    /// command can be any word: use [`rets`](Self::rets) there.
    pub const fn result(&self, width: PtrWidth) -> Result<u64, Errno> {
        match Errno::from_word(self.rets, width) {
            Some(errno) if self.words != 0 => Err(errno),
            _ => Ok(self.rets),
        }
    }
}

const fn rets_offset(width: PtrWidth) -> usize {
    width.bytes() as usize
}

/// Response to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Response {
    /// Success without a value.
    Empty,
    /// Success with a value, truncated to the pointer width.
    Value(u64),
    /// Failure with an error number.
    Error(Errno),
}

impl Response {
    /// Signed value, sign-extended to the pointer width: MEMCMP's difference.
    #[must_use]
    pub const fn signed(value: i32) -> Self {
        Self::Value(value as i64 as u64)
    }

    /// Entry of this response.
    ///
    /// ```
    /// use mailbox_rs::{Errno, PtrWidth, Response, ResponseEntry};
    ///
    /// let entry = Response::Error(Errno::EBADF).entry(PtrWidth::P4);
    /// assert_eq!(entry, ResponseEntry { words: 1, rets: 0xffff_fff7 });
    /// ```
    #[must_use]
    pub const fn entry(self, width: PtrWidth) -> ResponseEntry {
        match self {
            Self::Empty => ResponseEntry { words: 0, rets: 0 },
            Self::Value(value) => ResponseEntry {
                words: 1,
                rets: width.truncate(value),
            },
            Self::Error(errno) => ResponseEntry {
                words: 1,
                rets: errno.to_word(width),
            },
        }
    }
}

impl From<Result<u64, Errno>> for Response {
    fn from(result: Result<u64, Errno>) -> Self {
        result.map_or_else(Self::Error, Self::Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WIDTHS: [PtrWidth; 2] = [PtrWidth::P4, PtrWidth::P8];

    #[test]
    fn bytes_of_a_value() {
        let mut bytes = [0xff; 16];
        Response::signed(-2)
            .entry(PtrWidth::P8)
            .emit(&mut bytes, PtrWidth::P8);
        assert_eq!(
            bytes,
            [
                1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
            ]
        );

        let mut bytes = [0xff; 8];
        Response::signed(-2)
            .entry(PtrWidth::P4)
            .emit(&mut bytes, PtrWidth::P4);
        assert_eq!(bytes, [1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
    }

    /// Bytes of an entry, written from the protocol's table.
    fn bytes_of(words: u8, rets: u64, p: usize) -> std::vec::Vec<u8> {
        let mut bytes = std::vec![words];
        bytes.resize(p, 0);
        bytes.extend_from_slice(&rets.to_le_bytes()[..p]);
        bytes
    }

    #[test]
    fn every_error_and_the_values_around_each_bit_have_the_bytes_of_the_protocol() {
        for (width, p) in [(PtrWidth::P4, 4), (PtrWidth::P8, 8)] {
            let bytes = |response: Response| {
                let mut bytes = [0xa5; ResponseEntry::MAX_SIZE];
                response.entry(width).emit(&mut bytes, width);
                bytes[..2 * p].to_vec()
            };
            assert_eq!(bytes(Response::Empty), bytes_of(0, 0, p));
            for number in 1..4096_u16 {
                let negated = 0_u64.wrapping_sub(number.into());
                let error = Response::Error(Errno(number.into()));
                assert_eq!(bytes(error), bytes_of(1, negated, p));
            }
            for bit in 0..64 {
                for value in [1_u64 << bit, (1 << bit) - 1, !(1 << bit)] {
                    assert_eq!(bytes(Response::Value(value)), bytes_of(1, value, p));
                }
            }
        }
    }

    #[test]
    fn short_slices_are_no_entry() {
        for width in WIDTHS {
            let size = ResponseEntry::size(width);
            assert_eq!(ResponseEntry::parse(&[0; 16][..size - 1], width), None);
            assert!(ResponseEntry::parse(&[0; 16][..size], width).is_some());
        }
    }

    #[test]
    fn results() {
        for width in WIDTHS {
            assert_eq!(Response::Empty.entry(width).result(width), Ok(0));
            assert_eq!(Response::Value(10).entry(width).result(width), Ok(10));
            assert_eq!(
                Response::Error(Errno::EIO).entry(width).result(width),
                Err(Errno::EIO)
            );
        }
    }

    proptest! {
        #[test]
        fn emit_then_parse(words: u32, rets: u64, p8: bool) {
            let width = if p8 { PtrWidth::P8 } else { PtrWidth::P4 };
            let entry = ResponseEntry { words, rets: width.truncate(rets) };
            let mut bytes = [0xa5; ResponseEntry::MAX_SIZE];
            entry.emit(&mut bytes, width);
            prop_assert_eq!(ResponseEntry::parse(&bytes, width), Some(entry));
        }
    }
}
