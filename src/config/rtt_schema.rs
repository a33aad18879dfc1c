//! RTT of a channel as written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::number::{Number, given};

/// RTT as written.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "`{address: ..., search: [..., ...], up: {...}, mode: {...}}`"
)]
pub(super) struct RawRtt {
    #[serde(default, deserialize_with = "given")]
    pub(super) address: Option<Number>,
    pub(super) search: Option<RawSearch>,
    #[serde(default)]
    pub(super) up: BTreeMap<String, RawUp>,
    #[serde(default)]
    pub(super) mode: BTreeMap<String, String>,
}

/// Ranges to search as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a range `[FIRST, BEHIND]`, or a list of ranges")]
pub(super) enum RawSearch {
    One([Number; 2]),
    Several(Vec<[Number; 2]>),
}

impl RawSearch {
    /// The ranges, each with its first address and the address behind its last byte.
    pub(super) fn ranges(self) -> Vec<(u64, u64)> {
        let ranges = match self {
            Self::One(range) => vec![range],
            Self::Several(ranges) => ranges,
        };
        let ranges = ranges.into_iter();
        ranges.map(|[from, to]| (from.0, to.0)).collect()
    }
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
