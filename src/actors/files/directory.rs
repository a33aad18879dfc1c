//! Open directories.

use bytes::Bytes;
use mailbox_rs::{DirectoryRecord, Errno, Whence};

use super::disk::DiskFile;
use super::positioned_file::moved;
use crate::messages::files::{DirectoryEntry, READ_MAX};

/// Open directory. It keeps the entries that it had at the open, so that changes do not affect a
/// reader.
pub(super) struct Directory {
    /// The directory itself, for its status.
    pub(super) file: Box<dyn DiskFile>,
    entries: Vec<DirectoryEntry>,
    /// Number of entries read.
    position: u64,
}

impl Directory {
    pub(super) fn new(file: Box<dyn DiskFile>, entries: Vec<DirectoryEntry>) -> Self {
        Self {
            file,
            entries,
            position: 0,
        }
    }

    /// Directory at a position, with the entries that it had at the open.
    pub(super) fn at(file: Box<dyn DiskFile>, entries: Vec<DirectoryEntry>, position: u64) -> Self {
        Self {
            position,
            ..Self::new(file, entries)
        }
    }

    /// Entries and position.
    pub(super) fn saved(&self) -> (&[DirectoryEntry], u64) {
        (&self.entries, self.position)
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Reads the next entries as records of the protocol, of at most `len` bytes in total.
    ///
    /// # Errors
    /// EINVAL if the next record is longer than `len`.
    pub(super) fn read(&mut self, len: u64) -> Result<Bytes, Errno> {
        let len = usize::try_from(len.min(READ_MAX)).map_err(|_| Errno::EINVAL)?;
        let position = usize::try_from(self.position).unwrap_or(usize::MAX);
        let mut records = Vec::new();
        for entry in self.entries.get(position..).unwrap_or_default() {
            let record = DirectoryRecord {
                inode: entry.inode,
                file_type: entry.file_type,
                name: &entry.name,
            };
            let start = records.len();
            if record.size() > len - start {
                if start == 0 {
                    return Err(Errno::EINVAL);
                }
                break;
            }
            records.resize(start + record.size(), 0);
            // Names in Linux file systems are not longer.
            let emitted = record.emit(&mut records[start..]);
            emitted.map_err(|_| Errno::EOVERFLOW)?;
            self.position += 1;
        }
        Ok(records.into())
    }

    /// Moves the position, which counts entries.
    ///
    /// # Errors
    /// EINVAL for an offset from the end, whose position is unknown to readers.
    pub(super) fn lseek(&mut self, whence: Whence, offset: i64) -> Result<u64, Errno> {
        let from = match whence {
            Whence::Set => 0,
            Whence::Current => self.position,
            Whence::End | Whence::Other(_) => return Err(Errno::EINVAL),
        };
        self.position = moved(from, offset)?;
        Ok(self.position)
    }
}
