//! Origin of a seek.

/// Origin of the offset of an LSEEK; the numbers are POSIX's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Whence {
    /// Start of the file.
    Set,
    /// Current position.
    Current,
    /// End of the file.
    End,
    /// Another number, which is invalid.
    Other(u64),
}

impl Whence {
    /// Origin with this number.
    #[must_use]
    pub const fn of(number: u64) -> Self {
        match number {
            0 => Self::Set,
            1 => Self::Current,
            2 => Self::End,
            number => Self::Other(number),
        }
    }

    /// Number on the wire.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Set => 0,
            Self::Current => 1,
            Self::End => 2,
            Self::Other(number) => number,
        }
    }
}
