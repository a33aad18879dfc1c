//! Entries of a directory.

use core::fmt;

use super::{FileType, get_u64};

/// Maximum length of a name in bytes, as on Linux.
pub const NAME_MAX: usize = 255;

/// Entry of a directory in memory: `u64 inode`, `u16 size`, `u8 type`, `u8 length`, the name, a
/// NUL, and zeros up to a multiple of 8.
///
/// ```
/// use mailbox_rs::{DirectoryRecord, FileType};
///
/// let record = DirectoryRecord { inode: 7, file_type: FileType::Regular, name: b"a.txt" };
/// let mut bytes = [0; DirectoryRecord::MAX_SIZE];
/// let size = record.emit(&mut bytes).expect("a short name");
/// assert_eq!(size, 24);
/// assert_eq!(DirectoryRecord::parse(&bytes), Some((record, size)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DirectoryRecord<'a> {
    /// Serial number of the file in its file system.
    pub inode: u64,
    /// Type of the file.
    pub file_type: FileType,
    /// Name, of 1 to [`NAME_MAX`] bytes without a NUL.
    pub name: &'a [u8],
}

/// Error of a name that is longer than [`NAME_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameTooLong {
    /// Length of the name in bytes.
    pub len: usize,
}

impl fmt::Display for NameTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a name of {} bytes, but at most {NAME_MAX} fit",
            self.len
        )
    }
}

impl core::error::Error for NameTooLong {}

/// Bytes before the name.
const HEAD: usize = 12;

impl<'a> DirectoryRecord<'a> {
    /// Size of the longest record in bytes.
    pub const MAX_SIZE: usize = (HEAD + NAME_MAX + 1).next_multiple_of(8);

    /// Size of this record in bytes.
    #[must_use]
    pub const fn size(&self) -> usize {
        (HEAD + self.name.len() + 1).next_multiple_of(8)
    }

    /// Writes the record to the start of `bytes`, and returns its size.
    ///
    /// # Errors
    ///
    /// Fails for a name that is too long.
    ///
    /// # Panics
    ///
    /// If `bytes` is shorter than [`size`](Self::size).
    pub fn emit(&self, bytes: &mut [u8]) -> Result<usize, NameTooLong> {
        let len = self.name.len();
        if len > NAME_MAX {
            return Err(NameTooLong { len });
        }
        let size = self.size();
        let bytes = &mut bytes[..size];
        bytes.fill(0);
        bytes[..8].copy_from_slice(&self.inode.to_le_bytes());
        bytes[8..10].copy_from_slice(&(size as u16).to_le_bytes());
        bytes[10] = self.file_type as u8;
        bytes[11] = len as u8;
        bytes[HEAD..HEAD + len].copy_from_slice(self.name);
        Ok(size)
    }

    /// Parses the record at the start of `bytes`. Also returns its size. `None` if there is no
    /// whole record.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let head: &[u8; HEAD] = bytes.first_chunk()?;
        let [.., low, high, file_type, len] = *head;
        let size = usize::from(u16::from_le_bytes([low, high]));
        let record = Self {
            inode: get_u64(head, 0)?,
            file_type: FileType::of(file_type),
            name: bytes.get(HEAD..HEAD + usize::from(len))?,
        };
        (record.size() == size && size <= bytes.len()).then_some((record, size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn bytes_of_a_record() {
        let record = DirectoryRecord {
            inode: 0x0102,
            file_type: FileType::Directory,
            name: b"abc",
        };
        let mut bytes = [0xff; 24];
        assert_eq!(record.emit(&mut bytes), Ok(16));
        assert_eq!(bytes[..8], [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[8..16], [16, 0, 4, 3, b'a', b'b', b'c', 0]);
        assert_eq!(bytes[16..], [0xff; 8]);
    }

    #[test]
    fn names_of_every_length_end_with_a_nul() {
        for len in 1..=NAME_MAX {
            let name = std::vec![b'x'; len];
            let record = DirectoryRecord {
                inode: 1,
                file_type: FileType::Regular,
                name: &name,
            };
            let mut bytes = [0xff; DirectoryRecord::MAX_SIZE];
            let size = record.emit(&mut bytes).unwrap();
            assert!(size.is_multiple_of(8) && size > 12 + len);
            assert!(bytes[12 + len..size].iter().all(|byte| *byte == 0));
            assert_eq!(DirectoryRecord::parse(&bytes), Some((record, size)));
            assert_eq!(DirectoryRecord::parse(&bytes[..size - 1]), None);
        }
        let name = [b'x'; NAME_MAX + 1];
        let record = DirectoryRecord {
            inode: 1,
            file_type: FileType::Regular,
            name: &name,
        };
        let refused = record.emit(&mut [0; 300]);
        assert_eq!(refused, Err(NameTooLong { len: 256 }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_record_or_none(bytes in vec(any::<u8>(), 0..300)) {
            if let Some((record, size)) = DirectoryRecord::parse(&bytes) {
                let mut emitted = [0; DirectoryRecord::MAX_SIZE];
                prop_assert_eq!(record.emit(&mut emitted), Ok(size));
                prop_assert_eq!(&emitted[..12 + record.name.len()], &bytes[..12 + record.name.len()]);
            }
        }
    }
}
