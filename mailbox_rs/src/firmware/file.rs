//! Handles of open files.

use core::ffi::CStr;

use super::{Client, Hooks, Native};
use crate::errno::Errno;
use crate::request::{PosixFlags, Whence};
use crate::structures::FileStatus;

/// Permission bits of a created file. The host's `umask` limits them.
const MODE: u32 = 0o666;

/// Open file of a host with protocol 0.3.
///
/// Each method takes the client, because a program has one client and may have several files. A
/// file that is dropped stays open until the session ends; [`close`](Self::close) closes it.
///
/// ```no_run
/// # use mailbox_rs::firmware::{Client, File, Native, NoHooks};
/// # use mailbox_rs::{Errno, Whence};
/// # fn firmware(host: &mut Client<Native, NoHooks>) -> Result<(), Errno> {
/// let mut log = File::create(host, c"log.txt")?;
/// log.write_all(host, b"first line\n")?;
/// log.seek(host, 0, Whence::End)?;
/// assert_eq!(log.metadata(host)?.size, 11);
/// log.close(host)
/// # }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    fd: u64,
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// Error of the host, such as ENOENT.
    pub fn open<H: Hooks>(host: &mut Client<Native, H>, path: &CStr) -> Result<Self, Errno> {
        Self::with(host, path, PosixFlags::READ_ONLY)
    }

    /// Creates a file for reading and writing, or empties an existing one.
    ///
    /// # Errors
    /// Error of the host.
    pub fn create<H: Hooks>(host: &mut Client<Native, H>, path: &CStr) -> Result<Self, Errno> {
        let flags = PosixFlags::READ_WRITE | PosixFlags::CREATE | PosixFlags::TRUNCATE;
        Self::with(host, path, flags)
    }

    /// Opens a file with these flags.
    ///
    /// # Errors
    /// Error of the host.
    pub fn with<H: Hooks>(
        host: &mut Client<Native, H>,
        path: &CStr,
        flags: PosixFlags,
    ) -> Result<Self, Errno> {
        let fd = host.posix_open(path, flags, MODE)?;
        Ok(Self { fd })
    }

    /// Descriptor, for the methods of [`Client`].
    pub const fn fd(&self) -> u64 {
        self.fd
    }

    /// Reads up to the length of `buf`, and returns the number of bytes: 0 at the end of the file.
    ///
    /// # Errors
    /// Error of the host.
    pub fn read<H: Hooks>(
        &mut self,
        host: &mut Client<Native, H>,
        buf: &mut [u8],
    ) -> Result<usize, Errno> {
        host.read(self.fd, buf)
    }

    /// Fills `buf`.
    ///
    /// # Errors
    /// EIO if the file ends before, or an error of the host.
    pub fn read_exact<H: Hooks>(
        &mut self,
        host: &mut Client<Native, H>,
        mut buf: &mut [u8],
    ) -> Result<(), Errno> {
        while !buf.is_empty() {
            let read = host.read(self.fd, buf)?;
            if read == 0 {
                return Err(Errno::EIO);
            }
            buf = buf.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }

    /// Writes, and returns the number of bytes that were written.
    ///
    /// # Errors
    /// Error of the host.
    pub fn write<H: Hooks>(
        &mut self,
        host: &mut Client<Native, H>,
        data: &[u8],
    ) -> Result<usize, Errno> {
        host.write(self.fd, data)
    }

    /// Writes all of `data`.
    ///
    /// # Errors
    /// EIO if the host writes nothing, or an error of the host.
    pub fn write_all<H: Hooks>(
        &mut self,
        host: &mut Client<Native, H>,
        mut data: &[u8],
    ) -> Result<(), Errno> {
        while !data.is_empty() {
            match host.write(self.fd, data)? {
                0 => return Err(Errno::EIO),
                written => data = data.get(written..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    /// Sets the position, and returns the new one in bytes from the start.
    ///
    /// # Errors
    /// Error of the host.
    pub fn seek<H: Hooks>(
        &mut self,
        host: &mut Client<Native, H>,
        offset: i64,
        whence: Whence,
    ) -> Result<u64, Errno> {
        host.lseek(self.fd, offset, whence)
    }

    /// Status of the file.
    ///
    /// # Errors
    /// Error of the host.
    pub fn metadata<H: Hooks>(&self, host: &mut Client<Native, H>) -> Result<FileStatus, Errno> {
        host.fstat(self.fd)
    }

    /// Sets the length.
    ///
    /// # Errors
    /// Error of the host.
    pub fn truncate<H: Hooks>(
        &mut self,
        host: &mut Client<Native, H>,
        len: u64,
    ) -> Result<(), Errno> {
        host.truncate(self.fd, len)
    }

    /// Asks the host to write the data to its device.
    ///
    /// # Errors
    /// Error of the host.
    pub fn sync<H: Hooks>(&mut self, host: &mut Client<Native, H>) -> Result<(), Errno> {
        host.sync(self.fd)
    }

    /// Closes the file.
    ///
    /// # Errors
    /// Error of the host.
    pub fn close<H: Hooks>(self, host: &mut Client<Native, H>) -> Result<(), Errno> {
        host.checked_close(self.fd)
    }
}
