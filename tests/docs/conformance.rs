//! Compares the ids in `docs/protocol.md` with `docs/conformance.md`, and its names of tests with
//! the sources.

use std::collections::HashSet;

use crate::page::{names, page};

/// Ids of a page's statements in order: a capital letter and a number, in parentheses.
fn ids(page: &str) -> Vec<String> {
    let groups = page.split('(').skip(1).filter_map(|rest| {
        let (id, _) = rest.split_once(')')?;
        let (letter, number) = id.split_at_checked(1)?;
        let is_id = letter.chars().all(|c| c.is_ascii_uppercase())
            && !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit());
        is_id.then(|| id.to_owned())
    });
    groups.collect()
}

/// Rows of the tables with ids, as cells.
fn table(page: &str) -> Vec<[&str; 4]> {
    let rows = page.lines().filter_map(|line| {
        let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
        let cells: Vec<_> = cells.split(" | ").collect();
        cells.try_into().ok()
    });
    rows.filter(|[id, ..]: &[&str; 4]| !["id", "---"].contains(id))
        .collect()
}

#[test]
fn every_statement_of_the_protocol_has_its_row_in_the_page_on_conformance() {
    let ids = ids(&page("docs/protocol.md"));
    assert!(ids.len() > 90, "{}", ids.len());
    let text = page("docs/conformance.md");
    let rows: Vec<_> = table(&text).iter().map(|[id, ..]| *id).collect();
    assert_eq!(rows, ids);

    // Numbers of a letter are consecutive from 1, and its ids are adjacent.
    let mut letters = HashSet::new();
    let mut last = ("", 0);
    for id in &rows {
        let (letter, number) = id.split_at(1);
        let number: u32 = number.parse().unwrap();
        if letter == last.0 {
            assert_eq!(number, last.1 + 1, "{id}");
        } else {
            assert_eq!((number, letters.insert(letter)), (1, true), "{id}");
        }
        last = (letter, number);
    }
}

#[test]
fn every_row_of_the_page_on_conformance_names_its_tests() {
    let known = crate::all_tests();
    let text = page("docs/conformance.md");
    for [id, requirement, check, tests] in table(&text) {
        assert!(!requirement.is_empty(), "{id}");
        let kind = check.split([':', ',']).next();
        let kinds = ["exhaustive", "property", "example"];
        assert!(kinds.contains(&kind.unwrap()), "{id}: {check}");
        let tests = names(tests);
        assert!(!tests.is_empty(), "{id}");
        for test in &tests {
            assert!(known.contains(test), "{id}: no test {test}");
        }
        assert_eq!(tests.iter().collect::<HashSet<_>>().len(), tests.len());
    }
    // Names outside of the tables.
    let prose = text.lines().filter(|line| !line.starts_with('|'));
    let names = prose.flat_map(names).filter(|name| name.contains('_'));
    let names: Vec<_> = names.collect();
    assert!(
        !names.is_empty() && names.iter().all(|name| known.contains(name)),
        "{names:?}"
    );
}

#[test]
fn ids_are_found_between_other_words_in_parentheses() {
    let text = "One (L1). Two (EIO) (L2), (32, 64) (R7) (X) ((L3)).\n| a (F1) | b |";
    assert_eq!(ids(text), ["L1", "L2", "R7", "L3", "F1"]);
    let text = "| id | a | b | c |\n| --- | --- | --- | --- |\n| L1 | x | y | `z` |\n| a | b |";
    assert_eq!(table(text), [["L1", "x", "y", "`z`"]]);
}
