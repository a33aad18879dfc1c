//! Arguments that are printed without their upper half.

use std::fmt;

/// Conversion of 32 bits of a 64-bit word whose upper half is neither zero nor a sign extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TruncatedWord {
    /// Text of the conversion, starting at its `%`.
    conversion: String,
    /// Untruncated word.
    word: u64,
    /// True for a width or precision.
    amount: bool,
}

impl TruncatedWord {
    /// Creates the value for a printed argument.
    pub(super) fn value(conversion: &[u8], word: u64) -> Self {
        Self::new(conversion, word, false)
    }

    /// Creates the value for a width or precision.
    pub(super) fn amount(conversion: &[u8], word: u64) -> Self {
        Self::new(conversion, word, true)
    }

    fn new(conversion: &[u8], word: u64, amount: bool) -> Self {
        Self {
            conversion: String::from_utf8_lossy(conversion).into_owned(),
            word,
            amount,
        }
    }

    /// Returns the conversion of the whole word, with an `l` before its letter.
    fn whole(&self) -> String {
        let mut whole = self.conversion.clone();
        let letter = whole.pop();
        whole.push('l');
        whole.extend(letter);
        whole
    }
}

impl fmt::Display for TruncatedWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            conversion,
            word,
            amount,
        } = self;
        if *amount {
            return write!(
                f,
                "`{conversion}` takes 32 bits of {word:#x} as a width or precision"
            );
        }
        let whole = self.whole();
        write!(
            f,
            "`{conversion}` takes 32 bits of {word:#x}; `{whole}` takes all of it"
        )
    }
}
