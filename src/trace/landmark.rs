//! Landmarks: frames of a compressed recording at which a reader may start.

use serde::{Deserialize, Serialize};

use super::format::Kind;
use super::frame_header::Position;

/// State of a reader that has read all previous frames. Only the messages without a reply so far
/// are missing: each is repeated before its reply
/// ([`FrameHeader::Earlier`](super::frame_header::FrameHeader::Earlier)).
///
/// Its frame is the first of a block, and that block is the first of a zstd frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Landmark {
    /// Number of the landmark's frame.
    pub(super) frame: u64,
    /// Sequence number of the last message.
    pub(super) sequence: u64,
    /// Tick of the previous frame.
    pub(super) tick: u64,
    /// True if ticks go back between the previous landmark, or the start, and this one.
    pub(super) goes_back: bool,
    /// Kinds so far, by their numbers.
    pub(super) kinds: Vec<Kind>,
}

impl Landmark {
    /// Position of the previous frame.
    pub(super) fn position(&self) -> Position {
        Position {
            sequence: self.sequence,
            tick: self.tick,
        }
    }
}
