//! A directory of the host, out of which no path leads.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use mailbox_rs::{Errno, OpenFlags};

use super::disk::{Disk, DiskFile};
use crate::guest::{above_standard, quietly};

/// Firmware's root. `cap-std` keeps paths inside of it: whether by `..`, an absolute path or a
/// symbolic link, whoever leaves gets `EACCES`.
pub(crate) struct Root(Dir);

impl Root {
    /// A directory of the host.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        let dir = above_standard(dir.into_std_file())?;
        Ok(Self(Dir::from_std_file(dir)))
    }
}

impl Disk for Root {
    /// Regular files only. A FIFO could stop the simulation, so it is refused with `EACCES`, as are
    /// sockets and devices; a directory is with `EISDIR`.
    fn open(&mut self, path: &str, flags: OpenFlags) -> Result<Box<dyn DiskFile>, Errno> {
        let mut options = OpenOptions::new();
        options
            .read(flags.reads())
            .write(flags.creates())
            .append(flags.appends())
            .create(flags.creates())
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = self.0.open_with(path, &options).map_err(|error| {
            match error.raw_os_error() {
                // A socket, or a FIFO that nobody reads.
                Some(libc::ENXIO) => Errno::EACCES,
                _ => errno(&error),
            }
        })?;
        let file = above_standard(file.into_std()).map_err(|error| errno(&error))?;
        let metadata = file.metadata().map_err(|error| errno(&error))?;
        if metadata.is_dir() {
            return Err(Errno::EISDIR);
        }
        if !metadata.is_file() {
            return Err(Errno::EACCES);
        }
        if flags.truncates() {
            file.set_len(0).map_err(|error| errno(&error))?;
        }
        Ok(Box::new(file))
    }
}

impl DiskFile for File {
    fn read(&mut self, len: u64) -> Result<Bytes, Errno> {
        let mut data = Vec::new();
        match self.take(len).read_to_end(&mut data) {
            // What was read before an error counts: the next read meets the error again.
            Err(error) if data.is_empty() => Err(errno(&error)),
            _ => Ok(data.into()),
        }
    }

    fn write(&mut self, data: &[u8]) -> Result<u64, Errno> {
        quietly(|| self.write_all(data)).map_err(|error| errno(&error))?;
        Ok(data.len() as u64)
    }

    fn seek(&mut self, position: u64) -> Result<u64, Errno> {
        Seek::seek(self, SeekFrom::Start(position)).map_err(|error| errno(&error))
    }
}

/// The number of an error: the operating system's, where it has one.
fn errno(error: &io::Error) -> Errno {
    match (error.raw_os_error(), error.kind()) {
        (Some(number), _) => Errno(number),
        // A path that leads out, says cap-std.
        (None, io::ErrorKind::PermissionDenied) => Errno::EACCES,
        (None, io::ErrorKind::NotFound) => Errno::ENOENT,
        (None, io::ErrorKind::InvalidInput) => Errno::EINVAL,
        (None, _) => Errno::EIO,
    }
}
