//! Encodings of an FST file.

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

/// Compression level; higher ones take more time than they save size.
const LEVEL: u8 = 4;

/// Size in bytes below which data is not compressed.
const SMALL: usize = 32;

/// Header of a gzip stream, without time and name.
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Appends a number, lowest seven bits first.
pub(super) fn put_varint(to: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Appends a signed number, lowest seven bits first.
pub(super) fn put_signed_varint(to: &mut Vec<u8>, mut number: i64) {
    while !(-64..64).contains(&number) {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8 & 0x7f);
}

/// Appends 8 bytes, the highest first.
pub(super) fn put_u64(to: &mut Vec<u8>, number: u64) {
    to.extend(number.to_be_bytes());
}

/// Appends a text up to its first zero, and a zero.
pub(super) fn put_text(to: &mut Vec<u8>, text: &str) {
    to.extend(text.bytes().take_while(|byte| *byte != 0));
    to.push(0);
}

/// Data in the format of zlib, if that is shorter.
pub(super) fn deflated(data: &[u8]) -> Option<Vec<u8>> {
    if data.len() < SMALL {
        return None;
    }
    let deflated = compress_to_vec_zlib(data, LEVEL);
    (deflated.len() < data.len()).then_some(deflated)
}

/// Data as a stream of gzip.
pub(super) fn gzipped(data: &[u8]) -> Vec<u8> {
    let mut bytes = GZIP.to_vec();
    bytes.extend(compress_to_vec(data, LEVEL));
    bytes.extend(crc32fast::hash(data).to_le_bytes());
    // Modulo 2³², as defined by the format.
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, number);
        bytes
    }

    fn signed(number: i64) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_signed_varint(&mut bytes, number);
        bytes
    }

    #[test]
    fn numbers_are_in_leb128() {
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(300), [0xac, 2]);
        assert_eq!(varint(u64::MAX).len(), 10);
        assert_eq!(signed(63), [63]);
        assert_eq!(signed(64), [0xc0, 0]);
        assert_eq!(signed(-64), [0x40]);
        assert_eq!(signed(-65), [0xbf, 0x7f]);
    }
}
