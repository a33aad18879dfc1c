//! Accepted configurations, and every error of a configuration.
//!
//! Memories name their backend, so that these tests pass with any Cargo features.

mod channel_errors;
mod channel_services;
mod channels;
mod expansion;
mod further_protocols;
mod hostile;
mod htif;
mod memories;
mod memory_errors;
mod merging;
mod pages;
mod rtt;
mod sections;
mod semihosting;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::mem::{Image, ImageError, ImageProblem};

/// Environment and files of a test.
#[derive(Debug, Default)]
struct Fake {
    variables: HashMap<&'static str, &'static str>,
    files: HashMap<PathBuf, Vec<u8>>,
    /// Further names of files.
    links: HashMap<&'static str, &'static str>,
    diagnostics: RefCell<Vec<String>>,
}

impl Fake {
    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.insert(name, value);
        self
    }

    fn file(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.files.insert(PathBuf::from(name), bytes);
        self
    }
}

impl ConfigEnvironment for Fake {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| (*value).to_owned())
    }

    fn image(&self, file: &Path) -> Result<Image, ImageError> {
        match self.files.get(&self.real_name(file)) {
            Some(bytes) => Image::parse(bytes.clone(), file),
            None => Err(ImageError {
                file: file.to_path_buf(),
                problem: ImageProblem::Read(std::io::ErrorKind::NotFound.into()),
            }),
        }
    }

    fn is_file(&self, file: &Path) -> bool {
        self.files.contains_key(file)
    }

    fn real_name(&self, file: &Path) -> PathBuf {
        let link = file.to_str().and_then(|file| self.links.get(file));
        link.map_or_else(|| file.to_path_buf(), PathBuf::from)
    }

    fn report(&self, diagnostic: ConfigDiagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic.to_string());
    }
}

fn memories_in(text: &str, outside: &Fake) -> Result<MemoryMap, String> {
    parse_memory_map(text, Path::new("mem.yaml"), outside).map_err(|error| error.to_string())
}

fn memories(text: &str) -> Result<MemoryMap, String> {
    memories_in(text, &Fake::default())
}

/// Error for a memory named `ram` with these keys, the only one in space `core0`.
fn memory_error(keys: &str) -> String {
    let error = memories(&format!(
        "space: {{core0: [{{ram: {{backend: log, {keys}}}}}]}}"
    ))
    .unwrap_err();
    // The line is included if it is known.
    let place = error.replacen("mem.yaml:1: ", "mem.yaml: ", 1);
    place
        .strip_prefix("mem.yaml: memory `ram` of space `core0`: ")
        .unwrap_or_else(|| panic!("another start: {error}"))
        .to_owned()
}
