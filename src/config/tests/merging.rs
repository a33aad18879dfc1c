//! Aliases and merge keys.

use super::*;

/// Base and size of every memory, by name.
fn sizes(text: &str) -> Vec<(String, u64, u64)> {
    let map = memories(text).unwrap();
    map.memories
        .into_iter()
        .map(|memory| (memory.name, memory.base, memory.size))
        .collect()
}

#[test]
fn merge_keys_work_several_levels_deep() {
    let text = "
anything: &a {base: 0x10, size: 1, backend: log}
else: &b {<<: *a, size: 2}
again: &c {<<: *b, base: 0x30}
space:
  s:
    - a: *a
    - b: {<<: *b, base: 0x20}
    - c: {<<: *c}
    - d: {<<: {<<: *c, base: 0x40}, size: 3}
";
    let wanted = [
        ("a", 0x10, 1),
        ("b", 0x20, 2),
        ("c", 0x30, 2),
        ("d", 0x40, 3),
    ];
    assert_eq!(
        sizes(text),
        wanted.map(|(name, base, size)| (name.to_owned(), base, size))
    );
}

#[test]
fn a_list_of_maps_is_merged_first_come_first() {
    let text = "
one: &one {base: 1, size: 1}
two: &two {base: 2, size: 2, backend: log}
space: {s: [{a: {<<: [*one, *two]}}, {b: {base: 8, <<: [*two, *one]}}]}
";
    assert_eq!(
        sizes(text),
        [("a".to_owned(), 1, 1), ("b".to_owned(), 8, 2)]
    );
}

#[test]
fn whole_lists_and_spaces_may_be_aliases() {
    let text = "
shared: {ram: {base: 0x100, size: 8, backend: log}}
lists: {common: &common [ram, {rom: {base: 0, size: 8, backend: log}}]}
space:
  core0: &core0 [*common]
  core1: *core0
";
    let map = memories(text).unwrap();
    assert_eq!(map.spaces[0].memories().len(), 2);
    assert_eq!(map.memories.len(), 3, "`ram` once, a `rom` for each space");
}

#[test]
fn values_that_cannot_be_merged_are_refused() {
    let error = memories("space: {s: [{a: {<<: ram, base: 0}}]}").unwrap_err();
    assert!(
        error.contains("`<<` merges a map or a list of maps, and this is neither"),
        "{error}"
    );
    assert!(error.contains("line 1"), "{error}");
    let error = memories("space: {s: [{a: {<<: [[{base: 0}]]}}]}").unwrap_err();
    assert!(error.contains("`<<` merges"), "{error}");
}

#[test]
fn keys_stand_once_and_are_text() {
    let error = memories("space: {s: [{a: {base: 0, base: 1, size: 8}}]}").unwrap_err();
    assert!(
        error.contains("the key `base` is given twice in one map"),
        "{error}"
    );
    let error = memories("space: {0: []}").unwrap_err();
    assert!(
        error.contains("the key `0` is not text; write it in quotes"),
        "{error}"
    );
}

#[test]
fn tags_are_refused() {
    let error = memories("space: {s: !memories []}").unwrap_err();
    assert!(error.contains("plain YAML without tags"), "{error}");
}

/// `serde_yaml` 0.9 silently confuses `*a` with `&b` here.
#[test]
fn an_anchor_is_defined_once() {
    let text = "
x: &a {base: 1, size: 1, backend: log} # &a
y: &a {base: 2, size: 1, backend: log}
z: &b {base: 3, size: 1, backend: log}
space: {s: [{m: *a}]}
";
    assert_eq!(
        memories(text).unwrap_err(),
        "mem.yaml: the anchor `&a` is defined twice, the second time in line 3; rename one"
    );
    let commented = text.replace("y: &a", "# y: &a");
    assert_eq!(
        sizes(&commented),
        [("m".to_owned(), 1, 1)],
        "comments define nothing"
    );
    assert_eq!(
        sizes(&text.replace("y: &a", "y: &c")),
        [("m".to_owned(), 1, 1)]
    );
}
