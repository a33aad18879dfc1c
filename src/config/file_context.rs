//! File under validation and its environment, as the origin of warnings.

use std::path::Path;

use super::diagnostic::{ConfigDiagnostic, DiagnosticKind};
use super::external_inputs::ConfigEnvironment;
use super::unknown_keys::Unknown;

/// Environment and file of a configuration, for warnings with the file's name.
#[derive(Clone, Copy)]
pub(super) struct FileContext<'a> {
    pub(super) file: &'a Path,
    pub(super) outside: &'a dyn ConfigEnvironment,
}

impl FileContext<'_> {
    /// Reports a diagnostic of the file.
    pub(super) fn report(&self, kind: DiagnosticKind) {
        let file = self.file.to_path_buf();
        self.outside.report(ConfigDiagnostic { file, kind });
    }

    /// Warns of each unknown key of a memory or channel.
    pub(super) fn warn_of_keys(&self, whose: &str, keys: Vec<Unknown>) {
        for Unknown { key, hint } in keys {
            let whose = whose.to_owned();
            self.report(DiagnosticKind::UnknownKey { whose, key, hint });
        }
    }
}
