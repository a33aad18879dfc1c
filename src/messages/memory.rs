//! What the memory actor is sent.

use serde::{Deserialize, Serialize};

use crate::bus::inbox;
use crate::mem::{AccessError, Op, Outcome, Segments, SpaceId, Span};

/// Carries out an access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The space that the addresses are of.
    pub space: SpaceId,
    /// What to do.
    pub op: Op<Span>,
}

/// Carries out an access at places that are known already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessAt {
    /// The space that it is asked for in.
    pub space: SpaceId,
    /// What to do.
    pub op: Op<Segments>,
}

/// Says where a range of addresses lies; fails unless all of it is in the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locate {
    /// The space that the addresses are of.
    pub space: SpaceId,
    /// The range.
    pub span: Span,
}

/// Says how much of a range is in the map, from its first byte on without a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// The space that the addresses are of.
    pub space: SpaceId,
    /// The range.
    pub span: Span,
}

inbox! {
    /// All that the memory actor is sent.
    "memory" {
        Access -> Result<Outcome, AccessError>,
        AccessAt -> Result<Outcome, AccessError>,
        Locate -> Result<Segments, AccessError>,
        Extent -> u64,
    }
}
