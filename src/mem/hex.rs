//! Memory files in the format of `$readmemh` (IEEE 1800-2017, 21.4): words in hex, `@` and the number of the next word,
//! comments.
//!
//! ```text
//! @10          // from word 0x10 on; the file's first word is 0
//! dead_beef    /* underscores are for the eye */
//! 0000xxxx     // digits that are not known (x, z, ?) are 0, and are counted
//! ```

use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// A run is cut when it has this many bytes: beside its text, a file of any length is loaded in little memory.
const RUN: usize = 64 << 10;

/// Consecutive words of a memory file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexRun {
    /// The first word; it starts at byte `word` × `width` of the memory.
    pub word: u64,
    /// The words' bytes, least significant first; whole words.
    pub bytes: Vec<u8>,
}

/// A memory file that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: {problem}", .file.display())]
pub struct HexError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub problem: HexProblem,
}

/// What is wrong in a memory file. Texts are cut after 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HexProblem {
    /// Neither a digit, nor one of `x z ? _`.
    #[error("`{text}` has a `{digit}`, which is no hex digit")]
    BadDigit {
        /// The number.
        text: String,
        /// What is in the way.
        digit: char,
    },
    /// A number without digits.
    #[error("`{text}` is no number")]
    NoDigit {
        /// What stands there.
        text: String,
    },
    /// A value that does not fit into a word.
    #[error("the value `{text}` is wider than the memory's words of {bits} bits")]
    TooWide {
        /// The value.
        text: String,
        /// Bits a word.
        bits: u64,
    },
    /// An address or a value past the memory's last word.
    #[error(
        "`{text}` is for a word outside of the memory, which has {words:#x} words; addresses count words, not bytes"
    )]
    Outside {
        /// The address or value.
        text: String,
        /// Words of the memory.
        words: u64,
    },
    /// A `/*` without its `*/`.
    #[error("the comment that starts here has no end")]
    OpenComment,
}

/// The runs of a memory file, read one after the other; the first error is the last item.
#[derive(Debug, Clone)]
pub struct HexRuns<'a> {
    tokens: Tokens<'a>,
    file: &'a Path,
    /// Bytes a word.
    width: u64,
    /// Words of the memory.
    words: u64,
    /// The word that the next value is for.
    next: u64,
    unknown_digits: u64,
    failed: bool,
}

impl<'a> HexRuns<'a> {
    /// Reads `text`, for a memory of `words` words of `width` bytes each. `file` is for messages.
    pub fn new(text: &'a [u8], file: &'a Path, width: u64, words: u64) -> Self {
        Self {
            tokens: Tokens {
                rest: text,
                line: 1,
            },
            file,
            width,
            words,
            next: 0,
            unknown_digits: 0,
            failed: false,
        }
    }

    /// How many digits `x`, `z` and `?` were read as 0 so far: when it is not zero at the end, worth a warning.
    pub fn unknown_digits(&self) -> u64 {
        self.unknown_digits
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
                break;
            };
            let ended = match token.text.strip_prefix(b"@") {
                Some(digits) => self.address(token, digits).map(|()| !run.bytes.is_empty()),
                None => {
                    if run.bytes.is_empty() {
                        run.word = self.next;
                    }
                    self.value(token, &mut run.bytes).map(|()| false)
                }
            };
            if ended.map_err(|problem| self.error(token.line, problem))? {
                break;
            }
        }
        Ok((!run.bytes.is_empty()).then_some(run))
    }

    /// Goes on at another word.
    fn address(&mut self, token: Token<'_>, digits: &[u8]) -> Result<(), HexProblem> {
        let outside = || HexProblem::Outside {
            text: shown(token.text),
            words: self.words,
        };
        let mut address: Option<u64> = None;
        for &byte in digits {
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
        for &byte in token.text.iter().rev() {
            let digit = match Digit::of(byte) {
                Some(Digit::Known(digit)) => digit,
                Some(Digit::Unknown) => {
                    self.unknown_digits += 1;
                    0
                }
                Some(Digit::Separator) => continue,
                None => return Err(bad_digit(token, byte)),
            };
            match bytes.get_mut(start + digits / 2) {
                Some(byte) => *byte |= digit << (digits % 2 * 4),
                // Leading zeros do not make a value wide.
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
        if self.failed {
            return None;
        }
        let run = self.run().transpose();
        self.failed = matches!(run, Some(Err(_)));
        run
    }
}

/// What a character of a number means.
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

/// A number or an address, as it stands in the file.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a [u8],
    line: u64,
}

/// The file without white space and comments.
#[derive(Debug, Clone)]
struct Tokens<'a> {
    rest: &'a [u8],
    line: u64,
}

impl<'a> Tokens<'a> {
    /// The next token; the error is the line of a comment that does not end.
    fn next(&mut self) -> Result<Option<Token<'a>>, u64> {
        loop {
            match self.rest {
                [] => return Ok(None),
                [b'/', b'/', ..] => {
                    let end = self
                        .rest
                        .iter()
                        .position(|byte| *byte == b'\n')
                        .unwrap_or(self.rest.len());
                    self.skip(end);
                }
                [b'/', b'*', body @ ..] => {
                    let end = body
                        .windows(2)
                        .position(|pair| pair == b"*/")
                        .ok_or(self.line)?;
                    self.skip(end + 4);
                }
                [byte, ..] if byte.is_ascii_whitespace() || *byte == 0x0b => self.skip(1),
                [..] => {
                    // A lone `/` is a token too: one that has no digits.
                    let ends =
                        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0x0b | b'/');
                    let end = self
                        .rest
                        .iter()
                        .skip(1)
                        .position(ends)
                        .map_or(self.rest.len(), |end| end + 1);
                    let token = Token {
                        text: self.rest.get(..end).unwrap_or_default(),
                        line: self.line,
                    };
                    self.skip(end);
                    return Ok(Some(token));
                }
            }
        }
    }

    fn skip(&mut self, len: usize) {
        let (skipped, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        self.line += skipped
            .iter()
            .map(|byte| u64::from(*byte == b'\n'))
            .sum::<u64>();
        self.rest = rest;
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

/// A text as shown in a message.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text.get(..64).unwrap_or(text)).into_owned()
}
