//! Descriptors in a checkpoint, and their files opened again.
//!
//! Sizes and positions are read by file operations, so a recording has their results. The size is
//! that of the end: a status would have times, by which recordings of equal runs differ.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use mailbox_rs::{Errno, OpenFlags, PosixFlags, Whence};

use super::Files;
use super::descriptors::{File, OpenFile};
use super::directory::Directory;
use super::disk::{DiskFile, Opened};
use super::posix::MAX_ENTRIES;
use super::refusal::Refusal;
use crate::messages::checkpoint::{
    FileChange, FileChangeReport, SavedFile, SavedFileKind, SavedFiles,
};
use crate::messages::escaped_name;
use crate::messages::files::DirectoryEntry;

impl Files {
    /// Returns the open descriptors.
    pub(super) fn save(&self) -> SavedFiles {
        let mut descriptors = self.open.descriptors.borrow_mut();
        let next = descriptors.next();
        let open = descriptors.iter_mut().map(|(fd, open)| SavedFile {
            fd,
            channel: open.by,
            flags: open.flags,
            path: open.path.clone(),
            kind: kind_of(&mut open.file),
        });
        SavedFiles {
            open: open.collect(),
            next,
        }
    }

    /// Closes all descriptors, and opens those of a checkpoint.
    pub(super) fn restore(&mut self, saved: SavedFiles) -> Vec<FileChangeReport> {
        self.reasons.clear();
        let closed = self.open.descriptors.borrow_mut().begin_anew(saved.next);
        for file in closed {
            self.open.drop_file(file);
        }
        let mut findings = Vec::new();
        for SavedFile {
            fd,
            channel,
            flags,
            path,
            kind,
        } in saved.open
        {
            let name = Path::new(OsStr::from_bytes(&path));
            let (file, change) = match self.reopened(name, flags, kind) {
                Ok((file, change)) => (file, change),
                Err(change) => (File::Lost, Some(change)),
            };
            if let Some(change) = change {
                let path = escaped_name(&path);
                findings.push(FileChangeReport { fd, path, change });
            }
            let open = OpenFile {
                by: channel,
                flags,
                path,
                file,
            };
            // A recording may name a descriptor that no run can have; it stays closed.
            let added = self.open.descriptors.borrow_mut().add(fd, open);
            if let Err(file) = added {
                self.open.drop_file(file);
            }
        }
        findings
    }

    /// Opens a file of a checkpoint, at its position.
    fn reopened(
        &mut self,
        path: &Path,
        flags: OpenFlags,
        kind: SavedFileKind,
    ) -> Result<(File, Option<FileChange>), FileChange> {
        match kind {
            SavedFileKind::Special => Err(FileChange::HostProgram),
            // The restore that did not find the file may have been in another process.
            SavedFileKind::Lost => {
                let reason = "it was lost before the checkpoint";
                Err(gone(Refusal::new(Errno::EIO, reason)))
            }
            SavedFileKind::Disk { position, size } => {
                let mut file = match self.opened_again(path, posix_flags(flags))? {
                    Opened {
                        entries: Some(_), ..
                    } => return Err(gone(Errno::EISDIR.into())),
                    Opened { file, .. } => file,
                };
                let now = file.lseek(Whence::End, 0);
                let now = now.map_err(|errno| gone(errno.into()))?;
                if now < size {
                    return Err(FileChange::Shrunk {
                        from: size,
                        to: now,
                    });
                }
                seek(&mut *file, position).map_err(|errno| gone(errno.into()))?;
                let has_grown = now > size && flags.creates();
                let grown = has_grown.then_some(FileChange::Grown {
                    from: size,
                    to: now,
                    appends: flags.appends(),
                });
                Ok((File::Disk(file), grown))
            }
            SavedFileKind::Directory { position, entries } => {
                let flags = PosixFlags::READ_ONLY | PosixFlags::DIRECTORY;
                let Opened { file, .. } = self.opened_again(path, flags)?;
                let count = self.open.entries.get() + entries.len();
                if count > MAX_ENTRIES {
                    return Err(gone(Errno::ENOMEM.into()));
                }
                self.open.entries.set(count);
                let entries = entries.into_iter();
                let entries = entries.map(|(name, inode, file_type)| DirectoryEntry {
                    name,
                    inode,
                    file_type,
                });
                let directory = Directory::at(file, entries.collect(), position);
                Ok((File::Directory(directory), None))
            }
        }
    }

    fn opened_again(&mut self, path: &Path, flags: PosixFlags) -> Result<Opened, FileChange> {
        match &mut self.disk {
            Some(disk) => disk.posix_open(path, flags, 0).map_err(gone),
            None => Err(gone(Refusal::new(Errno::EACCES, super::NO_ROOT))),
        }
    }
}

/// Kind of an open file. A file whose position can't be read is lost.
fn kind_of(file: &mut File) -> SavedFileKind {
    match file {
        File::Disk(file) => disk_file(&mut **file).unwrap_or(SavedFileKind::Lost),
        File::Directory(directory) => {
            let (entries, position) = directory.saved();
            let entries = entries.iter();
            let entries = entries.map(|it| (it.name.clone(), it.inode, it.file_type));
            SavedFileKind::Directory {
                position,
                entries: entries.collect(),
            }
        }
        File::Special(_) => SavedFileKind::Special,
        File::Lost => SavedFileKind::Lost,
    }
}

fn disk_file(file: &mut dyn DiskFile) -> Result<SavedFileKind, Errno> {
    let position = file.lseek(Whence::Current, 0)?;
    let size = file.lseek(Whence::End, 0)?;
    seek(file, position)?;
    Ok(SavedFileKind::Disk { position, size })
}

/// Moves to a position from the start.
fn seek(file: &mut dyn DiskFile, position: u64) -> Result<(), Errno> {
    let position = i64::try_from(position).map_err(|_| Errno::EINVAL)?;
    file.lseek(Whence::Set, position).map(drop)
}

/// Flags to open a file again: it is neither created nor truncated.
fn posix_flags(flags: OpenFlags) -> PosixFlags {
    let access = match (flags.reads(), flags.creates()) {
        (true, true) => PosixFlags::READ_WRITE,
        (false, true) => PosixFlags::WRITE_ONLY,
        (_, false) => PosixFlags::READ_ONLY,
    };
    match flags.appends() {
        true => access | PosixFlags::APPEND,
        false => access,
    }
}

fn gone(refusal: Refusal) -> FileChange {
    FileChange::Gone {
        errno: refusal.errno,
        reason: refusal.reason,
    }
}
