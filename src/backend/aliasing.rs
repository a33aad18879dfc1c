//! Memories that share bytes because they refer to the same HDL arrays.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::mem::{Backend, MemoryId, MemoryMap};

/// Aliasing of the bytes of each memory of a map.
#[derive(Debug)]
pub(super) struct Aliases(Vec<Aliasing>);

/// Aliasing of the bytes of one memory.
#[derive(Debug, Clone, Copy, Default)]
struct Aliasing {
    /// True if another memory refers to one of the memory's HDL paths.
    others: bool,
    /// True if the memory refers to an HDL path twice.
    itself: bool,
}

impl Aliases {
    /// Compares the HDL paths of all memories.
    pub(super) fn of(map: &MemoryMap) -> Self {
        let mut aliases = vec![Aliasing::default(); map.memories.len()];
        let mut owners = HashMap::new();
        for (owner, memory) in map.memories.iter().enumerate() {
            let by_rows = match memory.backend {
                Backend::Static => memory.shape.by_rows(),
                _ => Cow::Borrowed(&memory.shape),
            };
            for path in by_rows.instances() {
                match owners.insert(path.to_owned(), owner) {
                    None => {}
                    Some(before) if before == owner => aliases[owner].itself = true,
                    Some(before) => {
                        aliases[before].others = true;
                        aliases[owner].others = true;
                    }
                }
            }
        }
        Self(aliases)
    }

    /// True if the two memories may share bytes, or for one memory, if one byte may have two
    /// offsets. May also be true for two memories that both share bytes with a third one, but not
    /// with each other.
    pub(super) fn may_alias(&self, one: MemoryId, other: MemoryId) -> bool {
        if one == other {
            self.get(one).itself
        } else {
            self.get(one).others && self.get(other).others
        }
    }

    fn get(&self, memory: MemoryId) -> Aliasing {
        let at = usize::try_from(memory.0).ok();
        let found = at.and_then(|at| self.0.get(at));
        found.copied().unwrap_or_default()
    }
}
