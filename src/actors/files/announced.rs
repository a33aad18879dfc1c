//! A disk that announces its results, for recordings.

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};

use super::disk::{Disk, DiskFile};
use super::refusal::Refusal;
use crate::bus::ActorContext;
use crate::messages::announced::{FileOpened, FileRead, FileRefused, FileSeeked, FileWritten};

/// Wraps a disk and announces its results.
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
    /// Opens a file of the disk and announces the outcome.
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
            Err(errno) => {
                let reason = self.disk.reason();
                if let Some(reason) = &reason {
                    let reason = reason.clone();
                    context.emit(|| FileRefused { reason });
                }
                Err(Refusal { errno, reason })
            }
        }
    }
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
}
