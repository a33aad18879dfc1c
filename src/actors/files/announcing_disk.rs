//! Disk that emits its results as events, for recordings.

use std::path::Path;

use bytes::Bytes;
use mailbox_rs::{Errno, FileStatus, OpenFlags, PosixFlags, Whence};

use super::disk::{Disk, DiskFile, Opened};
use super::refusal::Refusal;
use crate::bus::ActorContext;
use crate::messages::events::{
    FileAnswer, FileAnswered, FileOpened, FileRead, FileRefused, FileSeeked, FileWritten,
};
use crate::messages::files::PathAction;

/// Disk that emits an event for each result.
pub(super) struct Announced {
    disk: Box<dyn Disk>,
    context: ActorContext,
}

struct AnnouncedFile {
    file: Box<dyn DiskFile>,
    context: ActorContext,
}

impl Announced {
    pub(super) fn new(disk: Box<dyn Disk>, context: ActorContext) -> Self {
        Self { disk, context }
    }
}

impl Announced {
    /// Opens a file of the disk and emits the outcome.
    pub(super) fn open(
        &mut self,
        path: &str,
        flags: OpenFlags,
    ) -> Result<Box<dyn DiskFile>, Refusal> {
        let file = self.disk.open(path, flags);
        self.context.emit(|| FileOpened {
            path: path.to_owned(),
            flags,
            opened: file.as_ref().map(drop).map_err(|errno| *errno),
        });
        let context = self.context.clone();
        match file {
            Ok(file) => Ok(Box::new(AnnouncedFile { file, context })),
            Err(errno) => Err(self.refusal(errno)),
        }
    }

    /// Opens a file or a directory of the disk with POSIX's flags, and emits the outcome.
    pub(super) fn posix_open(
        &mut self,
        path: &Path,
        flags: PosixFlags,
        mode: u32,
    ) -> Result<Opened, Refusal> {
        let opened = self.disk.posix_open(path, flags, mode);
        announce(&self.context, &opened, |opened| match &opened.entries {
            None => FileAnswer::File,
            Some(entries) => FileAnswer::Directory(entries.clone()),
        });
        let Opened { file, entries } = opened.map_err(|errno| self.refusal(errno))?;
        let context = self.context.clone();
        let file = Box::new(AnnouncedFile { file, context });
        Ok(Opened { file, entries })
    }

    /// Reads the status of a path and emits it.
    pub(super) fn status(&mut self, path: &Path) -> Result<FileStatus, Refusal> {
        let status = self.disk.status(path);
        announce(&self.context, &status, |status| FileAnswer::Status(*status));
        status.map_err(|errno| self.refusal(errno))
    }

    /// Acts on a path and emits the outcome.
    pub(super) fn act(&mut self, path: &Path, action: &PathAction) -> Result<(), Refusal> {
        let done = self.disk.act(path, action);
        announce(&self.context, &done, |()| FileAnswer::Done);
        done.map_err(|errno| self.refusal(errno))
    }

    /// Error of the last operation, with its reason, which is emitted.
    fn refusal(&mut self, errno: Errno) -> Refusal {
        let reason = self.disk.reason();
        if let Some(reason) = &reason {
            let reason = reason.clone();
            self.context.emit(|| FileRefused { reason });
        }
        Refusal { errno, reason }
    }
}

/// Emits the result of an operation of protocol 0.3.
fn announce<T>(
    context: &ActorContext,
    result: &Result<T, Errno>,
    answer: impl FnOnce(&T) -> FileAnswer,
) {
    context.emit(|| FileAnswered {
        answer: result.as_ref().map(answer).map_err(|errno| *errno),
    });
}

impl DiskFile for AnnouncedFile {
    fn read(&mut self, len: u64) -> Result<Bytes, Errno> {
        let read = self.file.read(len);
        self.context.emit(|| FileRead { read: read.clone() });
        read
    }

    fn write(&mut self, data: &[u8]) -> Result<u64, Errno> {
        let written = self.file.write(data);
        self.context.emit(|| FileWritten { written });
        written
    }

    fn seek(&mut self, position: u64) -> Result<u64, Errno> {
        let sought = self.file.seek(position);
        self.context.emit(|| FileSeeked { sought });
        sought
    }

    fn write_some(&mut self, data: &[u8]) -> Result<u64, Errno> {
        let written = self.file.write_some(data);
        announce(&self.context, &written, |count| FileAnswer::Count(*count));
        written
    }

    fn lseek(&mut self, whence: Whence, offset: i64) -> Result<u64, Errno> {
        let position = self.file.lseek(whence, offset);
        announce(&self.context, &position, |position| {
            FileAnswer::Count(*position)
        });
        position
    }

    fn status(&mut self) -> Result<FileStatus, Errno> {
        let status = self.file.status();
        announce(&self.context, &status, |status| FileAnswer::Status(*status));
        status
    }

    fn set_length(&mut self, len: u64) -> Result<(), Errno> {
        let done = self.file.set_length(len);
        announce(&self.context, &done, |()| FileAnswer::Done);
        done
    }

    fn sync(&mut self) -> Result<(), Errno> {
        let done = self.file.sync();
        announce(&self.context, &done, |()| FileAnswer::Done);
        done
    }
}
