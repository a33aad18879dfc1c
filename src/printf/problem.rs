//! Why a conversion is not met.

use thiserror::Error;

use crate::sim::printf::{Extent, Failed};

/// A conversion that stays in the text as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{conversion}` stays as it stands: {cause}")]
pub(crate) struct Problem {
    /// The conversion, from its `%` on.
    pub conversion: String,
    /// What is wrong with it.
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

/// What is wrong with a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Cause {
    /// The format ends within it.
    #[error("the format ends within it")]
    Incomplete,
    /// It is none of C's.
    #[error("there is no such conversion")]
    Unknown,
    /// A length such as `h` that C does not have for it.
    #[error("its length modifier does not go with it")]
    Length,
    /// `%n`.
    #[error("it would write to memory")]
    Stores,
    /// `%lc` or `%ls`.
    #[error("wide characters are not supported")]
    Wide,
    /// `%Lf` and its like.
    #[error("a `long double` does not fit into an argument")]
    LongDouble,
    /// `%lf` and its like from a 4-byte word.
    #[error("a `double` does not fit into an argument of 4 bytes; pass a `float`, without `l`")]
    Double,
    /// A width or precision past the bound.
    #[error("its width or precision is more than {max}", max = Extent::MAX)]
    TooLarge,
    /// Fewer arguments than conversions.
    #[error("there are too few arguments")]
    NoArgument,
    /// The string could not be read.
    #[error("there is no readable string at {pointer:#x}")]
    Unreadable {
        /// Where.
        pointer: u64,
    },
    /// C's own `snprintf` refused.
    #[error("C's snprintf failed")]
    Failed,
}

impl From<Failed> for Cause {
    fn from(_: Failed) -> Self {
        Self::Failed
    }
}
