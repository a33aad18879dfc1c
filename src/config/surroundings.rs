//! What configuration asks of the world outside of its text.

use std::env;
use std::path::{Path, PathBuf};

use super::features::Defaults;
use super::warning::ConfigWarning;
use crate::mem::{Image, ImageError};

/// Environment and files, as the configuration's `${VAR}` and file names mean them. A trait, so that a replay can answer
/// from its trace, and a test without touching either.
pub trait Surroundings {
    /// The value of an environment variable; `None` when it is not set, or not text.
    fn variable(&self, name: &str) -> Option<String>;

    /// Reads the headers of an image.
    ///
    /// # Errors
    ///
    /// As [`Image::open`].
    fn image(&self, file: &Path) -> Result<Image, ImageError>;

    /// Whether this is the name of a file.
    fn is_file(&self, file: &Path) -> bool;

    /// One name for all spellings of a file (`fw.elf`, `./fw.elf`, a symbolic link to it). Unless implemented, each spelling is a
    /// file of its own.
    fn real_name(&self, file: &Path) -> PathBuf {
        file.to_path_buf()
    }

    /// Takes a warning of a doubtful part of a configuration; ignores it unless implemented.
    fn warn(&self, warning: ConfigWarning) {
        let _ = warning;
    }

    /// What holds where the text does not say.
    fn defaults(&self) -> Defaults {
        Defaults::of_features()
    }
}

/// The environment and the files of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<String> {
        env::var(name).ok()
    }

    fn image(&self, file: &Path) -> Result<Image, ImageError> {
        Image::open(file)
    }

    fn is_file(&self, file: &Path) -> bool {
        file.is_file()
    }

    /// The canonical path; of a file that is not there, the name itself.
    fn real_name(&self, file: &Path) -> PathBuf {
        file.canonicalize().unwrap_or_else(|_| file.to_path_buf())
    }
}
