//! Placement of an image in the memories of a space. Bytes outside of the map are errors; zeros
//! outside of the map are left out.

use std::fmt;
use std::path::PathBuf;

use super::{Image, ImageSegment, MemoryMap, SpaceId, Write};

#[cfg(test)]
mod tests;

/// Parts of an image that are outside of the memories of a space.
#[derive(Debug, Default)]
pub struct Placement {
    /// Errors that prevent loading, in the order of the program headers.
    pub errors: Vec<LoadError>,
    /// Zeros that are not written.
    pub left_out: Vec<LeftOut>,
}

/// Error of loading an image into a space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Image without bytes to load.
    #[error(
        "{} has no bytes to load: {reason}; give the linked image, or `load: false` for the address of its section .mailbox alone",
        .file.display()
    )]
    Nothing {
        /// Path of the image.
        file: PathBuf,
        /// Missing part of the image.
        reason: Nothing,
    },
    /// Segment with bytes outside of the map.
    #[error(transparent)]
    NoMemory(Box<Misfit>),
}

/// Segment whose bytes are not all in memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} can't be loaded into space `{space}`: segment {segment} ({first:#x} to {last:#x}) has no memory at {outside:#x}, {nearest}{}; \
     link it for another address, or map a memory there",
    .file.display(),
    linked_for(*.first, *.virtual_address)
)]
pub struct Misfit {
    /// Path of the image.
    pub file: PathBuf,
    /// Name of the space.
    pub space: String,
    /// Position in the program header table.
    pub segment: usize,
    /// Physical address of the segment's first byte.
    pub first: u64,
    /// Physical address of the segment's last byte in the file.
    pub last: u64,
    /// First unmapped address.
    pub outside: u64,
    /// Memory nearest to `outside`.
    pub nearest: Nearest,
    /// Virtual address of the segment's first byte.
    pub virtual_address: u64,
}

/// Cause of an image without bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Nothing {
    /// Empty program header table.
    #[error("it has no program headers")]
    NoHeaders,
    /// No header of type PT_LOAD.
    #[error("none of its program headers is of type PT_LOAD")]
    NoSegments,
    /// Only segments that are empty or zero.
    #[error(
        "its segments have no bytes in the file, as in a file of debug information alone (`objcopy --only-keep-debug`)"
    )]
    NoBytes,
}

/// Memory of a space that is nearest to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nearest {
    /// Space without memories.
    None,
    /// Memory, or the part of one that is mapped in the space.
    Memory {
        /// Name of the memory.
        name: String,
        /// First address.
        first: u64,
        /// Last address.
        last: u64,
    },
}

/// Zeros of an image that are outside of the map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {left} of the {len} zeros at {address:#x} are outside of the map and are left out", .file.display())]
pub struct LeftOut {
    /// Path of the image.
    pub file: PathBuf,
    /// Physical address of the first zero.
    pub address: u64,
    /// Number of zeros.
    pub len: u64,
    /// Number of unmapped zeros.
    pub left: u64,
}

impl Placement {
    /// Places an image in a space, with its zeros if `zero_bss` is true.
    pub fn of(map: &MemoryMap, space: SpaceId, image: &Image, zero_bss: bool) -> Self {
        let mut placement = Self::default();
        let file = image.file();
        if image.segments().iter().all(|segment| segment.len == 0) {
            placement.errors.push(LoadError::Nothing {
                file: file.to_path_buf(),
                reason: match (image.program_headers(), image.segments()) {
                    (0, _) => Nothing::NoHeaders,
                    (_, []) => Nothing::NoSegments,
                    (_, _) => Nothing::NoBytes,
                },
            });
        }
        for write in image.writes() {
            match write {
                Write::Zero { .. } if !zero_bss => {}
                Write::Zero { address, len } => {
                    let place = map.mapped(space, address, len);
                    let mapped: u64 = place.iter().map(|segment| segment.len).sum();
                    if mapped < len {
                        placement.left_out.push(LeftOut {
                            file: file.to_path_buf(),
                            address,
                            len,
                            left: len - mapped,
                        });
                    }
                }
                Write::Bytes(segment) => {
                    let misfit = Misfit::of(map, space, image, &segment).map(Box::new);
                    placement.errors.extend(misfit.map(LoadError::NoMemory));
                }
            }
        }
        placement
    }
}

impl Misfit {
    /// Returns the misfit of a segment; `None` if all of its bytes are in memory.
    fn of(map: &MemoryMap, space: SpaceId, image: &Image, segment: &ImageSegment) -> Option<Self> {
        let first = segment.address;
        let mapped = map.clip(space, first, segment.len);
        let outside = first.saturating_add(mapped);
        (mapped < segment.len).then(|| Self {
            file: image.file().to_path_buf(),
            space: map
                .space(space)
                .map_or_else(String::new, |space| space.name.clone()),
            segment: segment.index,
            first,
            last: first.saturating_add(segment.len - 1),
            outside,
            nearest: Nearest::to(map, space, outside),
            virtual_address: segment.virtual_address,
        })
    }
}

impl Nearest {
    /// Finds the memory nearest to an unmapped address.
    fn to(map: &MemoryMap, space: SpaceId, outside: u64) -> Self {
        let extents = map.space(space).map_or(&[][..], |space| space.extents());
        let after = extents.partition_point(|extent| extent.last < outside);
        let before = after.checked_sub(1).and_then(|before| extents.get(before));
        let sides = [before, extents.get(after)].into_iter().flatten();
        let nearest = sides.min_by_key(|extent| {
            let behind = outside.saturating_sub(extent.last);
            behind.max(extent.first.saturating_sub(outside))
        });
        let named = nearest.and_then(|extent| Some((extent, map.memory(extent.memory)?)));
        named.map_or(Self::None, |(extent, memory)| Self::Memory {
            name: memory.name.clone(),
            first: extent.first,
            last: extent.last,
        })
    }
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "and the space has no memories"),
            Self::Memory { name, first, last } => {
                write!(f, "nearest is memory `{name}` ({first:#x} to {last:#x})")
            }
        }
    }
}

/// Describes the virtual address, if it differs from the physical one.
fn linked_for(physical: u64, virtual_address: u64) -> String {
    if physical == virtual_address {
        String::new()
    } else {
        format!(
            " (images are loaded by physical addresses; its virtual address is \
             {virtual_address:#x})"
        )
    }
}
