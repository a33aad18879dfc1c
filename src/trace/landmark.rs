//! Landmarks: frames of a compressed recording from which a reader may begin.

use serde::{Deserialize, Serialize};

use super::format::Kind;
use super::head::Position;

/// State of a reader that has read all frames before. It is complete but for messages without a reply so far: each is given again before
/// its reply ([`Head::Earlier`](super::head::Head::Earlier)).
///
/// Its frame is the first of a block, and the block the first of a zstd frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Landmark {
    /// Number of its frame.
    pub(super) frame: u64,
    /// Sequence number of the last message.
    pub(super) sequence: u64,
    /// Tick of the frame before.
    pub(super) tick: u64,
    /// True if a frame since the landmark before, or since the beginning, has an earlier tick than the one before it.
    pub(super) goes_back: bool,
    /// Kinds so far, by their numbers.
    pub(super) kinds: Vec<Kind>,
}

impl Landmark {
    /// Position of the frame before.
    pub(super) fn position(&self) -> Position {
        Position {
            sequence: self.sequence,
            tick: self.tick,
        }
    }
}
