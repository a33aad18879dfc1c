//! Export of the memories of backend `static` after a run.
//!
//! Each HDL array (path, width and depth) is one instance, which several memories may refer to. The
//! start of a system registers its instances, all with zeros, in place of the previous ones of this
//! thread. They stay registered after the system is shut down, until the next start or
//! [`clear_static_mems`].
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

/// Identity of an HDL array.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StaticMemDescriptor {
    /// HDL path.
    pub path: String,
    /// Bytes of a word.
    pub width: usize,
    /// Number of words.
    pub depth: usize,
}

/// Consecutive bytes of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StaticMemRange {
    /// Offset of the first byte from the first byte of the instance.
    pub offset: usize,
    /// Number of bytes.
    pub len: usize,
}

/// Receiver of the content of instances.
pub trait StaticMemSink {
    /// Receives one instance. `data` is its whole content, word after word, each with its least
    /// significant byte first. `valid_ranges` are the written bytes, in ascending order and with
    /// gaps between them. Bytes are written by the host, including `init` and ELF images, or by a
    /// chip model with [`Buffer::write`](super::Buffer::write). Bytes in a gap are 0 unless a chip
    /// model has set them through [`Buffer::cells`](super::Buffer::cells).
    ///
    /// During the call, the system may be used, and another one started.
    ///
    /// # Errors
    /// An error ends the flush. Its text is returned to the caller of the flush.
    fn write_static_mem(
        &mut self,
        descriptor: &StaticMemDescriptor,
        data: &[u8],
        valid_ranges: &[StaticMemRange],
    ) -> Result<(), String>;
}
