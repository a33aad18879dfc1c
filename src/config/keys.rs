//! Keys that a map may have. Another spelling of a known one is a mistake, as is a key that is close to one that is absent; any other one is
//! somebody else's.

use serde_yaml::{Mapping, Value};

use super::error::KeyProblem;
use super::yaml::is_digits;

/// The known keys of a map, and of the maps below them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    /// The keys.
    pub(super) known: &'static [&'static str],
    /// Those of them that most maps have.
    pub(super) essential: &'static [&'static str],
    /// Those of them that hold maps of known keys.
    pub(super) nested: &'static [(&'static str, &'static [&'static str])],
}

impl Keys {
    /// Removes unknown keys from a map, and gives them, dotted where they are nested.
    ///
    /// # Errors
    /// A near miss of a known key, or a part of a number.
    pub(super) fn take_unknown(&self, value: &mut Value) -> Result<Vec<String>, KeyProblem> {
        let Value::Mapping(map) = value else {
            return Ok(Vec::new());
        };
        let mut unknown = take(map, self.known, self.essential, "")?;
        for (key, known) in self.nested {
            if let Some(Value::Mapping(map)) = map.get_mut(*key) {
                unknown.extend(take(map, known, known, &format!("{key}."))?);
            }
        }
        Ok(unknown)
    }
}

fn take(
    map: &mut Mapping,
    known: &[&'static str],
    essential: &[&str],
    prefix: &str,
) -> Result<Vec<String>, KeyProblem> {
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
            return Err(KeyProblem::NoBlank {
                key: format!("{prefix}{key}"),
                meant,
            });
        }
        if is_digits(key) {
            let key = format!("{prefix}{key}");
            return Err(KeyProblem::Digits { key });
        }
        if let Some(meant) = known.iter().find(|meant| is_spelling_of(key, meant)) {
            let key = format!("{prefix}{key}");
            return Err(match absent.contains(meant) {
                true => KeyProblem::NearMiss { key, meant },
                false => KeyProblem::Twice { key, meant },
            });
        }
        if let Some(meant) = near_miss(key, &absent, essential) {
            return Err(KeyProblem::NearMiss {
                key: format!("{prefix}{key}"),
                meant,
            });
        }
        unknown.push(key.to_owned());
    }
    for key in &unknown {
        map.shift_remove(key.as_str());
    }
    Ok(unknown
        .into_iter()
        .map(|key| format!("{prefix}{key}"))
        .collect())
}

/// A key in lower case, and without separators.
fn plain(key: &str) -> String {
    key.to_lowercase().replace(['_', '-', ' '], "")
}

/// True for a key that differs from a known one in case, in separators, or by one swap of neighbours: it is meant, also where the known
/// one is there.
fn is_spelling_of(key: &str, known: &str) -> bool {
    // No long key is one.
    if key.len() > MOST_CHARACTERS {
        return false;
    }
    let (key, known) = (plain(key), plain(known));
    distance(&key, &known, |_| Edits::Swap).is_some()
}

/// Length of a key that is compared. The distance is quadratic in it, and no long key is near a short one.
const MOST_CHARACTERS: usize = 32;

/// The key, of those that are absent, that `key` is a misspelling of: other case or separators, or a few edits.
fn near_miss(key: &str, absent: &[&'static str], essential: &[&str]) -> Option<&'static str> {
    let key = plain(key);
    if key.len() > MOST_CHARACTERS {
        return None;
    }
    let distances = absent.iter().map(|other| {
        let most = |len| edits(len, essential.contains(other));
        (distance(&key, &plain(other), most), *other)
    });
    distances
        .filter_map(|(distance, other)| Some((distance?, other)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// Edits of a misspelling of this length, at most. Short words of any kind are near one another (`unit` and `init`); the absence of an
/// essential key is one more reason to take a word for it.
fn edits(len: usize, essential: bool) -> Edits {
    match (len, essential) {
        (0..4, false) => Edits::Swap,
        (4..6, false) => Edits::OneButReplaced,
        (6..8, false) | (0..5, true) => Edits::Some(1),
        _ => Edits::Some(2),
    }
}

/// Edits that a misspelling may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edits {
    /// Two neighbours swapped.
    Swap,
    /// One character too many or missing, or two neighbours swapped; none replaced.
    OneButReplaced,
    /// So many of any kind.
    Some(usize),
}

/// Edits from one word to the other, unless they are more than `most` says for the length of the shorter one.
fn distance(one: &str, other: &str, most: impl Fn(usize) -> Edits) -> Option<usize> {
    let edits = strsim::damerau_levenshtein(one, other);
    let same_length = one.len() == other.len();
    let swap = || same_length && strsim::levenshtein(one, other) == 2;
    let is = match most(one.len().min(other.len())) {
        _ if edits == 0 => true,
        Edits::Swap => edits == 1 && swap(),
        Edits::OneButReplaced => edits == 1 && (!same_length || swap()),
        Edits::Some(most) => edits <= most,
    };
    is.then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::super::raw::{CHANNEL_KEYS, MEMORY_KEYS};
    use super::*;

    fn miss(key: &str, keys: &Keys) -> Option<&'static str> {
        near_miss(key, keys.known, keys.essential)
    }

    #[test]
    fn misspelled_keys_are_told_from_others() {
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

    fn taken(keys: &Keys, near: &str) -> Result<Vec<String>, KeyProblem> {
        let entries = keys.known.iter().copied().chain([near]);
        let mut map: Mapping = entries.map(|key| (Value::from(key), Value::Null)).collect();
        take(&mut map, keys.known, keys.essential, "")
    }

    /// Of a map that has every key, no other key is a misspelling but another spelling of one, however near it is.
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
