//! Unknown keys of a map. Another spelling of a known key is an error, and so is a near miss of a
//! known key that is absent. Any other unknown key is taken for one of another tool, or of another
//! level.

use serde_yaml::{Mapping, Value};

use super::diagnostic::KeyHint;
use super::error::KeyProblem;
use super::yaml::is_digits;

/// Known keys of a map, and of the maps nested in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    /// Keys of the map.
    pub(super) known: &'static [&'static str],
    /// Known keys that most maps contain.
    pub(super) essential: &'static [&'static str],
    /// Known keys that hold maps, with the keys of those maps.
    pub(super) nested: &'static [(&'static str, &'static [&'static str])],
    /// Keys of the maps in the other configuration file, and a description of those maps.
    pub(super) elsewhere: (&'static [&'static str], &'static str),
}

/// An unknown key in a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unknown {
    /// The key, dotted if nested.
    pub(super) key: String,
    /// Probable meaning of the key.
    pub(super) hint: KeyHint,
}

impl Keys {
    /// Removes unknown keys from a map and returns them.
    ///
    /// # Errors
    /// A near miss of a known key, or digits of a number with a comma.
    pub(super) fn take_unknown(&self, value: &mut Value) -> Result<Vec<Unknown>, KeyProblem> {
        let Value::Mapping(map) = value else {
            return Ok(Vec::new());
        };
        let mut unknown = self.take(map, None)?;
        for (key, known) in self.nested {
            if let Some(Value::Mapping(map)) = map.get_mut(*key) {
                unknown.extend(self.take(map, Some((key, known)))?);
            }
        }
        Ok(unknown)
    }

    /// Removes unknown keys from one map: the outer one, or a nested one with the given name and
    /// keys.
    fn take(
        &self,
        map: &mut Mapping,
        nested: Option<(&'static str, &'static [&'static str])>,
    ) -> Result<Vec<Unknown>, KeyProblem> {
        let (known, essential) =
            nested.map_or((self.known, self.essential), |(_, keys)| (keys, keys));
        let dotted = |key: &str| match nested {
            Some((name, _)) => format!("{name}.{key}"),
            None => key.to_owned(),
        };
        let absent: Vec<&'static str> = known
            .iter()
            .copied()
            .filter(|key| !map.contains_key(key))
            .collect();
        let mut unknown = Vec::new();
        for key in map.keys().filter_map(Value::as_str) {
            if known.contains(&key) {
                continue;
            }
            let word = key.split_once(':').map(|(word, _)| word);
            if let Some(meant) = absent.iter().find(|meant| Some(**meant) == word) {
                let key = dotted(key);
                return Err(KeyProblem::NoBlank { key, meant });
            }
            if is_digits(key) {
                return Err(KeyProblem::Digits { key: dotted(key) });
            }
            if let Some(meant) = known.iter().find(|meant| is_spelling_of(key, meant)) {
                let key = dotted(key);
                return Err(match absent.contains(meant) {
                    true => KeyProblem::NearMiss { key, meant },
                    false => KeyProblem::Twice { key, meant },
                });
            }
            let misplaced = self.other_place(key, nested.map(|(name, _)| name));
            if misplaced.is_none()
                && let Some(meant) = near_miss(key, &absent, essential)
            {
                let key = dotted(key);
                return Err(KeyProblem::NearMiss { key, meant });
            }
            let hint = misplaced.or_else(|| near(key, known, &absent));
            unknown.push((key.to_owned(), hint.unwrap_or(KeyHint::None)));
        }
        for (key, _) in &unknown {
            map.shift_remove(key.as_str());
        }
        let unknown = unknown.into_iter();
        Ok(unknown
            .map(|(key, hint)| Unknown {
                key: dotted(&key),
                hint,
            })
            .collect())
    }

    /// Correct place of a key that is known, but not in this map.
    fn other_place(&self, key: &str, here: Option<&'static str>) -> Option<KeyHint> {
        if let Some(map) = here
            && self.known.contains(&key)
        {
            return Some(KeyHint::FurtherProtocols { map });
        }
        let inside = self.nested.iter().find(|(_, keys)| keys.contains(&key));
        if let Some((map, _)) = inside {
            return Some(KeyHint::Inside { map });
        }
        let (keys, of) = self.elsewhere;
        keys.contains(&key).then_some(KeyHint::Of { what: of })
    }
}

/// Normalises a key: lower case, no separators.
fn plain(key: &str) -> String {
    key.to_lowercase().replace(['_', '-', ' '], "")
}

/// True if a key differs from a known one only in case, separators, or one swap of adjacent
/// letters. Such a key is an error even if the known one is present.
fn is_spelling_of(key: &str, known: &str) -> bool {
    // A long key can't be a spelling of a known one.
    if key.len() > MAX_CHARACTERS {
        return false;
    }
    let (key, known) = (plain(key), plain(known));
    distance(&key, &known, |_| Edits::Swap).is_some()
}

/// Maximum length of compared keys. The edit distance takes quadratic time, and long keys are not
/// similar to short ones.
const MAX_CHARACTERS: usize = 32;

/// Keys of other tools for a memory or a core that differ from one of ours by one letter.
const FOREIGN: &[&str] = &["int"];

/// Absent key of which `key` is a misspelling: other case or separators, or a few edits.
fn near_miss(key: &str, absent: &[&'static str], essential: &[&str]) -> Option<&'static str> {
    let key = plain(key);
    if FOREIGN.contains(&&*key) {
        return None;
    }
    nearest(&key, absent, |len, other| {
        edits(len, essential.contains(&other))
    })
}

/// Known key that resembles an unknown one. The unknown key may also be another tool's.
fn near(key: &str, known: &[&'static str], absent: &[&'static str]) -> Option<KeyHint> {
    let key = plain(key);
    let one = |len, _: &str| match len {
        0..2 => Edits::Swap,
        _ => Edits::Some(1),
    };
    if let Some(meant) = nearest(&key, absent, one) {
        return Some(KeyHint::Near { meant });
    }
    let meant = nearest(&key, known, one)?;
    Some(KeyHint::NearGiven { meant })
}

/// Nearest of these keys within the allowed edits. `most` gives the limit for the length of the
/// shorter word and the other key.
fn nearest(
    key: &str,
    keys: &[&'static str],
    most: impl Fn(usize, &str) -> Edits,
) -> Option<&'static str> {
    if key.len() > MAX_CHARACTERS {
        return None;
    }
    let distances = keys.iter().map(|other| {
        let most = |len| most(len, other);
        (distance(key, &plain(other), most), *other)
    });
    distances
        .filter_map(|(distance, other)| Some((distance?, other)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// Maximum edits of a misspelling with this length. Short words resemble each other by chance
/// (`unit` and `init`). A misspelling of an essential key that is absent is more likely.
fn edits(len: usize, essential: bool) -> Edits {
    match (len, essential) {
        (0..4, false) => Edits::Slip,
        (4..6, false) => Edits::OneButReplaced,
        (6..8, false) | (0..5, true) => Edits::Some(1),
        _ => Edits::Some(2),
    }
}

/// Limit of the edits of a misspelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edits {
    /// One swap of two adjacent letters.
    Swap,
    /// One swap of two adjacent letters, a doubled letter, or a missing letter in a key of at least
    /// four.
    Slip,
    /// One added or missing letter, or one swap of two adjacent letters, but no replacement.
    OneButReplaced,
    /// This number of edits of any kind.
    Some(usize),
}

/// Number of edits between two words; `None` beyond the limit that `most` sets for the length of
/// the shorter one.
fn distance(one: &str, other: &str, most: impl Fn(usize) -> Edits) -> Option<usize> {
    let edits = strsim::damerau_levenshtein(one, other);
    let same_length = one.len() == other.len();
    let swap = || same_length && strsim::levenshtein(one, other) == 2;
    let is = match most(one.len().min(other.len())) {
        _ if edits == 0 => true,
        Edits::Swap => edits == 1 && swap(),
        Edits::Slip => edits == 1 && (swap() || is_dropped(one, other) || is_doubled(one, other)),
        Edits::OneButReplaced => edits == 1 && (!same_length || swap()),
        Edits::Some(most) => edits <= most,
    };
    is.then_some(edits)
}

/// True if a word one edit away from a known key lacks one of its letters.
fn is_dropped(word: &str, known: &str) -> bool {
    known.len() >= 4 && word.len() < known.len()
}

/// True if a word is a known key with one letter doubled.
fn is_doubled(word: &str, known: &str) -> bool {
    let twice = |(at, letter): (usize, char)| {
        let (before, after) = word.split_at(at + letter.len_utf8());
        after.starts_with(letter) && known == format!("{before}{}", &after[letter.len_utf8()..])
    };
    word.char_indices().any(twice)
}

#[cfg(test)]
mod tests {
    use super::super::schema::{CHANNEL_KEYS, MEMORY_KEYS};
    use super::*;

    fn miss(key: &str, keys: &Keys) -> Option<&'static str> {
        near_miss(key, keys.known, keys.essential)
    }

    #[test]
    fn misspelled_keys_are_distinguished_from_others() {
        let misses = [
            ("bsae", "base"),
            ("Size", "size"),
            ("sise", "size"),
            ("witdh", "width"),
            ("wodth", "width"),
            ("widths", "width"),
            ("paht", "path"),
            ("arraydims", "array_dims"),
            ("array-dims", "array_dims"),
            ("bank_widht", "bank_width"),
            ("bank", "banks"),
            ("backed", "backend"),
            ("pth", "path"),
            ("pat", "path"),
            ("paath", "path"),
            ("ini", "init"),
            ("nit", "init"),
        ];
        for (key, meant) in misses {
            assert_eq!(miss(key, &MEMORY_KEYS), Some(meant), "{key}");
        }
        for key in [
            "serve",
            "cacheline",
            "cache_lines",
            "mbid",
            "Load",
            "zerobss",
            "prt",
            "spcae",
            "spce",
            "lod",
            "loaad",
            "elff",
            "pttr",
        ] {
            assert!(miss(key, &CHANNEL_KEYS).is_some(), "{key}");
        }
        let others = [
            "id",
            "desc",
            "name",
            "type",
            "comment",
            "description",
            "note",
            "depth",
            "owner",
            "unit",
            "ranks",
            "int",
            "self",
            "lead",
            "node",
            "",
        ];
        for key in others {
            assert_eq!(miss(key, &MEMORY_KEYS), None, "{key}");
            assert_eq!(miss(key, &CHANNEL_KEYS), None, "{key}");
        }
        assert_eq!(miss(&"base".repeat(100_000), &MEMORY_KEYS), None);
    }

    /// Unknown keys of a map that contains all known ones.
    fn taken(keys: &Keys, near: &str) -> Result<Vec<String>, KeyProblem> {
        let entries = keys.known.iter().copied().chain([near]);
        let mut map: Mapping = entries.map(|key| (Value::from(key), Value::Null)).collect();
        let unknown = keys.take(&mut map, None)?;
        Ok(unknown.into_iter().map(|unknown| unknown.key).collect())
    }

    /// Unknown keys of a map in YAML.
    fn unknown(keys: &Keys, map: &str) -> Vec<Unknown> {
        let mut map = serde_yaml::from_str(map).unwrap();
        keys.take_unknown(&mut map).unwrap()
    }

    fn hint(keys: &Keys, map: &str) -> (String, KeyHint) {
        let mut unknown = unknown(keys, map);
        assert_eq!(unknown.len(), 1, "{map}");
        let Unknown { key, hint } = unknown.remove(0);
        (key, hint)
    }

    #[test]
    fn an_unknown_key_is_reported_with_a_similar_known_one() {
        let near = |meant| KeyHint::Near { meant };
        let given = |meant| KeyHint::NearGiven { meant };
        for (keys, key, hinted) in [
            (&MEMORY_KEYS, "unit", near("init")),
            (&MEMORY_KEYS, "int", near("init")),
            (&MEMORY_KEYS, "ranks", near("banks")),
            (&MEMORY_KEYS, "sise", given("size")),
            (&MEMORY_KEYS, "widths", given("width")),
            (&MEMORY_KEYS, "desc", KeyHint::None),
            (&MEMORY_KEYS, "a", KeyHint::None),
            (&CHANNEL_KEYS, "lead", near("load")),
            (&CHANNEL_KEYS, "el", near("elf")),
            (&CHANNEL_KEYS, "spce", given("space")),
            (&CHANNEL_KEYS, "irq", KeyHint::None),
        ] {
            let map = format!("{{base: 0, size: 0, width: 8, space: a, {key}: 1}}");
            let is_known = |name: &str| keys.known.contains(&name);
            let unknown = unknown(keys, &map);
            let others = unknown.iter().filter(|it| it.key != key);
            assert!(others.clone().all(|it| !is_known(&it.key)), "{key}");
            let found = unknown.iter().find(|it| it.key == key).unwrap();
            assert_eq!(found.hint, hinted, "{key}");
        }
    }

    /// Puts each key of a map into each other map.
    #[test]
    fn a_key_at_the_wrong_level_is_reported_with_the_right_one() {
        for (map, keys) in MEMORY_KEYS.nested {
            for key in *keys {
                let beside = hint(&MEMORY_KEYS, &format!("{{{key}: 1}}"));
                assert_eq!(beside, (key.to_string(), KeyHint::Inside { map }));
                for (other, _) in MEMORY_KEYS.nested.iter().filter(|(name, _)| name != map) {
                    let wrong = hint(&MEMORY_KEYS, &format!("{{{other}: {{{key}: 1}}}}"));
                    assert_eq!(wrong, (format!("{other}.{key}"), KeyHint::Inside { map }));
                }
            }
            for key in MEMORY_KEYS.known {
                let inside = hint(&MEMORY_KEYS, &format!("{{{map}: {{{key}: 1}}}}"));
                assert_eq!(
                    inside,
                    (format!("{map}.{key}"), KeyHint::FurtherProtocols { map })
                );
            }
        }
        for (keys, others, what) in [
            (MEMORY_KEYS, CHANNEL_KEYS, "a channel, in the mailbox file"),
            (CHANNEL_KEYS, MEMORY_KEYS, "a memory, in the memory file"),
        ] {
            let is_nested = |key: &&str| keys.nested.iter().any(|(_, nested)| nested.contains(key));
            let others = others.known.iter();
            let others = others.filter(|key| !keys.known.contains(key) && !is_nested(key));
            for key in others {
                let found = hint(&keys, &format!("{{{key}: 1}}"));
                assert_eq!(found, (key.to_string(), KeyHint::Of { what }));
            }
        }
    }

    /// In a map with all keys, only another spelling of a key counts as a misspelling, even for
    /// similar keys.
    #[test]
    fn a_key_that_is_there_is_meant_by_another_spelling_alone() {
        for keys in [MEMORY_KEYS, CHANNEL_KEYS] {
            for near in [
                "side", "spare", "sizes", "withd", "banks2", "elfs", "servers",
            ] {
                assert_eq!(taken(&keys, near).unwrap(), [near]);
            }
        }
        for (near, of) in [
            ("Size", "size"),
            ("BASE", "base"),
            ("widht", "width"),
            ("iwdth", "width"),
            ("arrayDims", "array_dims"),
            ("bank-width", "bank_width"),
            ("init ", "init"),
        ] {
            let error = taken(&MEMORY_KEYS, near).unwrap_err();
            assert!(
                matches!(error, KeyProblem::Twice { meant, .. } if meant == of),
                "{near}"
            );
        }
        for (near, of) in [
            ("Elf", "elf"),
            ("mbid", "mb_id"),
            ("zerobss", "zero_bss"),
            ("ptr_", "ptr"),
        ] {
            let error = taken(&CHANNEL_KEYS, near).unwrap_err();
            assert!(
                matches!(error, KeyProblem::Twice { meant, .. } if meant == of),
                "{near}"
            );
        }
    }

    #[test]
    fn no_key_is_of_digits_alone() {
        for key in ["0", "024", "000"] {
            let error = taken(&MEMORY_KEYS, key).unwrap_err();
            assert!(matches!(error, KeyProblem::Digits { .. }), "{key}");
        }
    }
}
