//! What the memories of backend `static` hold, for whoever wants it after a run.
//!
//! Each HDL array (path, width and depth) is one instance, whatever memories name it. Starting a system registers its
//! instances, all with zeros, in place of those that this thread had before. They stay when the system is shut down, up to the
//! next start or [`clear_static_mems`].
//!
//! ```
//! use vhost::mem::{flush_static_mems, StaticMemDescriptor, StaticMemSink};
//!
//! struct Sink;
//!
//! impl StaticMemSink for Sink {
//!     fn write_static_mem(
//!         &mut self,
//!         descriptor: &StaticMemDescriptor,
//!         data: &[u8],
//!         _valid_ranges: &[vhost::mem::StaticMemRange],
//!     ) -> Result<(), String> {
//!         println!("{}: width={} depth={} bytes={}", descriptor.path, descriptor.width, descriptor.depth, data.len());
//!         Ok(())
//!     }
//! }
//!
//! fn export_static_mems() -> Result<(), String> {
//!     let mut sink = Sink;
//!     flush_static_mems(&mut sink)
//! }
//! # export_static_mems().unwrap();
//! ```
//!
//! [`StaticMemFiles`] is a sink that writes files.

mod files;
mod format;
mod memory;
mod registry;

pub use files::StaticMemFiles;
pub use format::StaticMemFormat;
pub(crate) use memory::StaticMem;
pub(crate) use registry::Instances;
pub use registry::{clear_static_mems, flush_static_mems};

/// One HDL array.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StaticMemDescriptor {
    /// Its HDL path.
    pub path: String,
    /// Bytes a word.
    pub width: usize,
    /// Words.
    pub depth: usize,
}

/// Consecutive bytes of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StaticMemRange {
    /// The first byte, counted from the first byte of the instance.
    pub offset: usize,
    /// Bytes.
    pub len: usize,
}

/// Takes what instances hold.
pub trait StaticMemSink {
    /// Takes one instance: `data` is all of it, word after word, each with its least significant byte first. `valid_ranges`
    /// are the bytes that were written, in ascending order and with gaps between them: by the host, `init` and ELF images
    /// included, or by a chip model with [`Buffer::write`](super::Buffer::write). Bytes of a gap are 0 unless a chip model
    /// set them through [`Buffer::cells`](super::Buffer::cells).
    ///
    /// The system may be used meanwhile, and another one started.
    ///
    /// # Errors
    /// Whatever is to end the flush, in words for who asked for it.
    fn write_static_mem(
        &mut self,
        descriptor: &StaticMemDescriptor,
        data: &[u8],
        valid_ranges: &[StaticMemRange],
    ) -> Result<(), String>;
}
