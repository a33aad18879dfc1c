//! How a file is opened.

use core::ops::BitOr;

/// The flags of FILE OPEN; bits without a meaning are kept.
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
    /// Open for writing, emptied first.
    pub const TRUNCATE: Self = Self(8);

    /// Whether the file is to be read.
    #[must_use]
    pub const fn reads(self) -> bool {
        self.has(Self::READ)
    }

    /// Whether the file is to be written.
    #[must_use]
    pub const fn writes(self) -> bool {
        self.has(Self::WRITE)
    }

    /// Whether what is written goes to the end.
    #[must_use]
    pub const fn appends(self) -> bool {
        self.has(Self::APPEND)
    }

    /// Whether the file is emptied first.
    #[must_use]
    pub const fn truncates(self) -> bool {
        self.has(Self::TRUNCATE)
    }

    /// Whether a file that does not exist is created: any flag but [`READ`](Self::READ) asks for it.
    #[must_use]
    pub const fn creates(self) -> bool {
        self.writes() || self.appends() || self.truncates()
    }

    /// The bits that have a meaning; a host ignores the others.
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
