//! The memories, each reached by its backend.

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
    Memory, MemoryId, MemoryMap, Segment, Shape, StaticMem, Store, fill_in_pieces,
};
use crate::messages::foreign::Severity;
use crate::sim;
use crate::sim::SvMemory;

/// Reaches every memory of a map. Accesses to memories of this process may come from an actor; the
/// others call foreign code.
pub(crate) struct Memories {
    map: Rc<MemoryMap>,
    ways: Vec<Way>,
    /// Which memories share HDL instances.
    sharing: Vec<Sharing>,
    /// The HDL instances that are in this process.
    instances: Instances,
}

/// What other names there are for the bytes of a memory.
#[derive(Debug, Clone, Copy, Default)]
struct Sharing {
    /// Another memory has one of its HDL paths.
    others: bool,
    /// It has an HDL path twice.
    itself: bool,
}

/// A memory that can't be in this process.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "memory `{memory}`: this process has no room for its {size} bytes; make it smaller, or choose another backend than `static`"
)]
pub struct NoRoom {
    /// Its name.
    pub memory: String,
    /// Its bytes.
    pub size: u64,
}

/// How one memory is reached.
enum Way {
    /// Each access is told, and reads as zero.
    Log,
    /// A model behind `__vhost_bb_mem_*`.
    Api {
        /// Address of its first byte.
        base: u64,
    },
    /// A model of the testbench's, behind `mb_bb_mem_*`.
    BlackBox(SvMemory),
    /// A model of the host program's.
    Model(Model),
    /// Bytes of this process.
    Static(StaticMem),
    /// HDL arrays, by UVM's backdoor.
    Uvm(Words<UvmArrays>),
    /// HDL arrays, by VPI.
    Vpi(Words<VpiArrays>),
    /// The backend has no way to a memory of this kind. Configuration has none such.
    None(Backend),
}

/// What the backend `log` tells goes under this name.
const TARGET: &str = "vhost::access";

impl Memories {
    /// The memories of `map`; those in this process hold zeros. Memories that name the same HDL
    /// instance (by path, width and depth) share its bytes.
    ///
    /// # Errors
    /// Where this process has no room for a memory that is to be in it.
    pub(crate) fn new(map: Rc<MemoryMap>) -> Result<Self, NoRoom> {
        Self::with_models(map, &mut Models::new())
    }

    /// As [`new`](Self::new), with models for memories of backend `model`. Those that no memory takes are left.
    pub(crate) fn with_models(map: Rc<MemoryMap>, models: &mut Models) -> Result<Self, NoRoom> {
        let mut instances = Instances::default();
        let ways = map
            .numbered()
            .map(|(id, memory)| {
                if memory.backend == Backend::Model {
                    return Ok(model_of(&map, id, memory, models)
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

    /// From now on `flush_static_mems` of this thread means these memories.
    pub(crate) fn register_instances(&self) {
        self.instances.register();
    }

    /// The buffers of a memory of this process, one for each HDL instance.
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

    /// The way to a segment's memory, which has all of the segment.
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

/// Takes the model of a memory: `space.memory` before `memory`.
fn model_of(
    map: &MemoryMap,
    id: MemoryId,
    memory: &Memory,
    models: &mut Models,
) -> Option<Box<dyn MemoryModel>> {
    let space = map.seen_in(id).and_then(|space| map.space(space));
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
    /// `None` where there is no room.
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

    /// Where nothing is kept, however much is filled is one access.
    fn fill(&self, at: &Segment, byte: u8) -> Result<(), AccessError> {
        match self.reach(at)? {
            Way::Log => {
                self.log("fill", at);
                Ok(())
            }
            _ => fill_in_pieces(self, at, byte),
        }
    }

    /// May say so of two memories that each share with a third one only.
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

/// Whether the backend `log` tells of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tell {
    Access,
    Nothing,
}

impl Memories {
    /// Reads, on the path of every tick too.
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

    /// Tells of words that hold unknown bits, unless nobody wants to know: before firmware has set up its mailbox, all do.
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

/// The simulation in which an HDL array was looked up is over.
#[cold]
fn over(path: &str) -> BackendError {
    let cause = "the simulation that has it was deleted: call `mb_shutdown` before a model is deleted, and `mb_init` for the next one";
    BackendError::Hdl {
        path: path.to_owned(),
        cause: HdlProblem::Refused(cause.to_owned()),
    }
}

/// The words of a memory that has some.
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
