//! File that is written during a run: a recording, a log, a table.

use std::env::current_dir;
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::descriptor::open_to_write;
use super::name::{expand, has_process_id, of_system};
use super::quietly;
use crate::sim::fork::watch_forks;
use crate::sim::generation::generation;
use crate::sim::inherited::{Own, own_file};
use crate::sim::strand::{ForkedWhile, forked_while};

/// File with this process as its only writer, as long as it is open. A failed write ends it: later
/// writes are discarded, so that the error occurs once and the file has no gap.
///
/// A forked process continues in a file of its own, which starts with the content that its parent
/// had written by then. A process that was forked in the middle of a call has no host, and writes
/// nothing.
#[derive(Debug)]
pub(crate) struct OutputFile {
    /// Name before `%p` and `%t` are expanded; `%s` is.
    name: PathBuf,
    /// Working directory at the opening; empty if it is not known.
    directory: PathBuf,
    path: PathBuf,
    /// Dropped before the file.
    own: Option<Own>,
    file: File,
    /// Number of bytes that this process and its ancestors have written.
    written: u64,
    /// Generation of the process that has opened the file.
    generation: u32,
    ended: bool,
}

/// Error of writing an output file.
#[derive(Debug)]
pub(crate) struct OutputError {
    /// Expanded name of the file.
    pub(crate) path: PathBuf,
    /// I/O error.
    pub(crate) cause: io::Error,
}

#[derive(Debug, Error)]
#[error("the process was forked, and can't continue in {}: {cause}", path.display())]
struct BranchError {
    path: PathBuf,
    cause: io::Error,
}

#[derive(Debug, Error)]
#[error(
    "it is in use, by another run or another part of this one; give each a file of its own: its \
     name may have %p for the process id, %t for the time of the start, %s for the system's name"
)]
struct InUse;

impl OutputFile {
    /// Opens a file and truncates it. Its name may have `%p`, `%t` and `%s`. In a forked process, a
    /// name without `%p` gets the process id, because an ancestor may be writing the file of the
    /// original name. For a further system, a name without `%s` gets the system's name.
    ///
    /// # Errors
    /// Fails if the file can't be opened, or is open as an output file of this or another process.
    pub(crate) fn create(name: &Path) -> Result<Self, OutputError> {
        watch_forks();
        let name = &of_system(name);
        let path = match generation() {
            0 => expand(name),
            _ => path_in_child(Path::new(""), name),
        };
        match Self::open(&path) {
            Ok(file) => Ok(Self {
                name: name.to_owned(),
                directory: current_dir().unwrap_or_default(),
                path,
                own: is_regular(&file).then(|| own_file(&file)),
                file,
                written: 0,
                generation: generation(),
                ended: false,
            }),
            Err(cause) => Err(OutputError { path, cause }),
        }
    }

    fn open(path: &Path) -> io::Result<File> {
        let file = open_to_write(path)?;
        // A FIFO or a device may have any number of writers.
        if is_regular(&file) {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(io::ErrorKind::ResourceBusy, InUse));
                }
                // Some file systems have no locks.
                Ok(()) | Err(TryLockError::Error(_)) => file.set_len(0)?,
            }
        }
        Ok(file)
    }

    /// Continues in a file of this process. The parent's file is not affected: neither its lock and
    /// position, nor its later content.
    fn branch(&mut self) -> io::Result<()> {
        self.generation = generation();
        let metadata = self.file.metadata()?;
        if !metadata.is_file() {
            // Several processes may write to a terminal or a null device, but the reader of a pipe
            // can't distinguish two writers.
            return match metadata.file_type().is_fifo() {
                false => Ok(()),
                true => Err(io::Error::other("the pipe stays with the parent process")),
            };
        }
        let path = path_in_child(&self.directory, &self.name);
        let in_child = |cause| {
            io::Error::other(BranchError {
                path: path.clone(),
                cause,
            })
        };
        let mut file = Self::open(&path).map_err(in_child)?;
        // Read through a new descriptor, because the position of this one belongs to the parent.
        let shared = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let parent = super::open(shared).map_err(in_child)?;
        let copied = quietly(|| io::copy(&mut parent.take(self.written), &mut file));
        let copied = copied.map_err(in_child)?;
        if copied != self.written {
            return Err(in_child(io::Error::other(
                "the parent's file was truncated",
            )));
        }
        tracing::info!(
            target: "vhost::fork",
            "continues in {}, as a copy of the first {copied} bytes of {}",
            path.display(),
            self.path.display()
        );
        self.path = path;
        self.own = Some(own_file(&file));
        self.file = file;
        Ok(())
    }

    /// Expanded name of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn write_unless_ended<T>(
        &mut self,
        ended: T,
        write: impl FnOnce(&mut File) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.ended {
            return Ok(ended);
        }
        let own = match self.generation == generation() {
            true => Ok(()),
            false if forked_while() != ForkedWhile::Idle => {
                self.ended = true;
                return Ok(ended);
            }
            false => self.branch(),
        };
        let written = own.and_then(|()| quietly(|| write(&mut self.file)));
        let again = io::ErrorKind::Interrupted;
        self.ended = written.as_ref().is_err_and(|error| error.kind() != again);
        written
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if self.generation == generation() {
            // Otherwise a child that shares the file would keep it locked.
            let _ = self.file.unlock();
        }
    }
}

fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|known| known.is_file())
}

/// Name of a file for this forked process, with its process id. A device or a FIFO keeps its name.
fn path_in_child(directory: &Path, name: &Path) -> PathBuf {
    let path = directory.join(expand(name));
    let is_other = path.metadata().is_ok_and(|known| !known.is_file());
    if has_process_id(name) || is_other {
        path
    } else {
        with_process_id(&path)
    }
}

/// Name with the process id before its extension: `run.4711.trace`.
fn with_process_id(path: &Path) -> PathBuf {
    let id = std::process::id();
    match path.extension() {
        Some(extension) => {
            let mut own = OsString::from(format!("{id}."));
            own.push(extension);
            path.with_extension(own)
        }
        None => path.with_extension(id.to_string()),
    }
}

impl Write for OutputFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.write_unless_ended(data.len(), |file| file.write(data))?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_unless_ended((), File::flush)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_has_one_writer_and_keeps_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("log");
        fs::write(&name, "what was there before").unwrap();
        let mut first = OutputFile::create(&name).unwrap();
        first.write_all(b"text").unwrap();
        let refused = OutputFile::create(&name).unwrap_err();
        assert_eq!(refused.path, name);
        assert!(refused.cause.to_string().contains("%p"));
        assert_eq!(fs::read(&name).unwrap(), b"text");
        drop(first);
        assert!(OutputFile::create(&name).is_ok());
        assert_eq!(fs::read(&name).unwrap(), b"");
    }

    #[test]
    fn a_closed_file_is_released_by_all_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("log");
        let first = OutputFile::create(&name).unwrap();
        let shared = first.file.try_clone().unwrap();
        drop(first);
        assert!(OutputFile::create(&name).is_ok());
        drop(shared);
    }

    #[test]
    fn names_are_expanded() {
        let folder = tempfile::tempdir().unwrap();
        let file = OutputFile::create(&folder.path().join("%p.log")).unwrap();
        let name = format!("{}.log", std::process::id());
        assert_eq!(file.path(), folder.path().join(name));
        assert!(file.path().is_file());
    }

    #[test]
    fn a_device_has_any_number_of_writers() {
        let null = Path::new("/dev/null");
        let both = (OutputFile::create(null), OutputFile::create(null));
        assert!(both.0.is_ok() && both.1.is_ok());
    }

    #[test]
    fn it_ends_at_the_first_error() {
        let mut full = OutputFile::create("/dev/full".as_ref()).unwrap();
        assert!(full.write_all(b"text").is_err());
        assert!(full.write_all(b"more").is_ok());
        assert!(full.flush().is_ok());
    }
}
