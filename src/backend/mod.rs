//! Backends of memories, one file each.
//!
//! A new backend needs a file here with an implementation of [`MemoryBackend`], a line in the list
//! at [`AnyBackend`], and a variant of [`Backend`](crate::mem::Backend), by which configurations
//! select it.
//!
//! - [`Backends`]: memories of a map, each with its backend.
//! - `words`: bytes of an access as words of HDL arrays, which backends `uvm` and `vpi` read and
//!   write.
//! - `write_check`: samples of writes of backend `vpi` that are read back.
//! - `unknown_words`: words with X or Z bits, for warnings; `aliasing`: memories that share bytes.

mod aliasing;
mod alloc_error;
mod api;
mod black_box;
mod log;
mod memory_backend;
mod memory_model;
mod model;
mod static_memory;
mod unknown_words;
mod unsupported;
mod uvm;
mod vpi;
mod words;
mod write_check;

use std::fmt;
use std::rc::Rc;

use aliasing::Aliases;
pub(crate) use alloc_error::AllocError;
use memory_backend::{MemoryBackend, Resources};
pub(crate) use memory_model::Models;
pub use memory_model::{MemoryModel, ModelError};

use crate::mem::{
    AccessError, BackendError, Buffer, Instances, Memory, MemoryId, MemoryMap, Peeker, Segment,
    Store, fill_in_transfers,
};

/// Defines [`AnyBackend`], the only place that distinguishes backends. Calls are direct, so that
/// the compiler can inline them.
macro_rules! any_backend {
    ($($name:ident($backend:ty),)+) => {
        /// Any of the backends. The first one in the list that serves a memory is used.
        enum AnyBackend {
            $($name($backend),)+
        }

        impl MemoryBackend for AnyBackend {
            fn create(
                memory: &Memory,
                with: &mut Resources<'_>,
            ) -> Result<Option<Self>, AllocError> {
                $(if let Some(backend) = <$backend>::create(memory, with)? {
                    return Ok(Some(Self::$name(backend)));
                })+
                Ok(None)
            }

            #[inline]
            fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
                match self {
                    $(Self::$name(backend) => backend.read(offset, to),)+
                }
            }

            #[inline]
            fn peek(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
                match self {
                    $(Self::$name(backend) => backend.peek(offset, to),)+
                }
            }

            #[inline]
            fn read_text(&self, offset: u64, to: &mut [u8]) -> Result<(), BackendError> {
                match self {
                    $(Self::$name(backend) => backend.read_text(offset, to),)+
                }
            }

            #[inline]
            fn peeker(&self, offset: u64) -> Option<Peeker> {
                match self {
                    $(Self::$name(backend) => backend.peeker(offset),)+
                }
            }

            #[inline]
            fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendError> {
                match self {
                    $(Self::$name(backend) => backend.write(offset, data),)+
                }
            }

            #[inline]
            fn fill(&self, offset: u64, len: u64, byte: u8) -> Option<Result<(), BackendError>> {
                match self {
                    $(Self::$name(backend) => backend.fill(offset, len, byte),)+
                }
            }

            #[inline]
            fn buffers(&self) -> &[Buffer] {
                match self {
                    $(Self::$name(backend) => backend.buffers(),)+
                }
            }
        }
    };
}

any_backend! {
    Static(static_memory::StaticMemory),
    Api(api::Api),
    Log(log::Log),
    BlackBox(black_box::BlackBox),
    Model(model::Model),
    Uvm(words::WordMemory<uvm::UvmArrays>),
    Vpi(words::WordMemory<vpi::VpiArrays>),
    Unsupported(unsupported::Unsupported),
}

/// All memories of a map, with their backends. An actor may access memories in this process.
/// Accesses to other memories call foreign code.
pub(crate) struct Backends {
    map: Rc<MemoryMap>,
    /// Backends, by memory.
    backends: Vec<AnyBackend>,
    aliases: Aliases,
    /// HDL instances in this process.
    instances: Instances,
}

impl Backends {
    /// Creates the memories of `map`; those in this process contain zeros. Memories that refer to
    /// the same HDL instance (by path, width and depth) share its bytes.
    ///
    /// # Errors
    /// Fails if a memory can't be allocated in this process.
    pub(crate) fn new(map: Rc<MemoryMap>) -> Result<Self, AllocError> {
        Self::with_models(map, &mut Models::new())
    }

    /// Like [`new`](Self::new), with models for memories of backend `model`. Unused models stay in
    /// `models`.
    pub(crate) fn with_models(map: Rc<MemoryMap>, models: &mut Models) -> Result<Self, AllocError> {
        let mut instances = Instances::default();
        let mut backends = Vec::with_capacity(map.memories.len());
        for (memory, space) in map.memories.iter().zip(map.first_spaces()) {
            let space = space.and_then(|space| map.space(space));
            let mut resources = Resources {
                space: space.map(|space| &*space.name),
                models,
                instances: &mut instances,
            };
            // The last backend of the list serves any memory.
            backends.extend(AnyBackend::create(memory, &mut resources)?);
        }
        Ok(Self {
            aliases: Aliases::of(&map),
            map,
            backends,
            instances,
        })
    }

    /// Descriptions of the memories.
    pub(crate) fn map(&self) -> &Rc<MemoryMap> {
        &self.map
    }

    /// Registers these memories for `flush_static_mems` of this thread.
    pub(crate) fn register_instances(&self) {
        self.instances.register();
    }

    /// Buffers of a memory in this process, one for each HDL instance.
    pub(crate) fn buffers(&self, memory: MemoryId) -> &[Buffer] {
        self.get(memory).map_or(&[], MemoryBackend::buffers)
    }

    fn get(&self, memory: MemoryId) -> Option<&AnyBackend> {
        self.backends.get(usize::try_from(memory.0).ok()?)
    }

    /// Returns the backend of a segment's memory. Fails unless the segment is inside the memory.
    #[inline]
    fn reach(&self, at: &Segment) -> Result<&AnyBackend, AccessError> {
        let (Some(memory), Some(backend)) = (self.map.memory(at.memory), self.get(at.memory))
        else {
            return Err(self.failed(at, BackendError::OtherMap));
        };
        let size = memory.size;
        match at.offset.checked_add(at.len) {
            Some(end) if end <= size => Ok(backend),
            _ => Err(self.failed(at, BackendError::PastEnd { size })),
        }
    }

    #[cold]
    fn failed(&self, at: &Segment, cause: BackendError) -> AccessError {
        let memory = self.map.memory(at.memory);
        AccessError::Backend {
            memory: memory
                .map_or_else(|| format!("#{}", at.memory.0), |memory| memory.name.clone()),
            offset: at.offset,
            len: at.len,
            cause: Box::new(cause),
        }
    }
}

impl Store for Backends {
    fn read(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        let read = self.reach(at)?.read(at.offset, to);
        read.map_err(|cause| self.failed(at, cause))
    }

    fn peek(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        let read = self.reach(at)?.peek(at.offset, to);
        read.map_err(|cause| self.failed(at, cause))
    }

    fn read_text(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        let read = self.reach(at)?.read_text(at.offset, to);
        read.map_err(|cause| self.failed(at, cause))
    }

    fn peeker(&self, at: &Segment) -> Option<Peeker> {
        self.reach(at).ok()?.peeker(at.offset)
    }

    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError> {
        let written = self.reach(at)?.write(at.offset, data);
        written.map_err(|cause| self.failed(at, cause))
    }

    fn fill(&self, at: &Segment, byte: u8) -> Result<(), AccessError> {
        match self.reach(at)?.fill(at.offset, at.len, byte) {
            Some(filled) => filled.map_err(|cause| self.failed(at, cause)),
            None => fill_in_transfers(self, at, byte),
        }
    }

    fn may_alias(&self, one: MemoryId, other: MemoryId) -> bool {
        self.aliases.may_alias(one, other)
    }
}

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backends")
            .field("map", &self.map)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
