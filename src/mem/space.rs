//! From an address of a space to the bytes of its memories.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{Memory, MemoryId, MemoryMap, Space, SpaceId};

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
pub type Segments = SmallVec<[Segment; 1]>;

/// An access that the map cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum MapError {
    /// No memory of the space has the byte at `outside`.
    #[error(
        "space `{space}` has no memory at {outside:#x}, needed for the {len} bytes at {address:#x}"
    )]
    Outside {
        /// The space's name.
        space: String,
        /// Where the access starts.
        address: u64,
        /// Bytes.
        len: u64,
        /// Its first byte that is outside of the map.
        outside: u64,
    },
    /// The access runs past the last address there is.
    #[error(
        "the {len} bytes at {address:#x} of space `{space}` run past the last address, 0xffffffffffffffff"
    )]
    Wraps {
        /// The space's name.
        space: String,
        /// Where the access starts.
        address: u64,
        /// Bytes.
        len: u64,
    },
    /// The map has no such space.
    #[error("the map has no space number {0}")]
    NoSpace(u32),
}

impl MemoryMap {
    /// The memory of this id; `None` when the id is of another map.
    pub fn memory(&self, id: MemoryId) -> Option<&Memory> {
        self.memories.get(usize::try_from(id.0).ok()?)
    }

    /// Every memory with its id.
    pub fn numbered(&self) -> impl Iterator<Item = (MemoryId, &Memory)> {
        (0..).map(MemoryId).zip(&self.memories)
    }

    /// The space of this id; `None` when the id is of another map.
    pub fn space(&self, id: SpaceId) -> Option<&Space> {
        self.spaces.get(usize::try_from(id.0).ok()?)
    }

    /// The space of this name.
    pub fn space_named(&self, name: &str) -> Option<SpaceId> {
        let index = self.spaces.iter().position(|space| space.name == name)?;
        u32::try_from(index).ok().map(SpaceId)
    }

    /// Where the `len` bytes at `address` lie. An access that crosses the end of a memory goes on in the adjacent one.
    /// No bytes lie nowhere, whatever the address.
    ///
    /// # Errors
    ///
    /// When one of the bytes is in no memory of the space: an access is carried out as a whole or not at all.
    pub fn resolve(&self, space: SpaceId, address: u64, len: u64) -> Result<Segments, MapError> {
        let seen = self.space(space).ok_or(MapError::NoSpace(space.0))?;
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

    /// How many bytes from `address` on are mapped without a gap, counted up to `max_len`; zero where there is no memory.
    /// For strings, which may end before the map does.
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

    /// The mapped part of the `len` bytes at `address`, gaps left out. For what may reach outside of the map, as the
    /// tail of an image's segment.
    pub fn mapped(&self, space: SpaceId, address: u64, len: u64) -> Segments {
        let Some(space) = self.space(space) else {
            return Segments::new();
        };
        self.walk(space, address, len)
            .map(|segment| segment.bytes)
            .collect()
    }

    /// Whether an access to this place is carried out in this process, by no foreign code.
    pub fn is_local(&self, place: &Segments) -> bool {
        place.iter().all(|segment| {
            self.memory(segment.memory)
                .is_none_or(|memory| memory.backend.is_local())
        })
    }

    /// Every piece of memory in `address..address + len`, in ascending order of address.
    fn walk<'a>(
        &'a self,
        space: &'a Space,
        address: u64,
        len: u64,
    ) -> impl Iterator<Item = Placed> + 'a {
        let last = address.saturating_add(len.saturating_sub(1));
        let starts_by =
            move |id: &MemoryId, limit| self.memory(*id).is_some_and(|memory| memory.base <= limit);
        // The last memory that starts at or before `address` may hold it; those before that one end below it.
        let behind = space.memories.partition_point(|id| starts_by(id, address));
        let seen = space
            .memories
            .get(behind.saturating_sub(1)..)
            .unwrap_or_default();
        seen.iter()
            .take_while(move |id| len > 0 && starts_by(id, last))
            .filter_map(move |id| Placed::clipped(*id, self.memory(*id)?, address, last))
    }
}

/// A segment with its address.
struct Placed {
    address: u64,
    bytes: Segment,
}

impl Placed {
    /// What a memory has of the bytes `first..=last`.
    fn clipped(id: MemoryId, memory: &Memory, first: u64, last: u64) -> Option<Self> {
        let end = memory.base.checked_add(memory.size.checked_sub(1)?)?;
        let address = first.max(memory.base);
        // `address <= last.min(end)` keeps the length within the memory's size.
        let len = last.min(end).checked_sub(address)?.checked_add(1)?;
        Some(Self {
            address,
            bytes: Segment {
                memory: id,
                offset: address - memory.base,
                len,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mem::{Backend, Init, Shape};

    const SPACE: SpaceId = SpaceId(0);

    /// One space of black boxes with these bases and sizes, in ascending order.
    fn map(memories: &[(u64, u64)]) -> MemoryMap {
        let memory = |(base, size): &(u64, u64)| Memory {
            name: format!("at {base:#x}"),
            base: *base,
            size: *size,
            shape: Shape::BlackBox,
            init: Init::None,
            backend: Backend::Log,
        };
        let ids = (0..).take(memories.len()).map(MemoryId).collect();
        MemoryMap {
            memories: memories.iter().map(memory).collect(),
            spaces: vec![Space {
                name: "core0".to_owned(),
                memories: ids,
            }],
        }
    }

    fn segment(memory: u32, offset: u64, len: u64) -> Segment {
        Segment {
            memory: MemoryId(memory),
            offset,
            len,
        }
    }

    #[test]
    fn an_access_goes_on_in_the_adjacent_memory() {
        let map = map(&[(0x1000, 0x100), (0x1100, 4), (0x1104, 0x10), (0x2000, 8)]);
        assert_eq!(
            map.resolve(SPACE, 0x1010, 4).unwrap()[..],
            [segment(0, 0x10, 4)]
        );
        let across = [segment(0, 0xff, 1), segment(1, 0, 4), segment(2, 0, 2)];
        assert_eq!(map.resolve(SPACE, 0x10ff, 7).unwrap()[..], across);
        assert_eq!(
            map.resolve(SPACE, 0x2000, 8).unwrap()[..],
            [segment(3, 0, 8)]
        );
        assert!(map.resolve(SPACE, 0x5000, 0).unwrap().is_empty());
    }

    #[test]
    fn errors_name_the_first_byte_outside() {
        let map = map(&[(0x1000, 0x100), (0x2000, 8)]);
        let error = |address, len| map.resolve(SPACE, address, len).unwrap_err().to_string();
        assert_eq!(
            error(0xfff, 4),
            "space `core0` has no memory at 0xfff, needed for the 4 bytes at 0xfff"
        );
        assert_eq!(
            error(0x10fe, 4),
            "space `core0` has no memory at 0x1100, needed for the 4 bytes at 0x10fe"
        );
        assert_eq!(
            error(0x2008, 1),
            "space `core0` has no memory at 0x2008, needed for the 1 bytes at 0x2008"
        );
        assert_eq!(
            error(0x10ff, u64::MAX),
            "space `core0` has no memory at 0x1100, needed for the 18446744073709551615 bytes at 0x10ff"
        );
        assert_eq!(
            map.resolve(SpaceId(7), 0, 1).unwrap_err().to_string(),
            "the map has no space number 7"
        );
    }

    #[test]
    fn the_last_address_is_mapped_and_none_follows() {
        let map = map(&[(u64::MAX - 3, 4)]);
        assert_eq!(
            map.resolve(SPACE, u64::MAX, 1).unwrap()[..],
            [segment(0, 3, 1)]
        );
        assert_eq!(
            map.resolve(SPACE, u64::MAX, 2).unwrap_err().to_string(),
            "the 2 bytes at 0xffffffffffffffff of space `core0` run past the last address, 0xffffffffffffffff"
        );
        assert_eq!(map.clip(SPACE, u64::MAX - 1, 4096), 2);
    }

    #[test]
    fn strings_may_end_before_the_map() {
        let map = map(&[(0, 8), (8, 8), (0x20, 8)]);
        assert_eq!(map.clip(SPACE, 4, 4096), 12);
        assert_eq!(map.clip(SPACE, 4, 5), 5);
        assert_eq!(map.clip(SPACE, 0x10, 4096), 0);
        assert_eq!(
            map.mapped(SPACE, 12, 0x100)[..],
            [segment(1, 4, 4), segment(2, 0, 8)]
        );
    }

    proptest! {
        /// `resolve`, `clip` and `mapped` agree with a look at every byte.
        #[test]
        fn every_byte_is_where_it_should_be(
            gaps in prop::collection::vec((0u64..4, 1u64..12), 0..6),
            address in 0u64..80,
            len in 0u64..80,
        ) {
            let mut memories = Vec::new();
            let mut end = 0;
            for (gap, size) in gaps {
                memories.push((end + gap, size));
                end += gap + size;
            }
            let map = map(&memories);
            let place = |byte: u64| {
                let id = memories.iter().position(|(base, size)| (*base..base + size).contains(&byte))?;
                Some((u32::try_from(id).unwrap(), byte - memories[id].0))
            };
            let bytes = |segments: &[Segment]| -> Vec<_> {
                segments.iter().flat_map(|s| (0..s.len).map(|i| (s.memory.0, s.offset + i))).collect()
            };
            let places: Vec<_> = (address..address + len).map(place).collect();
            let prefix: Vec<_> = places.iter().map_while(|place| *place).collect();

            prop_assert_eq!(map.clip(SPACE, address, len), prefix.len() as u64);
            prop_assert_eq!(
                bytes(&map.mapped(SPACE, address, len)),
                places.iter().flatten().copied().collect::<Vec<_>>()
            );
            match map.resolve(SPACE, address, len) {
                Ok(segments) => prop_assert_eq!(bytes(&segments), prefix),
                Err(MapError::Outside { outside, .. }) => prop_assert_eq!(outside, address + prefix.len() as u64),
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
    }
}
