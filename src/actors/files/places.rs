//! Operations of protocol 0.3 on paths below the root.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use cap_primitives::fs::{AccessModes, AccessType, FollowSymlinks, access};
use cap_std::fs::{
    Dir, DirBuilder, DirBuilderExt, FileTypeExt, MetadataExt, OpenOptions, OpenOptionsExt,
};
use mailbox_rs::{AccessMode, Errno, FileStatus, FileType, PosixFlags, Timestamp};

use super::disk::Opened;
use super::inside;
use super::os_error::{errno, uninterrupted};
use super::positioned_file::{PositionedFile, status_of};
use super::refusal::Refusal;
use super::root::{Place, leads_out, special};
use crate::guest::above_standard;
use crate::messages::files::{DirectoryEntry, PathAction};

/// Maximum number of entries of an open directory.
const MAX_ENTRIES: usize = 1 << 20;

/// Permission bits that firmware may set.
const PERMISSIONS: u32 = 0o777;

/// Treatment of a symbolic link at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LastLink {
    Followed,
    Itself,
}

/// Last component of a path, and its parent.
#[derive(Clone, Copy)]
struct Ending<'a> {
    /// Path without slashes at its end.
    base: &'a Path,
    /// Path of the directory that has the last name.
    parent: &'a Path,
    /// Last name; `.` for the root directory itself.
    name: &'a [u8],
    /// True for a path with slashes at its end.
    has_slash: bool,
}

impl<'a> Ending<'a> {
    fn of(path: &'a Path) -> Self {
        let path_of = |bytes| Path::new(OsStr::from_bytes(bytes));
        let bytes = path.as_os_str().as_bytes();
        let len = bytes.iter().rposition(|byte| *byte != b'/');
        let Some(len) = len.map(|last| last + 1) else {
            return Self {
                base: path,
                parent: path,
                name: b".",
                has_slash: false,
            };
        };
        let base = &bytes[..len];
        let (parent, name) = match base.iter().rposition(|byte| *byte == b'/') {
            None => (&b"."[..], base),
            Some(slash) => (&base[..=slash], &base[slash + 1..]),
        };
        Self {
            base: path_of(base),
            parent: path_of(parent),
            name,
            has_slash: len < bytes.len(),
        }
    }

    /// True for `.` and `..`.
    fn is_dots(&self) -> bool {
        matches!(self.name, b"." | b"..")
    }
}

impl Place {
    /// Opens a regular file or a directory.
    pub(super) fn posix_open(
        &self,
        path: &Path,
        flags: PosixFlags,
        mode: u32,
    ) -> Result<Opened, Refusal> {
        let creates = flags.has(PosixFlags::CREATE);
        let exclusive = creates && flags.has(PosixFlags::EXCLUSIVE);
        if creates && Ending::of(path).has_slash {
            // As on Linux, an open creates no directory.
            self.check_parent(path)?;
            return Err(Errno::EISDIR.into());
        }
        let mut custom = libc::O_NONBLOCK | libc::O_NOCTTY;
        if flags.has(PosixFlags::DIRECTORY) {
            custom |= libc::O_DIRECTORY;
        }
        let mut options = OpenOptions::new();
        options
            .read(flags.reads())
            .write(flags.writes())
            .append(flags.writes() && flags.has(PosixFlags::APPEND))
            .mode(mode & PERMISSIONS);
        match (flags.writes(), creates, exclusive) {
            (_, false, _) => {}
            (true, true, false) => _ = options.create(true),
            (true, true, true) => _ = options.create_new(true),
            // The options refuse to create a file that can't be written.
            (false, true, false) => custom |= libc::O_CREAT,
            (false, true, true) => custom |= libc::O_CREAT | libc::O_EXCL,
        }
        options.custom_flags(custom);
        let last = match exclusive {
            true => LastLink::Itself,
            false => LastLink::Followed,
        };
        let file = self.located(path, last, |dir, path| dir.open_with(path, &options))?;
        let file = above_standard(file.into_std()).map_err(|error| errno(&error))?;
        let metadata = file.metadata().map_err(|error| errno(&error))?;
        if metadata.is_dir() {
            let entries = Some(entries(&file)?);
            let file = Box::new(PositionedFile::new(file, false));
            return Ok(Opened { file, entries });
        }
        if !metadata.is_file() {
            return Err(special());
        }
        if flags.writes() && flags.has(PosixFlags::TRUNCATE) {
            uninterrupted(|| file.set_len(0)).map_err(|error| errno(&error))?;
        }
        Ok(Opened {
            file: Box::new(PositionedFile::new(file, flags.has(PosixFlags::APPEND))),
            entries: None,
        })
    }

    /// Status of a path.
    pub(super) fn status(&self, path: &Path) -> Result<FileStatus, Refusal> {
        let metadata = self.located(path, LastLink::Followed, |dir, path| dir.metadata(path))?;
        Ok(status_of!(metadata))
    }

    /// Acts on a path. Slashes and dots at its end cause the same errors as on Linux.
    pub(super) fn act(&self, path: &Path, action: &PathAction) -> Result<(), Refusal> {
        let ending = Ending::of(path);
        match action {
            PathAction::Access(mode) => self.access(path, *mode),
            PathAction::Unlink if ending.has_slash || ending.is_dots() => {
                self.check_parent(path)?;
                let is_directory = ending.is_dots() || self.is_directory(ending.base)?;
                Err(match is_directory {
                    true => Errno::EISDIR.into(),
                    false => Errno::ENOTDIR.into(),
                })
            }
            PathAction::Unlink => {
                self.located(path, LastLink::Itself, |dir, path| dir.remove_file(path))
            }
            PathAction::Rename { to } => self.rename(path, Path::new(OsStr::from_bytes(to))),
            PathAction::MakeDirectory { .. } if ending.is_dots() => {
                self.check_parent(path)?;
                Err(Errno::EEXIST.into())
            }
            PathAction::MakeDirectory { mode } => {
                let mut builder = DirBuilder::new();
                builder.mode(mode & PERMISSIONS);
                self.located(ending.base, LastLink::Itself, |dir, path| {
                    dir.create_dir_with(path, &builder)
                })
            }
            PathAction::RemoveDirectory if ending.is_dots() => {
                self.check_parent(path)?;
                Err(match ending.name {
                    b".." => Errno::ENOTEMPTY.into(),
                    _ => Errno::EINVAL.into(),
                })
            }
            PathAction::RemoveDirectory => {
                self.located(ending.base, LastLink::Itself, |dir, path| {
                    dir.remove_dir(path)
                })
            }
        }
    }

    /// Fails unless the parent of a path's last name is a directory.
    fn check_parent(&self, path: &Path) -> Result<(), Refusal> {
        match self.status(Ending::of(path).parent)?.file_type() {
            FileType::Directory => Ok(()),
            _ => Err(Errno::ENOTDIR.into()),
        }
    }

    /// True for a directory, false for a link to one.
    fn is_directory(&self, path: &Path) -> Result<bool, Refusal> {
        let metadata = self.located(path, LastLink::Itself, |dir, path| {
            dir.symlink_metadata(path)
        });
        Ok(metadata?.is_dir())
    }

    fn access(&self, path: &Path, mode: AccessMode) -> Result<(), Refusal> {
        // The errors are those of a status request.
        self.status(path)?;
        let checked = match mode {
            AccessMode::EXISTS => return Ok(()),
            mode => AccessType::Access(AccessModes {
                readable: mode.has(AccessMode::READ),
                writable: mode.has(AccessMode::WRITE),
                executable: mode.has(AccessMode::EXECUTE),
            }),
        };
        // Without links, so that the check follows none.
        let relative = self.resolved(path, LastLink::Followed)?;
        let dir = self.dir.try_clone().map_err(|error| errno(&error))?;
        let dir = dir.into_std_file();
        access(&dir, &relative, checked, FollowSymlinks::No).map_err(|error| self.refusal(&error))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), Refusal> {
        let endings = [from, to].map(Ending::of);
        self.check_parent(from)?;
        self.check_parent(to)?;
        if endings.iter().any(Ending::is_dots) {
            return Err(Errno::EBUSY.into());
        }
        let [from, to] = endings.map(|ending| ending.base);
        if endings.iter().any(|ending| ending.has_slash) && !self.is_directory(from)? {
            return Err(Errno::ENOTDIR.into());
        }
        let mut renamed = uninterrupted(|| self.dir.rename(from, &self.dir, to));
        if renamed.as_ref().is_err_and(leads_out) {
            let from = self.resolved(from, LastLink::Itself)?;
            let to = self.resolved(to, LastLink::Itself)?;
            renamed = uninterrupted(|| self.dir.rename(&from, &self.dir, &to));
        }
        renamed.map_err(|error| self.refusal(&error))
    }

    /// Performs an operation on a path, which is resolved if it, or a link in it, is absolute.
    fn located<T>(
        &self,
        path: &Path,
        last: LastLink,
        operation: impl Fn(&Dir, &Path) -> io::Result<T>,
    ) -> Result<T, Refusal> {
        let mut result = uninterrupted(|| operation(&self.dir, path));
        if result.as_ref().is_err_and(leads_out) {
            let relative = self.resolved(path, last)?;
            result = uninterrupted(|| operation(&self.dir, &relative));
        }
        result.map_err(|error| self.refusal(&error))
    }

    /// Path from the root, without absolute parts and links. `last` says if a link at the end is
    /// followed.
    fn resolved(&self, path: &Path, last: LastLink) -> Result<PathBuf, Refusal> {
        let relative = |path| {
            inside::relative(&self.dir, &self.real, path).map_err(|errno| match errno {
                Errno::EACCES => self.outside(),
                errno => errno.into(),
            })
        };
        let relative = match (last, path.parent(), path.file_name()) {
            (LastLink::Itself, Some(parent), Some(name)) => relative(parent)?.join(name),
            _ => relative(path)?,
        };
        Ok(match relative.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => relative,
        })
    }
}

/// Entries of a directory, in the order of their names.
///
/// # Errors
/// ENOMEM for more than [`MAX_ENTRIES`].
fn entries(directory: &File) -> Result<Vec<DirectoryEntry>, Refusal> {
    let failed = |error: io::Error| Refusal::from(errno(&error));
    let directory = Dir::from_std_file(directory.try_clone().map_err(failed)?);
    let mut entries = Vec::new();
    for entry in directory.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entries.len() == MAX_ENTRIES {
            let reason = format!("the directory has more than {MAX_ENTRIES} entries");
            return Err(Refusal::new(Errno::ENOMEM, reason));
        }
        entries.push(DirectoryEntry {
            name: Bytes::from(entry.file_name().into_vec()),
            inode: entry.ino(),
            file_type: entry.file_type().map_or(FileType::Unknown, file_type),
        });
    }
    entries.sort_unstable();
    Ok(entries)
}

fn file_type(of: cap_std::fs::FileType) -> FileType {
    match of {
        of if of.is_file() => FileType::Regular,
        of if of.is_dir() => FileType::Directory,
        of if of.is_symlink() => FileType::Link,
        of if of.is_fifo() => FileType::Fifo,
        of if of.is_socket() => FileType::Socket,
        of if of.is_char_device() => FileType::CharacterDevice,
        of if of.is_block_device() => FileType::BlockDevice,
        _ => FileType::Unknown,
    }
}
