//! Memories and channels as written. Nothing is believed yet; only keys and types are checked.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml::Value;

use super::error::KeyProblem;
use super::flag::Flag;
use super::keys::Keys;
use super::number::Number;
use crate::mem::Backend;

/// The keys of a [`RawMemory`].
pub(super) const MEMORY_KEYS: Keys = Keys {
    known: &[
        "base",
        "size",
        "path",
        "width",
        "array_dims",
        "init",
        "backend",
        "bank_width",
        "bank_depth",
        "banks",
    ],
    nested: &[
        ("array_dims", &["rows", "cols"]),
        ("init", &["method", "seed", "file"]),
    ],
};

/// The keys of a [`RawChannel`].
pub(super) const CHANNEL_KEYS: Keys = Keys {
    known: &[
        "space",
        "elf",
        "base",
        "mb_id",
        "load",
        "zero_bss",
        "server",
        "ptr",
        "cache_line",
    ],
    nested: &[],
};

/// A memory as written.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "the keys of a memory, as `{base: 0x1000, size: 4096}`"
)]
pub(super) struct RawMemory {
    pub(super) base: Number,
    pub(super) size: Number,
    pub(super) path: Option<String>,
    pub(super) width: Option<Number>,
    #[serde(default)]
    pub(super) array_dims: RawDims,
    #[serde(default)]
    pub(super) init: RawInit,
    pub(super) backend: Option<Backend>,
    pub(super) bank_width: Option<Number>,
    pub(super) bank_depth: Option<Number>,
    pub(super) banks: Option<Vec<Vec<String>>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, expecting = "`{rows: ..., cols: ...}`")]
pub(super) struct RawDims {
    pub(super) rows: Option<Number>,
    pub(super) cols: Option<Number>,
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
    Random { seed: Option<Number> },
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
    pub(super) base: Option<Number>,
    pub(super) mb_id: Option<Number>,
    pub(super) load: Option<Flag>,
    pub(super) zero_bss: Option<Flag>,
    pub(super) server: Option<Flag>,
    pub(super) ptr: Option<Number>,
    pub(super) cache_line: Option<Number>,
}

/// A map of keys as written, and its unknown keys.
#[derive(Debug)]
pub(super) struct Read<T> {
    pub(super) keys: T,
    pub(super) unknown: Vec<String>,
}

/// Reads the keys of a map.
///
/// # Errors
/// Where a key is missing, of another type, or the near miss of a known one.
pub(super) fn read<T: DeserializeOwned>(
    mut value: Value,
    keys: Keys,
) -> Result<Read<T>, KeyProblem> {
    let unknown = keys.take_unknown(&mut value)?;
    let keys = serde_path_to_error::deserialize(&value).map_err(|error| {
        let key = error.path().to_string();
        let source = error.into_inner();
        if key == "." {
            KeyProblem::Map(source)
        } else {
            let text = text_at(&value, &key).map(str::to_owned);
            KeyProblem::At { key, text, source }
        }
    })?;
    Ok(Read { keys, unknown })
}

/// The text at a dotted key.
fn text_at<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    let at = |value: &'a Value, key: &str| value.get(key);
    key.split('.').try_fold(value, at)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of a structure's fields are those that serde lists where it knows none.
    fn fields<T: DeserializeOwned + std::fmt::Debug>() -> String {
        let unknown = serde_yaml::from_str::<Value>("{zz: 0}").unwrap();
        let error = serde_yaml::from_value::<T>(unknown)
            .unwrap_err()
            .to_string();
        let (_, names) = error.split_once("expected ").unwrap();
        names.trim_start_matches("one of ").to_owned()
    }

    #[test]
    fn known_keys_are_the_fields() {
        let listed =
            |names: &[&str], between: &str| format!("`{}`", names.join(&format!("`{between}`")));
        assert_eq!(fields::<RawMemory>(), listed(MEMORY_KEYS.known, ", "));
        assert_eq!(fields::<RawChannel>(), listed(CHANNEL_KEYS.known, ", "));
        assert_eq!(fields::<RawDims>(), listed(MEMORY_KEYS.nested[0].1, " or "));
    }
}
