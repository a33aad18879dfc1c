//! RTT of a channel as written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::number::{Number, given};

/// RTT as written.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "`{address: ..., search: [..., ...], up: {...}}`"
)]
pub(super) struct RawRtt {
    #[serde(default, deserialize_with = "given")]
    pub(super) address: Option<Number>,
    pub(super) search: Option<[Number; 2]>,
    #[serde(default)]
    pub(super) up: BTreeMap<String, RawUp>,
}

/// Target of an up channel as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "`console`, `lines`, `none`, `defmt`, `{file: PATH}`, `{socket: PORT}` or `{method: NAME}`"
)]
pub(super) enum RawUp {
    Name(String),
    File { file: String },
    Socket { socket: u16 },
    Method { method: String },
}
