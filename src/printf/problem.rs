//! Reasons for unsupported conversions.

use thiserror::Error;

use crate::sim::snprintf::{Extent, Failed};

/// Conversion that is copied to the text unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{conversion}` is printed unchanged: {cause}")]
pub(crate) struct Problem {
    /// Text of the conversion, starting at its `%`.
    pub conversion: String,
    /// Reason why it is unsupported.
    pub cause: Cause,
}

impl Problem {
    pub(super) fn new(conversion: &[u8], cause: Cause) -> Self {
        Self {
            conversion: String::from_utf8_lossy(conversion).into_owned(),
            cause,
        }
    }
}

/// Reason why a conversion is unsupported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Cause {
    /// Format that ends within the conversion.
    #[error("the format ends within it")]
    Incomplete,
    /// Conversion that C lacks.
    #[error("unknown conversion")]
    Unknown,
    /// Length modifier, such as `h`, that C lacks for the conversion.
    #[error("its length modifier is invalid here")]
    Length,
    /// Conversion `%n`.
    #[error("it would write to memory")]
    Stores,
    /// Conversion `%lc` or `%ls`.
    #[error("wide characters are not supported")]
    Wide,
    /// Conversion `%Lf` and similar.
    #[error("a `long double` does not fit into an argument")]
    LongDouble,
    /// Conversion `%lf` and similar, with an argument word of 4 bytes.
    #[error("a `double` does not fit into an argument of 4 bytes; pass a `float`, without `l`")]
    Double,
    /// Width or precision above the maximum.
    #[error("its width or precision is more than {max}", max = Extent::MAX)]
    TooLarge,
    /// Too few arguments.
    #[error("too few arguments")]
    NoArgument,
    /// String that can't be read.
    #[error("there is no readable string at {pointer:#x}")]
    Unreadable {
        /// Address of the string.
        pointer: u64,
    },
    /// Failure of C's `snprintf`.
    #[error("C's snprintf failed")]
    Failed,
}

impl From<Failed> for Cause {
    fn from(_: Failed) -> Self {
        Self::Failed
    }
}
