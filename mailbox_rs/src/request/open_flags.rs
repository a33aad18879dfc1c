//! Open flags of files.

use core::ops::BitOr;

/// Flags of FILE OPEN; unknown bits are kept.
///
/// ```
/// use mailbox_rs::OpenFlags;
///
/// let flags = OpenFlags::READ | OpenFlags::WRITE;
/// assert!(flags.reads() && flags.creates() && !flags.appends());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OpenFlags(pub u32);

impl OpenFlags {
    /// Open for reading.
    pub const READ: Self = Self(1);
    /// Open for writing.
    pub const WRITE: Self = Self(2);
    /// Open for writing at the end.
    pub const APPEND: Self = Self(4);
    /// Open for writing, truncated first.
    pub const TRUNCATE: Self = Self(8);

    /// Returns true for reading.
    #[must_use]
    pub const fn reads(self) -> bool {
        self.has(Self::READ)
    }

    /// Returns true for writing.
    #[must_use]
    pub const fn writes(self) -> bool {
        self.has(Self::WRITE)
    }

    /// Returns true for writing at the end.
    #[must_use]
    pub const fn appends(self) -> bool {
        self.has(Self::APPEND)
    }

    /// Returns true for truncation.
    #[must_use]
    pub const fn truncates(self) -> bool {
        self.has(Self::TRUNCATE)
    }

    /// Returns true if a missing file is created: any flag but [`READ`](Self::READ) implies it.
    #[must_use]
    pub const fn creates(self) -> bool {
        self.writes() || self.appends() || self.truncates()
    }

    /// Known bits; a host ignores the others.
    #[must_use]
    pub const fn known(self) -> Self {
        Self(self.0 & (Self::READ.0 | Self::WRITE.0 | Self::APPEND.0 | Self::TRUNCATE.0))
    }

    const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }
}

impl BitOr for OpenFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
