//! Little-endian words in byte slices.

use crate::layout::PtrWidth;

pub(crate) fn get_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Word of `width` at `at`, zero-extended.
pub(crate) fn get_word(bytes: &[u8], at: usize, width: PtrWidth) -> Option<u64> {
    match width {
        PtrWidth::P4 => get_u32(bytes, at).map(u64::from),
        PtrWidth::P8 => Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?)),
    }
}

pub(crate) fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Writes the low part of `word` that fits `width`.
pub(crate) fn put_word(bytes: &mut [u8], at: usize, word: u64, width: PtrWidth) {
    match width {
        PtrWidth::P4 => put_u32(bytes, at, word as u32),
        PtrWidth::P8 => bytes[at..at + 8].copy_from_slice(&word.to_le_bytes()),
    }
}
