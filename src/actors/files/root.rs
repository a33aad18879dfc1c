//! A directory of the host, out of which no path leads.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use mailbox_rs::{Errno, OpenFlags};

use super::disk::{Disk, DiskFile};
use crate::guest::{above_standard, quietly};

/// Firmware's root. `cap-std` keeps paths inside of it: whether by `..`, an absolute path or a
/// symbolic link, whoever leaves gets `EACCES`.
#[derive(Clone)]
pub(crate) struct Root(Rc<RefCell<Dir>>);

impl Root {
    /// A directory of the host.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let dir = open(path)?;
        Ok(Self(Rc::new(RefCell::new(dir))))
    }

    /// Has paths lead from another directory from now on, for every clone. Open files stay open.
    pub(crate) fn move_to(&self, path: &Path) -> io::Result<()> {
        *self.0.borrow_mut() = open(path)?;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<Dir> {
    let dir = Dir::open_ambient_dir(path, ambient_authority())?;
    let dir = above_standard(dir.into_std_file())?;
    Ok(Dir::from_std_file(dir))
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
        let opened = self.0.borrow().open_with(path, &options);
        let file = opened.map_err(|error| {
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
        Ok(Box::new(PositionedFile {
            file,
            position: 0,
            appends: flags.appends(),
        }))
    }
}

/// An open file, with a position of its own: that of a descriptor is shared with processes that are forked off.
struct PositionedFile {
    file: File,
    position: u64,
    appends: bool,
}

impl DiskFile for PositionedFile {
    fn read(&mut self, len: u64) -> Result<Bytes, Errno> {
        let len = usize::try_from(len).map_err(|_| Errno::EINVAL)?;
        let mut data = vec![0; len];
        let mut done = 0;
        while done < len {
            match self.file.read_at(&mut data[done..], self.position) {
                Ok(0) => break,
                Ok(read) => {
                    done += read;
                    self.position += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if done == 0 => return Err(errno(&error)),
                // What was read before an error counts: the next read meets the error again.
                Err(_) => break,
            }
        }
        data.truncate(done);
        Ok(data.into())
    }

    fn write(&mut self, data: &[u8]) -> Result<u64, Errno> {
        let file = &self.file;
        let written = quietly(|| file.write_all_at(data, self.position));
        written.map_err(|error| errno(&error))?;
        self.position = if self.appends {
            let metadata = file.metadata().map_err(|error| errno(&error))?;
            metadata.len()
        } else {
            self.position + data.len() as u64
        };
        Ok(data.len() as u64)
    }

    fn seek(&mut self, position: u64) -> Result<u64, Errno> {
        self.position = position;
        Ok(position)
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
