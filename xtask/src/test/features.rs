//! Sets of features, and features that exclude each other.

use std::iter;

use super::steps::{WORKSPACE, test};
use crate::step::{Case, Expect, Runs};

/// Features that exclude each other: the compiler rejects two of one row.
const BACKENDS: [&str; 4] = ["mem_uvm", "mem_api", "mem_static", "mem_vpi"];
const POINTERS: [&str; 2] = ["ptr32", "ptr64"];
const CACHE_LINES: [&str; 4] = [
    "cache_line_32",
    "cache_line_64",
    "cache_line_128",
    "cache_line_256",
];

/// Features whose defaults all differ from those of a build without features.
pub(super) const OTHER_DEFAULTS: &str = "mem_uvm,ptr64,cache_line_128";

/// Feature sets with every feature once.
pub(super) const EACH_FEATURE: [&str; 4] = [
    "mem_uvm,ptr32,cache_line_32",
    "mem_api,ptr64,cache_line_64",
    "mem_static,cache_line_128",
    "mem_vpi,ptr64,cache_line_256",
];

/// Command that checks each combination of a backend or none with a pointer width or none.
pub(super) fn feature_sets() -> String {
    let [backends, pointers] = [BACKENDS.join(","), POINTERS.join(",")];
    format!(
        "target/venv/bin/cargo-hack hack check -p vhost --feature-powerset \
         --include-features {backends},{pointers} --mutually-exclusive-features {backends} \
         --mutually-exclusive-features {pointers}"
    )
}

/// Tests of the defaults that a feature chooses. Features affect `config` only;
/// `tests/architecture` checks that. In the quick run nothing else has a default from a feature.
pub(super) fn test_defaults(features: &str) -> String {
    test(&format!("-p vhost --features {features} --lib config::"))
}

/// Groups of features that exclude each other.
const GROUPS: [&[&str]; 3] = [&BACKENDS, &POINTERS, &CACHE_LINES];

/// Commands that check exclusion: two features of a group must not compile, and the error must name
/// both. The full run tests each pair by itself, the quick run all features at once, with one error
/// per pair. Dependencies are those of the lints.
pub(super) fn exclusions() -> Vec<Case> {
    let check = |features: &[&str], pairs: Vec<Vec<String>>, runs| {
        let features: Vec<String> = features
            .iter()
            .map(|name| format!("vhost/{name}"))
            .collect();
        let command = format!("cargo clippy {WORKSPACE} --features {}", features.join(","));
        Case::new(command, Expect::Refusal(pairs), runs)
    };
    let words = |pair: [&str; 2]| pair.map(String::from).to_vec();
    let all = check(&GROUPS.concat(), pairs().map(words).collect(), Runs::Quick);
    let each = pairs().map(|pair| check(&pair, vec![words(pair)], Runs::Full));
    iter::once(all).chain(each).collect()
}

/// Pairs of features within each group.
fn pairs() -> impl Iterator<Item = [&'static str; 2]> {
    GROUPS.into_iter().flat_map(|group| {
        (1..group.len())
            .flat_map(move |second| (0..second).map(move |first| [group[first], group[second]]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_a_group_is_refused() {
        assert_eq!(pairs().count(), 6 + 1 + 6);
        let for_run = |runs| {
            exclusions()
                .into_iter()
                .filter(move |case| case.runs == runs)
        };
        assert_eq!(for_run(Runs::Full).count(), 13);
        let mut quick = for_run(Runs::Quick).map(|case| case.expect);
        assert!(matches!(quick.next(), Some(Expect::Refusal(pairs)) if pairs.len() == 13));
    }

    #[test]
    fn every_feature_is_in_a_set() {
        let sets = EACH_FEATURE.join(",");
        for feature in BACKENDS.iter().chain(&POINTERS).chain(&CACHE_LINES) {
            assert!(
                sets.split(',').any(|name| name == *feature),
                "{feature} is not"
            );
        }
    }
}
