//! Output files, which are renamed when they are complete. A failed write leaves an older file
//! unchanged.

use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use anyhow::Context;

/// File that is written under a temporary name. It is removed if it is dropped without a
/// [commit](Self::commit).
#[derive(Debug)]
pub(crate) struct OutputFile {
    /// Path of the complete file.
    path: PathBuf,
    /// Temporary path; `None` for a device or a pipe, which is written directly.
    temporary: Option<PathBuf>,
}

impl OutputFile {
    /// Prepares the file at this path. Links are followed.
    ///
    /// # Errors
    /// Fails if the file exists and can't be written.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let known = match path.metadata() {
            Ok(known) => known,
            Err(error) => {
                return match path.read_link() {
                    // A link to a missing file. A circle of links has another error.
                    Ok(target) if error.kind() == io::ErrorKind::NotFound => {
                        Self::new(&path.with_file_name(target))
                    }
                    _ => Ok(Self::beside(path.to_owned())),
                };
            }
        };
        if !known.is_file() {
            return Ok(Self {
                path: path.to_owned(),
                temporary: None,
            });
        }
        // Renaming ignores the permissions of the older file.
        File::options().write(true).open(path)?;
        Ok(Self::beside(path.canonicalize()?))
    }

    fn beside(path: PathBuf) -> Self {
        // A random number: containers and machines that share the folder may have equal process
        // ids.
        let number = RandomState::new().hash_one(process::id());
        // Programs that list folders skip names with a leading dot.
        let name = format!(".vhost-{number:016x}.tmp");
        let temporary = Some(path.with_file_name(name));
        Self { path, temporary }
    }

    /// Path of the file during the write.
    pub(crate) fn written(&self) -> &Path {
        self.temporary.as_deref().unwrap_or(&self.path)
    }

    /// Creates the file.
    pub(crate) fn create(&self) -> io::Result<File> {
        match &self.temporary {
            Some(temporary) => File::create_new(temporary),
            None => File::create(&self.path),
        }
    }

    /// Renames the complete file.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        let Some(temporary) = &self.temporary else {
            return Ok(());
        };
        // Some file systems report a full disk here.
        File::open(temporary)?.sync_all()?;
        if let Ok(older) = self.path.metadata() {
            fs::set_permissions(temporary, older.permissions())?;
        }
        fs::rename(temporary, &self.path)?;
        self.temporary = None;
        Ok(())
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // The file may not have been created.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Writes a file.
pub(crate) fn write_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> anyhow::Result<()> {
    let written = || {
        let file = OutputFile::new(path)?;
        let mut to = BufWriter::new(file.create()?);
        write(&mut to)?;
        to.flush()?;
        file.commit()
    };
    written().with_context(|| cant_write(path))
}

/// Text for the error of an output file.
pub(crate) fn cant_write(path: &Path) -> String {
    format!("can't write {}", path.display())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_is_not_complete_leaves_the_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.html");
        fs::write(&file, "older").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let full = write_file(&file, |to| {
            to.write_all(b"begun")?;
            to.flush()?;
            assert_eq!(names(folder.path()).len(), 2);
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(full.unwrap_err().to_string().contains("page.html"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "older");
        assert_eq!(names(folder.path()), ["page.html"]);

        // Also through a link.
        let link = folder.path().join("link");
        symlink("page.html", &link).unwrap();
        write_file(&link, |to| to.write_all(b"newer")).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "newer");
        assert!(link.is_symlink());
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(names(folder.path()), ["link", "page.html"]);

        // Also to a missing file.
        fs::remove_file(&file).unwrap();
        write_file(&link, |to| to.write_all(b"first")).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "first");
        assert!(link.is_symlink());
    }

    #[test]
    fn a_device_is_written_directly() {
        write_file(Path::new("/dev/null"), |to| to.write_all(b"gone")).unwrap();
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    }
}
