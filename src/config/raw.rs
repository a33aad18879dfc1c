//! Memories and channels as written. Nothing is believed yet; only keys and types are checked.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml::Value;

use super::error::KeyProblem;
use crate::mem::Backend;

/// A memory as written.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "the keys of a memory, as `{base: 0x1000, size: 4096}`"
)]
pub(super) struct RawMemory {
    pub(super) base: u64,
    pub(super) size: u64,
    pub(super) path: Option<String>,
    pub(super) width: Option<u64>,
    #[serde(default)]
    pub(super) array_dims: RawDims,
    #[serde(default)]
    pub(super) init: RawInit,
    pub(super) backend: Option<Backend>,
    pub(super) bank_width: Option<u64>,
    pub(super) bank_depth: Option<u64>,
    pub(super) banks: Option<Vec<Vec<String>>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, expecting = "`{rows: ..., cols: ...}`")]
pub(super) struct RawDims {
    pub(super) rows: Option<u64>,
    pub(super) cols: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(
    tag = "method",
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`{method: ...}`"
)]
pub(super) enum RawInit {
    NoInit {},
    AllZero {},
    Random { seed: Option<u64> },
    Hex { file: String },
}

impl Default for RawInit {
    fn default() -> Self {
        Self::NoInit {}
    }
}

/// A channel as written.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "the keys of a channel, as `{space: core0, elf: main.elf}`"
)]
pub(super) struct RawChannel {
    pub(super) space: String,
    pub(super) elf: Option<String>,
    pub(super) base: Option<u64>,
    pub(super) mb_id: Option<u64>,
    pub(super) load: Option<RawFlag>,
    pub(super) server: Option<RawFlag>,
    pub(super) ptr: Option<u64>,
    pub(super) cache_line: Option<u64>,
}

/// `true`, `false`, or a text that is expanded first.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "must be true, false, or a text that expands to one"
)]
pub(super) enum RawFlag {
    Plain(bool),
    Text(String),
}

/// The tree as a `T`, or the key that is in the way.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, KeyProblem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let key = error.path().to_string();
        let source = error.into_inner();
        if key == "." {
            KeyProblem::Map(source)
        } else {
            KeyProblem::At { key, source }
        }
    })
}
