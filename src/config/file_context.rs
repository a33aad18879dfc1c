//! File under validation and its environment, as the origin of warnings.

use std::path::Path;

use super::external_inputs::ConfigEnvironment;
use super::unknown_keys::Unknown;
use super::warning::{ConfigWarning, Doubt};

/// Environment and file of a configuration, for warnings with the file's name.
#[derive(Clone, Copy)]
pub(super) struct FileContext<'a> {
    pub(super) file: &'a Path,
    pub(super) outside: &'a dyn ConfigEnvironment,
}

impl FileContext<'_> {
    /// Warns of a doubtful part of the file.
    pub(super) fn warn(&self, doubt: Doubt) {
        let file = self.file.to_path_buf();
        self.outside.warn(ConfigWarning { file, doubt });
    }

    /// Warns of each unknown key of a memory or channel.
    pub(super) fn warn_of_keys(&self, whose: &str, keys: Vec<Unknown>) {
        for Unknown { key, hint } in keys {
            let whose = whose.to_owned();
            self.warn(Doubt::UnknownKey { whose, key, hint });
        }
    }
}
