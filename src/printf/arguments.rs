//! Argument words of a format.

use mailbox_rs::PtrWidth;

use super::Cause;
use super::syntax::{Amount, Real, Size};
use crate::sim::snprintf::Extent;

/// Arguments that are not consumed yet.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    words: std::slice::Iter<'a, u64>,
    taken: usize,
    /// Number of words that the format has taken so far, including missing ones.
    wanted: usize,
    width: PtrWidth,
    longs: Longs,
    /// Number of arguments to which `longs` applies, including missing ones.
    long_count: usize,
    truncated_amounts: Vec<Word>,
}

/// Number of 4-byte words of a 64-bit argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Longs {
    /// Two: the low word, then the high word.
    Two,
    /// One, sign- or zero-extended, from firmware that narrows each argument to a word.
    One,
}

impl<'a> Arguments<'a> {
    /// Creates arguments from words of `width`. Bits beyond the width are ignored.
    pub(super) fn new(words: &'a [u64], width: PtrWidth, longs: Longs) -> Self {
        Self {
            words: words.iter(),
            taken: 0,
            wanted: 0,
            width,
            longs,
            long_count: 0,
            truncated_amounts: Vec::new(),
        }
    }

    /// Consumes the next argument.
    pub(super) fn word(&mut self) -> Result<Word, Cause> {
        self.wanted += 1;
        let word = self.words.next().ok_or(Cause::NoArgument)?;
        self.taken += 1;
        Ok(Word {
            bits: self.width.truncate(*word),
            width: self.width,
        })
    }

    /// Consumes the next 64-bit argument.
    pub(super) fn long(&mut self) -> Result<Word, Cause> {
        let low = self.word();
        if self.width == PtrWidth::P8 {
            return low;
        }
        self.long_count += 1;
        if self.longs == Longs::One {
            return low;
        }
        // Counts as wanted, even if it is missing.
        let high = self.word();
        let (low, high) = (low?, high?);
        Ok(Word {
            bits: high.bits << 32 | low.bits,
            width: PtrWidth::P8,
        })
    }

    /// Number of words consumed so far.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Number of words that the format takes if each 64-bit argument has only one; `None` without
    /// such arguments. Only for [`Longs::Two`].
    pub(super) fn wanted_if_narrow(&self) -> Option<usize> {
        (self.long_count > 0).then(|| self.wanted - self.long_count)
    }

    /// Takes the widths and precisions that were truncated since the last call.
    pub(super) fn take_truncated_amounts(&mut self) -> Vec<Word> {
        std::mem::take(&mut self.truncated_amounts)
    }

    /// Consumes a width. The second result is true for a negative number, which implies the flag
    /// `-`.
    pub(super) fn width(&mut self, amount: Amount) -> Result<(Option<Extent>, bool), Cause> {
        match self.amount(amount)? {
            Some(amount) => Ok((Some(extent(amount)?), amount < 0)),
            None => Ok((None, false)),
        }
    }

    /// Consumes a precision. A negative number means no precision.
    pub(super) fn precision(&mut self, amount: Amount) -> Result<Option<Extent>, Cause> {
        match self.amount(amount)? {
            Some(amount) if amount >= 0 => Ok(Some(extent(amount)?)),
            _ => Ok(None),
        }
    }

    fn amount(&mut self, amount: Amount) -> Result<Option<i64>, Cause> {
        match amount {
            Amount::Absent => Ok(None),
            Amount::Fixed(amount) => Ok(Some(amount.into())),
            Amount::Argument => {
                let word = self.word()?;
                self.truncated_amounts.extend(word.halved());
                Ok(Some(word.signed(Size::Int)))
            }
        }
    }
}

fn extent(amount: i64) -> Result<Extent, Cause> {
    Extent::new(amount.unsigned_abs()).ok_or(Cause::TooLarge)
}

/// Argument value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    /// Zero-extended value.
    pub(super) bits: u64,
    width: PtrWidth,
}

impl Word {
    /// Returns the word if its lower 32 bits, zero- or sign-extended, do not represent it.
    pub(super) fn halved(self) -> Option<Self> {
        (!PtrWidth::P4.holds(self.bits)).then_some(self)
    }

    /// Signed number of this size.
    pub(super) fn signed(self, size: Size) -> i64 {
        match size {
            Size::Char => (self.bits as i8).into(),
            Size::Short => (self.bits as i16).into(),
            Size::Int => (self.bits as i32).into(),
            Size::Word | Size::Long => self.width.sign_extend(self.bits),
        }
    }

    /// Unsigned number of this size.
    pub(super) fn unsigned(self, size: Size) -> u64 {
        match size {
            Size::Char => (self.bits as u8).into(),
            Size::Short => (self.bits as u16).into(),
            Size::Int => (self.bits as u32).into(),
            Size::Word | Size::Long => self.bits,
        }
    }

    /// Floating-point number of this type.
    pub(super) fn real(self, real: Real) -> Result<f64, Cause> {
        match (real, self.width) {
            (Real::Float, _) => Ok(f32::from_bits(self.bits as u32).into()),
            (Real::Double, PtrWidth::P8) => Ok(f64::from_bits(self.bits)),
            (Real::Double, PtrWidth::P4) => Err(Cause::Double),
        }
    }
}
