//! Width of integer registers.
//!
//! A register has 64 bits, sign-extended from its width. Signed and unsigned comparisons and
//! additions therefore have the same code for both widths; only results are narrowed.

use std::fmt::Debug;

/// Width of integer registers and addresses: [`Rv32`] or [`Rv64`].
pub trait Xlen: Debug + Copy + Default + sealed::Sealed + 'static {
    /// Number of bits.
    const BITS: u32;

    /// Sign-extends the low bits of a result.
    fn wrap(value: u64) -> u64;

    /// Zero-extends the low bits, as of an address or an unsigned operand.
    fn unsigned(value: u64) -> u64;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Rv32 {}
    impl Sealed for super::Rv64 {}
}

/// Registers of 32 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rv32;

/// Registers of 64 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rv64;

impl Xlen for Rv32 {
    const BITS: u32 = 32;

    #[inline(always)]
    fn wrap(value: u64) -> u64 {
        i64::from(low(value).cast_signed()).cast_unsigned()
    }

    #[inline(always)]
    fn unsigned(value: u64) -> u64 {
        u64::from(low(value))
    }
}

impl Xlen for Rv64 {
    const BITS: u32 = 64;

    #[inline(always)]
    fn wrap(value: u64) -> u64 {
        value
    }

    #[inline(always)]
    fn unsigned(value: u64) -> u64 {
        value
    }
}

/// Low 32 bits.
#[inline(always)]
pub(crate) const fn low(value: u64) -> u32 {
    value as u32
}
