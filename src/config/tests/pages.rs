//! Comparison of the keys in the documentation with the accepted keys.

use std::collections::BTreeSet;

use super::super::schema::{CHANNEL_KEYS, MEMORY_KEYS};

/// Names in backquotes.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_page_on_migrating_has_every_key() {
    let page = include_str!("../../../docs/migrating.md");
    let (_, section) = page.split_once("\n### YAML keys\n").unwrap();
    let (section, _) = section.split_once("\n### ").unwrap();
    let of = |file: &str| -> BTreeSet<&str> {
        let rows = section.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            (cells.next() == Some(file)).then(|| cells.next())?
        });
        rows.flat_map(names).collect()
    };
    for (file, keys) in [("memory", MEMORY_KEYS), ("channel", CHANNEL_KEYS)] {
        let nested = keys.nested.iter().flat_map(|(_, keys)| keys.iter());
        let known = keys.known.iter().chain(nested).copied().collect();
        assert_eq!(of(file), known, "{file}");
    }
    assert_eq!(of("memories, top"), BTreeSet::from(["shared", "space"]));
}

#[test]
fn the_page_on_configuration_has_every_key() {
    let page = include_str!("../../../docs/configuration.md");
    let (memories, channels) = page.split_once("\n## Channels\n").unwrap();
    for key in MEMORY_KEYS.known {
        assert!(memories.contains(&format!("{key}:")), "{key}");
    }
    for key in CHANNEL_KEYS.known {
        assert!(channels.contains(&format!("| `{key}` |")), "{key}");
    }
}
