//! Recorded inputs of the configurations.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::{ConfigEnvironment, Defaults};
use crate::mem::{Image, ImageError, ImageProblem};
use crate::system::assembly::{decision_name, name_of};
use crate::trace::Header;

/// Configuration environment of a recording.
impl ConfigEnvironment for Header {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned().flatten()
    }

    fn image(&self, file: &Path) -> Result<Image, ImageError> {
        match self.files.get(&name_of(file)) {
            Some(Some(bytes)) => Image::parse(bytes.clone(), file),
            _ => Err(ImageError {
                file: file.to_owned(),
                problem: ImageProblem::Read(io::Error::new(
                    io::ErrorKind::NotFound,
                    "it is not in the recording",
                )),
            }),
        }
    }

    fn is_file(&self, file: &Path) -> bool {
        self.files.contains_key(&name_of(file))
    }

    fn real_name(&self, file: &Path) -> PathBuf {
        let content = self.files.get(&name_of(file)).and_then(Option::as_ref);
        let first = content.and_then(|content| str::from_utf8(content).ok());
        match first {
            Some(first) if self.files.contains_key(first) => PathBuf::from(first),
            _ => file.to_path_buf(),
        }
    }

    /// Decision of the recording. In an older recording without decisions, the result is that
    /// nothing was found.
    fn decide(
        &self,
        what: &str,
        _: &dyn Fn() -> Result<String, ImageError>,
    ) -> Result<String, ImageError> {
        let decision = self.variables.get(&decision_name(what)).cloned();
        Ok(decision.flatten().unwrap_or_default())
    }

    fn defaults(&self) -> Defaults {
        self.defaults
    }
}
