//! The built memories, as a host program sees them.

use std::fmt;
use std::rc::Rc;

use super::Vhost;
use crate::foreign::Memories;
use crate::mem::{Buffer, Memory, MemoryId, MemoryMap, Space};

/// The spaces of a system, by name.
#[derive(Clone)]
pub struct Spaces {
    map: Rc<MemoryMap>,
    memories: Rc<Memories>,
}

/// A space of a system.
#[derive(Debug, Clone)]
pub struct SpaceView<'a> {
    spaces: &'a Spaces,
    space: &'a Space,
}

/// A memory of a system.
#[derive(Debug, Clone)]
pub struct MemoryView<'a> {
    /// What it is.
    pub memory: &'a Memory,
    /// Where its bytes are, where the memory is in this process: one buffer for each HDL instance, so one
    /// for a direct memory, and for a banked one as many as there are banks, row by row; each row of an array counts.
    pub buffers: &'a [Buffer],
}

impl Spaces {
    pub(super) fn new(map: Rc<MemoryMap>, memories: Rc<Memories>) -> Self {
        Self { map, memories }
    }

    /// The space of this name.
    pub fn get(&self, name: &str) -> Option<SpaceView<'_>> {
        self.iter().find(|view| view.space.name == name)
    }

    /// All spaces, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = SpaceView<'_>> {
        self.map.spaces.iter().map(|space| SpaceView {
            spaces: self,
            space,
        })
    }
}

impl<'a> SpaceView<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        &self.space.name
    }

    /// The memory of this name.
    pub fn get(&self, name: &str) -> Option<MemoryView<'a>> {
        self.iter().find(|view| view.memory.name == name)
    }

    /// Its memories, in ascending order of base.
    pub fn iter(&self) -> impl Iterator<Item = MemoryView<'a>> {
        let spaces = self.spaces;
        self.space.memories().iter().filter_map(|id: &MemoryId| {
            let memory = spaces.map.memory(*id)?;
            Some(MemoryView {
                memory,
                buffers: spaces.memories.buffers(*id),
            })
        })
    }
}

impl Vhost {
    /// The memories of the system.
    pub fn spaces(&self) -> Spaces {
        Spaces::new(self.0.map.clone(), self.0.memories.clone())
    }
}

impl fmt::Debug for Spaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.map.spaces.iter().map(|space| &space.name))
            .finish()
    }
}
