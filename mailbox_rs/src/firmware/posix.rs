//! Services of protocol 0.3: files as in POSIX, arguments, environment, time and random bytes.

use core::ffi::CStr;

use super::{Client, Hooks, Native};
use crate::errno::Errno;
use crate::request::{AccessMode, FileRequest, PosixFlags, Request, Whence};
use crate::structures::{FileStatus, Timestamp};

/// Services of protocol 0.3. Each fails with ENOSYS, without a request, if the session has an older
/// version ([`Client::version`]).
///
/// Descriptors 0, 1 and 2 are the standard streams, for [`Client::read`] and [`Client::write`].
impl<H: Hooks> Client<Native, H> {
    /// Opens a file or a directory below the host's root and returns its descriptor. `mode` has the
    /// permission bits of a created file.
    pub fn posix_open(&mut self, path: &CStr, flags: PosixFlags, mode: u32) -> Result<u64, Errno> {
        let path = self.lend_str(path);
        self.file(FileRequest::PosixOpen { path, flags, mode })
    }

    /// Closes a file or a directory, and waits for the host's result.
    pub fn checked_close(&mut self, fd: u64) -> Result<(), Errno> {
        self.file(FileRequest::CheckedClose { fd }).map(drop)
    }

    /// Sets a file's position and returns the new one, in bytes from the start.
    pub fn lseek(&mut self, fd: u64, offset: i64, whence: Whence) -> Result<u64, Errno> {
        let mut position = [0; 8];
        let result = self.lend_mut(&mut position);
        self.file(FileRequest::Lseek {
            fd,
            whence,
            offset,
            result,
        })?;
        self.take_back(&mut position);
        Ok(u64::from_le_bytes(position))
    }

    /// Status of an open file or directory.
    pub fn fstat(&mut self, fd: u64) -> Result<FileStatus, Errno> {
        self.status(|result| FileRequest::Fstat { fd, result })
    }

    /// Status of a file or a directory. A symbolic link is followed.
    pub fn stat(&mut self, path: &CStr) -> Result<FileStatus, Errno> {
        let path = self.lend_str(path);
        self.status(|result| FileRequest::Stat { path, result })
    }

    /// Checks permissions of the host's process for a path.
    pub fn access(&mut self, path: &CStr, mode: AccessMode) -> Result<(), Errno> {
        let path = self.lend_str(path);
        self.file(FileRequest::Access { path, mode }).map(drop)
    }

    /// Removes a file or a symbolic link.
    pub fn unlink(&mut self, path: &CStr) -> Result<(), Errno> {
        let path = self.lend_str(path);
        self.file(FileRequest::Unlink { path }).map(drop)
    }

    /// Renames a file or a directory. An existing file is replaced.
    pub fn rename(&mut self, from: &CStr, to: &CStr) -> Result<(), Errno> {
        let (from, to) = (self.lend_str(from), self.lend_str(to));
        self.file(FileRequest::Rename { from, to }).map(drop)
    }

    /// Creates a directory with these permission bits.
    pub fn mkdir(&mut self, path: &CStr, mode: u32) -> Result<(), Errno> {
        let path = self.lend_str(path);
        self.file(FileRequest::Mkdir { path, mode }).map(drop)
    }

    /// Removes an empty directory.
    pub fn rmdir(&mut self, path: &CStr) -> Result<(), Errno> {
        let path = self.lend_str(path);
        self.file(FileRequest::Rmdir { path }).map(drop)
    }

    /// Reads the next entries of an open directory, as
    /// [`DirectoryRecord`](crate::DirectoryRecord)s, and returns their number of bytes: 0 after the
    /// last entry.
    ///
    /// # Errors
    ///
    /// EINVAL if `buf` is too short for the next record;
    /// [`DirectoryRecord::MAX_SIZE`](crate::DirectoryRecord::MAX_SIZE) suffices.
    pub fn read_directory(&mut self, fd: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        self.fill(buf, |ptr, len| FileRequest::Readdir { fd, ptr, len })
    }

    /// Sets the length of a file that is open for writing.
    pub fn truncate(&mut self, fd: u64, len: u64) -> Result<(), Errno> {
        self.file(FileRequest::Ftruncate { fd, len }).map(drop)
    }

    /// Asks the host to write a file's data to its device.
    pub fn sync(&mut self, fd: u64) -> Result<(), Errno> {
        self.file(FileRequest::Fsync { fd }).map(drop)
    }

    /// Arguments of the program, each with its NUL.
    ///
    /// # Errors
    ///
    /// ERANGE if `buf` is too short for all of them.
    pub fn arguments<'a>(&mut self, buf: &'a mut [u8]) -> Result<&'a [u8], Errno> {
        self.block(buf, |ptr, len| FileRequest::Argv { ptr, len })
    }

    /// Environment of the program: `NAME=value`, each with its NUL.
    ///
    /// # Errors
    ///
    /// ERANGE if `buf` is too short for all of it.
    pub fn environment<'a>(&mut self, buf: &'a mut [u8]) -> Result<&'a [u8], Errno> {
        self.block(buf, |ptr, len| FileRequest::Env { ptr, len })
    }

    /// Simulated or wall time, by the host's configuration.
    pub fn time(&mut self) -> Result<Timestamp, Errno> {
        let mut bytes = [0; Timestamp::SIZE];
        let result = self.lend_mut(&mut bytes);
        self.file(FileRequest::Time { result })?;
        self.take_back(&mut bytes);
        Timestamp::parse(&bytes).ok_or(Errno::EIO)
    }

    /// Fills `buf` with random bytes, which depend on the seed in the host's configuration.
    pub fn random(&mut self, buf: &mut [u8]) -> Result<(), Errno> {
        self.fill(buf, |ptr, len| FileRequest::Random { ptr, len })
            .map(drop)
    }

    fn status(&mut self, request: impl FnOnce(u64) -> FileRequest) -> Result<FileStatus, Errno> {
        let mut bytes = [0; FileStatus::SIZE];
        let result = self.lend_mut(&mut bytes);
        self.file(request(result))?;
        self.take_back(&mut bytes);
        FileStatus::parse(&bytes).ok_or(Errno::EIO)
    }

    /// Asks the host to write to `buf`, and returns the response.
    fn fill(
        &mut self,
        buf: &mut [u8],
        request: impl FnOnce(u64, u64) -> FileRequest,
    ) -> Result<usize, Errno> {
        let request = request(self.lend_mut(buf), buf.len() as u64);
        let result = self.file(request);
        self.take_back(buf);
        result.map(|len| len as usize)
    }

    fn block<'a>(
        &mut self,
        buf: &'a mut [u8],
        request: impl FnOnce(u64, u64) -> FileRequest,
    ) -> Result<&'a [u8], Errno> {
        let len = self.fill(buf, request)?;
        buf.get(..len).ok_or(Errno::ERANGE)
    }

    fn file(&mut self, request: FileRequest) -> Result<u64, Errno> {
        self.value(&Request::File(request))
    }
}
