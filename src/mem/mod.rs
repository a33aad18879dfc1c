//! Memory without actors: what a memory is, where its bytes lie, and how an access is carried out.

mod buffer;
mod geometry;
mod memory;
mod op;
mod path;
mod space;

pub use buffer::Buffer;
pub use geometry::{Geometry, Run, Runs, Word, Words};
pub use memory::{Array, Backend, Init, Memory, MemoryId, MemoryMap, Shape, Space, SpaceId};
pub use op::{AccessError, BackendError, Op, Outcome, Span, Store, execute, part};
pub use path::WordPath;
pub use space::{MapError, Segment, Segments};
