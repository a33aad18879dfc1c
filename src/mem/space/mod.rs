//! Resolution of addresses of a space to bytes of memories.

use serde::{Deserialize, Serialize};

use super::{Extent, Memory, MemoryId, MemoryMap, Segment, Segments, Space, SpaceId};

#[cfg(test)]
mod tests;

/// Access that can't be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum MapError {
    /// Access to an unmapped byte.
    #[error(
        "space `{space}` has no memory at {outside:#x}, needed for the {len} bytes at {address:#x}"
    )]
    Outside {
        /// Name of the space.
        space: String,
        /// First address of the access.
        address: u64,
        /// Number of bytes.
        len: u64,
        /// First unmapped address of the access.
        outside: u64,
    },
    /// Access past the last address, `u64::MAX`.
    #[error(
        "the {len} bytes at {address:#x} of space `{space}` run past the last address, 0xffffffffffffffff"
    )]
    Wraps {
        /// Name of the space.
        space: String,
        /// First address of the access.
        address: u64,
        /// Number of bytes.
        len: u64,
    },
    /// Unknown space.
    #[error("the map has no space number {0}")]
    NoSpace(u32),
}

impl MemoryMap {
    /// Returns the memory with this id; `None` for an id of another map.
    pub fn memory(&self, id: MemoryId) -> Option<&Memory> {
        self.memories.get(usize::try_from(id.0).ok()?)
    }

    /// Iterates over the memories and their ids.
    pub fn numbered(&self) -> impl Iterator<Item = (MemoryId, &Memory)> {
        (0..).map(MemoryId).zip(&self.memories)
    }

    /// Returns the space with this id; `None` for an id of another map.
    pub fn space(&self, id: SpaceId) -> Option<&Space> {
        self.spaces.get(usize::try_from(id.0).ok()?)
    }

    /// Returns the id of the space with this name.
    pub fn space_named(&self, name: &str) -> Option<SpaceId> {
        let index = self.spaces.iter().position(|space| space.name == name)?;
        u32::try_from(index).ok().map(SpaceId)
    }

    /// Returns the first space that contains each memory, by [`MemoryId`].
    pub fn first_spaces(&self) -> Vec<Option<SpaceId>> {
        let mut first = vec![None; self.memories.len()];
        for (id, space) in (0..).map(SpaceId).zip(&self.spaces) {
            for memory in space.memories() {
                let at = usize::try_from(memory.0).ok();
                if let Some(first) = at.and_then(|at| first.get_mut(at)) {
                    first.get_or_insert(id);
                }
            }
        }
        first
    }

    /// Resolves the `len` bytes at `address`. An access that crosses the end of a memory continues
    /// in the adjacent one. An access of no bytes has no segments, at any address.
    ///
    /// # Errors
    ///
    /// Fails if one of the bytes is unmapped, because an access is executed as a whole or not at
    /// all.
    pub fn resolve(&self, space: SpaceId, address: u64, len: u64) -> Result<Segments, MapError> {
        let seen = self.space(space).ok_or(MapError::NoSpace(space.0))?;
        if let Some(segment) = self.in_one(seen, address, len) {
            return Ok(segment.into());
        }
        let mut segments = Segments::new();
        let mut next = address;
        for segment in self.walk(seen, address, len) {
            if segment.address != next {
                break;
            }
            next = segment.address.wrapping_add(segment.bytes.len);
            segments.push(segment.bytes);
        }
        let found = next.wrapping_sub(address);
        if found == len {
            return Ok(segments);
        }
        let space = seen.name.clone();
        Err(match address.checked_add(found) {
            Some(outside) => MapError::Outside {
                space,
                address,
                len,
                outside,
            },
            None => MapError::Wraps {
                space,
                address,
                len,
            },
        })
    }

    /// Resolves an access that is within one memory, the usual case. `None` for other accesses, and
    /// for an access of no bytes.
    #[inline]
    pub fn within_one(&self, space: SpaceId, address: u64, len: u64) -> Option<Segment> {
        self.in_one(self.space(space)?, address, len)
    }

    #[inline]
    fn in_one(&self, space: &Space, address: u64, len: u64) -> Option<Segment> {
        let extents = space.extents();
        let after = extents.partition_point(|extent| extent.first <= address);
        let extent = extents.get(after.checked_sub(1)?)?;
        let last = address.checked_add(len.checked_sub(1)?)?;
        (last <= extent.last).then_some(())?;
        Some(Segment {
            memory: extent.memory,
            offset: address - self.memory(extent.memory)?.base,
            len,
        })
    }

    /// Returns the number of bytes, at most `max_len`, that are mapped without a gap from
    /// `address`. Used for strings, which may end before the map does.
    pub fn clip(&self, space: SpaceId, address: u64, max_len: u64) -> u64 {
        let Some(space) = self.space(space) else {
            return 0;
        };
        let mut len = 0;
        for segment in self.walk(space, address, max_len) {
            if segment.address.wrapping_sub(address) != len {
                break;
            }
            len += segment.bytes.len;
        }
        len
    }

    /// Resolves the mapped part of the `len` bytes at `address`, leaving out gaps. Used for ranges
    /// that may exceed the map, such as the tail of an image's segment.
    pub fn mapped(&self, space: SpaceId, address: u64, len: u64) -> Segments {
        let Some(space) = self.space(space) else {
            return Segments::new();
        };
        self.walk(space, address, len)
            .map(|segment| segment.bytes)
            .collect()
    }

    /// True if an access to these segments is executed in this process, without foreign calls.
    pub fn is_local(&self, place: &Segments) -> bool {
        place.iter().all(|segment| self.has_local(segment.memory))
    }

    /// True if accesses to this memory are executed in this process, without foreign calls.
    #[inline]
    pub fn has_local(&self, memory: MemoryId) -> bool {
        let memory = self.memory(memory);
        memory.is_none_or(|memory| memory.backend.is_local())
    }

    /// Iterates over the mapped parts of `address..address + len`, in ascending order of address.
    fn walk<'a>(
        &'a self,
        space: &'a Space,
        address: u64,
        len: u64,
    ) -> impl Iterator<Item = Placed> + 'a {
        let last = address.saturating_add(len.saturating_sub(1));
        let extents = space.extents();
        let behind = extents.partition_point(|extent| extent.last < address);
        let seen = extents.get(behind..).unwrap_or_default();
        seen.iter()
            .take_while(move |extent| len > 0 && extent.first <= last)
            .filter_map(move |extent| {
                Placed::clipped(extent, self.memory(extent.memory)?, address, last)
            })
    }
}

/// Segment and its address.
struct Placed {
    address: u64,
    bytes: Segment,
}

impl Placed {
    /// Part of an extent within `first..=last`.
    fn clipped(extent: &Extent, memory: &Memory, first: u64, last: u64) -> Option<Self> {
        let address = first.max(extent.first);
        // `address <= last.min(..)` keeps the length within the memory's size.
        let len = last.min(extent.last).checked_sub(address)?.checked_add(1)?;
        Some(Self {
            address,
            bytes: Segment {
                memory: extent.memory,
                offset: address.checked_sub(memory.base)?,
                len,
            },
        })
    }
}
