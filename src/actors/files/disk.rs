//! What the files actor sees of a file system. Nothing else reaches one.

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};

/// A file system. What it answers is no function of the messages before: a replay answers itself.
pub(crate) trait Disk {
    /// Opens a file by its path from the root, for reading or for writing in one of the ways at
    /// least. No path leads out of the root: `EACCES`.
    fn open(&mut self, path: &str, flags: OpenFlags) -> Result<Box<dyn DiskFile>, Errno>;

    /// Reason of the last refusal of [`Disk::open`], as a clause about the path; none where the error number says all.
    fn reason(&mut self) -> Option<String> {
        None
    }
}

/// An open file, with a position.
pub(crate) trait DiskFile {
    /// Gives `len` bytes, fewer only where the file ends, and moves on.
    fn read(&mut self, len: u64) -> Result<Bytes, Errno>;

    /// Writes all of `data`, gives its length and moves on.
    fn write(&mut self, data: &[u8]) -> Result<u64, Errno>;

    /// Moves to a position from the start, at most [`i64::MAX`], and gives it.
    fn seek(&mut self, position: u64) -> Result<u64, Errno>;
}
