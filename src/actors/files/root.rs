//! Directory of the host, which paths can't leave.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use mailbox_rs::{Errno, FileStatus, OpenFlags, PosixFlags};

use super::disk::{Disk, DiskFile, Opened};
use super::inside;
use super::os_error::errno;
use super::positioned_file::PositionedFile;
use super::refusal::Refusal;
use crate::guest::above_standard;
use crate::messages::files::PathAction;

/// Firmware's root directory. `cap-std` keeps paths inside. Absolute paths and symbolic links are
/// allowed if they lead to a file below the root; other paths that leave the root fail with
/// `EACCES`.
#[derive(Clone)]
pub(crate) struct Root {
    place: Rc<RefCell<Place>>,
    /// Reason of the last failure.
    reason: Option<String>,
}

/// Directory in which all paths begin.
pub(super) struct Place {
    pub(super) dir: Dir,
    /// Name as configured.
    name: PathBuf,
    /// Canonical name.
    pub(super) real: PathBuf,
}

impl Root {
    /// Opens a directory of the host as root.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let place = Place::open(path)?;
        Ok(Self {
            place: Rc::new(RefCell::new(place)),
            reason: None,
        })
    }

    /// Replaces the root directory, for every clone. Open files stay open.
    pub(crate) fn move_to(&self, path: &Path) -> io::Result<()> {
        *self.place.borrow_mut() = Place::open(path)?;
        Ok(())
    }

    /// Stores the reason of a failure.
    fn keep(&mut self, refusal: Refusal) -> Errno {
        self.reason = refusal.reason;
        refusal.errno
    }
}

impl Place {
    fn open(path: &Path) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        let dir = above_standard(dir.into_std_file())?;
        Ok(Self {
            dir: Dir::from_std_file(dir),
            name: path.to_owned(),
            real: path.canonicalize()?,
        })
    }

    /// Opens a regular file.
    fn open_file(&self, path: &str, flags: OpenFlags) -> Result<File, Refusal> {
        if path.ends_with('/') {
            return Err(self.directory(path, flags));
        }
        let mut options = OpenOptions::new();
        options
            .read(flags.reads())
            .write(flags.creates())
            .append(flags.appends())
            .create(flags.creates())
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        let mut opened = self.dir.open_with(path, &options);
        if opened.as_ref().is_err_and(leads_out) {
            let relative = inside::relative(&self.dir, &self.real, Path::new(path));
            let relative = relative.map_err(|errno| match errno {
                Errno::EACCES => self.outside(),
                errno => errno.into(),
            })?;
            opened = match relative.as_os_str().is_empty() {
                true => return Err(Errno::EISDIR.into()),
                false => self.dir.open_with(relative, &options),
            };
        }
        let file = opened.map_err(|error| self.refusal(&error))?;
        let file = above_standard(file.into_std()).map_err(|error| errno(&error))?;
        let metadata = file.metadata().map_err(|error| errno(&error))?;
        if metadata.is_dir() {
            return Err(Errno::EISDIR.into());
        }
        if !metadata.is_file() {
            return Err(special());
        }
        Ok(file)
    }

    /// Error of a path with a trailing slash, which denotes a directory. Nothing is created.
    fn directory(&self, path: &str, flags: OpenFlags) -> Refusal {
        let found = inside::relative(&self.dir, &self.real, Path::new(path));
        let metadata = match found {
            Ok(relative) if relative.as_os_str().is_empty() => return Errno::EISDIR.into(),
            Ok(relative) => self.dir.metadata(relative),
            Err(Errno::EACCES) => return self.outside(),
            Err(errno) => return errno.into(),
        };
        match metadata {
            Ok(metadata) if metadata.is_dir() => Errno::EISDIR.into(),
            Ok(_) => Errno::ENOTDIR.into(),
            // As on Linux, a directory is not created.
            Err(error) if error.kind() == io::ErrorKind::NotFound && flags.creates() => {
                Errno::EISDIR.into()
            }
            Err(error) if leads_out(&error) => self.outside(),
            Err(error) => errno(&error).into(),
        }
    }

    /// Refusal for the error of an operation on a path.
    pub(super) fn refusal(&self, error: &io::Error) -> Refusal {
        match error.raw_os_error() {
            // A socket, or a FIFO without a reader.
            Some(libc::ENXIO) => special(),
            _ if leads_out(error) => self.outside(),
            Some(libc::EACCES) => {
                Refusal::new(Errno::EACCES, "the host's file permissions forbid it")
            }
            _ => errno(error).into(),
        }
    }

    pub(super) fn outside(&self) -> Refusal {
        let root = self.name.display();
        let reason = format!("the path, or a symbolic link in it, leads out of the root {root}");
        Refusal::new(Errno::EACCES, reason)
    }
}

/// Error of a file that is not a regular one.
pub(super) fn special() -> Refusal {
    let reason = "it is a FIFO, a socket or a device, and only regular files are opened";
    Refusal::new(Errno::EACCES, reason)
}

/// True if `cap-std` rejected a path that leaves the root.
pub(super) fn leads_out(error: &io::Error) -> bool {
    error.raw_os_error().is_none() && error.kind() == io::ErrorKind::PermissionDenied
}

impl Disk for Root {
    /// Opens regular files only. A FIFO could block the simulation, so it fails with `EACCES`, like
    /// sockets and devices. A directory fails with `EISDIR`.
    fn open(&mut self, path: &str, flags: OpenFlags) -> Result<Box<dyn DiskFile>, Errno> {
        let opened = self.place.borrow().open_file(path, flags);
        let file = opened.map_err(|refusal| self.keep(refusal))?;
        if flags.truncates() {
            file.set_len(0).map_err(|error| errno(&error))?;
        }
        Ok(Box::new(PositionedFile::new(file, flags.appends())))
    }

    fn posix_open(&mut self, path: &Path, flags: PosixFlags, mode: u32) -> Result<Opened, Errno> {
        let opened = self.place.borrow().posix_open(path, flags, mode);
        opened.map_err(|refusal| self.keep(refusal))
    }

    fn status(&mut self, path: &Path) -> Result<FileStatus, Errno> {
        let status = self.place.borrow().status(path);
        status.map_err(|refusal| self.keep(refusal))
    }

    fn act(&mut self, path: &Path, action: &PathAction) -> Result<(), Errno> {
        let done = self.place.borrow().act(path, action);
        done.map_err(|refusal| self.keep(refusal))
    }

    fn reason(&mut self) -> Option<String> {
        self.reason.take()
    }
}
