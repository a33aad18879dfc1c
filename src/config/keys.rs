//! Keys that a map may have. A key that is close to a known one is a mistake, any other one is somebody else's.

use serde_yaml::{Mapping, Value};

use super::error::KeyProblem;

/// The known keys of a map, and of the maps below them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    /// The keys.
    pub(super) known: &'static [&'static str],
    /// Those of them that hold maps of known keys.
    pub(super) nested: &'static [(&'static str, &'static [&'static str])],
}

impl Keys {
    /// Removes unknown keys from a map, and gives them, dotted where they are nested.
    ///
    /// # Errors
    /// Where one is a near miss of a known key.
    pub(super) fn take_unknown(&self, value: &mut Value) -> Result<Vec<String>, KeyProblem> {
        let Value::Mapping(map) = value else {
            return Ok(Vec::new());
        };
        let mut unknown = take(map, self.known, "")?;
        for (key, known) in self.nested {
            if let Some(Value::Mapping(map)) = map.get_mut(*key) {
                unknown.extend(take(map, known, &format!("{key}."))?);
            }
        }
        Ok(unknown)
    }
}

fn take(
    map: &mut Mapping,
    known: &[&'static str],
    prefix: &str,
) -> Result<Vec<String>, KeyProblem> {
    let mut unknown = Vec::new();
    for key in map.keys().filter_map(Value::as_str) {
        if known.contains(&key) {
            continue;
        }
        if let Some(meant) = near_miss(key, known) {
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

/// The known key that `key` is a misspelling of: other case or separators, or an edit or two.
fn near_miss(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
    let key = plain(key);
    // The distance is quadratic in the length, and no long key is near a short one.
    if key.len() > 32 {
        return None;
    }
    let distances = known.iter().map(|other| {
        let other_plain = plain(other);
        let most = if key.len().min(other_plain.len()) > 4 {
            2
        } else {
            1
        };
        (
            strsim::damerau_levenshtein(&key, &other_plain),
            most,
            *other,
        )
    });
    distances
        .filter(|(distance, most, _)| distance <= most)
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., other)| other)
}

#[cfg(test)]
mod tests {
    use super::super::raw::{CHANNEL_KEYS, MEMORY_KEYS};
    use super::*;

    #[test]
    fn misspelled_keys_are_told_from_others() {
        let misses = [
            ("bsae", "base"),
            ("Size", "size"),
            ("arraydims", "array_dims"),
            ("array-dims", "array_dims"),
            ("bank_widht", "bank_width"),
            ("bank", "banks"),
            ("backed", "backend"),
        ];
        for (key, meant) in misses {
            assert_eq!(near_miss(key, MEMORY_KEYS.known), Some(meant), "{key}");
        }
        for key in [
            "serve",
            "cacheline",
            "cache_lines",
            "mbid",
            "Load",
            "zerobss",
        ] {
            assert!(near_miss(key, CHANNEL_KEYS.known).is_some(), "{key}");
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
            "",
        ];
        for key in others {
            assert_eq!(near_miss(key, MEMORY_KEYS.known), None, "{key}");
            assert_eq!(near_miss(key, CHANNEL_KEYS.known), None, "{key}");
        }
        assert_eq!(near_miss(&"base".repeat(100_000), MEMORY_KEYS.known), None);
    }
}
