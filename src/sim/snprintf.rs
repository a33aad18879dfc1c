//! One number, formatted by C's `snprintf`.
//!
//! The types can only express calls that C defines. They have neither a `%n` nor a pointer, no
//! amount above [`Extent::MAX`], and no number whose type differs from the conversion's. A number
//! is printed equally in every process: in the C locale, rounded to nearest.

#![allow(
    unsafe_code,
    reason = "snprintf is a C function with variable arguments"
)]

use std::ffi::{c_char, c_int, c_longlong, c_ulonglong};

use thiserror::Error;

use super::float::FloatEnvironment;
use super::locale::CLocale;

/// A width or a precision, at most [`MAX`](Self::MAX).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent(u16);

impl Extent {
    /// Largest width or precision.
    pub(crate) const MAX: u16 = 4096;

    /// Checked amount; `None` above [`MAX`](Self::MAX).
    pub(crate) fn new(amount: u64) -> Option<Self> {
        let amount = u16::try_from(amount).ok()?;
        (amount <= Self::MAX).then_some(Self(amount))
    }

    /// Amount in characters.
    pub(crate) fn get(self) -> usize {
        self.0.into()
    }
}

/// Flags of a conversion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `-`
    pub(crate) left: bool,
    /// `+`
    pub(crate) plus: bool,
    /// ` ` (space)
    pub(crate) space: bool,
    /// `#`
    pub(crate) alternate: bool,
    /// `0`
    pub(crate) zero: bool,
}

/// Layout of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Flags of the conversion.
    pub(crate) flags: Flags,
    /// Minimum number of characters.
    pub(crate) width: Option<Extent>,
    /// Precision: minimum digits of an integer, digits after the decimal point of a real number.
    pub(crate) precision: Option<Extent>,
}

/// Conversion of an unsigned number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Radix {
    /// `%u`
    Decimal,
    /// `%o`
    Octal,
    /// `%x`
    Hex,
    /// `%X`
    HexUpper,
}

/// Conversion of a real number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// `%f`
    Fixed,
    /// `%F`
    FixedUpper,
    /// `%e`
    Exponent,
    /// `%E`
    ExponentUpper,
    /// `%g`
    General,
    /// `%G`
    GeneralUpper,
    /// `%a`
    Hex,
    /// `%A`
    HexUpper,
}

/// Number with its conversion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// `%d`
    Signed(i64),
    /// Unsigned number.
    Unsigned(Radix, u64),
    /// Real number.
    Real(Notation, f64),
}

/// Failure of `snprintf`, which C permits when memory is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("C's snprintf failed")]
pub(crate) struct Failed;

/// Appends a number to `text`.
pub(crate) fn print(text: &mut Vec<u8>, shape: &Shape, number: Number) -> Result<(), Failed> {
    let template = Template::new(shape, number);
    let format = template.0.as_ptr().cast::<c_char>();
    let width = shape.width.map_or(0, |width| c_int::from(width.0));
    // C treats a negative precision as absent.
    let precision = shape.precision.map_or(-1, |digits| c_int::from(digits.0));
    // Integers depend on neither.
    let _same_everywhere =
        matches!(number, Number::Real(..)).then(|| (CLocale::enter(), FloatEnvironment::enter()));
    append(text, |room| {
        let (to, len) = (room.as_mut_ptr().cast::<c_char>(), room.len());
        match number {
            // SAFETY: `to` is valid for `len` bytes; `format` ends with NUL and takes two `int` and
            // a `long long`, which follow.
            Number::Signed(value) => unsafe {
                libc::snprintf(to, len, format, width, precision, value as c_longlong)
            },
            // SAFETY: as above, with an `unsigned long long`.
            Number::Unsigned(_, value) => unsafe {
                libc::snprintf(to, len, format, width, precision, value as c_ulonglong)
            },
            // SAFETY: as above, with a `double`.
            Number::Real(_, value) => unsafe {
                libc::snprintf(to, len, format, width, precision, value)
            },
        }
    })
}

/// Buffer size that suffices for most numbers.
const USUAL: usize = 32;

/// Calls `print` with a buffer, and once again with a larger one if it asks for it.
fn append(text: &mut Vec<u8>, print: impl Fn(&mut [u8]) -> c_int) -> Result<(), Failed> {
    let start = text.len();
    let mut room = USUAL;
    for _ in 0..2 {
        text.resize(start + room, 0);
        let Ok(len) = usize::try_from(print(&mut text[start..])) else {
            break;
        };
        if len < room {
            text.truncate(start + len);
            return Ok(());
        }
        room = len + 1;
    }
    text.truncate(start);
    Err(Failed)
}

/// Format of one conversion, with width and precision as arguments. The longest is
/// `%-+ #0*.*llx` and a NUL.
struct Template([u8; 16]);

impl Template {
    fn new(shape: &Shape, number: Number) -> Self {
        let flags = shape.flags;
        let conversion = match number {
            Number::Signed(_) => "lld",
            Number::Unsigned(Radix::Decimal, _) => "llu",
            Number::Unsigned(Radix::Octal, _) => "llo",
            Number::Unsigned(Radix::Hex, _) => "llx",
            Number::Unsigned(Radix::HexUpper, _) => "llX",
            Number::Real(Notation::Fixed, _) => "f",
            Number::Real(Notation::FixedUpper, _) => "F",
            Number::Real(Notation::Exponent, _) => "e",
            Number::Real(Notation::ExponentUpper, _) => "E",
            Number::Real(Notation::General, _) => "g",
            Number::Real(Notation::GeneralUpper, _) => "G",
            Number::Real(Notation::Hex, _) => "a",
            Number::Real(Notation::HexUpper, _) => "A",
        };
        // C leaves `#` undefined for these two.
        let decimal = matches!(
            number,
            Number::Signed(_) | Number::Unsigned(Radix::Decimal, _)
        );
        let parts = [
            (true, "%"),
            (flags.left, "-"),
            (flags.plus, "+"),
            (flags.space, " "),
            (flags.alternate && !decimal, "#"),
            (flags.zero, "0"),
            (true, "*.*"),
            (true, conversion),
        ];
        let mut template = Self([0; 16]);
        let bytes = parts
            .iter()
            .filter(|(shown, _)| *shown)
            .flat_map(|(_, part)| part.bytes());
        for (at, byte) in template.0.iter_mut().zip(bytes) {
            *at = byte;
        }
        template
    }
}

/// `printf` of one conversion by C, as the reference of tests.
#[cfg(test)]
pub(crate) mod oracle {
    use std::ffi::{CString, c_char, c_int, c_long, c_uint, c_ulong, c_void};

    /// Value with its C type.
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Value<'a> {
        /// Integer of the type of this length modifier, from the low end of a word.
        Integer(&'a str, u64),
        /// `double`.
        Real(f64),
        /// Pointer, not followed.
        Pointer(u64),
        /// C string.
        Text(&'a str),
    }

    /// Formats one conversion, which takes `stars` as width and precision, then a value of this
    /// type.
    pub(crate) fn print(format: &str, stars: &[i32], value: Value<'_>) -> String {
        let format = CString::new(format).unwrap();
        let format = format.as_ptr();
        let mut room = [0_u8; 1024];
        let (to, len) = (room.as_mut_ptr().cast::<c_char>(), room.len());
        macro_rules! snprintf {
            ($value:expr) => {
                match *stars {
                    // SAFETY: `to` is valid for `len` bytes, and the caller promises that the
                    // format takes this value.
                    [] => unsafe { libc::snprintf(to, len, format, $value) },
                    // SAFETY: as above.
                    [one] => unsafe { libc::snprintf(to, len, format, one, $value) },
                    // SAFETY: as above.
                    [one, two] => unsafe { libc::snprintf(to, len, format, one, two, $value) },
                    _ => panic!("width and precision are two"),
                }
            };
        }
        let printed = match value {
            Value::Integer("" | "h" | "hh", word) => snprintf!(word as c_uint),
            Value::Integer("l" | "z" | "t", word) => snprintf!(word as c_ulong),
            Value::Integer(_, word) => snprintf!(word),
            Value::Real(value) => snprintf!(value),
            Value::Pointer(address) => {
                snprintf!(std::ptr::without_provenance::<c_void>(address as usize))
            }
            Value::Text(text) => {
                let text = CString::new(text).unwrap();
                snprintf!(text.as_ptr())
            }
        };
        assert_eq!(
            size_of::<c_long>(),
            8,
            "a word of the channels it is compared with"
        );
        let printed: usize = (printed as c_int).try_into().unwrap();
        String::from_utf8(room[..printed].to_vec()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Flags = Flags {
        left: true,
        plus: true,
        space: true,
        alternate: true,
        zero: true,
    };

    fn shape(flags: Flags, width: u64, precision: Option<u64>) -> Shape {
        Shape {
            flags,
            width: Extent::new(width),
            precision: precision.and_then(Extent::new),
        }
    }

    fn printed(shape: &Shape, number: Number) -> String {
        let mut text = b">".to_vec();
        print(&mut text, shape, number).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn extents_are_bounded() {
        assert_eq!(Extent::new(4096).map(Extent::get), Some(4096));
        assert_eq!(Extent::new(4097), None);
        assert_eq!(Extent::new(u64::MAX), None);
    }

    #[test]
    fn the_longest_format_ends_with_nul() {
        let template = Template::new(&shape(ALL, 1, Some(1)), Number::Unsigned(Radix::Hex, 0));
        assert_eq!(&template.0, b"%-+ #0*.*llx\0\0\0\0");
    }

    #[test]
    fn numbers_of_every_type() {
        let plain = Shape::default();
        assert_eq!(
            printed(&plain, Number::Signed(i64::MIN)),
            ">-9223372036854775808"
        );
        let most = Number::Unsigned(Radix::Decimal, u64::MAX);
        assert_eq!(printed(&plain, most), ">18446744073709551615");
        assert_eq!(
            printed(&plain, Number::Real(Notation::Fixed, 1.5)),
            ">1.500000"
        );
        let nothing = Number::Unsigned(Radix::Octal, 0);
        assert_eq!(printed(&shape(Flags::default(), 0, Some(0)), nothing), ">");
    }

    #[test]
    fn text_beyond_the_first_buffer_is_printed_whole() {
        for (width, len) in [(31, 31), (32, 32), (33, 33), (4096, 4096)] {
            let text = printed(&shape(Flags::default(), width, None), Number::Signed(-1));
            assert_eq!(text.len(), 1 + len);
            assert!(text.ends_with(" -1"));
        }
        let text = printed(
            &shape(Flags::default(), 0, Some(4096)),
            Number::Real(Notation::Fixed, f64::MIN),
        );
        assert_eq!(text.len(), 1 + "-".len() + 309 + ".".len() + 4096);
    }

    #[test]
    fn a_failure_leaves_the_text_as_it_was() {
        let mut text = b"abc".to_vec();
        assert_eq!(append(&mut text, |_| -1), Err(Failed));
        assert_eq!(append(&mut text, |room| room.len() as c_int), Err(Failed));
        assert_eq!(text, b"abc");
    }
}
