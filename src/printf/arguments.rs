//! The words that conversions take their values from.

use mailbox_rs::PtrWidth;

use super::Cause;
use super::syntax::{Amount, Real, Size};
use crate::sim::printf::Extent;

/// The arguments that no conversion has taken yet.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    words: std::slice::Iter<'a, u64>,
    taken: usize,
    width: PtrWidth,
    longs: Longs,
    /// Number of arguments that `longs` is about.
    longs_taken: usize,
    cut: Vec<Word>,
}

/// Words of 4 bytes that an argument of 64 bits has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Longs {
    /// The low word, then the high one.
    Two,
    /// One, sign- or zero-extended, as firmware passes it that narrows each argument to a word.
    One,
}

impl<'a> Arguments<'a> {
    /// Words of `width`; bits beyond it do not count.
    pub(super) fn new(words: &'a [u64], width: PtrWidth, longs: Longs) -> Self {
        Self {
            words: words.iter(),
            taken: 0,
            width,
            longs,
            longs_taken: 0,
            cut: Vec::new(),
        }
    }

    /// The next argument.
    pub(super) fn word(&mut self) -> Result<Word, Cause> {
        let word = self.words.next().ok_or(Cause::NoArgument)?;
        self.taken += 1;
        Ok(Word {
            bits: self.width.truncate(*word),
            width: self.width,
        })
    }

    /// The next argument, of 64 bits.
    pub(super) fn long(&mut self) -> Result<Word, Cause> {
        let low = self.word()?;
        if self.width == PtrWidth::P8 {
            return Ok(low);
        }
        self.longs_taken += 1;
        if self.longs == Longs::One {
            return Ok(low);
        }
        let high = self.word()?;
        Ok(Word {
            bits: high.bits << 32 | low.bits,
            width: PtrWidth::P8,
        })
    }

    /// Number of words taken so far.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Number of arguments of 64 bits taken from words of 4 bytes.
    pub(super) fn longs_taken(&self) -> usize {
        self.longs_taken
    }

    /// Widths and precisions taken since the last call, as far as they lost half of their word.
    pub(super) fn cut_amounts(&mut self) -> Vec<Word> {
        std::mem::take(&mut self.cut)
    }

    /// A width, and whether it was given as a negative number, which asks for `-`.
    pub(super) fn width(&mut self, amount: Amount) -> Result<(Option<Extent>, bool), Cause> {
        match self.amount(amount)? {
            Some(amount) => Ok((Some(extent(amount)?), amount < 0)),
            None => Ok((None, false)),
        }
    }

    /// A precision. A negative one is none.
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
                self.cut.extend(word.halved());
                Ok(Some(word.signed(Size::Int)))
            }
        }
    }
}

fn extent(amount: i64) -> Result<Extent, Cause> {
    Extent::new(amount.unsigned_abs()).ok_or(Cause::TooLarge)
}

/// One argument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    /// Zero-extended.
    pub(super) bits: u64,
    width: PtrWidth,
}

impl Word {
    /// The word, where its low 32 bits, zero- or sign-extended, are not all of it.
    pub(super) fn halved(self) -> Option<Self> {
        (!PtrWidth::P4.holds(self.bits)).then_some(self)
    }

    /// As a number with a sign.
    pub(super) fn signed(self, size: Size) -> i64 {
        match size {
            Size::Char => (self.bits as i8).into(),
            Size::Short => (self.bits as i16).into(),
            Size::Int => (self.bits as i32).into(),
            Size::Word | Size::Long => self.width.sign_extend(self.bits),
        }
    }

    /// As a number without one.
    pub(super) fn unsigned(self, size: Size) -> u64 {
        match size {
            Size::Char => (self.bits as u8).into(),
            Size::Short => (self.bits as u16).into(),
            Size::Int => (self.bits as u32).into(),
            Size::Word | Size::Long => self.bits,
        }
    }

    /// As a real number.
    pub(super) fn real(self, real: Real) -> Result<f64, Cause> {
        match (real, self.width) {
            (Real::Float, _) => Ok(f32::from_bits(self.bits as u32).into()),
            (Real::Double, PtrWidth::P8) => Ok(f64::from_bits(self.bits)),
            (Real::Double, PtrWidth::P4) => Err(Cause::Double),
        }
    }
}
