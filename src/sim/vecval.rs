//! Four-state values of VPI and UVM (IEEE 1800-2017, 38.15 and annex K, `s_vpi_vecval`).

use std::ops::Range;

/// 32 bits of a value, least significant first. If a bit is 0 in `bval`, its value is that in
/// `aval`. If it is 1 in `bval`, it is Z or X.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Vecval {
    pub(crate) aval: u32,
    pub(crate) bval: u32,
}

/// Size in bytes.
const BYTES: usize = 4;

/// Number of vecvals of a word of `width` bytes.
pub(crate) fn vecvals_of(width: u64) -> u64 {
    width.div_ceil(BYTES as u64)
}

/// Copies the bytes `skip..skip + to.len()` of a word, unknown bits as 0. Returns true if there
/// were unknown bits.
pub(crate) fn read_bytes(word: &[Vecval], skip: usize, to: &mut [u8]) -> bool {
    let mut unknown = 0;
    for (vecval, bytes, data) in pieces(skip, to.len()) {
        let Vecval { aval, bval } = word[vecval];
        unknown |= bval & mask(&bytes);
        to[data].copy_from_slice(&(aval & !bval).to_le_bytes()[bytes]);
    }
    unknown != 0
}

/// Replaces the bytes `skip..skip + data.len()` of a word. Other bytes are unchanged, including
/// unknown bits.
pub(crate) fn write_bytes(word: &mut [Vecval], skip: usize, data: &[u8]) {
    for (vecval, bytes, range) in pieces(skip, data.len()) {
        let Vecval { aval, bval } = &mut word[vecval];
        let mut value = aval.to_le_bytes();
        value[bytes.clone()].copy_from_slice(&data[range]);
        *aval = u32::from_le_bytes(value);
        *bval &= !mask(&bytes);
    }
}

/// Replaces the low `bits` bits of a word by those of `from`. Other bits are unchanged, including
/// unknown ones.
pub(crate) fn overlay(word: &mut [Vecval], from: &[Vecval], bits: u64) {
    let mut left = bits;
    for (word, from) in word.iter_mut().zip(from) {
        let mask = match left {
            0 => return,
            1..32 => (1 << left) - 1,
            _ => u32::MAX,
        };
        word.aval = word.aval & !mask | from.aval & mask;
        word.bval = word.bval & !mask | from.bval & mask;
        left = left.saturating_sub(32);
    }
}

/// Parses binary digits, the most significant first, in the format of simulators: `01xz`, and the
/// further ones of VHDL's `std_logic`. Returns false for anything else, and for more digits than
/// `to` has bits.
pub(crate) fn parse_binary(digits: &[u8], to: &mut [Vecval]) -> bool {
    to.fill(Vecval::default());
    for (bit, digit) in digits.iter().rev().enumerate() {
        let Some(vecval) = to.get_mut(bit / 32) else {
            return false;
        };
        let (a, b) = match digit.to_ascii_lowercase() {
            b'0' | b'l' => (0, 0),
            b'1' | b'h' => (1, 0),
            b'z' => (0, 1),
            b'x' | b'u' | b'w' | b'-' => (1, 1),
            _ => return false,
        };
        vecval.aval |= a << (bit % 32);
        vecval.bval |= b << (bit % 32);
    }
    true
}

/// Prints the low `bits` bits of a value in binary, the most significant first.
pub(crate) fn print_binary(value: &[Vecval], bits: u64) -> String {
    let digit = |bit: u64| {
        let vecval = value.get((bit / 32) as usize).copied().unwrap_or_default();
        match (vecval.aval >> (bit % 32) & 1, vecval.bval >> (bit % 32) & 1) {
            (0, 0) => '0',
            (1, 0) => '1',
            (0, _) => 'z',
            _ => 'x',
        }
    };
    (0..bits).rev().map(digit).collect()
}

/// True if the low `bits` bits of two values are equal.
pub(crate) fn same_bits(one: &[Vecval], other: &[Vecval], bits: u64) -> bool {
    let mut masked = one.to_vec();
    overlay(&mut masked, other, bits);
    masked == one
}

/// Bytes `skip..skip + len` of a word, per vecval: its index, its byte range, and their offset in
/// the data.
fn pieces(skip: usize, len: usize) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> {
    let end = skip + len;
    (skip / BYTES..end.div_ceil(BYTES)).map(move |vecval| {
        let base = vecval * BYTES;
        let (from, to) = (skip.max(base), end.min(base + BYTES));
        (vecval, from - base..to - base, from - skip..to - skip)
    })
}

/// Bit mask of these bytes.
fn mask(bytes: &Range<usize>) -> u32 {
    if bytes.len() == BYTES {
        return u32::MAX;
    }
    ((1 << (8 * bytes.len())) - 1) << (8 * bytes.start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vecval(aval: u32, bval: u32) -> Vecval {
        Vecval { aval, bval }
    }

    #[test]
    fn unknown_bits_read_as_zero() {
        let word = [vecval(0xff00_ff01, 0x0f00_0000), vecval(2, 0x100)];
        let mut all = [0xee; 6];
        assert!(read_bytes(&word, 0, &mut all));
        assert_eq!(all, [1, 0xff, 0, 0xf0, 2, 0]);
        let mut known = [0xee; 3];
        assert!(!read_bytes(&word, 0, &mut known));
        assert!(!read_bytes(&word, 4, &mut known[..1]));
        assert!(read_bytes(&word, 5, &mut known[..1]));
    }

    #[test]
    fn written_bytes_are_known_and_the_rest_stays() {
        let mut word = [vecval(u32::MAX, u32::MAX); 2];
        write_bytes(&mut word, 3, &[1, 2]);
        assert_eq!(
            word,
            [
                vecval(0x01ff_ffff, 0x00ff_ffff),
                vecval(0xffff_ff02, 0xffff_ff00)
            ]
        );
    }

    #[test]
    fn bits_above_those_that_are_written_stay() {
        let ones = vecval(u32::MAX, u32::MAX);
        for (bits, low, high) in [
            (0, 0, 0),
            (8, 0xff, 0),
            (32, u32::MAX, 0),
            (40, u32::MAX, 0xff),
            (64, u32::MAX, u32::MAX),
        ] {
            let mut word = [ones; 3];
            overlay(&mut word, &[vecval(0, 0); 2], bits);
            let left = |mask: u32| vecval(!mask, !mask);
            assert_eq!(word, [left(low), left(high), ones], "{bits}");
        }
    }

    #[test]
    fn digits_of_std_logic_are_four_states() {
        let mut value = [vecval(7, 7); 2];
        assert!(parse_binary(b"1HL0uzX-", &mut value));
        assert_eq!(value, [vecval(0b1100_1011, 0b0000_1111), vecval(0, 0)]);
        assert!(!parse_binary(b"012", &mut value));
        assert!(!parse_binary(&[b'0'; 65], &mut value));
        assert!(same_bits(&[vecval(0x1ff, 0)], &[vecval(0xff, 0)], 8));
        assert!(!same_bits(&[vecval(0x1ff, 0)], &[vecval(0xff, 0)], 9));
    }

    proptest! {
        #[test]
        fn printed_values_are_parsed_back(words in prop::collection::vec(any::<(u32, u32)>(), 1..4), bits in 1_u64..96) {
            let value: Vec<_> = words.iter().map(|(a, b)| vecval(*a, *b)).collect();
            let bits = bits.min(32 * value.len() as u64);
            let text = print_binary(&value, bits);
            prop_assert_eq!(text.len() as u64, bits);
            let mut parsed = vec![vecval(0, 0); value.len()];
            prop_assert!(parse_binary(text.as_bytes(), &mut parsed));
            prop_assert!(same_bits(&parsed, &value, bits));
        }

        /// Reference model on plain bytes.
        #[test]
        fn bytes_are_read_where_they_were_written(
            first in prop::collection::vec(any::<u8>(), 1..40),
            skip in 0_usize..40,
            data in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut model = first.clone();
            let mut word = vec![Vecval::default(); first.len().div_ceil(4)];
            write_bytes(&mut word, 0, &first);
            let skip = skip.min(model.len());
            let data = &data[..data.len().min(model.len() - skip)];
            model[skip..skip + data.len()].copy_from_slice(data);
            write_bytes(&mut word, skip, data);
            let mut all = vec![0; model.len()];
            prop_assert!(!read_bytes(&word, 0, &mut all));
            prop_assert_eq!(&all, &model);
            let mut part = vec![0; data.len()];
            read_bytes(&word, skip, &mut part);
            prop_assert_eq!(part, data);
        }
    }
}
