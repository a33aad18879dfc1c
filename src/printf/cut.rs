//! Arguments of which half is not printed.

use std::fmt;

/// A conversion that took 32 bits of a word of 64 whose upper half holds more than zeros or copies of the sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The conversion, from its `%` on.
    conversion: String,
    /// The whole word.
    word: u64,
    /// It is a width or precision.
    amount: bool,
}

impl Cut {
    /// The argument that is printed.
    pub(super) fn value(conversion: &[u8], word: u64) -> Self {
        Self::new(conversion, word, false)
    }

    /// An argument that is a width or precision.
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

    /// The conversion of the whole word: with an `l` before its letter.
    fn whole(&self) -> String {
        let mut whole = self.conversion.clone();
        let letter = whole.pop();
        whole.push('l');
        whole.extend(letter);
        whole
    }
}

impl fmt::Display for Cut {
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
