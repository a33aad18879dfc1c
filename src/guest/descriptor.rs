//! Descriptors other than those of standard streams.
//!
//! A process may be started with descriptor 0, 1 or 2 closed. The next opened file would get that
//! number, and then the output of the simulator.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use super::Quiet;

/// Lowest descriptor that is not of a standard stream.
const FIRST: i32 = 3;

/// Moves an opened file to a descriptor that is not of a standard stream.
///
/// # Errors
/// `EMFILE` if there is none.
pub(crate) fn above_standard<T: From<OwnedFd> + Into<OwnedFd>>(opened: T) -> io::Result<T> {
    let descriptor: OwnedFd = opened.into();
    if descriptor.as_raw_fd() >= FIRST {
        return Ok(descriptor.into());
    }
    // `try_clone` returns no number below 3; `moved` tests that.
    descriptor.try_clone().map(T::from)
}

/// Opens a pipe.
pub(super) fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    let reader = above_standard::<OwnedFd>(reader.into())?.into();
    let writer = above_standard::<OwnedFd>(writer.into())?.into();
    Ok((reader, writer))
}

/// Opens a file for reading.
pub(crate) fn open(file: impl AsRef<Path>) -> io::Result<File> {
    File::open(file).and_then(above_standard)
}

/// Reads a whole file.
pub(crate) fn read(file: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut file = open(file)?;
    let size = file.metadata().map_or(0, |known| known.len());
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(size).unwrap_or(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Creates a file, or truncates it.
pub(crate) fn create(file: impl AsRef<Path>) -> io::Result<Quiet<File>> {
    File::create(file).and_then(above_standard).map(Quiet)
}

/// Opens a file for writing, and creates it if it does not exist. Its content is unchanged.
pub(super) fn open_to_write(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    options.open(file).and_then(above_standard)
}

/// Guard that occupies the closed standard streams, so that files opened by foreign code get other
/// numbers.
#[cfg(feature = "python")]
pub(crate) struct Reserved {
    _held: Vec<File>,
}

#[cfg(feature = "python")]
impl Reserved {
    /// Occupies all closed standard streams.
    pub(crate) fn new() -> Self {
        let mut held = Vec::new();
        while let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") {
            if null.as_raw_fd() >= FIRST {
                break;
            }
            held.push(null);
        }
        Self { _held: held }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Assumption of [`above_standard`]: a duplicate never gets the number of a standard stream.
    #[test]
    fn moved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = open_to_write(&path).unwrap();
        let moved = OwnedFd::from(file).try_clone().unwrap();
        assert!(moved.as_raw_fd() >= FIRST);
        assert!(above_standard(moved).is_ok());
    }

    #[test]
    fn a_file_is_read_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read(&path).unwrap(), b"text");
        assert_eq!(read("/proc/self/comm").unwrap().last(), Some(&b'\n'));
        assert!(read(folder.path()).is_err());
    }
}
