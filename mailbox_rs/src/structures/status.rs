//! Status of a file.

use super::{Timestamp, get_u32, get_u64};

/// Type of a file. The numbers are those of Linux's directory entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum FileType {
    /// Another or an unknown type.
    #[default]
    Unknown = 0,
    /// Named pipe.
    Fifo = 1,
    /// Character device.
    CharacterDevice = 2,
    /// Directory of other files.
    Directory = 4,
    /// Block device.
    BlockDevice = 6,
    /// Regular file.
    Regular = 8,
    /// Symbolic link.
    Link = 10,
    /// Socket of the local host.
    Socket = 12,
}

impl FileType {
    /// All types.
    pub const ALL: [Self; 8] = [
        Self::Unknown,
        Self::Fifo,
        Self::CharacterDevice,
        Self::Directory,
        Self::BlockDevice,
        Self::Regular,
        Self::Link,
        Self::Socket,
    ];

    /// Type of this number in a directory entry.
    #[must_use]
    pub fn of(number: u8) -> Self {
        let known = Self::ALL.into_iter().find(|known| *known as u8 == number);
        known.unwrap_or_default()
    }

    /// Type of a file's mode: its bits from 12 on.
    #[must_use]
    pub fn of_mode(mode: u32) -> Self {
        Self::of((mode >> 12 & 0xf) as u8)
    }

    /// Bits of the type in a mode.
    #[must_use]
    pub const fn mode(self) -> u32 {
        (self as u32) << 12
    }
}

/// Status of a file or a directory, of 80 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FileStatus {
    /// Length in bytes.
    pub size: u64,
    /// Serial number of the file in its file system.
    pub inode: u64,
    /// Number of blocks of 512 bytes that the file takes.
    pub blocks: u64,
    /// Time of the last access.
    pub accessed: Timestamp,
    /// Time of the last change of the data.
    pub modified: Timestamp,
    /// Time of the last change of the status.
    pub changed: Timestamp,
    /// Type and permission bits, as in Linux's `st_mode`.
    pub mode: u32,
    /// Number of hard links.
    pub links: u32,
}

impl FileStatus {
    /// Size in bytes.
    pub const SIZE: usize = 80;

    /// Bytes of the structure, its fields in order.
    #[must_use]
    pub fn bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let numbers = [self.size, self.inode, self.blocks];
        for (at, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            at.copy_from_slice(&number.to_le_bytes());
        }
        let times = [self.accessed, self.modified, self.changed];
        for (at, time) in bytes[24..].chunks_exact_mut(Timestamp::SIZE).zip(times) {
            at.copy_from_slice(&time.bytes());
        }
        bytes[72..76].copy_from_slice(&self.mode.to_le_bytes());
        bytes[76..].copy_from_slice(&self.links.to_le_bytes());
        bytes
    }

    /// Parses the structure; `None` if `bytes` is too short.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let time = |at| Timestamp::parse(bytes.get(at..)?);
        Some(Self {
            size: get_u64(bytes, 0)?,
            inode: get_u64(bytes, 8)?,
            blocks: get_u64(bytes, 16)?,
            accessed: time(24)?,
            modified: time(40)?,
            changed: time(56)?,
            mode: get_u32(bytes, 72)?,
            links: get_u32(bytes, 76)?,
        })
    }

    /// Type of the file.
    #[must_use]
    pub fn file_type(&self) -> FileType {
        FileType::of_mode(self.mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets and sizes of the fields in the protocol's table.
    const FIELDS: [(usize, usize); 11] = [
        (0, 8),
        (8, 8),
        (16, 8),
        (24, 8),
        (32, 8),
        (40, 8),
        (48, 8),
        (56, 8),
        (64, 8),
        (72, 4),
        (76, 4),
    ];

    #[test]
    fn every_byte_of_a_status_belongs_to_its_field() {
        let mut end = 0;
        for (number, (at, size)) in FIELDS.into_iter().enumerate() {
            assert_eq!(at, end);
            end += size;
            for byte in at..end {
                let mut bytes = [0; FileStatus::SIZE];
                bytes[byte] = 0xa5;
                let status = FileStatus::parse(&bytes).unwrap();
                assert_eq!(status.bytes(), bytes);
                let time = |time: Timestamp| [time.seconds as u64, time.nanoseconds];
                let [a, m, c] = [status.accessed, status.modified, status.changed].map(time);
                let fields = [
                    status.size,
                    status.inode,
                    status.blocks,
                    a[0],
                    a[1],
                    m[0],
                    m[1],
                    c[0],
                    c[1],
                    status.mode.into(),
                    status.links.into(),
                ];
                for (other, field) in fields.into_iter().enumerate() {
                    let expected = 0xa5 << (8 * (byte - at));
                    assert_eq!(field, if other == number { expected } else { 0 });
                }
            }
        }
        assert_eq!(end, FileStatus::SIZE);
        assert_eq!(FileStatus::parse(&[0; FileStatus::SIZE - 1]), None);
    }

    #[test]
    fn types_are_the_upper_bits_of_a_mode() {
        assert_eq!(FileType::of_mode(0o100_644), FileType::Regular);
        assert_eq!(FileType::of_mode(0o040_755), FileType::Directory);
        assert_eq!(FileType::of_mode(0o020_620), FileType::CharacterDevice);
        for known in FileType::ALL {
            assert_eq!(FileType::of_mode(known.mode() | 0o7777), known);
        }
        assert_eq!(FileType::of(3), FileType::Unknown);
    }
}
