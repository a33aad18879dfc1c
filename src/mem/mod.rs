//! Memory without actors: what a memory is, where its bytes lie, and how an access is carried out.

mod memory;

pub use memory::{Array, Backend, Init, Memory, MemoryId, MemoryMap, Shape, Space, SpaceId};
