//! Memory files in the format of `$readmemh` (IEEE 1800-2017, 21.4): words in hex, `@` with the
//! number of the next word, and comments.
//!
//! ```text
//! @10          // from word 0x10 on; the file's first word is 0
//! dead_beef    /* underscores are separators */
//! 0000xxxx     // unknown digits (x, z, ?) are read as 0, and are counted
//! @ 20         # blanks after `@`, comments with `#`, and
//! 0x8000       # numbers that begin with `0x`: not standard, but common
//! ```

use std::path::{Path, PathBuf};

use super::file_format::{READMEMH, recognise};
use shape::Shape;
use tokens::{Token, Tokens};

mod shape;
#[cfg(test)]
mod tests;
mod tokens;

/// Maximum size of a run in bytes. It bounds the memory that loading needs in addition to the text.
const RUN: usize = 64 << 10;

/// Consecutive words of a memory file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HexRun {
    /// Number of the first word. It starts at byte `word` × `width` of the memory.
    pub word: u64,
    /// Bytes of whole words, least significant byte first.
    pub bytes: Vec<u8>,
}

/// Error in a memory file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: {problem}", .file.display())]
pub struct HexError {
    /// Path of the file.
    pub file: PathBuf,
    /// Line number, from 1.
    pub line: u64,
    /// Cause of the error.
    pub problem: HexProblem,
}

/// Cause of an error in a memory file. Texts are truncated to 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HexProblem {
    /// Character that is neither a digit nor one of `x z ? _`.
    #[error("`{text}` has a `{}`, which is not a hex digit", shown_char(*.digit))]
    BadDigit {
        /// Number that contains it.
        text: String,
        /// Invalid character.
        digit: char,
    },
    /// Number without digits.
    #[error("`{text}` is not a number")]
    NoDigit {
        /// Text in place of the number.
        text: String,
    },
    /// Value that does not fit into a word.
    #[error("the value `{text}` is wider than the memory's words of {bits} bits")]
    TooWide {
        /// Text of the value.
        text: String,
        /// Bits of a word.
        bits: u64,
    },
    /// Address or value past the memory's last word.
    #[error(
        "`{text}` is for a word outside of the memory, which has {words:#x} words; addresses count \
         words from the memory's base, not bytes or addresses of the bus, which `objcopy -O \
         verilog` writes"
    )]
    Outside {
        /// Text of the address or value.
        text: String,
        /// Number of words of the memory.
        words: u64,
    },
    /// A `/*` without a `*/`.
    #[error("the comment that starts here has no end")]
    OpenComment,
    /// File of another format.
    #[error(
        "this is {found}, not a memory file in the format of `$readmemh`; give words of {width} bytes{}, or load the ELF file as the \
         `elf` of a channel", converter(", as `", *.width, "` makes of an ELF file")
    )]
    Format {
        /// Name of the format.
        found: &'static str,
        /// Bytes of a word.
        width: u64,
    },
    /// Values that are bytes instead of words.
    #[error(
        "every value has two digits, with several in a line: these are bytes, as `objcopy -O verilog` writes them, but the memory's words \
         have {width} bytes; {}write words with leading zeros", converter("convert with `", *.width, "`, or ")
    )]
    Bytes {
        /// Bytes of a word.
        width: u64,
    },
}

/// Iterator over the runs of a memory file. An error is the last item.
#[derive(Debug, Clone)]
pub(crate) struct HexRuns<'a> {
    text: &'a [u8],
    tokens: Tokens<'a>,
    file: &'a Path,
    /// Bytes of a word.
    width: u64,
    /// Number of words of the memory.
    words: u64,
    /// Number of the word that the next value fills.
    next: u64,
    shape: Shape,
    /// True until the first token is read.
    at_start: bool,
    ended: bool,
}

impl<'a> HexRuns<'a> {
    /// Reads `text` for a memory of `words` words of `width` bytes each. `file` is for error
    /// messages.
    pub(crate) fn new(text: &'a [u8], file: &'a Path, width: u64, words: u64) -> Self {
        Self {
            text,
            tokens: Tokens::new(text),
            file,
            width,
            words,
            next: 0,
            shape: Shape::default(),
            at_start: true,
            ended: false,
        }
    }

    /// Number of digits `x`, `z` and `?` read as 0 so far. If it is not 0 at the end, a warning is
    /// due.
    pub(crate) fn unknown_digits(&self) -> u64 {
        self.shape.unknown_digits
    }

    /// Number of values so far. If it is 0 at the end, a warning is due.
    pub(crate) fn values(&self) -> u64 {
        self.shape.values
    }

    /// Returns the common number of digits of all values, if it is that of a word of 8, 16, 32, …
    /// bits, and that word is a multiple or a divisor of the memory's. A result at the end makes a
    /// warning due.
    pub(crate) fn other_words(&self) -> Option<u64> {
        let digits = self.shape.digits()?;
        let own = self.width.saturating_mul(2);
        let is_word = digits >= 2 && digits.is_power_of_two();
        let (less, more) = (digits.min(own), digits.max(own));
        (is_word && less != more && more.is_multiple_of(less)).then_some(digits)
    }

    fn run(&mut self) -> Result<Option<HexRun>, HexError> {
        let mut run = HexRun {
            word: self.next,
            bytes: Vec::new(),
        };
        while run.bytes.len() < RUN {
            let Some(token) = self
                .tokens
                .next()
                .map_err(|line| self.error(line, HexProblem::OpenComment))?
            else {
                // One value in a line is ambiguous: words have this form as well.
                if self.width > 1 && self.shape.is_bytes() {
                    let width = self.width;
                    return Err(self.error(self.shape.first_line, HexProblem::Bytes { width }));
                }
                break;
            };
            let is_first = std::mem::take(&mut self.at_start);
            let ended = match token.text.strip_prefix(b"@") {
                Some(digits) => self.address(token, digits).map(|()| !run.bytes.is_empty()),
                None => {
                    if run.bytes.is_empty() {
                        run.word = self.next;
                    }
                    self.value(token, &mut run.bytes).map(|()| false)
                }
            };
            let ended = ended.map_err(|problem| {
                let width = self.width;
                let from = self.text.get(token.offset..).unwrap_or_default();
                let found = recognise(from).filter(|it| is_first && *it != READMEMH);
                let other = found.map(|found| HexProblem::Format { found, width });
                self.error(token.line, other.unwrap_or(problem))
            });
            if ended? {
                break;
            }
        }
        Ok((!run.bytes.is_empty()).then_some(run))
    }

    /// Sets the number of the next word.
    fn address(&mut self, token: Token<'_>, digits: &[u8]) -> Result<(), HexProblem> {
        let outside = || HexProblem::Outside {
            text: shown(token.text),
            words: self.words,
        };
        let mut address: Option<u64> = None;
        for &byte in without_prefix(digits.trim_ascii_start()) {
            match Digit::of(byte) {
                Some(Digit::Known(digit)) => {
                    let shifted = address.unwrap_or(0).checked_mul(16).ok_or_else(outside)?;
                    address = Some(shifted | u64::from(digit));
                }
                Some(Digit::Separator) => {}
                Some(Digit::Unknown) | None => return Err(bad_digit(token, byte)),
            }
        }
        let address = address.ok_or_else(|| HexProblem::NoDigit {
            text: shown(token.text),
        })?;
        if address >= self.words {
            return Err(outside());
        }
        self.next = address;
        Ok(())
    }

    /// Appends one word.
    fn value(&mut self, token: Token<'_>, bytes: &mut Vec<u8>) -> Result<(), HexProblem> {
        if self.next >= self.words {
            return Err(HexProblem::Outside {
                text: shown(token.text),
                words: self.words,
            });
        }
        let too_wide = || HexProblem::TooWide {
            text: shown(token.text),
            bits: self.width.saturating_mul(8),
        };
        let start = bytes.len();
        let width = usize::try_from(self.width).map_err(|_| too_wide())?;
        bytes.resize(start.saturating_add(width), 0);
        let mut digits = 0;
        // If a word has its full number of characters with `0x`, its `x` is an unknown digit and
        // not a prefix.
        let all = token.text.iter().filter(|byte| **byte != b'_').count();
        let text = match all == width.saturating_mul(2) {
            true => token.text,
            false => without_prefix(token.text),
        };
        for &byte in text.iter().rev() {
            let digit = match Digit::of(byte) {
                Some(Digit::Known(digit)) => digit,
                Some(Digit::Unknown) => {
                    self.shape.unknown_digits += 1;
                    0
                }
                Some(Digit::Separator) => continue,
                None => return Err(bad_digit(token, byte)),
            };
            match bytes.get_mut(start + digits / 2) {
                Some(byte) => *byte |= digit << (digits % 2 * 4),
                // Leading zeros do not count towards the width.
                None if digit == 0 => {}
                None => return Err(too_wide()),
            }
            digits += 1;
        }
        if digits == 0 {
            return Err(HexProblem::NoDigit {
                text: shown(token.text),
            });
        }
        self.shape.add(digits as u64, token.line);
        self.next += 1;
        Ok(())
    }

    fn error(&self, line: u64, problem: HexProblem) -> HexError {
        HexError {
            file: self.file.to_path_buf(),
            line,
            problem,
        }
    }
}

impl Iterator for HexRuns<'_> {
    type Item = Result<HexRun, HexError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let run = self.run().transpose();
        self.ended = !matches!(run, Some(Ok(_)));
        run
    }
}

/// Meaning of a character in a number.
enum Digit {
    Known(u8),
    /// `x`, `z` or `?`.
    Unknown,
    /// `_`.
    Separator,
}

impl Digit {
    fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            b'0'..=b'9' => Self::Known(byte - b'0'),
            b'a'..=b'f' => Self::Known(byte - b'a' + 10),
            b'A'..=b'F' => Self::Known(byte - b'A' + 10),
            b'x' | b'X' | b'z' | b'Z' | b'?' => Self::Unknown,
            b'_' => Self::Separator,
            _ => return None,
        })
    }
}

/// Formats the command that converts to words of `width` bytes, between two texts; empty if
/// `objcopy` does not support the width.
pub(super) fn converter(before: &str, width: u64, after: &str) -> String {
    match width {
        1 | 2 | 4 | 8 | 16 => {
            format!("{before}objcopy -O verilog --verilog-data-width={width}{after}")
        }
        _ => String::new(),
    }
}

/// Removes a `0x` prefix.
fn without_prefix(text: &[u8]) -> &[u8] {
    match text {
        [b'0', b'x' | b'X', digits @ ..] => digits,
        _ => text,
    }
}

fn bad_digit(token: Token<'_>, byte: u8) -> HexProblem {
    let digit = if byte.is_ascii() {
        char::from(byte)
    } else {
        char::REPLACEMENT_CHARACTER
    };
    HexProblem::BadDigit {
        text: shown(token.text),
        digit,
    }
}

/// Maximum number of characters of a text in an error message.
const MAX_CHARACTERS: usize = 64;

/// Formats a text for an error message: truncated, and without control characters.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..4 * MAX_CHARACTERS).unwrap_or(text));
    text.chars().take(MAX_CHARACTERS).map(shown_char).collect()
}

/// Formats a character for an error message.
fn shown_char(character: char) -> String {
    if character.is_control() {
        character.escape_default().to_string()
    } else {
        character.to_string()
    }
}
