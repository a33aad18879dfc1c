//! Interface between the checker and the rules of one channel.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::bus::Body;
use crate::mem::{MapError, Op, Span};
use crate::messages::checkpoint::SavedFrontEnd;

/// Protocol violation: a clause that names the side, the address and the word.
pub(super) type Breach = String;

/// Rules of one channel whose words the host accesses by address.
///
/// The state is known from the start of the system, or from a restore. After an attachment in
/// between, rules that need earlier state are skipped.
pub(super) trait Rules: Debug + Send {
    /// Records the start of the system: all state is known from now on.
    fn start(&mut self);

    /// Replaces the state by that of a checkpoint.
    fn restore(&mut self, saved: &SavedFrontEnd);

    /// Checks an event of the channel, or a message to its server about the channel.
    fn event(&mut self, sequence: u64, body: &dyn Body, breaches: &mut Vec<Breach>);

    /// Records a request of the server in the channel's space. Its reply follows with the same
    /// sequence number.
    fn asks(&mut self, sequence: u64, request: Request);

    /// Checks the reply to a recorded message; `None` for a dropped one.
    fn replied(&mut self, sequence: u64, reply: Option<&dyn Body>, breaches: &mut Vec<Breach>);

    /// Checks a write of the server in the channel's space. Returns the owner of the place.
    fn writes(&mut self, write: MemoryWrite, breaches: &mut Vec<Breach>) -> Owner;

    /// True if the server reads this range by itself, without a request of firmware.
    fn looks_at(&self, _at: Span) -> bool {
        false
    }

    /// Request in service that has named an address outside of the memory map: operation, hart,
    /// location of its parameters, or name of a buffer. `None` if it is not known.
    fn names(&self, address: u64) -> Option<String>;

    /// True if an access for firmware to an unmapped address is new. A front end that reads the
    /// same words repeatedly remembers them.
    fn is_new_outside(&mut self, _address: u64) -> bool {
        true
    }
}

/// Request of a server that writes nothing to firmware's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// Read of bytes.
    Read(Span),
    /// Read of a text, up to its NUL.
    Text(Span),
    /// Resolution of addresses.
    Locate(Span),
}

/// Write of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MemoryWrite {
    /// Place of the bytes.
    pub(super) at: Span,
    /// Little-endian number; `None` for a range of more than 8 bytes, and for copied bytes.
    pub(super) value: Option<u64>,
}

/// Owner of a range that the host writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The channel: a word of its protocol, or memory that a request names.
    Channel,
    /// Another owner.
    Other,
    /// Unknown, because the checker was attached later.
    Unknown,
}

/// Reads of an operation, in order.
pub(super) fn reads(op: &Op<Span>) -> impl Iterator<Item = Request> {
    op.each().iter().filter_map(|op| match op {
        Op::Read(at) => Some(Request::Read(*at)),
        Op::Text(at) => Some(Request::Text(*at)),
        _ => None,
    })
}

/// Writes of an operation, in order.
pub(super) fn writes(op: &Op<Span>) -> impl Iterator<Item = MemoryWrite> {
    op.each().iter().filter_map(|op| {
        let (at, value) = match op {
            Op::Write(at, bytes) => (*at, number(bytes)),
            Op::Word(at, value) => (*at, Some(*value)),
            Op::Fill(at, byte) => (*at, (at.len <= 8).then(|| filled(*byte, at.len))),
            Op::Copy { to, .. } => (*to, None),
            Op::Read(_) | Op::Compare(..) | Op::Text(_) | Op::Peek(_) | Op::Batch(_) => {
                return None;
            }
        };
        Some(MemoryWrite { at, value })
    })
}

/// Number in at most 8 bytes.
fn number(bytes: &[u8]) -> Option<u64> {
    let mut word = [0; 8];
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(word))
}

fn filled(byte: u8, len: u64) -> u64 {
    (0..len.min(8)).fold(0, |word, _| word << 8 | u64::from(byte))
}

/// Little-endian word of `len` bytes at `at`.
pub(super) fn word(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    number(bytes.get(at..at.checked_add(len)?)?)
}

/// True if the second range lies within the first one.
pub(super) fn covers(one: Span, other: Span) -> bool {
    let skipped = other.address.checked_sub(one.address);
    let left = skipped.and_then(|skipped| one.len.checked_sub(skipped));
    left.is_some_and(|left| other.len <= left)
}

/// True if a word is one half of another, such as the first of two stores of a CPU of 32 bits.
pub(super) fn is_half_of(half: u64, whole: u64) -> bool {
    let differs = half ^ whole;
    let [low, high] = [differs & 0xffff_ffff, differs >> 32];
    let [has_low, has_high] = [half & 0xffff_ffff != 0, half >> 32 != 0];
    !(low != 0 && has_low || high != 0 && has_high)
}

/// Maximum number of messages with a pending reply. Beyond it, a filter hides replies.
const MAX_PENDING_REPLIES: usize = 64;

/// Messages with a pending reply, by sequence number. Their number is bounded.
#[derive(Debug)]
pub(super) struct Pending<T>(BTreeMap<u64, T>);

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Pending<T> {
    /// Adds a message. The oldest one is dropped if there are too many.
    pub(super) fn insert(&mut self, sequence: u64, message: T) {
        self.0.insert(sequence, message);
        if self.0.len() > MAX_PENDING_REPLIES {
            self.0.pop_first();
        }
    }

    /// Removes the message with this number, and returns it.
    pub(super) fn remove(&mut self, sequence: u64) -> Option<T> {
        self.0.remove(&sequence)
    }

    /// Drops all messages.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Number of messages.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Violation of a request that has named addresses outside of the memory map.
pub(super) fn reaches_outside(request: Option<&str>, outside: &MapError) -> Breach {
    let by = request.map_or_else(String::new, |request| format!(" by {request}"));
    format!(
        "firmware reaches outside of the map{by}: {outside}; have it pass an address of memory, or add the memory to the map"
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn writes_of_an_operation_have_their_numbers() {
        let at = |address, len| Span { address, len };
        let op = Op::Batch(vec![
            Op::Word(at(0, 4), 7),
            Op::Read(at(8, 8)),
            Op::Write(at(16, 2), Bytes::from_static(&[0x34, 0x12])),
            Op::Fill(at(32, 4), 0xab),
            Op::Fill(at(64, 9), 0),
        ]);
        let written: Vec<_> = writes(&op).map(|it| (it.at.address, it.value)).collect();
        let expected = [
            (0, Some(7)),
            (16, Some(0x1234)),
            (32, Some(0xabab_abab)),
            (64, None),
        ];
        assert_eq!(written, expected);
        assert_eq!(reads(&op).collect::<Vec<_>>(), [Request::Read(at(8, 8))]);
    }

    #[test]
    fn a_range_covers_the_ranges_in_it() {
        let at = |address, len| Span { address, len };
        assert!(covers(at(8, 8), at(8, 8)) && covers(at(8, 8), at(15, 1)));
        assert!(!covers(at(8, 8), at(7, 1)) && !covers(at(8, 8), at(15, 2)));
        assert!(covers(at(u64::MAX, 1), at(u64::MAX, 1)));
        assert!(!covers(at(0, u64::MAX), at(u64::MAX, 1)));
    }

    #[test]
    fn the_first_of_two_stores_is_half_of_the_word() {
        let whole = 0x0101_0000_0000_0041;
        for half in [0x41, 0x0101_0000_0000_0000, 0, whole] {
            assert!(is_half_of(half, whole), "{half:#x}");
        }
        for other in [0x42, 0x0101_0000_0000_0042, 0x0100_0000_0000_0000] {
            assert!(!is_half_of(other, whole), "{other:#x}");
        }
    }

    #[test]
    fn pending_messages_are_bounded() {
        let mut pending = Pending::default();
        for sequence in 0..1000 {
            pending.insert(sequence, ());
        }
        assert_eq!(pending.len(), MAX_PENDING_REPLIES);
        assert_eq!((pending.remove(1), pending.remove(999)), (None, Some(())));
    }
}
