//! View of the built memories for a host program.

use std::fmt;

use crate::backend::Backends;
use crate::mem::{Buffer, Memory, MemoryId, MemoryMap, Space};
use crate::sim::strand;
use crate::system::running::Vhost;

/// Spaces of a system, by name.
#[derive(Clone, Copy)]
pub struct Spaces<'a> {
    map: &'a MemoryMap,
    memories: &'a Backends,
    /// True for a system that moves between threads. Such a system must not share buffers.
    moves: bool,
}

/// Space of a system.
#[derive(Debug, Clone, Copy)]
pub struct SpaceView<'a> {
    spaces: Spaces<'a>,
    space: &'a Space,
}

/// Memory of a system.
#[derive(Debug, Clone, Copy)]
pub struct MemoryView<'a> {
    /// Description of the memory.
    pub memory: &'a Memory,
    /// Bytes of a memory in this process, in one buffer per HDL instance. A direct memory has one
    /// buffer per row of its array; a banked memory has them bank by bank, row by row. Empty in the
    /// system of the C ABI, which moves between threads: there a host program uses a memory model
    /// of its own.
    pub buffers: &'a [Buffer],
}

impl<'a> Spaces<'a> {
    pub(in crate::system) fn new(map: &'a MemoryMap, memories: &'a Backends) -> Self {
        Self {
            map,
            memories,
            moves: strand::is_entered(),
        }
    }

    /// Space of this name.
    pub fn get(self, name: &str) -> Option<SpaceView<'a>> {
        self.iter().find(|view| view.space.name == name)
    }

    /// All spaces, in the order of the configuration.
    pub fn iter(self) -> impl Iterator<Item = SpaceView<'a>> {
        self.map.spaces.iter().map(move |space| SpaceView {
            spaces: self,
            space,
        })
    }
}

impl<'a> SpaceView<'a> {
    /// Space name.
    pub fn name(self) -> &'a str {
        &self.space.name
    }

    /// Memory of this name.
    pub fn get(self, name: &str) -> Option<MemoryView<'a>> {
        self.iter().find(|view| view.memory.name == name)
    }

    /// Memories in ascending order of base.
    pub fn iter(self) -> impl Iterator<Item = MemoryView<'a>> {
        let spaces = self.spaces;
        self.space
            .memories()
            .iter()
            .filter_map(move |id: &MemoryId| {
                let memory = spaces.map.memory(*id)?;
                let buffers = if spaces.moves {
                    &[]
                } else {
                    spaces.memories.buffers(*id)
                };
                Some(MemoryView { memory, buffers })
            })
    }
}

impl Vhost {
    /// Memories of the system.
    pub fn spaces(&self) -> Spaces<'_> {
        Spaces::new(&self.0.map, &self.0.memories)
    }
}

impl fmt::Debug for Spaces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.map.spaces.iter().map(|space| &space.name))
            .finish()
    }
}
