//! Doubtful parts of a configuration that is accepted all the same.

use std::path::{Path, PathBuf};

use super::keys::Unknown;
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
    #[error("{whose}: the key `{key}` is unknown, and ignored{hint}")]
    UnknownKey {
        /// The memory or channel.
        whose: String,
        /// The key, dotted where it is nested.
        key: String,
        /// What may be meant.
        hint: KeyHint,
    },
    /// A memory that is in front of a part of another.
    #[error(
        "space `{space}`: memory `{front}` ({base:#x} to {last:#x}) is in front of memory `{behind}`, which contains it and is listed \
         later: accesses there do not reach `{behind}`"
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
    /// A memory behind another one that contains it.
    #[error(
        "space `{space}`: memory `{memory}` ({base:#x} to {last:#x}) is hidden by memory `{by}`, which contains it and is listed before \
         it: no access reaches `{memory}`; list it first"
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
        /// The memory that hides it.
        by: String,
    },
    /// A memory behind several that cover it together.
    #[error(
        "space `{space}`: memory `{memory}` ({base:#x} to {last:#x}) is hidden by the memories in front of it, which cover all of it: no \
         access reaches `{memory}`; leave it out, or list it first"
    )]
    Covered {
        /// The space's name.
        space: String,
        /// The memory's name.
        memory: String,
        /// Its first byte.
        base: u64,
        /// Its last byte.
        last: u64,
    },
    /// More overlaps than are named.
    #[error("space `{space}`: {more} more pairs of memories overlap")]
    MorePairs {
        /// The space's name.
        space: String,
        /// Pairs that are not named.
        more: usize,
    },
    /// An address in the configuration and another one in the image.
    #[error("channel `{channel}`: {used}")]
    TwoAddresses {
        /// The channel.
        channel: String,
        /// The one that is used.
        used: Used,
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

impl Doubt {
    /// A part that is hardly what was meant; else one that is good to know.
    pub fn is_warning(&self) -> bool {
        !matches!(self, Self::TwoAddresses { .. })
    }
}

/// What an unknown key may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyHint {
    /// Nothing that is known.
    #[error("")]
    None,
    /// A key that is not given.
    #[error("; did you mean `{meant}`?")]
    Near {
        /// The known key.
        meant: &'static str,
    },
    /// A key that is given as well.
    #[error("; did you mean `{meant}`, which is given, too?")]
    NearGiven {
        /// The known key.
        meant: &'static str,
    },
    /// A key of a map below this one.
    #[error("; it belongs inside `{map}`")]
    Inside {
        /// That map's key.
        map: &'static str,
    },
    /// A key of the map above this one.
    #[error("; it belongs beside `{map}`, not inside")]
    Beside {
        /// The key of this map.
        map: &'static str,
    },
    /// A key of the other file.
    #[error("; it is a key of {what}")]
    Of {
        /// What has it, and where.
        what: &'static str,
    },
}

/// Address of a channel that has `base`, and an image with a section `.mailbox`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Used {
    /// That of the image.
    #[error(
        "`base` {base:#x} is not used: section .mailbox of {} puts the channel at {address:#x}; leave `base` out, or link the section \
         there",
        .image.display()
    )]
    Image {
        /// The image.
        image: PathBuf,
        /// Address of the channel.
        address: u64,
        /// Value of `base`.
        base: u64,
    },
    /// That of `base`, since the image has two, or one that is not in memory.
    #[error(
        "`base` {base:#x} is used: section .mailbox of {} is linked for {linked:#x}{}",
        .image.display(),
        if linked == loaded { ", which is not in memory".to_owned() } else { format!(" and loaded at {loaded:#x}") }
    )]
    Base {
        /// The image.
        image: PathBuf,
        /// Value of `base`.
        base: u64,
        /// Virtual address of the channel.
        linked: u64,
        /// Physical address of the channel.
        loaded: u64,
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
    pub(super) fn warn_of_keys(&self, whose: &str, keys: Vec<Unknown>) {
        for Unknown { key, hint } in keys {
            let whose = whose.to_owned();
            self.warn(Doubt::UnknownKey { whose, key, hint });
        }
    }
}
