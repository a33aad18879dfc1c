//! Lookup of spaces by name.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::mem::{MemoryMap, SpaceId};

/// Ids of all spaces of a map, by their names.
pub(in crate::system) struct SpaceNames {
    map: Rc<MemoryMap>,
    ids: HashMap<Box<[u8]>, SpaceId>,
    /// Last result of a lookup, since a testbench uses one space repeatedly.
    latest: Cell<SpaceId>,
}

impl SpaceNames {
    /// Index of a map.
    pub(in crate::system) fn of(map: &Rc<MemoryMap>) -> Self {
        let ids = (0..).map(SpaceId).zip(&map.spaces);
        Self {
            map: map.clone(),
            ids: ids
                .map(|(id, space)| (space.name.as_bytes().into(), id))
                .collect(),
            latest: Cell::new(SpaceId(0)),
        }
    }

    /// Id of the space of this name.
    #[inline]
    pub(in crate::system) fn id(&self, name: &[u8]) -> Option<SpaceId> {
        let latest = self.latest.get();
        match self.map.space(latest) {
            Some(space) if space.name.as_bytes() == name => Some(latest),
            _ => self.look_up(name),
        }
    }

    fn look_up(&self, name: &[u8]) -> Option<SpaceId> {
        let found = self.ids.get(name).copied();
        if let Some(id) = found {
            self.latest.set(id);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mem::Space;

    #[test]
    fn each_space_is_found_by_its_name() {
        let names = ["cpu0", "cpu1", "cpu", "dsp"];
        let space = |name: &&str| Space::new((*name).to_owned(), &[], &[]);
        let map = Rc::new(MemoryMap {
            memories: Vec::new(),
            spaces: names.iter().map(space).collect::<Result<_, _>>().unwrap(),
        });
        let index = SpaceNames::of(&map);
        for _ in 0..2 {
            for (id, name) in (0..).zip(names) {
                assert_eq!(index.id(name.as_bytes()), Some(SpaceId(id)));
                assert_eq!(index.id(name.as_bytes()), Some(SpaceId(id)));
            }
            assert_eq!(index.id(b"cpu2"), None);
            assert_eq!(index.id(b"\xff"), None);
        }
    }
}
