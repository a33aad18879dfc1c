//! Compares the files and modules in the documentation with those of the tree.

use std::path::{Path, PathBuf};

use crate::page::{file, page};

/// Rust files below a folder, relative to the project's root.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (vec![], vec![PathBuf::from(file(folder))]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.strip_prefix(file("")).unwrap().into());
            }
        }
    }
    found
}

/// Rust files of all packages.
fn all_files() -> Vec<PathBuf> {
    let folders = [
        "src",
        "tests",
        "benches",
        "mailbox_rs",
        "riscv_iss",
        "vhost_sim",
        "cli",
    ];
    folders.into_iter().flat_map(rust_files).collect()
}

/// Words in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_files_of_the_page_on_architecture_are_there() {
    let files = all_files();
    let text = page("docs/architecture.md");
    let named = text.lines().flat_map(quoted);
    let named = named.filter(|name| name.ends_with(".rs") && !name.contains(['*', ' ']));
    let is_missing = |name: &&str| !files.iter().any(|file| file.ends_with(name));
    let (missing, there): (Vec<_>, Vec<_>) = named.partition(is_missing);
    assert_eq!(missing, [""; 0]);
    assert!(there.len() > 100);
}

/// Modules that a list in the comment of a module names, as links or not: those before a colon.
/// Types are none.
fn listed(text: &str) -> Vec<String> {
    let items = text.lines().filter_map(|line| line.strip_prefix("//! - "));
    let plain = items.map(|item| item.replace("[`", "`").replace("`]", "`"));
    let plain: Vec<String> = plain.collect();
    let parts = plain.iter().filter_map(|item| item.strip_prefix('`'));
    let parts = parts.flat_map(|item| item.split("; `"));
    let heads = parts.filter_map(|part| Some(part.split_once("`: ")?.0));
    let names = heads.flat_map(|head| head.split("`, `"));
    let is_module = |name: &&str| name.chars().all(|c| c == '_' || c.is_ascii_lowercase());
    names.filter(is_module).map(str::to_owned).collect()
}

#[test]
fn lists_of_modules_name_those_that_are_there() {
    let mut lists = 0;
    let mut missing = vec![];
    for path in rust_files("src") {
        if !path.ends_with("mod.rs") {
            continue;
        }
        let text = page(path.to_str().unwrap());
        let is_module = |name: &String| text.contains(&format!("mod {name};"));
        let names = listed(&text);
        // Other lists do not name modules.
        if !names.first().is_some_and(is_module) {
            continue;
        }
        lists += 1;
        let others = names.into_iter().filter(|name| !is_module(name));
        missing.extend(others.map(|name| format!("{}: `{name}`", Path::display(&path))));
    }
    assert_eq!(missing, [""; 0]);
    assert!(lists > 10);
}

#[test]
fn modules_are_found_behind_hyphens_commas_and_semicolons() {
    let list = "//! - `one`: first; [`two`], `three`: others.\n//! - [`Four`]: a type `five`.";
    assert_eq!(listed(list), ["one", "two", "three"]);
}
