//! A file that is written during a run: a recording, a log, a table.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::descriptor::open_to_write;
use super::name::expand;
use super::quietly;

/// A file that this process alone writes, for as long as it is open. It ends where a write fails: what is written behind that is
/// discarded, so that the error is met once and the file has no gap.
#[derive(Debug)]
pub(crate) struct OutputFile {
    path: PathBuf,
    file: File,
    ended: bool,
}

/// An output file that can't be written.
#[derive(Debug)]
pub(crate) struct OutputError {
    /// Its name, expanded.
    pub(crate) path: PathBuf,
    /// Why not.
    pub(crate) cause: io::Error,
}

#[derive(Debug, Error)]
#[error(
    "it is being written already, by another run or another part of this one; give each a file of its own: in the name, %p \
     stands for the process id and %t for the time of the start"
)]
struct InUse;

impl OutputFile {
    /// Opens a file, whose name may have `%p` and `%t`, and empties it.
    ///
    /// # Errors
    /// Where it can't be opened, or is open as an output file of this or another process.
    pub(crate) fn create(name: &Path) -> Result<Self, OutputError> {
        let path = expand(name);
        match Self::open(&path) {
            Ok(file) => Ok(Self {
                path,
                file,
                ended: false,
            }),
            Err(cause) => Err(OutputError { path, cause }),
        }
    }

    fn open(path: &Path) -> io::Result<File> {
        let file = open_to_write(path)?;
        // A FIFO or a device has any number of writers.
        if file.metadata()?.is_file() {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(io::ErrorKind::ResourceBusy, InUse));
                }
                // There are file systems without locks.
                Ok(()) | Err(TryLockError::Error(_)) => file.set_len(0)?,
            }
        }
        Ok(file)
    }

    /// Its name, expanded.
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
        let written = quietly(|| write(&mut self.file));
        let again = io::ErrorKind::Interrupted;
        self.ended = written.as_ref().is_err_and(|error| error.kind() != again);
        written
    }
}

impl Write for OutputFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write_unless_ended(data.len(), |file| file.write(data))
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
