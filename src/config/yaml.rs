//! YAML text to a plain tree: aliases copied, merge keys (`<<`) carried out. The rest of configuration sees no YAML syntax.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Mapping, Value};

/// What a document may hold after aliases are copied: one for each scalar, list and map, and one for each byte of text.
/// Thousands of banks fit; a few lines of aliases of aliases, which stand for billions of nodes, do not.
const MAX_SIZE: usize = 4 << 20;

/// The merge key (<https://yaml.org/type/merge.html>).
const MERGE: &str = "<<";

/// A text that is no YAML document, or a larger one than any configuration.
#[derive(Debug, thiserror::Error)]
#[error("not valid YAML: {0}")]
pub struct YamlError(serde_yaml::Error);

/// Parses one document. An empty text is null.
pub(super) fn parse(text: &str) -> Result<Value, YamlError> {
    // A text without aliases is no larger than itself, so this bounds the parser's own work too.
    if text.len() > MAX_SIZE {
        return Err(YamlError(too_large()));
    }
    let left = Cell::new(MAX_SIZE);
    Tree { left: &left }
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .map_err(YamlError)
}

fn too_large<E: de::Error>() -> E {
    E::custom(format_args!(
        "more than {MAX_SIZE} values and bytes of text, each alias counted in full"
    ))
}

/// Builds a tree, merged from the leaves up, while the budget lasts.
#[derive(Clone, Copy)]
struct Tree<'a> {
    left: &'a Cell<usize>,
}

impl Tree<'_> {
    fn pay<E: de::Error>(self, size: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(size).ok_or_else(too_large)?;
        self.left.set(left);
        Ok(())
    }

    fn scalar<E: de::Error>(self, value: impl Into<Value>) -> Result<Value, E> {
        self.pay(1)?;
        Ok(value.into())
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain YAML without tags")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        self.scalar(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        self.scalar(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.pay(value.len())?;
        self.scalar(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.pay(1)?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        self.pay(1)?;
        let mut entries = Mapping::new();
        while let Some(key) = map.next_key_seed(self)? {
            let Value::String(name) = &key else {
                return Err(de::Error::custom(
                    "a key that is not text; write it in quotes",
                ));
            };
            if entries.contains_key(name) {
                return Err(de::Error::custom(format_args!(
                    "the key `{name}` stands twice in one map"
                )));
            }
            let value = map.next_value_seed(self)?;
            entries.insert(key, value);
        }
        merge(entries).map(Value::Mapping)
    }
}

/// Adds what the merge key offers for the keys that the map does not have: of one map, or of a list of maps, where earlier
/// ones come first. Maps that are offered are merged already, since trees are built from the leaves up.
fn merge<E: de::Error>(mut entries: Mapping) -> Result<Mapping, E> {
    let offered = match entries.shift_remove(MERGE) {
        None => return Ok(entries),
        Some(Value::Sequence(maps)) => maps,
        Some(map) => vec![map],
    };
    for map in offered {
        let Value::Mapping(map) = map else {
            return Err(E::custom(
                "`<<` merges a map or a list of maps, and this is neither",
            ));
        };
        for (key, value) in map {
            entries.entry(key).or_insert(value);
        }
    }
    Ok(entries)
}
