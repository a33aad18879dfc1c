//! Flags of a POSIX_OPEN.

use core::ops::BitOr;

use super::OpenFlags;

/// Flags of a POSIX_OPEN: an access mode in the lowest two bits, and a sum of the others. The
/// numbers are Linux's on RISC-V and x86. A host ignores other bits.
///
/// ```
/// use mailbox_rs::PosixFlags;
///
/// let flags = PosixFlags::READ_WRITE | PosixFlags::CREATE | PosixFlags::EXCLUSIVE;
/// assert!(flags.reads() && flags.writes() && flags.has(PosixFlags::EXCLUSIVE));
/// assert_eq!(flags.0, 0o302);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PosixFlags(pub u32);

impl PosixFlags {
    /// Access mode: reading.
    pub const READ_ONLY: Self = Self(0);
    /// Access mode: writing.
    pub const WRITE_ONLY: Self = Self(1);
    /// Access mode: reading and writing.
    pub const READ_WRITE: Self = Self(2);
    /// Create a missing file.
    pub const CREATE: Self = Self(0o100);
    /// With [`CREATE`](Self::CREATE): fail if the path exists.
    pub const EXCLUSIVE: Self = Self(0o200);
    /// Truncate a file that is opened for writing.
    pub const TRUNCATE: Self = Self(0o1000);
    /// Write at the end.
    pub const APPEND: Self = Self(0o2000);
    /// Fail unless the path is a directory.
    pub const DIRECTORY: Self = Self(0o200_000);

    const ACCESS: u32 = 3;

    /// Returns true if the access mode is one of the three.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 & Self::ACCESS != 3
    }

    /// Returns true for reading.
    #[must_use]
    pub const fn reads(self) -> bool {
        self.0 & Self::ACCESS != Self::WRITE_ONLY.0
    }

    /// Returns true for writing.
    #[must_use]
    pub const fn writes(self) -> bool {
        self.0 & Self::ACCESS != 0
    }

    /// Returns true if a flag, other than an access mode, is set.
    #[must_use]
    pub const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 & !Self::ACCESS != 0
    }

    /// Flags of protocol 0.2 for the same access to an open file.
    #[must_use]
    pub const fn ways(self) -> OpenFlags {
        let read = if self.reads() { OpenFlags::READ.0 } else { 0 };
        let write = match (self.writes(), self.has(Self::APPEND)) {
            (false, _) => 0,
            (true, false) => OpenFlags::WRITE.0,
            (true, true) => OpenFlags::WRITE.0 | OpenFlags::APPEND.0,
        };
        OpenFlags(read | write)
    }
}

impl BitOr for PosixFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_access_mode_with_and_without_append() {
        let ways = [(0, 1, 1), (1, 2, 2 | 4), (2, 1 | 2, 1 | 2 | 4)];
        for (mode, plain, appending) in ways {
            assert_eq!(PosixFlags(mode).ways(), OpenFlags(plain));
            let flags = PosixFlags(mode) | PosixFlags::APPEND | PosixFlags::CREATE;
            assert_eq!(flags.ways(), OpenFlags(appending));
            assert!(flags.is_valid());
        }
        assert!(!PosixFlags(3).is_valid());
        assert!(!PosixFlags(u32::MAX).is_valid());
    }

    #[test]
    fn numbers_of_linux() {
        let numbers = [
            (PosixFlags::CREATE, 0x40),
            (PosixFlags::EXCLUSIVE, 0x80),
            (PosixFlags::TRUNCATE, 0x200),
            (PosixFlags::APPEND, 0x400),
            (PosixFlags::DIRECTORY, 0x10000),
        ];
        for (flag, number) in numbers {
            assert_eq!(flag, PosixFlags(number));
            assert!(flag.has(flag) && !PosixFlags(!number).has(flag));
        }
    }
}
