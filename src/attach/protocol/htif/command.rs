//! Commands of HTIF, by `docs/htif.md`.

use crate::mem::Span;

/// Size of a word, and of the eight words of a system call, in bytes.
pub(super) const WORD: u64 = 8;
pub(super) const CALL: u64 = 64;

/// Bits of the payload.
pub(super) const PAYLOAD: u64 = (1 << 48) - 1;

/// Size of a name by which a device identifies itself, in bytes.
const NAME: u64 = 64;

/// Number of the system call `exit`.
pub(super) const EXIT: u64 = 93;

/// Meaning of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// Name of a device or of a command, to be written to this range.
    Identify { name: Span },
    /// System call with its eight words.
    Call { words: Span },
    /// Exit by the word itself.
    Exit,
    /// Character of the console's input.
    Read,
    /// Character for the console's output.
    Write,
    /// Unknown command.
    Nothing { device: u64, number: u64 },
}

/// Meaning of a word in `tohost`.
pub(super) fn asks(word: u64) -> Asks {
    let (device, number, payload) = (word >> 56, word >> 48 & 0xff, word & PAYLOAD);
    match (device, number) {
        (_, 255) => Asks::Identify {
            name: Span {
                address: payload >> 8,
                len: NAME,
            },
        },
        (0, 0) if payload & 1 == 1 => Asks::Exit,
        (0, 0) => Asks::Call {
            words: Span {
                address: payload,
                len: CALL,
            },
        },
        (1, 0) => Asks::Read,
        (1, 1) => Asks::Write,
        _ => Asks::Nothing { device, number },
    }
}

/// Response to a command: its device and command, with a payload.
pub(super) fn response(word: u64, payload: u64) -> u64 {
    word & !PAYLOAD | payload & PAYLOAD
}

/// Memory that a system call lets the host write, apart from its result.
pub(super) fn result_place(number: u64, args: [u64; 7]) -> Option<Span> {
    let at = |address: usize, len| Span {
        address: args[address],
        len,
    };
    match number {
        17 | 2011 => Some(at(0, args[1])),
        63 | 67 => Some(at(1, args[2])),
        79 => Some(at(3, 16 * WORD)),
        80 => Some(at(1, 16 * WORD)),
        291 => Some(at(5, 32 * WORD)),
        1039 => Some(at(2, 16 * WORD)),
        _ => None,
    }
}
