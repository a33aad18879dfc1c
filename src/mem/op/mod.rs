//! Memory operations, with their outcomes and errors.

mod error;

use std::cell::Cell;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

pub use self::error::{AccessError, BackendError, HdlProblem};

/// One access. Its places are address ranges ([`Span`]) in a request, and bytes of memories
/// ([`Segments`](crate::mem::Segments)) for its execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op<P> {
    /// Reads the bytes.
    Read(P),
    /// Writes bytes. Their number is the length of the place.
    Write(P, Bytes),
    /// Writes a little-endian number of the width of the place, at most 8 bytes.
    Word(P, u64),
    /// Writes the same byte to the whole place.
    Fill(P, u8),
    /// Copies as if through a buffer, so the places may overlap.
    Copy {
        /// Destination of the copy.
        to: P,
        /// Source, of the same length.
        from: P,
    },
    /// Compares two places up to their first difference.
    Compare(P, P),
    /// Reads up to the first NUL, which the place must contain.
    Text(P),
    /// Executes operations in order, up to the first failure, without other accesses in between.
    /// The outcome is that of the last one.
    Batch(#[serde(deserialize_with = "flat")] Vec<Op<P>>),
    /// Reads the bytes for a search or a status, without logs and side effects. They may never have
    /// been written, so unknown bits cause no warning.
    Peek(P),
}

thread_local! {
    static IN_BATCH: Cell<bool> = const { Cell::new(false) };
}

/// Deserializes a batch, and rejects a nested one. Unlimited nesting would overflow the stack.
fn flat<'de, D: Deserializer<'de>, P: Deserialize<'de>>(ops: D) -> Result<Vec<Op<P>>, D::Error> {
    if IN_BATCH.replace(true) {
        return Err(D::Error::custom("a batch in a batch"));
    }
    let ops = Vec::deserialize(ops);
    IN_BATCH.set(false);
    ops
}

impl<P> Op<P> {
    /// Returns the operations of a batch in order, or this operation alone.
    pub fn each(&self) -> &[Self] {
        match self {
            Self::Batch(ops) => ops,
            op => std::slice::from_ref(op),
        }
    }

    /// True if `wanted` is true for each place of the access.
    pub fn all_places(&self, wanted: &impl Fn(&P) -> bool) -> bool {
        match self {
            Self::Read(place)
            | Self::Write(place, _)
            | Self::Word(place, _)
            | Self::Fill(place, _)
            | Self::Text(place)
            | Self::Peek(place) => wanted(place),
            Self::Copy {
                to: one,
                from: other,
            }
            | Self::Compare(one, other) => wanted(one) && wanted(other),
            Self::Batch(ops) => ops.iter().all(|op| op.all_places(wanted)),
        }
    }
}

/// Range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First address.
    pub address: u64,
    /// Number of bytes.
    pub len: u64,
}

/// Outcome of an [`Op`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpOutcome {
    /// Completed write, word, fill or copy, or empty batch.
    Done,
    /// Bytes read; a text without its NUL.
    Bytes(Bytes),
    /// First byte minus second byte, for the first bytes that differ; 0 if all are equal.
    Difference(i32),
}

impl OpOutcome {
    /// Returns the bytes read; empty for an outcome of another kind.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => Bytes::new(),
        }
    }

    /// Returns the difference; 0 for an outcome of another kind.
    pub fn difference(&self) -> i32 {
        match self {
            Self::Difference(difference) => *difference,
            _ => 0,
        }
    }
}
