//! Conversion of YAML text to a plain tree, with aliases copied and merge keys (`<<`) applied. No
//! other module depends on YAML syntax.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Mapping, Value};

use super::text::{self, TextError};

/// Maximum size of a document in bytes: its text, and [`NODE`] for each value, with each alias
/// counted in full. The limit allows thousands of banks. It rejects a few lines of nested aliases
/// that expand to billions of values.
const MAX_SIZE: usize = 4 << 20;

/// Size of each scalar, list and map, in addition to its text.
const NODE: usize = 16;

/// The merge key (<https://yaml.org/type/merge.html>).
pub(super) const MERGE: &str = "<<";

/// Text that is not a plain YAML document of reasonable size.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// Text that is not YAML, with the parser's message.
    #[error("not valid YAML: {0}")]
    Invalid(serde_yaml::Error),
    /// Text that is not YAML, in a line with a variable in braces.
    #[error(
        "not valid YAML: {0}; quote a value with a variable inside of braces or brackets: \"${{NAME}}\""
    )]
    Unquoted(serde_yaml::Error),
    /// Text that is rejected before parsing.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl YamlError {
    /// Line of the problem, from 1, unless the message contains it.
    pub(super) fn line(&self) -> Option<usize> {
        match self {
            Self::Invalid(_) | Self::Unquoted(_) => None,
            Self::Text(error) => error.line(),
        }
    }
}

/// Parses one document. An empty text yields null.
pub(super) fn parse(text: &str) -> Result<Value, YamlError> {
    text::check(text, MAX_SIZE)?;
    let left = Cell::new(MAX_SIZE);
    let tree = Tree { left: &left }.deserialize(serde_yaml::Deserializer::from_str(text));
    tree.map_err(|error| match has_variable(text, &error) {
        true => YamlError::Unquoted(error),
        false => YamlError::Invalid(error),
    })
}

/// True if the line of an error has a variable in braces, which are those of a map for YAML.
fn has_variable(text: &str, error: &serde_yaml::Error) -> bool {
    let line = error.location().map(|place| place.line().saturating_sub(1));
    let line = line.and_then(|line| text.lines().nth(line));
    line.is_some_and(|line| line.contains("${"))
}

fn too_large<E: de::Error>() -> E {
    E::custom(format_args!(
        "larger than {MAX_SIZE} bytes, each alias counted in full"
    ))
}

/// Builds a tree within the size limit. Maps are merged from the leaves up.
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
        self.pay(NODE)?;
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

    /// Keeps the digits as text. A key that takes a number rejects one wider than 64 bits.
    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.pay(value.len())?;
        self.scalar(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.pay(NODE)?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        self.pay(NODE)?;
        let mut entries = Mapping::new();
        while let Some(key) = map.next_key_seed(self)? {
            let Value::String(name) = &key else {
                let key = match &key {
                    Value::Number(number) => {
                        return Err(de::Error::custom(format_args!(
                            "the key `{number}` is not text; write it in quotes, or where it is a part of a number write 1024 or 1_024, and not \
                             1,024"
                        )));
                    }
                    Value::Bool(flag) => format!("the key `{flag}`"),
                    _ => "a key".to_owned(),
                };
                return Err(de::Error::custom(format_args!(
                    "{key} is not text; write it in quotes"
                )));
            };
            if entries.contains_key(name) {
                let digits = match is_digits(name) {
                    true => {
                        "; a number has no comma: write 1000000 or 1_000_000, and not 1,000,000"
                    }
                    false => "",
                };
                return Err(de::Error::custom(format_args!(
                    "the key `{name}` is given twice in one map{digits}"
                )));
            }
            let value = map.next_value_seed(self)?;
            entries.insert(key, value);
        }
        merge(entries).map(Value::Mapping)
    }
}

/// True for a key of digits only, such as the end of a number that contains a comma.
pub(super) fn is_digits(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// Adds the merge key's entries for keys that the map lacks. They come from one map, or from a list
/// of maps in which earlier ones take precedence. Those maps are merged already, because the tree
/// is built from the leaves up.
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
