//! External inputs of a configuration.

use std::env;
use std::path::{Path, PathBuf};

use super::diagnostic::ConfigDiagnostic;
use super::features::Defaults;
use crate::mem::{Image, ImageError};

/// Environment variables and files that a configuration refers to. As a trait, so that a replay can
/// substitute recorded values, and tests need neither.
pub trait ConfigEnvironment {
    /// Value of an environment variable; `None` if it is unset or not UTF-8.
    fn variable(&self, name: &str) -> Option<String>;

    /// Reads the headers of an image.
    ///
    /// # Errors
    ///
    /// As [`Image::open`].
    fn image(&self, file: &Path) -> Result<Image, ImageError>;

    /// True if the path names a file.
    fn is_file(&self, file: &Path) -> bool;

    /// Canonical name for all spellings of a file (`fw.elf`, `./fw.elf`, a symbolic link to it). By
    /// default each spelling counts as a separate file.
    fn real_name(&self, file: &Path) -> PathBuf {
        file.to_path_buf()
    }

    /// Returns a decision that depends on the loaded bytes of an image. By default it is computed.
    /// A recording has the decision, because it lacks these bytes.
    ///
    /// # Errors
    ///
    /// Errors of `compute`.
    fn decide(
        &self,
        what: &str,
        compute: &dyn Fn() -> Result<String, ImageError>,
    ) -> Result<String, ImageError> {
        let _ = what;
        compute()
    }

    /// Reports a diagnostic. Ignored by default.
    fn report(&self, diagnostic: ConfigDiagnostic) {
        let _ = diagnostic;
    }

    /// Defaults for missing keys.
    fn defaults(&self) -> Defaults {
        Defaults::of_features()
    }
}

/// Environment and files of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl ConfigEnvironment for Process {
    fn variable(&self, name: &str) -> Option<String> {
        env::var(name).ok()
    }

    fn image(&self, file: &Path) -> Result<Image, ImageError> {
        Image::open(file)
    }

    fn is_file(&self, file: &Path) -> bool {
        file.is_file()
    }

    /// Canonical path; the path itself if the file does not exist.
    fn real_name(&self, file: &Path) -> PathBuf {
        file.canonicalize().unwrap_or_else(|_| file.to_path_buf())
    }
}
