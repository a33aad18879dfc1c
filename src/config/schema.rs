//! Memories and channels as written. Only keys and types are validated here.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use super::error::KeyProblem;
use super::expand::expand_braced;
use super::external_inputs::ConfigEnvironment;
use super::flag::Flag;
use super::flush::RawFlush;
use super::number::{Number, given};
use super::rtt_schema::RawRtt;
use super::stub_schema::RawStub;
use super::unknown_keys::{Keys, Unknown};
use crate::mem::Backend;

const OF_MEMORY: &[&str] = &[
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
];

const OF_CHANNEL: &[&str] = &[
    "space",
    "elf",
    "base",
    "mb_id",
    "load",
    "adopt",
    "zero_bss",
    "server",
    "ptr",
    "cache_line",
    "stdio",
    "args",
    "env",
    "time",
    "seed",
    "errors",
    "faults",
    "abi",
    "tohost",
    "fromhost",
    "settle",
    "signature",
    "granularity",
    "protocol",
    "rtt",
    "stub",
    "harts",
    "flush",
];

/// Keys of a [`RawMemory`].
pub(super) const MEMORY_KEYS: Keys = Keys {
    known: OF_MEMORY,
    essential: &["base", "size", "width"],
    nested: &[
        ("array_dims", &["rows", "cols"]),
        ("init", &["method", "seed", "file"]),
    ],
    elsewhere: (OF_CHANNEL, "a channel, in the mailbox file"),
};

/// Keys of a [`RawChannel`].
pub(super) const CHANNEL_KEYS: Keys = Keys {
    known: OF_CHANNEL,
    essential: &["space"],
    nested: &[
        ("stdio", &["stdin", "stdout", "stderr"]),
        ("time", &["clock", "period"]),
        ("rtt", &["address", "search", "up", "mode"]),
        ("faults", &["seed", "files", "memory", "calls", "delay"]),
    ],
    elsewhere: (OF_MEMORY, "a memory, in the memory file"),
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
    #[serde(default, deserialize_with = "given")]
    pub(super) width: Option<Number>,
    #[serde(default)]
    pub(super) array_dims: RawDims,
    #[serde(default)]
    pub(super) init: RawInit,
    pub(super) backend: Option<Backend>,
    #[serde(default, deserialize_with = "given")]
    pub(super) bank_width: Option<Number>,
    #[serde(default, deserialize_with = "given")]
    pub(super) bank_depth: Option<Number>,
    pub(super) banks: Option<Vec<Vec<String>>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, expecting = "`{rows: ..., cols: ...}`")]
pub(super) struct RawDims {
    #[serde(default, deserialize_with = "given")]
    pub(super) rows: Option<Number>,
    #[serde(default, deserialize_with = "given")]
    pub(super) cols: Option<Number>,
}

/// Initial content as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "`{method: ...}`")]
pub(super) struct RawInit {
    pub(super) method: Method,
    #[serde(default, deserialize_with = "given")]
    pub(super) seed: Option<Number>,
    pub(super) file: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Method {
    #[default]
    NoInit,
    AllZero,
    Random,
    Hex,
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
    #[serde(default, deserialize_with = "given")]
    pub(super) base: Option<Number>,
    #[serde(default, deserialize_with = "given")]
    pub(super) mb_id: Option<Number>,
    pub(super) load: Option<Flag>,
    pub(super) adopt: Option<Flag>,
    pub(super) zero_bss: Option<Flag>,
    pub(super) server: Option<Flag>,
    #[serde(default, deserialize_with = "given")]
    pub(super) ptr: Option<Number>,
    #[serde(default, deserialize_with = "given")]
    pub(super) cache_line: Option<Number>,
    #[serde(default)]
    pub(super) stdio: RawStdio,
    pub(super) args: Option<Vec<String>>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) time: RawTime,
    #[serde(default, deserialize_with = "given")]
    pub(super) seed: Option<Number>,
    #[serde(default)]
    pub(super) errors: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) faults: RawFaults,
    pub(super) abi: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) tohost: Option<Number>,
    #[serde(default, deserialize_with = "given")]
    pub(super) fromhost: Option<Number>,
    #[serde(default, deserialize_with = "given")]
    pub(super) settle: Option<Number>,
    pub(super) signature: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) granularity: Option<Number>,
    #[serde(default, deserialize_with = "version")]
    pub(super) protocol: Option<String>,
    pub(super) rtt: Option<RawRtt>,
    pub(super) stub: Option<RawStub>,
    #[serde(default, deserialize_with = "given")]
    pub(super) harts: Option<Number>,
    pub(super) flush: Option<RawFlush>,
}

/// Reads a version, which may look like a number.
fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(&Value::deserialize(deserializer)?)
        .map(Some)
        .ok_or_else(|| D::Error::custom("it is to be a version, as 0.2"))
}

/// Reads ticks, or a range of ticks.
fn ticks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(&Value::deserialize(deserializer)?)
        .map(Some)
        .ok_or_else(|| D::Error::custom("it is to be a range of ticks, as 0..1000"))
}

/// Reads probabilities by name.
fn probabilities<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let written = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let texts = written.into_iter().map(|(name, value)| {
        let text = text(&value).ok_or_else(|| {
            D::Error::custom(format!("`{name}` is to be a probability, as 1% or 0.01"))
        })?;
        Ok((name, text))
    });
    texts.collect()
}

/// Text of a scalar. A number has its original spelling. `None` for anything else.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Standard streams as written.
#[derive(Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "`{stdin: ..., stdout: ..., stderr: ...}`"
)]
pub(super) struct RawStdio {
    pub(super) stdin: Option<String>,
    pub(super) stdout: Option<String>,
    pub(super) stderr: Option<String>,
}

/// Time as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "`{clock: ..., period: ...}`")]
pub(super) struct RawTime {
    pub(super) clock: Option<String>,
    pub(super) period: Option<String>,
}

/// Injected faults as written.
#[derive(Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "`{seed: ..., files: ..., memory: ..., calls: ..., delay: ...}`"
)]
pub(super) struct RawFaults {
    #[serde(default, deserialize_with = "given")]
    pub(super) seed: Option<Number>,
    #[serde(default, deserialize_with = "probabilities")]
    pub(super) files: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "probabilities")]
    pub(super) memory: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "probabilities")]
    pub(super) calls: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "ticks")]
    pub(super) delay: Option<String>,
}

/// A map of keys as written, with its unknown keys.
#[derive(Debug)]
pub(super) struct Read<T> {
    pub(super) keys: T,
    pub(super) unknown: Vec<Unknown>,
}

/// Paths, flags and texts of firmware, by the keys that lead to them. They have rules of their own,
/// and are expanded at their validation.
const EXPANDED_LATER: &[&[&str]] = &[
    &["elf"],
    &["load"],
    &["adopt"],
    &["zero_bss"],
    &["server"],
    &["args"],
    &["env"],
    &["init", "file"],
];

/// Expands the variables of each value at or below a path of keys.
fn expand_values(
    value: &mut Value,
    path: &mut Vec<String>,
    outside: &dyn ConfigEnvironment,
) -> Result<(), KeyProblem> {
    if EXPANDED_LATER
        .iter()
        .any(|keys| keys.iter().eq(path.iter()))
    {
        return Ok(());
    }
    match value {
        Value::String(text) if text.contains("${") => {
            let expanded = expand_braced(text, outside).map_err(|problem| KeyProblem::Expand {
                key: path.join("."),
                text: text.clone(),
                problem,
            })?;
            *text = expanded;
            Ok(())
        }
        Value::Sequence(items) => items
            .iter_mut()
            .try_for_each(|item| expand_values(item, path, outside)),
        Value::Mapping(entries) => entries.iter_mut().try_for_each(|(key, value)| {
            // All keys of a parsed tree are strings.
            path.push(key.as_str().unwrap_or_default().to_owned());
            let expanded = expand_values(value, path, outside);
            path.pop();
            expanded
        }),
        _ => Ok(()),
    }
}

/// Reads the keys of a map, and expands the variables in their values.
///
/// # Errors
/// Fails if a key is missing, of another type, or similar to a known one, and if a variable is not
/// set.
pub(super) fn read<T: DeserializeOwned>(
    mut value: Value,
    keys: Keys,
    outside: &dyn ConfigEnvironment,
) -> Result<Read<T>, KeyProblem> {
    let unknown = keys.take_unknown(&mut value)?;
    expand_values(&mut value, &mut Vec::new(), outside)?;
    let keys = serde_path_to_error::deserialize(&value).map_err(|error| {
        let key = error.path().to_string();
        let source = error.into_inner();
        if key == "." {
            KeyProblem::Map(source)
        } else {
            KeyProblem::At { key, source }
        }
    })?;
    Ok(Read { keys, unknown })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field names of a structure, from serde's error for an unknown field.
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
        assert_eq!(fields::<RawInit>(), listed(MEMORY_KEYS.nested[1].1, ", "));
        assert_eq!(fields::<RawStdio>(), listed(CHANNEL_KEYS.nested[0].1, ", "));
        assert_eq!(
            fields::<RawTime>(),
            listed(CHANNEL_KEYS.nested[1].1, " or ")
        );
    }
}
