//! Interface between the files actor and a file system, the only access to one.

use std::path::Path;

use bytes::Bytes;
use mailbox_rs::{Errno, FileStatus, OpenFlags, PosixFlags, Whence};

use crate::messages::files::{DirectoryEntry, PathAction};

/// A file system. A source of nondeterminism: a replay substitutes recorded results.
pub(crate) trait Disk {
    /// Opens a file by its path from the root. The flags include reading, writing or appending.
    /// Paths that lead out of the root fail with `EACCES`.
    fn open(&mut self, path: &str, flags: OpenFlags) -> Result<Box<dyn DiskFile>, Errno>;

    /// Opens a file or a directory with POSIX's flags, whose access mode is valid. `mode` has the
    /// permission bits of a created file.
    fn posix_open(&mut self, path: &Path, flags: PosixFlags, mode: u32) -> Result<Opened, Errno>;

    /// Reads the status of a path. Symbolic links are followed.
    fn status(&mut self, path: &Path) -> Result<FileStatus, Errno>;

    /// Acts on a path.
    fn act(&mut self, path: &Path, action: &PathAction) -> Result<(), Errno>;

    /// Reason of the last failed operation on a path, as a clause about the path; `None` if the
    /// error number says enough.
    fn reason(&mut self) -> Option<String> {
        None
    }
}

/// File or directory that was opened.
pub(crate) struct Opened {
    /// The open file. For a directory it has only a status.
    pub(crate) file: Box<dyn DiskFile>,
    /// Entries of a directory, in the order of their names.
    pub(crate) entries: Option<Vec<DirectoryEntry>>,
}

/// An open file, with a position.
pub(crate) trait DiskFile {
    /// Reads `len` bytes, fewer only at the end of the file, and advances the position.
    fn read(&mut self, len: u64) -> Result<Bytes, Errno>;

    /// Writes all of `data`, advances the position, and returns the length.
    fn write(&mut self, data: &[u8]) -> Result<u64, Errno>;

    /// Writes at least one byte of `data` unless that is empty. Advances the position, and returns
    /// the number of bytes.
    fn write_some(&mut self, data: &[u8]) -> Result<u64, Errno>;

    /// Moves to a position from the start, at most [`i64::MAX`], and returns it.
    fn seek(&mut self, position: u64) -> Result<u64, Errno>;

    /// Moves by an offset, and returns the new position.
    fn lseek(&mut self, whence: Whence, offset: i64) -> Result<u64, Errno>;

    /// Reads the status.
    fn status(&mut self) -> Result<FileStatus, Errno>;

    /// Sets the length, at most [`i64::MAX`].
    fn set_length(&mut self, len: u64) -> Result<(), Errno>;

    /// Writes the data to its device.
    fn sync(&mut self) -> Result<(), Errno>;
}
