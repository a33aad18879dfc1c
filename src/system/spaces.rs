//! The built memories, as a host program sees them.

use std::fmt;

use super::Vhost;
use crate::foreign::Memories;
use crate::mem::{Buffer, Memory, MemoryId, MemoryMap, Space};
use crate::sim::strand;

/// The spaces of a system, by name.
#[derive(Clone, Copy)]
pub struct Spaces<'a> {
    map: &'a MemoryMap,
    memories: &'a Memories,
    /// The system moves between threads, which buffers must not be shared with.
    moves: bool,
}

/// A space of a system.
#[derive(Debug, Clone, Copy)]
pub struct SpaceView<'a> {
    spaces: Spaces<'a>,
    space: &'a Space,
}

/// A memory of a system.
#[derive(Debug, Clone, Copy)]
pub struct MemoryView<'a> {
    /// Its description.
    pub memory: &'a Memory,
    /// Its bytes, where the memory is in this process: one buffer for each HDL instance, so one for a direct memory, and for a
    /// banked one as many as there are banks, row by row; each row of an array counts. Empty in the system of the C ABI, which
    /// moves between threads: there, a memory that the host program shares is one of its own.
    pub buffers: &'a [Buffer],
}

impl<'a> Spaces<'a> {
    pub(super) fn new(map: &'a MemoryMap, memories: &'a Memories) -> Self {
        Self {
            map,
            memories,
            moves: strand::is_entered(),
        }
    }

    /// The space of this name.
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
    /// Its name.
    pub fn name(self) -> &'a str {
        &self.space.name
    }

    /// The memory of this name.
    pub fn get(self, name: &str) -> Option<MemoryView<'a>> {
        self.iter().find(|view| view.memory.name == name)
    }

    /// Its memories, in ascending order of base.
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
    /// The memories of the system.
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
