//! Memory without actors: memories, address spaces, and the execution of accesses.
//!
//! - [`MemoryMap`], [`Memory`], [`Space`]: validated memory configuration.
//! - [`Segments`]: an access, resolved from addresses of a space to bytes of memories.
//! - `Geometry`: bytes of a memory as words of HDL arrays.
//! - [`Op`] and `execute`: memory operations, and their execution on any `Store`.
//! - [`initial()`], `HexRuns`: initial content of a memory.
//! - [`Image`], [`Placement`]: segments of an ELF file, and their place in the memories of a space.
//! - [`Buffer`]: bytes of this process in place of an HDL array.
//! - [`flush_static_mems`], [`StaticMemSink`], [`StaticMemFiles`]: export of these bytes after a
//!   run.
//! - [`DPIShareMemParser`]: parser of memory descriptions that are not a whole configuration.

mod backend_name;
mod buffer;
mod dirty_map;
pub(crate) mod elf_builder;
mod execution;
mod extents;
mod file_format;
mod geometry;
mod hex;
mod image;
mod initial;
mod memory;
mod memory_map;
mod op;
mod parser;
mod path;
mod placement;
mod segments;
mod space;
mod static_export;
mod traps;

pub use backend_name::Backend;
pub use buffer::Buffer;
pub(crate) use execution::{
    MAX_TRANSFER, Peeker, Store, execute, fill_in_transfers, peek_at, read, subrange, write,
};
pub use extents::{Extent, PartialOverlap, Space};
pub(crate) use geometry::{Geometry, Run, Word};
pub(crate) use hex::HexRuns;
pub use hex::{HexError, HexProblem};
pub use image::{
    Image, ImageContent, ImageError, ImageProblem, ImageSegment, ImageWarning, Section, Symbol,
    Write,
};
pub use initial::{Initial, InitialError, Note, initial};
pub use memory::{Array, Init, Memory, MemoryId, Shape, SpaceId};
pub use memory_map::MemoryMap;
pub use op::{AccessError, BackendError, HdlProblem, Op, OpOutcome, Span};
pub use parser::DPIShareMemParser;
pub(crate) use path::WordPath;
pub use placement::{LeftOut, LoadError, Misfit, Nearest, Nothing, Placement};
pub use segments::{Segment, Segments};
pub use space::MapError;
pub(crate) use static_export::{Instances, StaticMem};
pub use static_export::{
    StaticMemDescriptor, StaticMemFiles, StaticMemFormat, StaticMemRange, StaticMemSink,
    clear_static_mems, flush_static_mems,
};
pub(crate) use traps::{STUB_SIZE, TRAP_LEN, Trap, Traps, count_traps, offsets as trap_offsets};
