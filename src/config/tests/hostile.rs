//! Hostile texts, which are accepted or refused in bounded time and memory.

use proptest::prelude::*;

use super::channels::{map, outside};
use super::*;
use crate::mem::{Geometry, Memory};

const MEMORIES: &str = r#"
shared:
  ram: &ram {base: 0x80000000, size: 65536, path: ram, width: 128, array_dims: {rows: 256, cols: 16}, backend: log}
space:
  core0: &core0
    - ilm: {base: 0, size: 4096, backend: api, init: {method: random, seed: 1}}
    - [ram]
  core1:
    - ram2: {<<: *ram, base: 0x90000000}
    - sram: {path: s, base: 0x5000000, size: 64, width: 64, bank_width: 32, bank_depth: 4, backend: log, banks: [[a, b], [c, d]]}
"#;

const MAILBOXES: &str = r#"
core0: &c {space: core0, elf: "${FW}", mb_id: 0, load: "${YES}", server: true, cache_line: 0}
core1: {<<: *c, mb_id: 1, ptr: 64}
core2: {space: core1, base: 0x3000, ptr: 32, cache_line: 64}
"#;

fn both(text: &str) {
    let outside = outside();
    if let Ok(map) = parse_memory_map(text, Path::new("mem.yaml"), &outside) {
        map.memories.iter().for_each(assert_each_byte_in_one_word);
    }
    let _ = parse_mailboxes(text, Path::new("mb.yaml"), &map(), &outside);
}

/// Checks the first, the middle and the last byte of a memory in its arrays.
fn assert_each_byte_in_one_word(memory: &Memory) {
    let Some(geometry) = Geometry::of(&memory.shape) else {
        return;
    };
    assert_eq!(geometry.size(), memory.size);
    for offset in [0, memory.size - 1, memory.size / 2] {
        let runs: Vec<_> = geometry.runs(offset, 1).collect();
        let [run] = &runs[..] else {
            panic!("a byte in {runs:?}")
        };
        assert!(memory.shape.instance(run.instance).is_some());
        assert_eq!((run.len, run.words().count()), (1, 1));
    }
}

fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "0",
        "-1",
        "0xffffffffffffffff",
        "18446744073709551616",
        "&a ",
        "*a ",
        "<<: *ram",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "\n",
        " ",
        "'",
        "$",
        "~",
        "!t ",
        "null",
        "1e400",
        ".nan",
        "size",
        "base",
        "[[[[",
        "\u{feff}",
        "\0",
    ]);
    let change = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        0usize..8,
        piece,
    );
    prop::collection::vec(change, 1..5).prop_map(move |changes| {
        let mut text: Vec<char> = text.chars().collect();
        for (at, _, cut, piece) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

#[test]
fn the_seeds_are_valid() {
    memories(MEMORIES).unwrap();
    parse_mailboxes(MAILBOXES, Path::new("mb.yaml"), &map(), &outside()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        both(&text);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        both(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn mutated_memories(text in mutated(MEMORIES)) {
        both(&text);
    }

    #[test]
    fn mutated_mailboxes(text in mutated(MAILBOXES)) {
        both(&text);
    }
}

#[test]
fn aliases_of_aliases_do_not_explode() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let error = memories(&bomb).unwrap_err();
    assert!(
        error.contains("limit exceeded") || error.contains("each alias counted in full"),
        "{error}"
    );
}

#[test]
fn many_aliases_of_one_long_list_do_not_explode() {
    let long = vec!["x"; 10_000].join(", ");
    let many = vec!["*l"; 10_000].join(", ");
    let error = memories(&format!("l: &l [{long}]\nm: [{many}]\n")).unwrap_err();
    assert!(
        error.contains("larger than 4194304 bytes, each alias counted in full"),
        "{error}"
    );
}

#[test]
fn merge_keys_do_not_explode() {
    let mut bomb = "a0: &a0 {k: v}\n".to_owned();
    for level in 1..64 {
        bomb.push_str(&format!(
            "a{level}: &a{level} {{<<: [*a{0}, *a{0}], k{level}: v}}\n",
            level - 1
        ));
    }
    let error = memories(&bomb).unwrap_err();
    assert!(
        error.contains("limit exceeded") || error.contains("each alias counted in full"),
        "{error}"
    );
}

#[test]
fn an_alias_of_itself_is_refused() {
    for text in ["a: &a [*a]", "a: &a {<<: *a}", "a: &a {b: {c: *a}}"] {
        let error = memories(text).unwrap_err();
        assert!(
            error.contains("recursion limit exceeded"),
            "{text}: {error}"
        );
    }
}

#[test]
fn deep_nesting_exhausts_neither_stack_nor_patience() {
    for text in ["[".repeat(1 << 20), "{a: ".repeat(1 << 20)] {
        let error = memories(&text).unwrap_err();
        assert_eq!(
            error,
            "mem.yaml: more than 100 brackets are open at once; a configuration nests a few lists and maps"
        );
    }
    for text in ["- ".repeat(20_000), "? ".repeat(20_000)] {
        let error = memories(&text).unwrap_err();
        assert!(error.contains("recursion limit exceeded"), "{error}");
    }
    let error = memories(&"%TAG !a! tag:a\n".repeat(1000)).unwrap_err();
    assert_eq!(
        error,
        "mem.yaml: more than 100 %TAG directives; a configuration needs none"
    );
}

#[test]
fn one_long_text_named_often_does_not_explode() {
    let text = format!(
        "t: &t {}\nm: [{}]\n",
        "x".repeat(100_000),
        vec!["*t"; 10_000].join(", ")
    );
    let error = memories(&text).unwrap_err();
    assert!(error.contains("each alias counted in full"), "{error}");
}

#[test]
fn a_text_longer_than_any_configuration_is_refused_unread() {
    assert_eq!(
        memories(&"# nothing\n".repeat(1 << 19)).unwrap_err(),
        "mem.yaml: 5242880 bytes of text are more than the 4194304 that a configuration may have"
    );
}

#[test]
fn thousands_of_banks_fit() {
    let row = vec!["r0000.c0000.MEM"; 64].join(", ");
    let banks = vec![format!("[{row}]"); 64].join(", ");
    let keys = "base: 0, size: 0x100000, path: m, width: 512, bank_width: 8, bank_depth: 256, backend: log";
    let map = memories(&format!(
        "space: {{s: [{{ram: {{{keys}, banks: [{banks}]}}}}]}}"
    ))
    .unwrap();
    assert_eq!(map.memories[0].shape.instances().count(), 4096);
}
