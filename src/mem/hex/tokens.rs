//! Lexer of memory files: numbers and addresses, without white space and comments.

/// Number or address, as written in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) text: &'a [u8],
    pub(super) line: u64,
    /// Byte offset in the file.
    pub(super) offset: usize,
}

/// Unread rest of a file.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
    line: u64,
    offset: usize,
}

impl<'a> Tokens<'a> {
    /// Starts at the beginning of a text, after its UTF-8 byte-order mark and without its
    /// [padding].
    pub(super) fn new(text: &'a [u8]) -> Self {
        let rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        Self {
            rest: rest.get(..rest.len() - padding(rest)).unwrap_or_default(),
            line: 1,
            offset: text.len() - rest.len(),
        }
    }

    /// Returns the next token. The error is the line of a comment without an end.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, u64> {
        loop {
            match self.rest {
                [] => return Ok(None),
                [b'/', b'/', ..] | [b'#', ..] => {
                    let end = self.until(0, |byte| matches!(byte, b'\n' | b'\r'));
                    self.skip(end);
                }
                [b'/', b'*', body @ ..] => {
                    let end = body
                        .windows(2)
                        .position(|pair| pair == b"*/")
                        .ok_or(self.line)?;
                    self.skip(end + 4);
                }
                [byte, ..] if is_space(*byte) => self.skip(1),
                [first, ..] => {
                    // Blanks may precede the digits of an address. A lone `/` is a token without
                    // digits.
                    let begin = match first {
                        b'@' => self.until(1, |byte| !matches!(byte, b' ' | b'\t')),
                        _ => 1,
                    };
                    let end =
                        self.until(begin, |byte| is_space(byte) || matches!(byte, b'/' | b'#'));
                    let token = Token {
                        text: self.rest.get(..end).unwrap_or_default().trim_ascii_end(),
                        line: self.line,
                        offset: self.offset,
                    };
                    self.skip(end);
                    return Ok(Some(token));
                }
            }
        }
    }

    /// Position of the first byte at or after `begin` for which `is_end` is true, or the end of the
    /// text.
    fn until(&self, begin: usize, is_end: impl Fn(u8) -> bool) -> usize {
        let rest = self.rest.get(begin..).unwrap_or_default();
        let found = rest.iter().position(|byte| is_end(*byte));
        begin + found.unwrap_or(rest.len())
    }

    /// Skips bytes, and counts the line ends in them: LF, CR LF or CR.
    fn skip(&mut self, len: usize) {
        let (skipped, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        let behind = skipped.iter().skip(1).chain(rest.first()).map(Some);
        let pairs = skipped.iter().zip(behind.chain([None]));
        let ends = pairs.filter(|(byte, next)| match byte {
            b'\n' => true,
            b'\r' => *next != Some(&b'\n'),
            _ => false,
        });
        self.line += ends.count() as u64;
        self.offset += skipped.len();
        self.rest = rest;
    }
}

/// Number of padding bytes at the end of a text: white space, Ctrl-Z (end of text in CP/M and DOS),
/// and NUL (in the rest of a block). A file that has only NULs is not text, and has no padding.
fn padding(text: &[u8]) -> usize {
    let is_padding = |byte: &&u8| matches!(**byte, 0 | 0x1a) || is_space(**byte);
    let len = text.iter().rev().take_while(is_padding).count();
    if len == text.len() && text.contains(&0) {
        return 0;
    }
    len
}

/// True if a byte is white space of Verilog or the vertical tab.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
