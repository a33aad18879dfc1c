//! Bytes of one access, as segments of memories.

use std::ops::Deref;

use serde::{Deserialize, Serialize, Serializer};
use smallvec::SmallVec;

use super::MemoryId;

/// Consecutive bytes of one memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Segment {
    /// Memory that contains the bytes.
    pub memory: MemoryId,
    /// Offset of the first byte from the memory's base.
    pub offset: u64,
    /// Number of bytes; never zero.
    pub len: u64,
}

/// Segments of one access, in ascending order of address. One segment, the usual case, is stored
/// without an allocation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
// Deserialized through a `Vec`, which does not allocate more than the data has, even if a recording
// states a larger length.
#[serde(from = "Vec<Segment>")]
pub struct Segments(SmallVec<[Segment; 1]>);

impl Segments {
    /// No segments: an access of no bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a segment.
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
