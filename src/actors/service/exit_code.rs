//! Exit codes in firmware's words.

/// Exit code in a word. A value that 32 bits can't hold, signed or unsigned, becomes `u32::MAX`,
/// because its lower half may be 0, which means success.
pub(in crate::actors) fn exit_code(word: u64) -> u32 {
    let signed = i32::try_from(word.cast_signed()).map(i32::cast_unsigned);
    signed.or_else(|_| u32::try_from(word)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_32_bits_do_not_hold_is_no_success() {
        for (word, code) in [
            (0, 0),
            (7, 7),
            (0x8000_0000, 0x8000_0000),
            (0xffff_ffff, u32::MAX),
            // Sign-extended `int` of firmware.
            ((-2_i64).cast_unsigned(), 0xffff_fffe),
            (i64::from(i32::MIN).cast_unsigned(), 0x8000_0000),
            (0x1_0000_0000, u32::MAX),
            (0xffff_ffff_0000_0000, u32::MAX),
            (1 << 63, u32::MAX),
        ] {
            assert_eq!(exit_code(word), code, "{word:#x}");
        }
    }
}
