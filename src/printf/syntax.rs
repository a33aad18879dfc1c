//! Parser of formats, independent of arguments.

use super::Cause;
use crate::sim::snprintf::{Flags, Notation, Radix};

/// Part of a format.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text to copy.
    Literal(&'a [u8]),
    /// Conversion of arguments.
    Conversion(Conversion<'a>),
}

/// Parsed conversion.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conversion<'a> {
    /// Text of the conversion, starting at its `%`.
    pub(super) source: &'a [u8],
    pub(super) flags: Flags,
    pub(super) width: Amount,
    pub(super) precision: Amount,
    /// Kind of the conversion, or the reason why it is unsupported with any arguments.
    pub(super) kind: Result<ConversionKind, Cause>,
}

/// Width or precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    Absent,
    /// Number in the format. An overflow is `u32::MAX`, which exceeds every limit.
    Fixed(u32),
    /// Value of an argument: `*`.
    Argument,
}

/// Kind of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConversionKind {
    Signed(Size),
    Unsigned(Radix, Size),
    Real(Notation, Real),
    Character,
    Pointer,
    Text,
}

impl ConversionKind {
    /// True if the conversion uses exactly 32 bits, without `h` or `hh`.
    pub(super) fn takes_half(self) -> bool {
        matches!(
            self,
            Self::Signed(Size::Int) | Self::Unsigned(_, Size::Int) | Self::Real(_, Real::Float)
        )
    }
}

/// Size of an integer argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// `hh`
    Char,
    /// `h`
    Short,
    Int,
    /// `l`, `z`, `t`
    Word,
    /// `ll`, `j`: 64 bits, independent of the width of a word.
    Long,
}

/// Type of a floating-point argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Real {
    Float,
    /// `l`
    Double,
}

/// Iterator over the parts of a format.
#[derive(Debug)]
pub(super) struct Pieces<'a>(&'a [u8]);

impl<'a> Pieces<'a> {
    pub(super) fn new(format: &'a [u8]) -> Self {
        Self(format)
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = self.0;
        let (piece, len) = match rest {
            [] => return None,
            [b'%', b'%', ..] => (Piece::Literal(&rest[..1]), 2),
            [b'%', ..] => {
                let conversion = conversion(rest);
                let len = conversion.source.len();
                (Piece::Conversion(conversion), len)
            }
            _ => {
                let len = rest.iter().position(|&byte| byte == b'%');
                let len = len.unwrap_or(rest.len());
                (Piece::Literal(&rest[..len]), len)
            }
        };
        self.0 = &rest[len..];
        Some(piece)
    }
}

/// Parses the conversion at the start of `text`.
fn conversion(text: &[u8]) -> Conversion<'_> {
    let mut rest = Cursor(&text[1..]);
    let flags = rest.flags();
    let width = rest.amount();
    let precision = if rest.take(b".") {
        match rest.amount() {
            Amount::Absent => Amount::Fixed(0),
            amount => amount,
        }
    } else {
        Amount::Absent
    };
    let length = rest.length();
    let kind = match rest.byte() {
        Some(letter) => kind(length, letter),
        None => Err(Cause::Incomplete),
    };
    Conversion {
        source: &text[..text.len() - rest.0.len()],
        flags,
        width,
        precision,
        kind,
    }
}

/// Length modifier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    None,
    Char,
    Short,
    Long,
    /// `z`, `t`: for integers only.
    Word,
    /// `ll`, `j`: for integers only.
    LongLong,
    LongDouble,
}

fn kind(length: Length, letter: u8) -> Result<ConversionKind, Cause> {
    match letter {
        b'd' | b'i' => Ok(ConversionKind::Signed(length.integer()?)),
        b'u' => Ok(ConversionKind::Unsigned(Radix::Decimal, length.integer()?)),
        b'o' => Ok(ConversionKind::Unsigned(Radix::Octal, length.integer()?)),
        b'x' => Ok(ConversionKind::Unsigned(Radix::Hex, length.integer()?)),
        b'X' => Ok(ConversionKind::Unsigned(Radix::HexUpper, length.integer()?)),
        b'f' => Ok(ConversionKind::Real(Notation::Fixed, length.real()?)),
        b'F' => Ok(ConversionKind::Real(Notation::FixedUpper, length.real()?)),
        b'e' => Ok(ConversionKind::Real(Notation::Exponent, length.real()?)),
        b'E' => Ok(ConversionKind::Real(
            Notation::ExponentUpper,
            length.real()?,
        )),
        b'g' => Ok(ConversionKind::Real(Notation::General, length.real()?)),
        b'G' => Ok(ConversionKind::Real(Notation::GeneralUpper, length.real()?)),
        b'a' => Ok(ConversionKind::Real(Notation::Hex, length.real()?)),
        b'A' => Ok(ConversionKind::Real(Notation::HexUpper, length.real()?)),
        b'c' | b's' if length == Length::Long => Err(Cause::Wide),
        b'c' | b's' | b'p' if length != Length::None => Err(Cause::Length),
        b'c' => Ok(ConversionKind::Character),
        b's' => Ok(ConversionKind::Text),
        b'p' => Ok(ConversionKind::Pointer),
        b'n' => Err(Cause::Stores),
        _ => Err(Cause::Unknown),
    }
}

impl Length {
    fn integer(self) -> Result<Size, Cause> {
        match self {
            Self::None => Ok(Size::Int),
            Self::Char => Ok(Size::Char),
            Self::Short => Ok(Size::Short),
            Self::Long | Self::Word => Ok(Size::Word),
            Self::LongLong => Ok(Size::Long),
            Self::LongDouble => Err(Cause::Length),
        }
    }

    fn real(self) -> Result<Real, Cause> {
        match self {
            Self::None => Ok(Real::Float),
            Self::Long => Ok(Real::Double),
            Self::LongDouble => Err(Cause::LongDouble),
            Self::Char | Self::Short | Self::Word | Self::LongLong => Err(Cause::Length),
        }
    }
}

/// Unparsed rest of a conversion.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn take(&mut self, prefix: &[u8]) -> bool {
        let rest = self.0.strip_prefix(prefix);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some((first, rest)) = self.0.split_first() {
            match first {
                b'-' => flags.left = true,
                b'+' => flags.plus = true,
                b' ' => flags.space = true,
                b'#' => flags.alternate = true,
                b'0' => flags.zero = true,
                _ => break,
            }
            self.0 = rest;
        }
        flags
    }

    fn amount(&mut self) -> Amount {
        if self.take(b"*") {
            return Amount::Argument;
        }
        let mut amount = Amount::Absent;
        while let Some((&digit @ b'0'..=b'9', rest)) = self.0.split_first() {
            let before = match amount {
                Amount::Fixed(before) => before,
                _ => 0,
            };
            let digit = u32::from(digit - b'0');
            amount = Amount::Fixed(before.saturating_mul(10).saturating_add(digit));
            self.0 = rest;
        }
        amount
    }

    fn length(&mut self) -> Length {
        const LENGTHS: [(&[u8], Length); 8] = [
            (b"hh", Length::Char),
            (b"h", Length::Short),
            (b"ll", Length::LongLong),
            (b"l", Length::Long),
            (b"j", Length::LongLong),
            (b"z", Length::Word),
            (b"t", Length::Word),
            (b"L", Length::LongDouble),
        ];
        let found = LENGTHS.iter().find(|(text, _)| self.take(text));
        found.map_or(Length::None, |&(_, length)| length)
    }
}
