//! Open files of the root directory.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};

use bytes::Bytes;
use mailbox_rs::{Errno, FileStatus, Timestamp, Whence};
use rustix::buffer::spare_capacity;
use rustix::io::pread;

use super::disk::DiskFile;
use super::os_error::{errno, uninterrupted};
use crate::guest::quietly_to_file;

/// Status from metadata, of the standard library or of `cap-std`, whose extension trait is in
/// scope.
macro_rules! status_of {
    ($metadata:expr) => {{
        let metadata = &$metadata;
        let time = |seconds: i64, nanoseconds: i64| Timestamp {
            seconds,
            nanoseconds: nanoseconds.unsigned_abs(),
        };
        FileStatus {
            size: metadata.size(),
            inode: metadata.ino(),
            blocks: metadata.blocks(),
            accessed: time(metadata.atime(), metadata.atime_nsec()),
            modified: time(metadata.mtime(), metadata.mtime_nsec()),
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
            mode: metadata.mode(),
            links: u32::try_from(metadata.nlink()).unwrap_or(u32::MAX),
        }
    }};
}

pub(super) use status_of;

/// Open file with its own position, as forked processes would share the position of the operating
/// system's descriptor.
pub(super) struct PositionedFile {
    file: File,
    position: u64,
    appends: bool,
}

impl PositionedFile {
    /// File at its start.
    pub(super) fn new(file: File, appends: bool) -> Self {
        Self {
            file,
            position: 0,
            appends,
        }
    }

    /// Advances the position by the number of written bytes.
    fn advance(&mut self, written: u64) -> Result<(), Errno> {
        self.position = if self.appends {
            self.len()?
        } else {
            self.position + written
        };
        Ok(())
    }

    fn len(&self) -> Result<u64, Errno> {
        let metadata = self.file.metadata().map_err(|error| errno(&error))?;
        Ok(metadata.len())
    }
}

impl DiskFile for PositionedFile {
    fn read(&mut self, len: u64) -> Result<Bytes, Errno> {
        let len = usize::try_from(len).map_err(|_| Errno::EINVAL)?;
        let mut data = Vec::with_capacity(len);
        while data.len() < len {
            let at = self.position + data.len() as u64;
            match pread(&self.file, spare_capacity(&mut data), at) {
                Ok(0) => break,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) if data.is_empty() => return Err(errno(&error.into())),
                // Data read before the error is returned. The next read gets the error again.
                Err(_) => break,
            }
        }
        // The vector's capacity may be larger.
        data.truncate(len);
        self.position += data.len() as u64;
        Ok(data.into())
    }

    fn write(&mut self, data: &[u8]) -> Result<u64, Errno> {
        let file = &self.file;
        let written = quietly_to_file(|| file.write_all_at(data, self.position));
        written.map_err(|error| errno(&error))?;
        self.advance(data.len() as u64)?;
        Ok(data.len() as u64)
    }

    fn write_some(&mut self, data: &[u8]) -> Result<u64, Errno> {
        let file = &self.file;
        let written = quietly_to_file(|| uninterrupted(|| file.write_at(data, self.position)));
        let written = written.map_err(|error| errno(&error))? as u64;
        self.advance(written)?;
        Ok(written)
    }

    fn seek(&mut self, position: u64) -> Result<u64, Errno> {
        self.position = position;
        Ok(position)
    }

    fn lseek(&mut self, whence: Whence, offset: i64) -> Result<u64, Errno> {
        let from = match whence {
            Whence::Set => 0,
            Whence::Current => self.position,
            Whence::End => self.len()?,
            Whence::Other(_) => return Err(Errno::EINVAL),
        };
        self.position = moved(from, offset)?;
        Ok(self.position)
    }

    fn status(&mut self) -> Result<FileStatus, Errno> {
        let metadata = self.file.metadata().map_err(|error| errno(&error))?;
        Ok(status_of!(metadata))
    }

    fn set_length(&mut self, len: u64) -> Result<(), Errno> {
        let file = &self.file;
        let set = quietly_to_file(|| uninterrupted(|| file.set_len(len)));
        set.map_err(|error| errno(&error))
    }

    fn sync(&mut self) -> Result<(), Errno> {
        uninterrupted(|| self.file.sync_all()).map_err(|error| errno(&error))
    }
}

/// Position at `offset` from another position.
///
/// # Errors
/// EINVAL before the start, EOVERFLOW behind the largest position of a file.
pub(super) fn moved(from: u64, offset: i64) -> Result<u64, Errno> {
    let from = i64::try_from(from).map_err(|_| Errno::EOVERFLOW)?;
    let position = from.checked_add(offset).ok_or(Errno::EOVERFLOW)?;
    u64::try_from(position).map_err(|_| Errno::EINVAL)
}
