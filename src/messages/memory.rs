//! Messages to the memory actor.

use serde::{Deserialize, Serialize};

use crate::bus::{Attributes, Payload, Redaction, inbox};
use crate::mem::{AccessError, Op, OpOutcome, Segments, SpaceId, Span};

/// Executes an access to addresses of a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Space of the addresses.
    pub space: SpaceId,
    /// Operation on the addresses.
    pub op: Op<Span>,
}

/// Executes an access to resolved segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessSegments {
    /// Space of the original request.
    pub space: SpaceId,
    /// Operation on the segments.
    pub op: Op<Segments>,
}

/// Resolves a range of addresses to segments. Fails unless the whole range is mapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolve {
    /// Space of the addresses.
    pub space: SpaceId,
    /// Range to resolve.
    pub span: Span,
}

/// Computes the number of bytes that are mapped without a gap from the start of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedLength {
    /// Space of the addresses.
    pub space: SpaceId,
    /// Range to examine.
    pub span: Span,
}

impl<P> Payload for Op<P> {
    fn redact(&mut self, with: Redaction<'_>) {
        match self {
            Self::Write(_, data) => Payload::redact(data, with),
            Self::Batch(ops) => ops.iter_mut().for_each(|op| op.redact(with)),
            Self::Read(_)
            | Self::Word(..)
            | Self::Fill(..)
            | Self::Copy { .. }
            | Self::Compare(..)
            | Self::Text(_)
            | Self::Peek(_) => {}
        }
    }
}

impl Attributes for OpOutcome {
    fn redact(&mut self, with: Redaction<'_>) -> bool {
        match self {
            Self::Bytes(bytes) => Payload::redact(bytes, with),
            Self::Done | Self::Difference(_) => return false,
        }
        true
    }
}

impl Attributes for Segments {}

inbox! {
    /// All messages to the memory actor.
    "memory" {
        Access -> Result<OpOutcome, AccessError> { channel: none, payload: op },
        AccessSegments -> Result<OpOutcome, AccessError> { channel: none, payload: op },
        Resolve -> Result<Segments, AccessError> { channel: none, payload: none },
        MappedLength -> u64 { channel: none, payload: none },
    }
}
