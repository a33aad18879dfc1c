//! Doubtful parts of a configuration that is accepted all the same.

use std::path::{Path, PathBuf};

use super::surroundings::Surroundings;
use crate::mem::ImageDoubt;

/// A part of a configuration that is accepted, and hardly what was meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {doubt}", .file.display())]
pub struct ConfigWarning {
    /// The configuration file.
    pub file: PathBuf,
    /// The doubtful part.
    pub doubt: Doubt,
}

/// A doubtful part of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// A key without a meaning here.
    #[error("{whose}: the key `{key}` is unknown, and ignored")]
    UnknownKey {
        /// The memory or channel.
        whose: String,
        /// The key, dotted where it is nested.
        key: String,
    },
    /// A memory that is in front of a part of another.
    #[error(
        "space `{space}`: memory `{front}` ({base:#x} to {last:#x}) is in front of memory `{behind}`, which is listed later: \
         accesses there go to `{front}`"
    )]
    InFront {
        /// The space's name.
        space: String,
        /// The memory that is listed first.
        front: String,
        /// Its first byte.
        base: u64,
        /// Its last byte.
        last: u64,
        /// The memory that has more bytes.
        behind: String,
    },
    /// A memory that no access reaches.
    #[error(
        "space `{space}`: memory `{memory}` ({base:#x} to {last:#x}) is hidden by memories that are listed before it, `{by}` among \
         them; list it first"
    )]
    Hidden {
        /// The space's name.
        space: String,
        /// The memory's name.
        memory: String,
        /// Its first byte.
        base: u64,
        /// Its last byte.
        last: u64,
        /// A memory that hides it.
        by: String,
    },
    /// An image that is hardly meant to be loaded as it is.
    #[error("image {} {doubt}", .image.display())]
    Image {
        /// The image.
        image: PathBuf,
        /// The doubtful property.
        doubt: ImageDoubt,
    },
}

/// Surroundings of one file: its warnings go out with its name.
#[derive(Clone, Copy)]
pub(super) struct Within<'a> {
    pub(super) file: &'a Path,
    pub(super) outside: &'a dyn Surroundings,
}

impl Within<'_> {
    /// Warns of a doubtful part of the file.
    pub(super) fn warn(&self, doubt: Doubt) {
        let file = self.file.to_path_buf();
        self.outside.warn(ConfigWarning { file, doubt });
    }

    /// Warns of each unknown key of a memory or channel.
    pub(super) fn warn_of_keys(&self, whose: &str, keys: Vec<String>) {
        for key in keys {
            let whose = whose.to_owned();
            self.warn(Doubt::UnknownKey { whose, key });
        }
    }
}
