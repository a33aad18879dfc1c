//! The memory configuration: shared memories, and the spaces that see them.

use std::collections::{BTreeMap, HashSet};

use serde_yaml::{Mapping, Value};

use super::error::{ConfigProblem, SpaceProblem};
use super::surroundings::Surroundings;
use super::{memory, raw};
use crate::mem::{Memory, MemoryId, MemoryMap, Space};

/// Believes the tree of a memory configuration. Keys beside `shared` and `space` may hold anchors, and are ignored.
pub(super) fn believe(
    document: Value,
    outside: &dyn Surroundings,
) -> Result<MemoryMap, ConfigProblem> {
    let Value::Mapping(mut document) = document else {
        return Err(form(
            "the document",
            "must be a map with the key `space`, and perhaps `shared`",
        ));
    };
    let mut builder = Builder {
        outside,
        map: MemoryMap::default(),
        shared: BTreeMap::new(),
    };
    builder.read_shared(document.shift_remove("shared"))?;
    let spaces = match document.shift_remove("space") {
        Some(Value::Mapping(spaces)) => spaces,
        Some(_) => {
            return Err(form(
                "`space`",
                "must be a map from names of spaces to lists of memories",
            ));
        }
        None => {
            return Err(form(
                "`space`",
                "is missing; give a map from names of spaces to lists of memories",
            ));
        }
    };
    for (name, memories) in named(spaces) {
        builder.read_space(name, memories)?;
    }
    Ok(builder.map)
}

/// Believes the keys of the memory of this name; `whose` they are is for messages.
pub(super) fn believe_memory(
    name: &str,
    keys: Value,
    outside: &dyn Surroundings,
    whose: impl FnOnce() -> String,
) -> Result<Memory, ConfigProblem> {
    raw::read(keys)
        .map_err(Into::into)
        .and_then(|raw| memory::believe(name, raw, outside))
        .map_err(|problem| ConfigProblem::Memory {
            memory: whose(),
            problem,
        })
}

/// A memory that several spaces may see.
struct Shared {
    memory: Memory,
    /// Its place in the map, from when a space first sees it.
    id: Option<MemoryId>,
}

struct Builder<'a> {
    outside: &'a dyn Surroundings,
    map: MemoryMap,
    shared: BTreeMap<String, Shared>,
}

/// A space while its list is read.
struct Seen {
    name: String,
    memories: Vec<MemoryId>,
    names: HashSet<String>,
}

impl Builder<'_> {
    fn read_shared(&mut self, shared: Option<Value>) -> Result<(), ConfigProblem> {
        let shared = match shared {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Mapping(shared)) => shared,
            Some(_) => return Err(form("`shared`", "must be a map from names to memories")),
        };
        for (name, keys) in named(shared) {
            let whose = || format!("shared memory `{name}`");
            let memory = believe_memory(&name, keys, self.outside, whose)?;
            self.shared.insert(name, Shared { memory, id: None });
        }
        Ok(())
    }

    fn read_space(&mut self, name: String, list: Value) -> Result<(), ConfigProblem> {
        let Value::Sequence(items) = list else {
            return Err(form(
                &format!("`space.{name}`"),
                "must be a list of memories",
            ));
        };
        let mut seen = Seen {
            name,
            memories: Vec::new(),
            names: HashSet::new(),
        };
        for item in items {
            self.read_item(item, &mut seen)?;
        }
        seen.memories
            .sort_by_key(|id| self.map.memory(*id).map(|memory| memory.base));
        match self.overlap(&seen) {
            Some(problem) => Err(ConfigProblem::Space {
                space: seen.name,
                problem,
            }),
            None => {
                self.map.spaces.push(Space {
                    name: seen.name,
                    memories: seen.memories,
                });
                Ok(())
            }
        }
    }

    /// One item of a space's list. The parser bounds how deep lists nest.
    fn read_item(&mut self, item: Value, seen: &mut Seen) -> Result<(), ConfigProblem> {
        match item {
            Value::String(name) => {
                let id = self
                    .share(&name)
                    .map_err(|problem| in_space(seen, problem))?;
                add(seen, name, id)
            }
            Value::Mapping(memories) => {
                for (name, keys) in named(memories) {
                    let whose = || format!("memory `{name}` of space `{}`", seen.name);
                    let memory = believe_memory(&name, keys, self.outside, whose)?;
                    let id = self.push(memory);
                    add(seen, name, id)?;
                }
                Ok(())
            }
            Value::Sequence(items) => items
                .into_iter()
                .try_for_each(|item| self.read_item(item, seen)),
            _ => Err(form(
                &format!("an item of `space.{}`", seen.name),
                "must be the name of a shared memory, a map from names to memories, or a list of these",
            )),
        }
    }

    /// The shared memory of this name: the same one for every space.
    fn share(&mut self, name: &str) -> Result<MemoryId, SpaceProblem> {
        let Some(shared) = self.shared.get(name) else {
            let known_names = self.shared.keys().cloned().collect();
            return Err(SpaceProblem::UnknownShared {
                name: name.to_owned(),
                known_names,
            });
        };
        if let Some(id) = shared.id {
            return Ok(id);
        }
        let id = self.push(shared.memory.clone());
        if let Some(shared) = self.shared.get_mut(name) {
            shared.id = Some(id);
        }
        Ok(id)
    }

    fn push(&mut self, memory: Memory) -> MemoryId {
        // The size of a document bounds its memories far below 2^32.
        let id = MemoryId(u32::try_from(self.map.memories.len()).unwrap_or(u32::MAX));
        self.map.memories.push(memory);
        id
    }

    /// Two memories that share addresses. In order of base, memories that overlap, or lie one within the other, include
    /// two neighbours that do.
    fn overlap(&self, seen: &Seen) -> Option<SpaceProblem> {
        let neighbours = seen.memories.iter().zip(seen.memories.iter().skip(1));
        neighbours
            .filter_map(|(a, b)| Some((self.map.memory(*a)?, self.map.memory(*b)?)))
            .find_map(|(a, b)| {
                (last(a) >= b.base).then(|| SpaceProblem::Overlap {
                    first: a.name.clone(),
                    first_base: a.base,
                    first_end: last(a),
                    second: b.name.clone(),
                    second_base: b.base,
                    second_end: last(b),
                })
            })
    }
}

/// Adds a memory to a space under its name there.
fn add(seen: &mut Seen, name: String, id: MemoryId) -> Result<(), ConfigProblem> {
    if seen.names.insert(name.clone()) {
        seen.memories.push(id);
        Ok(())
    } else {
        Err(in_space(seen, SpaceProblem::SameName { name }))
    }
}

fn in_space(seen: &Seen, problem: SpaceProblem) -> ConfigProblem {
    ConfigProblem::Space {
        space: seen.name.clone(),
        problem,
    }
}

/// Address of the last byte; a believed memory has one.
fn last(memory: &Memory) -> u64 {
    memory.base.saturating_add(memory.size.saturating_sub(1))
}

/// The entries of a map with their names; all keys of a parsed tree are text.
fn named(map: Mapping) -> impl Iterator<Item = (String, Value)> {
    map.into_iter().filter_map(|(key, value)| match key {
        Value::String(name) => Some((name, value)),
        _ => None,
    })
}

fn form(key: &str, wanted: &'static str) -> ConfigProblem {
    ConfigProblem::Form {
        key: key.to_owned(),
        wanted,
    }
}
