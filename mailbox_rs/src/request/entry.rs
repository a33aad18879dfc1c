//! Raw request entry, unchecked.

use core::fmt;

use super::codes::{Hex, action, action_name, operation};
use crate::bytes::{get_u32, get_word, put_u32, put_word};
use crate::layout::{PtrWidth, REQUEST_ARGS};

/// Request entry: `u32 action`, `u32 words`, `P args[20]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RequestEntry {
    /// Request code, see [`action`].
    pub action: u32,
    /// Argument count given by firmware, unchecked.
    pub words: u32,
    /// Arguments, zero-extended from the pointer width. Serialized up to the last one that is not
    /// zero.
    #[cfg_attr(feature = "serde", serde(with = "serialized_args"))]
    pub args: [u64; REQUEST_ARGS],
}

#[cfg(feature = "serde")]
mod serialized_args {
    use core::fmt;

    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserializer, Serialize, Serializer};

    use super::REQUEST_ARGS;

    type Args = [u64; REQUEST_ARGS];

    pub(super) fn serialize<S: Serializer>(args: &Args, serializer: S) -> Result<S::Ok, S::Error> {
        let zeros = args.iter().rev().take_while(|arg| **arg == 0).count();
        args[..REQUEST_ARGS - zeros].serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Args, D::Error> {
        from.deserialize_seq(ArgsVisitor)
    }

    struct ArgsVisitor;

    impl<'de> Visitor<'de> for ArgsVisitor {
        type Value = Args;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {REQUEST_ARGS} arguments")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Args, A::Error> {
            let mut args = [0; REQUEST_ARGS];
            let mut len = 0;
            while let Some(arg) = seq.next_element()? {
                let place = args
                    .get_mut(len)
                    .ok_or_else(|| Error::invalid_length(len + 1, &self))?;
                *place = arg;
                len += 1;
            }
            Ok(args)
        }
    }
}

impl RequestEntry {
    /// Size of `action` and `words` in bytes.
    pub const HEADER_SIZE: usize = 8;

    /// Size of the larger entry, for 8-byte pointers, in bytes.
    pub const MAX_SIZE: usize = Self::size(PtrWidth::P8);

    /// Size of an entry in bytes.
    #[must_use]
    pub const fn size(width: PtrWidth) -> usize {
        Self::HEADER_SIZE + REQUEST_ARGS * width.bytes() as usize
    }

    /// Size in bytes up to the last counted argument, which is the part that firmware writes. A
    /// host reads the whole entry, because `words` may be too small.
    #[must_use]
    pub const fn counted_size(words: u32, width: PtrWidth) -> usize {
        Self::HEADER_SIZE + counted(words) * width.bytes() as usize
    }

    /// Parses an entry at the start of `bytes`. `None` if `bytes` is shorter than
    /// [`size`](Self::size).
    #[must_use]
    pub fn parse(bytes: &[u8], width: PtrWidth) -> Option<Self> {
        let action = get_u32(bytes, 0)?;
        let words = get_u32(bytes, 4)?;
        if bytes.len() < Self::size(width) {
            return None;
        }
        let args =
            core::array::from_fn(|i| get_word(bytes, arg_offset(i, width), width).unwrap_or(0));
        Some(Self {
            action,
            words,
            args,
        })
    }

    /// Writes the whole entry to the start of `bytes`; words are truncated to the pointer width.
    ///
    /// # Panics
    ///
    /// If `bytes` is shorter than [`size`](Self::size).
    pub fn emit(&self, bytes: &mut [u8], width: PtrWidth) {
        put_u32(bytes, 0, self.action);
        put_u32(bytes, 4, self.words);
        for (i, &arg) in self.args.iter().enumerate() {
            put_word(bytes, arg_offset(i, width), arg, width);
        }
    }

    /// Counted arguments: `words` of them, or all if there are fewer.
    #[must_use]
    pub fn counted_args(&self) -> &[u64] {
        &self.args[..counted(self.words)]
    }

    /// Returns true if the firmware waits for a response to the entry, well-formed or not.
    ///
    /// EXIT, CPRINT and FILE CLOSE have no response, with any arguments. All other entries have
    /// one, including malformed ones. Otherwise the client of an unknown request would wait
    /// forever, and so would one whose entry was lost and reads as idle.
    #[must_use]
    pub fn responds(&self) -> bool {
        match self.action {
            action::EXIT | action::CPRINT => false,
            action::FILE => self.words == 0 || self.args[0] != operation::CLOSE,
            _ => true,
        }
    }
}

/// Format: action and counted words in numbers, for messages on malformed entries.
impl fmt::Display for RequestEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, words, .. } = *self;
        write!(
            f,
            "{} action {action:#x} words {words} args {}",
            action_name(action),
            Hex(self.counted_args())
        )
    }
}

/// `words`, limited to the number of arguments.
const fn counted(words: u32) -> usize {
    if words as usize > REQUEST_ARGS {
        REQUEST_ARGS
    } else {
        words as usize
    }
}

const fn arg_offset(i: usize, width: PtrWidth) -> usize {
    RequestEntry::HEADER_SIZE + i * width.bytes() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(action: u32, words: u32, first: u64) -> RequestEntry {
        let mut args = [0; REQUEST_ARGS];
        args[0] = first;
        RequestEntry {
            action,
            words,
            args,
        }
    }

    #[test]
    fn bytes_of_an_entry() {
        let mut bytes = [0xff; 88];
        entry(2, 1, 0x1234_5678_9abc_def0).emit(&mut bytes, PtrWidth::P4);
        assert_eq!(
            bytes[..16],
            [2, 0, 0, 0, 1, 0, 0, 0, 0xf0, 0xde, 0xbc, 0x9a, 0, 0, 0, 0]
        );
        assert_eq!(bytes[16..], [0; 72]);
    }

    #[test]
    fn an_entry_is_read_as_a_whole() {
        let mut bytes = [0; RequestEntry::MAX_SIZE];
        entry(1, 1, 7).emit(&mut bytes, PtrWidth::P8);
        let parsed = |len: usize| RequestEntry::parse(&bytes[..len], PtrWidth::P8);
        assert_eq!(parsed(RequestEntry::MAX_SIZE), Some(entry(1, 1, 7)));
        assert_eq!(parsed(RequestEntry::MAX_SIZE - 1), None);
        assert_eq!(parsed(7), None);
    }

    #[test]
    fn firmware_writes_counted_words_only() {
        assert_eq!(RequestEntry::counted_size(0, PtrWidth::P4), 8);
        assert_eq!(RequestEntry::counted_size(1, PtrWidth::P8), 16);
        assert_eq!(
            RequestEntry::counted_size(u32::MAX, PtrWidth::P8),
            RequestEntry::MAX_SIZE
        );
    }

    #[test]
    fn every_request_with_a_response_is_answered() {
        assert!(!entry(action::EXIT, 0, 0).responds());
        assert!(!entry(action::CPRINT, 0, 0).responds());
        assert!(!entry(action::FILE, 1, operation::CLOSE).responds());
        assert!(entry(action::FILE, 0, operation::CLOSE).responds());
        assert!(entry(action::FILE, 3, 99).responds());
        assert!(entry(action::IDLE, 0, 0).responds());
        assert!(entry(0xdead_beef, 0, 0).responds());
    }

    #[test]
    fn shown_with_its_arguments() {
        let shown = std::format!("{}", entry(action::PRINT, 2, 16));
        assert_eq!(shown, "PRINT action 0x2 words 2 args [0x10, 0x0]");
    }

    proptest! {
        #[test]
        fn emit_then_parse(action: u32, words: u32, args: [u64; REQUEST_ARGS], p8: bool) {
            let width = if p8 { PtrWidth::P8 } else { PtrWidth::P4 };
            let entry = RequestEntry { action, words, args: args.map(|arg| width.truncate(arg)) };
            let mut bytes = [0xa5; RequestEntry::MAX_SIZE];
            entry.emit(&mut bytes, width);
            prop_assert_eq!(RequestEntry::parse(&bytes[..RequestEntry::size(width)], width), Some(entry));
        }
    }
}
