//! Messages of protocol 0.3.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use mailbox_rs::{
    AccessMode, Errno, FileStatus, FileType, OpenFlags, PosixFlags, Timestamp, Whence,
};

use super::descriptors::File;
use super::directory::Directory;
use super::disk::Opened;
use super::refusal::Refusal;
use super::{Files, NO_ROOT, path};
use crate::bus::Envelope;
use crate::messages::ChannelId;
use crate::messages::files::{
    ActOnPath, DescriptorStatus, Inbox, Lseek, PathAction, PathStatus, PosixOpen, ReadDirectory,
    SetLength, Sync, WriteSome,
};
use crate::messages::foreign::{Opener, SeekSpecial, WriteSpecial};

/// Maximum number of entries of all open directories.
pub(super) const MAX_ENTRIES: usize = 1 << 22;

const NEVER: Timestamp = Timestamp {
    seconds: 0,
    nanoseconds: 0,
};

/// Status of a file of the host program: a character device.
const SPECIAL: FileStatus = FileStatus {
    size: 0,
    inode: 0,
    blocks: 0,
    accessed: NEVER,
    modified: NEVER,
    changed: NEVER,
    mode: FileType::CharacterDevice.mode() | 0o666,
    links: 1,
};

impl Files {
    /// Handles a message of protocol 0.3.
    pub(super) fn handle_posix(&mut self, message: Inbox) {
        match message {
            Inbox::PosixOpen(envelope) => self.posix_open(envelope),
            Inbox::WriteSome(envelope) => self.write_some(envelope),
            Inbox::Lseek(envelope) => self.lseek(envelope),
            Inbox::DescriptorStatus(envelope) => {
                let DescriptorStatus { channel, fd } = envelope.message;
                let status = self.on_open(channel, fd, |file| match file {
                    File::Disk(file) => file.status(),
                    File::Directory(directory) => directory.file.status(),
                    File::Special(_) => Ok(SPECIAL),
                    File::Lost => Err(Errno::EIO),
                });
                envelope.reply.send(status);
            }
            Inbox::PathStatus(envelope) => {
                let PathStatus { channel, path } = &envelope.message;
                self.reasons.remove(channel);
                let status = self.path_status(path);
                let status = status.map_err(|refusal| self.refused(*channel, refusal));
                envelope.reply.send(status);
            }
            Inbox::ActOnPath(envelope) => {
                let channel = envelope.message.channel;
                self.reasons.remove(&channel);
                let done = self.act(&envelope.message);
                let done = done.map_err(|refusal| self.refused(channel, refusal));
                envelope.reply.send(done);
            }
            Inbox::ReadDirectory(envelope) => {
                let ReadDirectory { channel, fd, len } = envelope.message;
                let read = self.on_open(channel, fd, |file| match file {
                    File::Directory(directory) => directory.read(len),
                    File::Disk(_) | File::Special(_) => Err(Errno::ENOTDIR),
                    File::Lost => Err(Errno::EIO),
                });
                envelope.reply.send(read);
            }
            Inbox::SetLength(envelope) => {
                let set = self.set_length(&envelope.message);
                envelope.reply.send(set);
            }
            Inbox::Sync(envelope) => {
                let Sync { channel, fd } = envelope.message;
                let synced = self.on_open(channel, fd, |file| match file {
                    File::Disk(file) => file.sync(),
                    File::Directory(directory) => directory.file.sync(),
                    File::Special(_) => Ok(()),
                    File::Lost => Err(Errno::EIO),
                });
                envelope.reply.send(synced);
            }
            // Handled by `Files` itself.
            Inbox::Open(_)
            | Inbox::Close(_)
            | Inbox::Read(_)
            | Inbox::Write(_)
            | Inbox::Seek(_)
            | Inbox::CloseAll(_)
            | Inbox::Explain(_)
            | Inbox::Save(_)
            | Inbox::Restore(_) => {}
        }
    }

    fn posix_open(&mut self, Envelope { message, reply }: Envelope<PosixOpen>) {
        let PosixOpen {
            channel,
            path: given,
            flags,
            mode,
        } = message;
        self.reasons.remove(&channel);
        let checked = self.checked(&given, flags).and_then(|(path, opener)| {
            // Reserved before the open, which may create or truncate the file.
            let claim = self.open.descriptors.borrow_mut().claim(channel)?;
            Ok((path, opener, claim))
        });
        match checked {
            Err(refusal) => reply.send(Err(self.refused(channel, refusal))),
            Ok((path, None, claim)) => {
                let file = self.opened_on_disk(path, flags, mode);
                let file = file.map_err(|refusal| self.refused(channel, refusal));
                reply.send(self.open.opened(claim, flags.ways(), given, file));
            }
            Ok((_, Some(opener), claim)) => {
                let mut ways = flags.ways();
                if flags.writes() && flags.has(PosixFlags::TRUNCATE) {
                    ways = ways | OpenFlags::TRUNCATE;
                }
                self.open_special(claim, opener, given, ways, reply);
            }
        }
    }

    /// Checks a path and its flags, and returns the host program's opener if it has one.
    fn checked<'a>(
        &self,
        given: &'a [u8],
        flags: PosixFlags,
    ) -> Result<(&'a Path, Option<Opener>), Refusal> {
        let path = posix_path(given)?;
        if !flags.is_valid() {
            let reason = "the flags have no access mode: 3 is none";
            return Err(Refusal::new(Errno::EINVAL, reason));
        }
        Ok((path, self.opener(given)?))
    }

    /// Opener of a path. A path that is not UTF-8 has none.
    fn opener(&self, path: &[u8]) -> Result<Option<Opener>, Refusal> {
        str::from_utf8(path).map_or(Ok(None), |path| self.special.opener(path))
    }

    fn opened_on_disk(
        &mut self,
        path: &Path,
        flags: PosixFlags,
        mode: u32,
    ) -> Result<File, Refusal> {
        let Some(disk) = &mut self.disk else {
            return Err(Refusal::new(Errno::EACCES, NO_ROOT));
        };
        let Opened { file, entries } = disk.posix_open(path, flags, mode)?;
        let Some(entries) = entries else {
            return Ok(File::Disk(file));
        };
        if self.open.entries.get() + entries.len() > MAX_ENTRIES {
            let reason = format!("the open directories have more than {MAX_ENTRIES} entries");
            return Err(Refusal::new(Errno::ENOMEM, reason));
        }
        self.open
            .entries
            .set(self.open.entries.get() + entries.len());
        Ok(File::Directory(Directory::new(file, entries)))
    }

    fn path_status(&mut self, given: &[u8]) -> Result<FileStatus, Refusal> {
        let path = posix_path(given)?;
        if self.opener(given)?.is_some() {
            return Ok(SPECIAL);
        }
        match &mut self.disk {
            Some(disk) => disk.status(path),
            None => Err(Refusal::new(Errno::EACCES, NO_ROOT)),
        }
    }

    fn act(&mut self, message: &ActOnPath) -> Result<(), Refusal> {
        let path = posix_path(&message.path)?;
        let mut openers = vec![self.opener(&message.path)?];
        match &message.action {
            PathAction::Access(mode) if !mode.is_valid() => {
                let reason = "the mode is no sum of 4 (read), 2 (write) and 1 (execute)";
                return Err(Refusal::new(Errno::EINVAL, reason));
            }
            PathAction::Access(mode) if openers[0].is_some() => {
                return match mode.has(AccessMode::EXECUTE) {
                    true => Err(Errno::EACCES.into()),
                    false => Ok(()),
                };
            }
            PathAction::Rename { to } => {
                posix_path(to)?;
                openers.push(self.opener(to)?);
            }
            _ => {}
        }
        if openers.iter().any(Option::is_some) {
            let reason = "the host program opens files of this name; they are in no directory";
            return Err(Refusal::new(Errno::EPERM, reason));
        }
        match &mut self.disk {
            Some(disk) => disk.act(path, &message.action),
            None => Err(Refusal::new(Errno::EACCES, NO_ROOT)),
        }
    }

    fn write_some(&mut self, Envelope { message, reply }: Envelope<WriteSome>) {
        let WriteSome { channel, fd, data } = message;
        self.reasons.remove(&channel);
        let open = self.open.clone();
        match open.descriptors.borrow_mut().writable(fd) {
            Ok(open_file) => match &mut open_file.file {
                File::Disk(file) => {
                    let written = file.write_some(&data);
                    reply.send(self.with_name(channel, open_file, written));
                }
                File::Directory(_) => reply.send(Err(Errno::EBADF)),
                File::Lost => reply.send(self.with_name(channel, open_file, Err(Errno::EIO))),
                &mut File::Special(file) => {
                    self.reasons.insert(channel, open_file.name());
                    open.foreign.forward(WriteSpecial { file, data }, reply);
                }
            },
            Err(refusal) => reply.send(Err(self.refused(channel, refusal))),
        }
    }

    fn lseek(&mut self, Envelope { message, reply }: Envelope<Lseek>) {
        let Lseek {
            channel,
            fd,
            whence,
            offset,
        } = message;
        self.reasons.remove(&channel);
        let open = self.open.clone();
        match open.descriptors.borrow_mut().file(fd) {
            Ok(open_file) => {
                let moved = match &mut open_file.file {
                    File::Disk(file) => file.lseek(whence, offset),
                    File::Directory(directory) => directory.lseek(whence, offset),
                    File::Lost => Err(Errno::EIO),
                    &mut File::Special(file) => match (whence, u64::try_from(offset)) {
                        (Whence::Set, Ok(position)) => {
                            self.reasons.insert(channel, open_file.name());
                            open.foreign.forward(SeekSpecial { file, position }, reply);
                            return;
                        }
                        (Whence::Set | Whence::Other(_), _) => Err(Errno::EINVAL),
                        // The host program has no function for these origins.
                        (Whence::Current | Whence::End, _) => Err(Errno::ESPIPE),
                    },
                };
                reply.send(self.with_name(channel, open_file, moved));
            }
            Err(refusal) => reply.send(Err(self.refused(channel, refusal))),
        }
    }

    fn set_length(&mut self, message: &SetLength) -> Result<(), Errno> {
        let SetLength { channel, fd, len } = *message;
        self.reasons.remove(&channel);
        let open = self.open.clone();
        let mut descriptors = open.descriptors.borrow_mut();
        // As on Linux, a file that is open for reading only is EINVAL.
        let open_file = match descriptors.writable(fd) {
            Ok(open_file) => open_file,
            Err(refusal) => {
                let errno = match descriptors.file(fd) {
                    Ok(_) => Errno::EINVAL,
                    Err(_) => refusal.errno,
                };
                return Err(self.refused(channel, Refusal { errno, ..refusal }));
            }
        };
        let set = match &mut open_file.file {
            _ if i64::try_from(len).is_err() => Err(Errno::EINVAL),
            File::Disk(file) => file.set_length(len),
            File::Directory(_) | File::Special(_) => Err(Errno::EINVAL),
            File::Lost => Err(Errno::EIO),
        };
        self.with_name(channel, open_file, set)
    }

    /// Performs an operation on an open file.
    fn on_open<T>(
        &mut self,
        channel: ChannelId,
        fd: u64,
        operation: impl FnOnce(&mut File) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.reasons.remove(&channel);
        let open = self.open.clone();
        match open.descriptors.borrow_mut().file(fd) {
            Ok(open_file) => {
                let done = operation(&mut open_file.file);
                self.with_name(channel, open_file, done)
            }
            Err(refusal) => Err(self.refused(channel, refusal)),
        }
    }
}

/// Converts bytes, which need not be UTF-8, to a path.
///
/// # Errors
/// ENOENT for an empty path, EINVAL for a path with a NUL, ENAMETOOLONG for a path that is too long
/// for Linux.
fn posix_path(path: &[u8]) -> Result<&Path, Refusal> {
    path::check_bytes(path)?;
    Ok(Path::new(OsStr::from_bytes(path)))
}
