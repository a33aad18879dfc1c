//! Memory without actors: what a memory is, where its bytes lie, and how an access is carried out.

#[cfg(test)]
pub(crate) mod elf_builder;
mod geometry;
mod hex;
mod image;
mod memory;
mod path;
mod space;

pub use geometry::{Geometry, Run, Runs, Word, Words};
pub use hex::{HexError, HexProblem, HexRun, HexRuns};
pub use image::{Image, ImageError, ImageProblem, Section, Write};
pub use memory::{Array, Backend, Init, Memory, MemoryId, MemoryMap, Shape, Space, SpaceId};
pub use path::WordPath;
pub use space::{MapError, Segment, Segments};
