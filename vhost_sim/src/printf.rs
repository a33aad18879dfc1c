//! Text of CPRINT, from `docs/protocol.md`, *Formats*.

use crate::space::Space;
use crate::wire::STRING;

/// Maximum width and precision.
const WIDEST: i64 = 4096;

/// Text of a format, and true if all of its conversions were valid. `None` for a format that the
/// model does not know. `counted` is the number of arguments that firmware counts.
pub fn render(
    format: &[u8],
    words: &[u64],
    counted: usize,
    pointer: u64,
    space: &Space,
) -> Option<(Vec<u8>, bool)> {
    let args = |narrow| Args {
        words,
        pointer,
        longs: 0,
        asked: 0,
        narrow,
    };
    let mut narrow = args(true);
    let narrowed = render_with(format, &mut narrow, space);
    if narrow.longs > 0 && narrowed.as_ref().is_none_or(|(_, met)| !met) {
        // The arguments of an invalid conversion are not specified, nor are the words of later
        // ones.
        return None;
    }
    if narrow.longs > 0 && counted > 0 && narrow.asked == counted {
        return narrowed;
    }
    render_with(format, &mut args(false), space)
}

fn render_with(format: &[u8], args: &mut Args<'_>, space: &Space) -> Option<(Vec<u8>, bool)> {
    let (mut text, mut rest, mut met) = (Vec::new(), format, true);
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            text.push(*first);
            rest = after;
            continue;
        }
        if !met {
            // The arguments of an invalid conversion are not specified.
            return None;
        }
        let (spec, after) = Spec::parse(after, args)?;
        match spec.convert(args, space) {
            Converted::Text(piece) => text.extend(piece),
            Converted::Unmet => {
                text.extend_from_slice(&rest[..rest.len() - after.len()]);
                met = false;
            }
            Converted::Unknown => return None,
        }
        rest = after;
    }
    Some((text, met))
}

/// Remaining words.
struct Args<'a> {
    words: &'a [u64],
    pointer: u64,
    /// Number of 64-bit arguments that were taken from 32-bit words.
    longs: usize,
    /// Number of words that the format takes, including missing ones.
    asked: usize,
    /// True if 64-bit arguments have one word each.
    narrow: bool,
}

impl Args<'_> {
    fn next(&mut self) -> Option<u64> {
        self.asked += 1;
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(*first)
    }

    fn int(&mut self) -> Option<i64> {
        self.next().map(|word| i64::from(word as i32))
    }

    /// Integer of a length, sign-extended.
    fn integer(&mut self, length: &str) -> Option<i64> {
        let word = self.next()?;
        let long = matches!(length, "ll" | "j") && self.pointer == 4;
        self.longs += usize::from(long);
        if long && self.narrow {
            return Some(i64::from(word as i32));
        }
        Some(match (length, self.pointer) {
            ("hh", _) => i64::from(word as i8),
            ("h", _) => i64::from(word as i16),
            ("ll" | "j", 4) => (word | self.next()? << 32) as i64,
            ("l" | "z" | "t" | "ll" | "j", 8) => word as i64,
            _ => i64::from(word as i32),
        })
    }

    fn bits(&self, length: &str) -> u32 {
        match (length, self.pointer) {
            ("ll" | "j", 4) if self.narrow => 32,
            ("hh", _) => 8,
            ("h", _) => 16,
            ("ll" | "j", _) | ("l" | "z" | "t", 8) => 64,
            _ => 32,
        }
    }
}

enum Converted {
    Text(Vec<u8>),
    Unmet,
    Unknown,
}

/// Conversion specification.
struct Spec<'a> {
    flags: &'a [u8],
    width: i64,
    precision: Option<i64>,
    length: &'a str,
    conversion: u8,
    complete: bool,
}

impl<'a> Spec<'a> {
    /// Parses the text after a `%`. Returns the rest behind it. `None` for syntax that the model
    /// does not know.
    fn parse(text: &'a [u8], args: &mut Args<'_>) -> Option<(Self, &'a [u8])> {
        let count = text
            .iter()
            .take_while(|byte| b"-+ #0".contains(byte))
            .count();
        let (flags, mut rest) = text.split_at(count);
        let mut complete = true;
        let mut number = |rest: &mut &'a [u8]| -> i64 {
            if let Some(after) = rest.strip_prefix(b"*") {
                *rest = after;
                let word = args.int();
                complete &= word.is_some();
                return word.unwrap_or(0);
            }
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, after) = rest.split_at(count);
            *rest = after;
            let value = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<i64>().ok();
            if digits.is_empty() {
                0
            } else {
                value(digits).unwrap_or(i64::MAX)
            }
        };
        let width = number(&mut rest);
        let mut precision = None;
        if let Some(after) = rest.strip_prefix(b".") {
            rest = after;
            let value = number(&mut rest);
            precision = (value >= 0).then_some(value);
        }
        let count = rest
            .iter()
            .take_while(|byte| b"hlzjt".contains(byte))
            .count();
        let (length, after) = rest.split_at(count);
        let (conversion, after) = after.split_first()?;
        let spec = Self {
            flags,
            width,
            precision,
            length: std::str::from_utf8(length).ok()?,
            conversion: *conversion,
            complete,
        };
        Some((spec, after))
    }

    fn has(&self, flag: u8) -> bool {
        self.flags.contains(&flag)
    }

    fn convert(&self, args: &mut Args<'_>, space: &Space) -> Converted {
        if !self.complete
            || self.width.abs() > WIDEST
            || self.precision.is_some_and(|it| it > WIDEST)
        {
            return Converted::Unmet;
        }
        let pointer = args.pointer;
        let text = match self.conversion {
            b'%' if self.flags.is_empty() && self.width == 0 => {
                return Converted::Text(b"%".to_vec());
            }
            b'n' => return Converted::Unmet,
            b'd' | b'i' => args.integer(self.length).map(|value| self.signed(value)),
            b'u' | b'x' | b'X' | b'o' => {
                let bits = args.bits(self.length);
                let value = args.integer(self.length);
                value.map(|value| self.unsigned(value as u64 & (u64::MAX >> (64 - bits))))
            }
            b'c' if self.length.is_empty() => args.next().map(|word| self.pad(vec![word as u8])),
            b'p' if self.length.is_empty() => args.next().map(|word| match word {
                0 => self.pad(b"(nil)".to_vec()),
                _ => self.pad(format!("{word:#x}").into_bytes()),
            }),
            b's' if self.length.is_empty() => match args.next().map(|at| self.string(at, space)) {
                Some(None) => return Converted::Unmet,
                text => text.flatten(),
            },
            b'f' if self.length.is_empty() || (self.length == "l" && pointer == 8) => {
                let double = self.length == "l";
                match args.next().map(|word| self.float(word, double)) {
                    Some(None) => return Converted::Unknown,
                    text => text.flatten(),
                }
            }
            _ => return Converted::Unknown,
        };
        text.map_or(Converted::Unmet, Converted::Text)
    }

    fn signed(&self, value: i64) -> Vec<u8> {
        let sign = match (value < 0, self.has(b'+'), self.has(b' ')) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        self.digits(sign, value.unsigned_abs().to_string(), value == 0)
    }

    fn unsigned(&self, value: u64) -> Vec<u8> {
        let alternative = self.has(b'#') && value != 0;
        let (prefix, digits) = match self.conversion {
            b'x' => (if alternative { "0x" } else { "" }, format!("{value:x}")),
            b'X' => (if alternative { "0X" } else { "" }, format!("{value:X}")),
            b'o' => {
                let digits = format!("{value:o}");
                // The alternative form raises the precision so that the first digit is 0.
                let short = self.precision.is_none_or(|it| it <= digits.len() as i64);
                if alternative && short {
                    ("", format!("0{digits}"))
                } else {
                    ("", digits)
                }
            }
            _ => ("", value.to_string()),
        };
        let keeps_zero = self.conversion == b'o' && self.has(b'#');
        self.digits(prefix, digits, value == 0 && !keeps_zero)
    }

    fn digits(&self, prefix: &str, mut digits: String, zero: bool) -> Vec<u8> {
        if let Some(precision) = self.precision {
            if precision == 0 && zero {
                digits.clear();
            }
            let missing = (precision as usize).saturating_sub(digits.len());
            digits.insert_str(0, &"0".repeat(missing));
        } else if self.has(b'0') && !self.left() {
            let width = self.width as usize;
            let missing = width.saturating_sub(prefix.len() + digits.len());
            digits.insert_str(0, &"0".repeat(missing));
        }
        self.pad(format!("{prefix}{digits}").into_bytes())
    }

    fn float(&self, word: u64, double: bool) -> Option<Vec<u8>> {
        let value = if double {
            f64::from_bits(word)
        } else {
            f64::from(f32::from_bits(word as u32))
        };
        if !value.is_finite() || self.flags.contains(&b'#') {
            return None;
        }
        let sign = match (value.is_sign_negative(), self.has(b'+'), self.has(b' ')) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let precision = self.precision.unwrap_or(6) as usize;
        let mut digits = format!("{:.precision$}", value.abs());
        if self.has(b'0') && !self.left() {
            let missing = (self.width as usize).saturating_sub(sign.len() + digits.len());
            digits.insert_str(0, &"0".repeat(missing));
        }
        Some(self.pad(format!("{sign}{digits}").into_bytes()))
    }

    /// String argument. With a precision it needs no NUL.
    fn string(&self, address: u64, space: &Space) -> Option<Vec<u8>> {
        let max = self.precision.map_or(STRING, |precision| precision as u64);
        let room = space.room(address, max);
        let bytes = space.expected(address, room);
        match bytes.iter().position(|byte| *byte == 0) {
            Some(end) => Some(self.pad(bytes[..end].to_vec())),
            None if self.precision.is_some() && room == max => Some(self.pad(bytes)),
            None => None,
        }
    }

    fn left(&self) -> bool {
        self.has(b'-') || self.width < 0
    }

    fn pad(&self, mut text: Vec<u8>) -> Vec<u8> {
        let missing = (self.width.unsigned_abs() as usize).saturating_sub(text.len());
        let blanks = vec![b' '; missing];
        if self.left() {
            text.extend(blanks);
            text
        } else {
            [blanks, text].concat()
        }
    }
}
