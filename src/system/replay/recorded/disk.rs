//! Recorded results of files.

use std::path::Path;

use bytes::Bytes;
use mailbox_rs::{Errno, FileStatus, OpenFlags, PosixFlags, Timestamp, Whence};

use crate::actors::files::{Disk, DiskFile, Opened};
use crate::messages::events::{
    FileAnswer, FileAnswered, FileOpened, FileRead, FileRefused, FileSeeked, FileWritten,
};
use crate::messages::files::PathAction;
use crate::system::replay::comparison::SharedComparison;

/// Disk that returns recorded results.
pub(in crate::system::replay) struct RecordedDisk(SharedComparison);

impl RecordedDisk {
    pub(in crate::system::replay) fn new(comparison: SharedComparison) -> Self {
        Self(comparison)
    }

    /// Next result of an operation of protocol 0.3, if it is of the kind that `wanted` takes.
    fn file_result<T>(&self, wanted: impl FnOnce(FileAnswer) -> Option<T>) -> Result<T, Errno> {
        let seen: FileAnswered = self.0.next_own_event().ok_or(Errno::EIO)?;
        wanted(seen.answer?).ok_or(Errno::EIO)
    }

    fn done(&self) -> Result<(), Errno> {
        self.file_result(|answer| (answer == FileAnswer::Done).then_some(()))
    }

    fn count(&self) -> Result<u64, Errno> {
        self.file_result(|answer| match answer {
            FileAnswer::Count(count) => Some(count),
            _ => None,
        })
    }

    fn next_status(&self) -> Result<FileStatus, Errno> {
        self.file_result(|answer| match answer {
            FileAnswer::Status(status) => Some(status),
            _ => None,
        })
    }
}

impl Disk for RecordedDisk {
    fn open(&mut self, _: &str, _: OpenFlags) -> Result<Box<dyn DiskFile>, Errno> {
        let seen: FileOpened = self.0.next_own_event().ok_or(Errno::EIO)?;
        seen.opened?;
        Ok(Box::new(RecordedDisk(self.0.clone())))
    }

    fn posix_open(&mut self, _: &Path, flags: PosixFlags, _: u32) -> Result<Opened, Errno> {
        if self.0.is_suspended() {
            let file = Box::new(RecordedDisk(self.0.clone()));
            let entries = flags.has(PosixFlags::DIRECTORY).then(Vec::new);
            return Ok(Opened { file, entries });
        }
        let entries = self.file_result(|answer| match answer {
            FileAnswer::File => Some(None),
            FileAnswer::Directory(entries) => Some(Some(entries)),
            _ => None,
        })?;
        let file = Box::new(RecordedDisk(self.0.clone()));
        Ok(Opened { file, entries })
    }

    fn status(&mut self, _: &Path) -> Result<FileStatus, Errno> {
        self.next_status()
    }

    fn act(&mut self, _: &Path, _: &PathAction) -> Result<(), Errno> {
        self.done()
    }

    fn reason(&mut self) -> Option<String> {
        let seen: Option<FileRefused> = self.0.next_own_event();
        seen.map(|seen| seen.reason)
    }
}

/// Status of a file whose status is not recorded.
const NO_STATUS: FileStatus = FileStatus {
    size: 0,
    inode: 0,
    blocks: 0,
    accessed: NO_TIME,
    modified: NO_TIME,
    changed: NO_TIME,
    mode: 0,
    links: 0,
};

const NO_TIME: Timestamp = Timestamp {
    seconds: 0,
    nanoseconds: 0,
};

/// Open file. All files are the same, since results come in recorded order.
impl DiskFile for RecordedDisk {
    fn read(&mut self, _: u64) -> Result<Bytes, Errno> {
        let seen: Option<FileRead> = self.0.next_own_event();
        seen.map_or(Err(Errno::EIO), |seen| seen.read)
    }

    fn write(&mut self, _: &[u8]) -> Result<u64, Errno> {
        let seen: Option<FileWritten> = self.0.next_own_event();
        seen.map_or(Err(Errno::EIO), |seen| seen.written)
    }

    fn seek(&mut self, _: u64) -> Result<u64, Errno> {
        let seen: Option<FileSeeked> = self.0.next_own_event();
        seen.map_or(Err(Errno::EIO), |seen| seen.sought)
    }

    fn write_some(&mut self, _: &[u8]) -> Result<u64, Errno> {
        self.count()
    }

    /// Nothing depends on the position, since results come in recorded order.
    fn lseek(&mut self, _: Whence, _: i64) -> Result<u64, Errno> {
        match self.0.is_suspended() {
            true => Ok(0),
            false => self.count(),
        }
    }

    fn status(&mut self) -> Result<FileStatus, Errno> {
        if self.0.is_suspended() {
            return Ok(NO_STATUS);
        }
        self.next_status()
    }

    fn set_length(&mut self, _: u64) -> Result<(), Errno> {
        self.done()
    }

    fn sync(&mut self) -> Result<(), Errno> {
        self.done()
    }
}
