//! A disk that announces what it answers, so that a recording has it.

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};

use super::disk::{Disk, DiskFile};
use crate::bus::Desk;
use crate::messages::announced::{FileOpened, FileRead, FileSought, FileWritten};

/// A disk of any kind, announced by the one who owns the desk.
pub(super) struct Announced {
    disk: Box<dyn Disk>,
    desk: Desk,
}

struct AnnouncedFile {
    file: Box<dyn DiskFile>,
    desk: Desk,
}

impl Announced {
    pub(super) fn new(disk: Box<dyn Disk>, desk: Desk) -> Self {
        Self { disk, desk }
    }
}

impl Disk for Announced {
    fn open(&mut self, path: &str, flags: OpenFlags) -> Result<Box<dyn DiskFile>, Errno> {
        let file = self.disk.open(path, flags);
        self.desk.announce(|| FileOpened {
            path: path.to_owned(),
            flags,
            opened: file.as_ref().map(drop).map_err(|errno| *errno),
        });
        let desk = self.desk.clone();
        file.map(|file| Box::new(AnnouncedFile { file, desk }) as Box<dyn DiskFile>)
    }
}

impl DiskFile for AnnouncedFile {
    fn read(&mut self, len: u64) -> Result<Bytes, Errno> {
        let read = self.file.read(len);
        self.desk.announce(|| FileRead { read: read.clone() });
        read
    }

    fn write(&mut self, data: &[u8]) -> Result<u64, Errno> {
        let written = self.file.write(data);
        self.desk.announce(|| FileWritten { written });
        written
    }

    fn seek(&mut self, position: u64) -> Result<u64, Errno> {
        let sought = self.file.seek(position);
        self.desk.announce(|| FileSought { sought });
        sought
    }
}
