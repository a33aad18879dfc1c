//! SystemVerilog on pages, in testbenches and in what is shipped.

use std::fs;
use std::path::{Path, PathBuf};

use crate::page::file;

/// Files below a folder with one of these extensions.
fn files(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extensions, found);
        } else if path
            .extension()
            .is_some_and(|it| extensions.iter().any(|extension| it == *extension))
        {
            found.push(path);
        }
    }
}

/// Verilator before 5.048 evaluates the expression of a `case` once for each item: a tick would be
/// several.
#[test]
fn no_case_has_a_call_of_the_library() {
    let mut found = Vec::new();
    for folder in [
        "README.md",
        "docs",
        "sv/mailbox_sv",
        "integration",
        "cli/src",
        "examples",
    ] {
        let path = PathBuf::from(file(folder));
        match path.is_dir() {
            true => files(&path, &["md", "sv", "svh"], &mut found),
            false => found.push(path),
        }
    }
    assert!(found.len() > 50, "{found:?}");
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            let subjects = line.split("case").skip(1);
            let mut subjects = subjects.map(|rest| rest.trim_start());
            let calls = subjects.any(|rest| {
                rest.starts_with('(') && ["(mb_", "::mb_"].iter().any(|it| rest.contains(it))
            });
            let place = path.display();
            assert!(!calls, "{place}:{number}: assign the result first: {line}");
        }
    }
}
