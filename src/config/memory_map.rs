//! The memory configuration: shared memories, and the spaces that use them.

use std::collections::{BTreeMap, HashSet};

use serde_yaml::{Mapping, Value};

use super::error::{ConfigProblem, SpaceProblem};
use super::expand::expand_braced;
use super::file_context::FileContext;
use super::key_path::DOCUMENT;
use super::memory_place::MemoryPlace;
use super::{memory, overlaps, schema};
use crate::mem::{Memory, MemoryId, MemoryMap, PartialOverlap, Space};

/// Validates the tree of a memory configuration. Keys other than `shared` and `space` may hold
/// anchors, and are ignored.
pub(super) fn validate(
    document: Value,
    context: FileContext<'_>,
) -> Result<MemoryMap, ConfigProblem> {
    let Value::Mapping(mut document) = document else {
        return Err(form(
            DOCUMENT,
            "must be a map with the key `space`, and perhaps `shared`",
        ));
    };
    let mut builder = Builder {
        context,
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
    for (name, memories) in named(spaces, "a space")? {
        builder.read_space(name, memories)?;
    }
    Ok(builder.map)
}

/// Validates the keys of one memory. `place` describes it in messages.
pub(super) fn validate_memory(
    name: &str,
    keys: Value,
    context: FileContext<'_>,
    place: MemoryPlace,
) -> Result<Memory, ConfigProblem> {
    let validated = schema::read(keys, schema::MEMORY_KEYS, context.outside)
        .map_err(Into::into)
        .and_then(|read| {
            context.warn_of_keys(&place.to_string(), read.unknown);
            memory::validate(name, read.keys, context.outside)
        });
    validated.map_err(|problem| ConfigProblem::Memory {
        memory: place,
        problem,
    })
}

/// A memory that several spaces may use.
struct Shared {
    memory: Memory,
    /// Id in the map; `None` before the first use by a space.
    id: Option<MemoryId>,
}

struct Builder<'a> {
    context: FileContext<'a>,
    map: MemoryMap,
    shared: BTreeMap<String, Shared>,
}

/// A space while its list is read.
struct SpaceBuilder {
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
        for (name, keys) in named(shared, "a shared memory")? {
            let memory =
                validate_memory(&name, keys, self.context, MemoryPlace::Shared(name.clone()))?;
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
        let mut seen = SpaceBuilder {
            name,
            memories: Vec::new(),
            names: HashSet::new(),
        };
        for item in items {
            self.read_item(item, &mut seen)?;
        }
        let space = Space::new(seen.name.clone(), &seen.memories, &self.map.memories);
        let space = space.map_err(|pair| in_space(&seen, self.overlap(pair)))?;
        overlaps::warn(self.context, &self.map, &space, &seen.memories);
        self.map.spaces.push(space);
        Ok(())
    }

    /// Reads one item of a space's list. The parser limits the nesting of lists.
    fn read_item(&mut self, item: Value, seen: &mut SpaceBuilder) -> Result<(), ConfigProblem> {
        match item {
            Value::String(text) => {
                let name = expand_braced(&text, self.context.outside)
                    .map_err(|problem| in_space(seen, SpaceProblem::Expand { text, problem }))?;
                let id = self
                    .share(&name)
                    .map_err(|problem| in_space(seen, problem))?;
                add(seen, name, id)
            }
            Value::Mapping(memories) => {
                for (name, keys) in named(memories, &format!("a memory of space `{}`", seen.name))?
                {
                    let place = MemoryPlace::Of {
                        memory: name.clone(),
                        space: seen.name.clone(),
                    };
                    let memory = validate_memory(&name, keys, self.context, place)?;
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

    /// Looks up the shared memory of this name, which has the same id in all spaces.
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
        // The size limit of a document keeps the number of memories far below 2^32.
        let id = MemoryId(u32::try_from(self.map.memories.len()).unwrap_or(u32::MAX));
        self.map.memories.push(memory);
        id
    }

    fn overlap(&self, pair: PartialOverlap) -> SpaceProblem {
        let place = |id| {
            let memory = self.map.memory(id);
            memory.map_or_else(Default::default, |memory| {
                (memory.name.clone(), memory.base, memory.last())
            })
        };
        let (first, first_base, first_end) = place(pair.first);
        let (second, second_base, second_end) = place(pair.second);
        SpaceProblem::Overlap {
            first,
            first_base,
            first_end,
            second,
            second_base,
            second_end,
        }
    }
}

/// Adds a memory to a space under its name there.
fn add(seen: &mut SpaceBuilder, name: String, id: MemoryId) -> Result<(), ConfigProblem> {
    if seen.names.insert(name.clone()) {
        seen.memories.push(id);
        Ok(())
    } else {
        Err(in_space(seen, SpaceProblem::SameName { name }))
    }
}

fn in_space(seen: &SpaceBuilder, problem: SpaceProblem) -> ConfigProblem {
    ConfigProblem::Space {
        space: seen.name.clone(),
        problem,
    }
}

/// Entries of a map with their names. All keys of a parsed tree are strings. `of` is the
/// description of the entries in messages.
fn named(map: Mapping, of: &str) -> Result<Vec<(String, Value)>, ConfigProblem> {
    let entries = map.into_iter().filter_map(|(key, value)| match key {
        Value::String(name) => Some((name, value)),
        _ => None,
    });
    let entries: Vec<_> = entries.collect();
    match entries.iter().any(|(name, _)| name.trim().is_empty()) {
        true => Err(ConfigProblem::NoName { of: of.to_owned() }),
        false => Ok(entries),
    }
}

fn form(key: &str, wanted: &'static str) -> ConfigProblem {
    ConfigProblem::Form {
        key: key.to_owned(),
        wanted,
    }
}
