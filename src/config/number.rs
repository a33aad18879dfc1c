//! Numbers in their usual spellings.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Accepted spellings, for messages.
const FORMS: &str = "a whole number of 64 bits, as 4096, 0x1000, 0x8000_0000, 0o17, 0b101, or 64K, 1M, 2G (units of 1024)";

/// A number of at most 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(pub(super) u64);

/// Error of parsing a [`Number`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum NumberError {
    #[error("is not a number")]
    Syntax,
    #[error("is negative")]
    Negative,
    #[error(
        "begins with 0, which may mean octal: write 0o before an octal number, or leave the 0 out"
    )]
    LeadingZero,
    #[error("does not fit into 64 bits, the largest is 0xffffffffffffffff")]
    TooLarge,
    #[error("has no digits behind its prefix")]
    NoDigits,
    #[error("has a `_` that is not between two digits")]
    Underscore,
    #[error("has a fraction")]
    Fraction,
}

/// Parses a number: decimal, or with the prefix `0x`, `0o` or `0b` in either case; `_` between
/// digits; `K`, `M`, `G` (or `KiB`, `MiB`, `GiB`) after a decimal number for 2^10, 2^20, 2^30.
fn parse(text: &str) -> Result<u64, NumberError> {
    let text = text.trim();
    match text.strip_prefix('-') {
        Some(amount) => parse_unsigned(amount).and(Err(NumberError::Negative)),
        None => parse_unsigned(text),
    }
}

fn parse_unsigned(text: &str) -> Result<u64, NumberError> {
    let (digits, radix, shift) = match text.get(..2) {
        Some("0x" | "0X") => (&text[2..], 16, 0),
        Some("0o" | "0O") => (&text[2..], 8, 0),
        Some("0b" | "0B") => (&text[2..], 2, 0),
        _ => {
            let (digits, shift) = without_unit(text);
            (digits, 10, shift)
        }
    };
    if digits.is_empty() && radix != 10 {
        return Err(NumberError::NoDigits);
    }
    if radix == 10 && is_fraction(digits) {
        return Err(NumberError::Fraction);
    }
    let known = |c: char| c == '_' || c.is_digit(radix);
    if !digits.contains(|c: char| c.is_digit(radix)) || !digits.chars().all(known) {
        return Err(NumberError::Syntax);
    }
    if digits.starts_with('_') || digits.ends_with('_') {
        return Err(NumberError::Underscore);
    }
    let digits = digits.replace('_', "");
    if radix == 10 && digits.len() > 1 && digits.starts_with('0') {
        return Err(NumberError::LeadingZero);
    }
    // The text consists of digits only, so an error means overflow.
    let value = u64::from_str_radix(&digits, radix).map_err(|_| NumberError::TooLarge)?;
    value.checked_mul(1 << shift).ok_or(NumberError::TooLarge)
}

/// True for a decimal number with one point, such as `1.5`.
fn is_fraction(digits: &str) -> bool {
    let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .split_once('.')
        .is_some_and(|(whole, part)| all(whole) && all(part))
}

/// Splits a decimal number into its digits and the power of two of its unit.
fn without_unit(text: &str) -> (&str, u32) {
    let amount = text
        .strip_suffix("iB")
        .filter(|amount| amount.ends_with(['K', 'M', 'G']))
        .unwrap_or(text);
    let units = [(['K', 'k'], 10), (['M', 'm'], 20), (['G', 'g'], 30)];
    units
        .into_iter()
        .find_map(|(unit, shift)| Some((amount.strip_suffix(unit)?, shift)))
        .unwrap_or((text, 0))
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyForm)
    }
}

/// Deserializes the number of an optional key. A key without a value is an error, which serde
/// itself would treat as a missing key.
pub(super) fn given<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Number>, D::Error> {
    Number::deserialize(deserializer).map(Some)
}

struct AnyForm;

impl<'de> Visitor<'de> for AnyForm {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORMS)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
        Ok(Number(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
        u64::try_from(value)
            .map(Number)
            .map_err(|_| refused(value, NumberError::Negative))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
        if value >= TOO_LARGE && value.is_finite() {
            // The original digits are not known any more.
            let digits = format!("{value:.0}").len();
            return Err(E::custom(format_args!(
                "a number of about {digits} digits {}; write {FORMS}",
                NumberError::TooLarge
            )));
        }
        Err(E::custom(format_args!(
            "`{value}` is a floating-point number; write {FORMS}"
        )))
    }

    fn visit_unit<E: Error>(self) -> Result<Number, E> {
        Err(E::custom(format_args!("no value; write {FORMS}")))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Number, E> {
        Err(E::custom(format_args!(
            "`{value}` is a flag; write {FORMS}"
        )))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Number, A::Error> {
        Err(A::Error::custom(format_args!("a list; write {FORMS}")))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Number, A::Error> {
        Err(A::Error::custom(format_args!("a map; write {FORMS}")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        parse(text)
            .map(Number)
            .map_err(|problem| refused(text, problem))
    }
}

/// 2^64. The parser returns decimal numbers of more than 128 bits as floating-point.
const TOO_LARGE: f64 = 18_446_744_073_709_551_616.0;

/// Maximum number of characters of a value in a message.
const SHOWN: usize = 40;

fn refused<E: Error>(value: impl fmt::Display, problem: NumberError) -> E {
    let mut value = value.to_string();
    if value.trim().is_empty() {
        return E::custom(format_args!("no value; write {FORMS}"));
    }
    if let Some((end, _)) = value.char_indices().nth(SHOWN) {
        value.truncate(end);
        value.push('…');
    }
    E::custom(format_args!("`{value}` {problem}; write {FORMS}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Checks that stack use and the length of messages are bounded.
    #[test]
    fn a_long_text_is_refused_in_few_words() {
        for of in ["-", "- ", "_", "0x", "9", "K"] {
            let text = of.repeat(1 << 20);
            let number: Result<Number, serde_yaml::Error> =
                serde_yaml::from_value(serde_yaml::Value::String(text));
            let message = number.unwrap_err().to_string();
            assert!(message.len() < 300, "{of}: {} bytes", message.len());
        }
    }

    #[test]
    fn every_form_is_understood() {
        let forms = [
            ("0", 0),
            ("4096", 4096),
            ("262_144", 262_144),
            ("0x8000_0000", 0x8000_0000),
            ("0X80000000", 0x8000_0000),
            ("0xFfFf_ffff_FFFF_ffff", u64::MAX),
            ("0o1000", 512),
            ("0B101", 5),
            ("256K", 256 << 10),
            ("4k", 4 << 10),
            ("1M", 1 << 20),
            ("2G", 2 << 30),
            ("64KiB", 64 << 10),
            (" 12 ", 12),
        ];
        for (text, value) in forms {
            assert_eq!(parse(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_numbers_have_their_errors() {
        let texts = [
            ("", NumberError::Syntax),
            ("0x", NumberError::NoDigits),
            ("0b", NumberError::NoDigits),
            ("_1", NumberError::Underscore),
            ("1_", NumberError::Underscore),
            ("0x_1", NumberError::Underscore),
            ("_", NumberError::Syntax),
            ("1.5", NumberError::Fraction),
            ("K", NumberError::Syntax),
            ("0x1K", NumberError::Syntax),
            ("256*1024", NumberError::Syntax),
            ("80000000h", NumberError::Syntax),
            ("1.5K", NumberError::Fraction),
            ("1.5.1K", NumberError::Syntax),
            (".K", NumberError::Syntax),
            ("32'h80000000", NumberError::Syntax),
            ("+-1", NumberError::Syntax),
            ("--1", NumberError::Syntax),
            ("é", NumberError::Syntax),
            ("-0x4", NumberError::Negative),
            ("010", NumberError::LeadingZero),
            ("0K0", NumberError::Syntax),
            ("0x1_0000_0000_0000_0000", NumberError::TooLarge),
            ("18446744073709551616", NumberError::TooLarge),
            ("17179869184G", NumberError::TooLarge),
        ];
        for (text, problem) in texts {
            assert_eq!(parse(text), Err(problem), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text in "[-+_0-9a-fKMGxob.iB é]{0,24}") {
            let _ = parse(&text);
        }

        #[test]
        fn numbers_are_parsed_as_written(value: u64) {
            for text in [format!("{value}"), format!("{value:#x}"), format!("{value:#o}"), format!("{value:#b}")] {
                prop_assert_eq!(parse(&text), Ok(value));
            }
        }
    }
}
