//! Line numbers of values for messages, found by parsing the rejected text again.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::yaml::MERGE;

/// Line, from 1, of the value at `path`, key by key. Lists on the way are searched. A value from a
/// merge key (`<<`) has the line of its text in the merged map.
pub(super) fn line(text: &str, path: &[&str]) -> Option<usize> {
    [false, true].into_iter().find_map(|merged| {
        let found = Cell::new(false);
        let seek = Seek {
            path,
            merged,
            found: &found,
        };
        let sought = seek.deserialize(serde_yaml::Deserializer::from_str(text));
        let place = sought.err().and_then(|error| error.location());
        place.filter(|_| found.get()).map(|place| place.line())
    })
}

/// Search below one value.
#[derive(Clone, Copy)]
struct Seek<'a> {
    path: &'a [&'a str],
    /// True if merged maps are also searched.
    merged: bool,
    /// Set when the search has found the value. The search then ends with an error, because the
    /// parser gives a line only for errors.
    found: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Defines the visits of scalars: the value is found at the end of the path, and a mismatch before
/// it.
macro_rules! scalars {
    ($($visit:ident: $type:ty),*) => {$(
        fn $visit<E: serde::de::Error>(self, _: $type) -> Result<(), E> {
            self.arrive()
        }
    )*};
}

impl Seek<'_> {
    fn arrive<E: serde::de::Error>(self) -> Result<(), E> {
        match self.path {
            [] => {
                self.found.set(true);
                Err(E::custom("found"))
            }
            _ => Ok(()),
        }
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128, visit_f64: f64, visit_str: &str);

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.arrive()
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        self.arrive()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.arrive()?;
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((wanted, below)) = self.path.split_first() else {
            return self.arrive();
        };
        while let Some(key) = entries.next_key::<serde_yaml::Value>()? {
            match key.as_str() {
                Some(key) if key == *wanted => entries.next_value_seed(Seek {
                    path: below,
                    ..self
                })?,
                Some(MERGE) if self.merged => entries.next_value_seed(self)?,
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
common: &common
  size: 16
  init:
    method: random
space:
  s:
    - rom: {base: 0, size: 8}
    - [ram, {'ram': {base: 16,
        size: 1e3}}]
    - sram:
        <<: *common
        width:
        banks: [[a]]
";

    #[test]
    fn values_are_found_by_their_keys() {
        let cases: &[(&[&str], usize)] = &[
            (&["space", "s", "rom"], 7),
            (&["space", "s", "rom", "size"], 7),
            (&["space", "s", "ram"], 8),
            (&["space", "s", "ram", "size"], 9),
            (&["space", "s", "sram", "banks"], 13),
            (&["space", "s", "sram", "size"], 2),
            (&["space", "s", "sram", "init", "method"], 4),
        ];
        for (path, number) in cases {
            assert_eq!(line(TEXT, path), Some(*number), "{path:?}");
        }
        let absent: &[&[&str]] = &[
            &["space", "t"],
            &["space", "s", "rom", "width"],
            &["shared"],
            &["space", "s", "rom", "size", "unit"],
        ];
        for path in absent {
            assert_eq!(line(TEXT, path), None, "{path:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_yaml_has_no_lines() {
        assert_eq!(line("a: [", &["b"]), None);
        assert_eq!(line("", &["a"]), None);
    }
}
