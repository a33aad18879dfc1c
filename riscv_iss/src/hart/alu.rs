//! Division, with the results that the manual defines for a divisor of 0 and for overflow.
//!
//! Operands of 32 bits are sign-extended or zero-extended; the low bits are the result.

pub(super) fn div(a: u64, b: u64) -> u64 {
    match b {
        0 => u64::MAX,
        _ => a
            .cast_signed()
            .wrapping_div(b.cast_signed())
            .cast_unsigned(),
    }
}

pub(super) fn rem(a: u64, b: u64) -> u64 {
    match b {
        0 => a,
        _ => a
            .cast_signed()
            .wrapping_rem(b.cast_signed())
            .cast_unsigned(),
    }
}

pub(super) fn divu(a: u64, b: u64) -> u64 {
    a.checked_div(b).unwrap_or(u64::MAX)
}

pub(super) fn remu(a: u64, b: u64) -> u64 {
    a.checked_rem(b).unwrap_or(a)
}
