//! Interface between the files actor and a file system, the only access to one.

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};

/// A file system. A source of nondeterminism: a replay substitutes recorded results.
pub(crate) trait Disk {
    /// Opens a file by its path from the root. The flags include reading, writing or appending. Paths that lead out of the root fail with
    /// `EACCES`.
    fn open(&mut self, path: &str, flags: OpenFlags) -> Result<Box<dyn DiskFile>, Errno>;

    /// Reason of the last failed [`Disk::open`], as a clause about the path; `None` if the error number says it all.
    fn reason(&mut self) -> Option<String> {
        None
    }
}

/// An open file, with a position.
pub(crate) trait DiskFile {
    /// Reads `len` bytes, fewer only at the end of the file, and advances the position.
    fn read(&mut self, len: u64) -> Result<Bytes, Errno>;

    /// Writes all of `data`, returns its length and advances the position.
    fn write(&mut self, data: &[u8]) -> Result<u64, Errno>;

    /// Moves to a position from the start, at most [`i64::MAX`], and returns it.
    fn seek(&mut self, position: u64) -> Result<u64, Errno>;
}
