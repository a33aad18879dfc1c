//! Configuration environment that records its results, for the start of a recording.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::config::{ConfigDiagnostic, ConfigEnvironment, Defaults};
use crate::mem::{Image, ImageError};
use crate::trace::{DECISION, Header, Source};

/// Configuration environment that records its results.
pub(in crate::system) struct RecordingEnvironment<'a> {
    inner: &'a dyn ConfigEnvironment,
    header: RefCell<Header>,
    /// Recorded name of each file, by its real name.
    names: RefCell<BTreeMap<PathBuf, String>>,
    /// Build id of each image by its recorded names; empty without one.
    build_ids: RefCell<BTreeMap<String, String>>,
    diagnostics: RefCell<Vec<ConfigDiagnostic>>,
}

impl<'a> RecordingEnvironment<'a> {
    pub(in crate::system) fn new(inner: &'a dyn ConfigEnvironment) -> Self {
        let header = Header {
            defaults: inner.defaults(),
            ..Header::new()
        };
        Self {
            inner,
            header: RefCell::new(header),
            names: RefCell::default(),
            build_ids: RefCell::default(),
            diagnostics: RefCell::default(),
        }
    }

    /// Records the text of the memory configuration.
    pub(in crate::system) fn memories(&self, file: &Path, text: &str) {
        self.header.borrow_mut().memories = Some(source(file, text));
    }

    /// Records the text of the mailbox configuration.
    pub(in crate::system) fn mailboxes(&self, file: &Path, text: &str) {
        self.header.borrow_mut().mailboxes = Some(source(file, text));
    }

    /// Build ids of the images, one a line, in the order of their names; empty if no image has one.
    pub(in crate::system) fn build_ids(&self) -> String {
        let ids = self.build_ids.borrow();
        if ids.values().all(String::is_empty) {
            return String::new();
        }
        let ids: Vec<&str> = ids.values().map(String::as_str).collect();
        ids.join("\n")
    }

    /// All recorded results, and the diagnostics of the configurations.
    pub(in crate::system) fn into_parts(self) -> (Header, Vec<ConfigDiagnostic>) {
        (self.header.into_inner(), self.diagnostics.into_inner())
    }
}

impl ConfigEnvironment for RecordingEnvironment<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        let value = self.inner.variable(name);
        let mut header = self.header.borrow_mut();
        header.variables.insert(name.to_owned(), value.clone());
        value
    }

    fn image(&self, file: &Path) -> Result<Image, ImageError> {
        let image = self.inner.image(file)?;
        let name = name_of(file);
        let id = image.build_id().unwrap_or_default();
        self.build_ids.borrow_mut().insert(name.clone(), id);
        let mut header = self.header.borrow_mut();
        header.files.insert(name, Some(image.outline()));
        Ok(image)
    }

    fn is_file(&self, file: &Path) -> bool {
        let is = self.inner.is_file(file);
        if is {
            let mut header = self.header.borrow_mut();
            header.files.entry(name_of(file)).or_default();
        }
        is
    }

    /// Records a further path of a file by its first path.
    fn real_name(&self, file: &Path) -> PathBuf {
        let real = self.inner.real_name(file);
        let name = name_of(file);
        let mut names = self.names.borrow_mut();
        let first = names.entry(real.clone()).or_insert_with(|| name.clone());
        if *first != name {
            let id = self.build_ids.borrow().get(first.as_str()).cloned();
            if let Some(id) = id {
                self.build_ids.borrow_mut().insert(name.clone(), id);
            }
            let first = Bytes::copy_from_slice(first.as_bytes());
            self.header.borrow_mut().files.insert(name, Some(first));
        }
        real
    }

    /// Records a decision, by a name that differs from all variables.
    fn decide(
        &self,
        what: &str,
        compute: &dyn Fn() -> Result<String, ImageError>,
    ) -> Result<String, ImageError> {
        let decision = self.inner.decide(what, compute)?;
        let mut header = self.header.borrow_mut();
        header
            .variables
            .insert(decision_name(what), Some(decision.clone()));
        Ok(decision)
    }

    fn report(&self, diagnostic: ConfigDiagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    fn defaults(&self) -> Defaults {
        self.inner.defaults()
    }
}

fn source(file: &Path, text: &str) -> Source {
    Source {
        file: name_of(file),
        text: text.to_owned(),
    }
}

/// Name of a decision among the variables.
pub(in crate::system) fn decision_name(what: &str) -> String {
    format!("{DECISION}{what}")
}

/// Name of a file as text, as in the configurations.
pub(in crate::system) fn name_of(file: &Path) -> String {
    file.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Process;
    use crate::mem::elf_builder::{ElfBuilder, ElfSegment};

    /// Writes an image, with or without a note of this build id.
    fn put_image(file: &Path, id: &[u8; 4], has_id: bool) {
        let words = [4, id.len() as u32, 3].map(u32::to_le_bytes);
        let note = [words.as_flattened(), b"GNU\0", id].concat();
        let elf = ElfBuilder {
            segments: vec![ElfSegment::at(0x1000, [1], 1)],
            notes: if has_id { note } else { Vec::new() },
            ..ElfBuilder::default()
        };
        std::fs::write(file, elf.build()).unwrap();
    }

    #[test]
    fn each_recorded_image_has_a_line_with_its_build_id() {
        let folder = tempfile::tempdir().unwrap();
        let [a, again, b] = ["a.elf", "./a.elf", "b.elf"].map(|name| folder.path().join(name));
        put_image(&a, &[0xab; 4], true);
        put_image(&b, &[0; 4], false);
        let recording = RecordingEnvironment::new(&Process);
        for file in [&a, &b] {
            recording.real_name(file);
            recording.image(file).unwrap();
        }
        // A file is not read again for another path, which is recorded as an image.
        recording.real_name(&again);
        assert_eq!(recording.build_ids(), "abababab\nabababab\n");
        let (header, _) = recording.into_parts();
        assert_eq!(header.files.values().flatten().count(), 3);
    }

    #[test]
    fn images_without_a_build_id_have_no_lines() {
        let folder = tempfile::tempdir().unwrap();
        let recording = RecordingEnvironment::new(&Process);
        for file in ["a.elf", "b.elf"].map(|name| folder.path().join(name)) {
            put_image(&file, &[0; 4], false);
            recording.image(&file).unwrap();
        }
        assert_eq!(recording.build_ids(), "");
    }
}
