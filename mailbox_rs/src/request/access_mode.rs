//! Permissions to check.

use core::ops::BitOr;

/// Permissions that an ACCESS checks, as a sum of the constants. Without any, it checks that the
/// path exists. The numbers are POSIX's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AccessMode(pub u32);

impl AccessMode {
    /// Only the existence of the path.
    pub const EXISTS: Self = Self(0);
    /// Permission to execute, or to search a directory.
    pub const EXECUTE: Self = Self(1);
    /// Permission to write.
    pub const WRITE: Self = Self(2);
    /// Permission to read.
    pub const READ: Self = Self(4);

    /// Returns true if all bits are known. Others are invalid.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 <= 7
    }

    /// Returns true if `permission` is among those to check.
    #[must_use]
    pub const fn has(self, permission: Self) -> bool {
        self.0 & permission.0 != 0
    }
}

impl BitOr for AccessMode {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
