//! Access to memories through their backends.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use thiserror::Error;

mod model;
mod observed;
mod uvm;
mod vpi;
mod words;

use model::Model;
pub(crate) use model::Models;
pub use model::{MemoryModel, ModelError};
use uvm::UvmArrays;
use vpi::VpiArrays;
use words::{Arrays, WordRange, Words};

use crate::mem::{
    AccessError, Array, Backend, BackendError, Buffer, Geometry, HdlProblem, Instances, Looker,
    Memory, MemoryId, MemoryMap, Segment, Shape, SpaceId, StaticMem, Store, fill_in_pieces,
};
use crate::messages::foreign::Severity;
use crate::sim;
use crate::sim::SvMemory;

/// All memories of a map. Accesses to memories in this process may come from an actor; accesses to other memories call foreign code.
pub(crate) struct Memories {
    map: Rc<MemoryMap>,
    ways: Vec<Way>,
    /// Aliasing of HDL instances, by memory.
    sharing: Vec<Sharing>,
    /// HDL instances in this process.
    instances: Instances,
}

/// Aliasing of the bytes of a memory.
#[derive(Debug, Clone, Copy, Default)]
struct Sharing {
    /// True if another memory has one of its HDL paths.
    others: bool,
    /// True if it has an HDL path twice.
    itself: bool,
}

/// Memory that can't be allocated in this process.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "memory `{memory}`: this process has no memory for its {size} bytes; make it smaller, or \
     choose another backend than `static`"
)]
pub struct NoRoom {
    /// Name of the memory.
    pub memory: String,
    /// Size in bytes.
    pub size: u64,
}

/// Backend of one memory.
enum Way {
    /// Logs each access, and reads zeros.
    Log,
    /// Model behind `__vhost_bb_mem_*`.
    Api {
        /// Address of the first byte.
        base: u64,
    },
    /// Model of the testbench, behind `mb_bb_mem_*`.
    BlackBox(SvMemory),
    /// Model of the host program.
    Model(Model),
    /// Buffers in this process.
    Static(StaticMem),
    /// HDL arrays through UVM's backdoor.
    Uvm(Words<UvmArrays>),
    /// HDL arrays through VPI.
    Vpi(Words<VpiArrays>),
    /// Backend that does not support this kind of memory. Validated configuration has no such memory.
    None(Backend),
}

/// Target of the log records of backend `log`.
const TARGET: &str = "vhost::access";

impl Memories {
    /// Creates the memories of `map`; those in this process contain zeros. Memories that refer to the same HDL instance (by path, width and
    /// depth) share its bytes.
    ///
    /// # Errors
    /// Fails if a memory can't be allocated in this process.
    pub(crate) fn new(map: Rc<MemoryMap>) -> Result<Self, NoRoom> {
        Self::with_models(map, &mut Models::new())
    }

    /// Like [`new`](Self::new), with models for memories of backend `model`. Unused models stay in `models`.
    pub(crate) fn with_models(map: Rc<MemoryMap>, models: &mut Models) -> Result<Self, NoRoom> {
        let mut instances = Instances::default();
        let ways = map
            .memories
            .iter()
            .zip(map.first_spaces())
            .map(|(memory, space)| {
                if memory.backend == Backend::Model {
                    return Ok(model_of(&map, space, memory, models)
                        .map_or(Way::None(Backend::Model), |model| {
                            Way::Model(Model::new(model))
                        }));
                }
                Way::to(memory, &mut instances).ok_or_else(|| NoRoom {
                    memory: memory.name.clone(),
                    size: memory.size,
                })
            })
            .collect::<Result<_, _>>()?;
        let sharing = sharing(&map);
        Ok(Self {
            map,
            ways,
            sharing,
            instances,
        })
    }

    /// Registers these memories for `flush_static_mems` of this thread.
    pub(crate) fn register_instances(&self) {
        self.instances.register();
    }

    /// Buffers of a memory in this process, one for each HDL instance.
    pub(crate) fn buffers(&self, memory: MemoryId) -> &[Buffer] {
        match self.way(memory) {
            Some(Way::Static(memory)) => memory.buffers(),
            _ => &[],
        }
    }

    fn way(&self, memory: MemoryId) -> Option<&Way> {
        self.ways.get(usize::try_from(memory.0).ok()?)
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

    /// Returns the backend of a segment's memory. Fails unless the segment is inside the memory.
    #[inline]
    fn reach(&self, at: &Segment) -> Result<&Way, AccessError> {
        let (Some(memory), Some(way)) = (self.map.memory(at.memory), self.way(at.memory)) else {
            return Err(self.failed(at, BackendError::OtherMap));
        };
        let size = memory.size;
        match at.offset.checked_add(at.len) {
            Some(end) if end <= size => Ok(way),
            _ => Err(self.past_end(at)),
        }
    }

    #[cold]
    fn past_end(&self, at: &Segment) -> AccessError {
        let size = self.map.memory(at.memory).map_or(0, |memory| memory.size);
        self.failed(at, BackendError::PastEnd { size })
    }
}

/// Takes the model of a memory: first by `space.memory`, then by `memory`.
fn model_of(
    map: &MemoryMap,
    space: Option<SpaceId>,
    memory: &Memory,
    models: &mut Models,
) -> Option<Box<dyn MemoryModel>> {
    let space = space.and_then(|space| map.space(space));
    let full = space.map(|space| format!("{}.{}", space.name, memory.name));
    full.and_then(|full| models.remove(&full))
        .or_else(|| models.remove(&memory.name))
}

fn sharing(map: &MemoryMap) -> Vec<Sharing> {
    let mut sharing = vec![Sharing::default(); map.memories.len()];
    let mut owners = HashMap::new();
    for (owner, memory) in map.memories.iter().enumerate() {
        let by_rows = match memory.backend {
            Backend::Static => memory.shape.by_rows(),
            _ => Cow::Borrowed(&memory.shape),
        };
        for path in by_rows.instances() {
            match owners.insert(path.to_owned(), owner) {
                None => {}
                Some(before) if before == owner => sharing[owner].itself = true,
                Some(before) => {
                    sharing[before].others = true;
                    sharing[owner].others = true;
                }
            }
        }
    }
    sharing
}

impl Way {
    /// Creates the backend of a memory; `None` if the memory can't be allocated.
    fn to(memory: &Memory, instances: &mut Instances) -> Option<Self> {
        Some(
            match (memory.backend, &memory.shape, Geometry::of(&memory.shape)) {
                (Backend::Log, ..) => Self::Log,
                (Backend::Api, Shape::BlackBox, _) => Self::Api { base: memory.base },
                (Backend::Uvm | Backend::Vpi, Shape::BlackBox, _) => {
                    Self::BlackBox(SvMemory::named(&memory.name))
                }
                (Backend::Static, shape, Some(_)) => {
                    Self::Static(StaticMem::new(shape, instances)?)
                }
                (Backend::Uvm, shape, Some(geometry)) => {
                    let words = words(shape, geometry, UvmArrays::new);
                    words.map_or(Self::None(Backend::Uvm), Self::Uvm)
                }
                (Backend::Vpi, shape, Some(geometry)) => {
                    let words = words(shape, geometry, VpiArrays::new);
                    words.map_or(Self::None(Backend::Vpi), Self::Vpi)
                }
                (backend, ..) => Self::None(backend),
            },
        )
    }
}

impl Store for Memories {
    fn read(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.fetch(at, to, Tell::Access)
    }

    fn look(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.fetch(at, to, Tell::Nothing)
    }

    fn looker(&self, at: &Segment) -> Option<Looker> {
        match self.reach(at) {
            Ok(Way::Api { base }) => {
                let (base, address) = (*base, base + at.offset);
                Some(Box::new(move |to| {
                    sim::api_read(base, address, to) == Ok(to.len())
                }))
            }
            _ => None,
        }
    }

    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError> {
        match self.reach(at)? {
            Way::Log => {
                self.log("write", at);
                Ok(())
            }
            Way::Api { base } => {
                let address = base + at.offset;
                let moved = sim::api_write(*base, address, data);
                self.moved_all("__vhost_bb_mem_write", at, address, moved)
            }
            Way::BlackBox(model) => {
                let done = model.write(at.offset, data);
                done.map_err(|error| self.failed(at, BackendError::Simulator(error.to_string())))
            }
            Way::Model(model) => {
                let done = model.write(at.offset, data);
                done.map_err(|cause| self.failed(at, BackendError::Model(cause)))
            }
            Way::Static(memory) if memory.write(at.offset, data) => Ok(()),
            Way::Static(_) => Err(self.past_end(at)),
            Way::Uvm(words) => words
                .write(at, data)
                .map_err(|cause| self.failed(at, cause)),
            Way::Vpi(words) => words
                .write(at, data)
                .map_err(|cause| self.failed(at, cause)),
            Way::None(backend) => Err(self.failed(at, BackendError::NoWay(*backend))),
        }
    }

    /// Backend `log` stores nothing, so its fill is one access of any length.
    fn fill(&self, at: &Segment, byte: u8) -> Result<(), AccessError> {
        match self.reach(at)? {
            Way::Log => {
                self.log("fill", at);
                Ok(())
            }
            _ => fill_in_pieces(self, at, byte),
        }
    }

    /// May be true for two memories that each share bytes with a third one only.
    fn may_share(&self, one: MemoryId, other: MemoryId) -> bool {
        let sharing = |id: MemoryId| {
            let sharing = usize::try_from(id.0)
                .ok()
                .and_then(|at| self.sharing.get(at));
            sharing.copied().unwrap_or_default()
        };
        if one == other {
            sharing(one).itself
        } else {
            sharing(one).others && sharing(other).others
        }
    }
}

/// Reporting of a read: log record of backend `log`, and warning about unknown bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tell {
    Access,
    Nothing,
}

impl Memories {
    /// Reads a segment. Used for polling on every tick, too.
    fn fetch(&self, at: &Segment, to: &mut [u8], tell: Tell) -> Result<(), AccessError> {
        match self.reach(at)? {
            Way::Log => {
                if tell == Tell::Access {
                    self.log("read", at);
                }
                to.fill(0);
                Ok(())
            }
            Way::Api { base } => {
                let address = base + at.offset;
                let moved = sim::api_read(*base, address, to);
                self.moved_all("__vhost_bb_mem_read", at, address, moved)
            }
            Way::BlackBox(model) => {
                let done = model.read(at.offset, to);
                done.map_err(|error| self.failed(at, BackendError::Simulator(error.to_string())))
            }
            Way::Model(model) => {
                let done = match tell {
                    Tell::Access => model.read(at.offset, to),
                    Tell::Nothing => model.peek(at.offset, to),
                };
                done.map_err(|cause| self.failed(at, BackendError::Model(cause)))
            }
            Way::Static(memory) if memory.read(at.offset, to) => Ok(()),
            Way::Static(_) => Err(self.past_end(at)),
            Way::Uvm(words) => self.fetch_words(words, at, to, tell),
            Way::Vpi(words) => self.fetch_words(words, at, to, tell),
            Way::None(backend) => Err(self.failed(at, BackendError::NoWay(*backend))),
        }
    }

    /// Reads words, and reports unknown bits unless the read is a poll: before firmware has initialised its mailbox, all bits are unknown.
    fn fetch_words(
        &self,
        words: &Words<impl Arrays>,
        at: &Segment,
        to: &mut [u8],
        tell: Tell,
    ) -> Result<(), AccessError> {
        let mut met = Vec::new();
        words
            .read(at, to, (tell == Tell::Access).then_some(&mut met))
            .map_err(|cause| self.failed(at, cause))?;
        for range in met {
            let name = self.map.memory(at.memory).map(|memory| &memory.name);
            let text = unknown_bits(name.map_or("", |name| name), words, &range);
            super::report(Severity::Warning, "memory", &text);
        }
        Ok(())
    }

    fn log(&self, what: &str, at: &Segment) {
        if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
            return;
        }
        let Some(memory) = self.map.memory(at.memory) else {
            return;
        };
        let (name, offset, len) = (&memory.name, at.offset, at.len);
        let Some(geometry) = Geometry::of(&memory.shape) else {
            tracing::info!(target: TARGET, "{what} {name}: {len} bytes at offset {offset:#x}");
            return;
        };
        for run in geometry.runs(offset, len) {
            let path = memory.shape.instance(run.instance).unwrap_or_default();
            let last = run.first_word + run.count() - 1;
            tracing::info!(
                target: TARGET,
                "{what} {name}: {path} words {}..={last}, {} bytes",
                run.first_word,
                run.len
            );
        }
    }

    #[inline]
    fn moved_all(
        &self,
        symbol: &'static str,
        at: &Segment,
        address: u64,
        moved: Result<usize, sim::Absent>,
    ) -> Result<(), AccessError> {
        match moved {
            Ok(moved) if moved as u64 == at.len => Ok(()),
            _ => Err(self.not_moved(symbol, at, address, moved)),
        }
    }

    #[cold]
    fn not_moved(
        &self,
        symbol: &'static str,
        at: &Segment,
        address: u64,
        moved: Result<usize, sim::Absent>,
    ) -> AccessError {
        let cause = match moved {
            Ok(moved) => BackendError::Short {
                symbol: symbol.into(),
                address,
                moved: moved as u64,
                asked: at.len,
            },
            Err(absent) => BackendError::Absent {
                symbol: absent.symbol.into(),
            },
        };
        self.failed(at, cause)
    }
}

fn unknown_bits(name: &str, words: &Words<impl Arrays>, range: &WordRange) -> String {
    let first = words.path(range.instance, range.first);
    if range.first == range.last {
        return format!("memory `{name}`: {first} has X or Z bits, read as 0");
    }
    let last = words.path(range.instance, range.last);
    format!("memory `{name}`: {first} to {last} have X or Z bits, read as 0")
}

/// Error of an HDL array whose simulation has ended since it was looked up.
#[cold]
fn over(path: &str) -> BackendError {
    let cause = "its simulation was deleted: call `mb_shutdown` before a model is deleted, and \
                 `mb_init` for the next one";
    BackendError::Hdl {
        path: path.to_owned(),
        cause: HdlProblem::Refused(cause.to_owned()),
    }
}

/// Creates word access for a shape; `None` for a black box.
fn words<A: Arrays>(
    shape: &Shape,
    geometry: Geometry,
    arrays: fn(Array, Vec<String>) -> A,
) -> Option<Words<A>> {
    let paths = shape.instances().map(str::to_owned).collect();
    Some(Words::new(geometry, arrays(shape.array()?, paths)))
}

impl fmt::Debug for Memories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memories")
            .field("map", &self.map)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
