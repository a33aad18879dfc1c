//! The bytes of one access, as they lie in memories.

use std::ops::Deref;

use serde::{Deserialize, Serialize, Serializer};
use smallvec::SmallVec;

use super::MemoryId;

/// Consecutive bytes of one memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Segment {
    /// The memory.
    pub memory: MemoryId,
    /// The first byte, counted from the memory's base.
    pub offset: u64,
    /// Bytes; never zero.
    pub len: u64,
}

/// The segments of one access, in ascending order of address: nearly always one, so it is kept without allocation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
// By way of a `Vec`, which makes no room for more than there is, whatever a recording says.
#[serde(from = "Vec<Segment>")]
pub struct Segments(SmallVec<[Segment; 1]>);

impl Segments {
    /// None: an access to no byte.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one behind the others.
    pub fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }
}

impl Deref for Segments {
    type Target = [Segment];

    fn deref(&self) -> &[Segment] {
        &self.0
    }
}

impl Serialize for Segments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_slice().serialize(serializer)
    }
}

impl From<Segment> for Segments {
    fn from(segment: Segment) -> Self {
        Self(SmallVec::from_buf([segment]))
    }
}

impl From<Vec<Segment>> for Segments {
    fn from(segments: Vec<Segment>) -> Self {
        Self(segments.into())
    }
}

impl FromIterator<Segment> for Segments {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl IntoIterator for Segments {
    type Item = Segment;
    type IntoIter = smallvec::IntoIter<[Segment; 1]>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Segments {
    type Item = &'a Segment;
    type IntoIter = std::slice::Iter<'a, Segment>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
