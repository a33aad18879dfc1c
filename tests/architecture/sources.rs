//! Source files of this project, without comments and tests.

use std::fs;
use std::path::Path;

/// Rust file without comments and tests. Files for tests only are not included.
pub(crate) struct Source {
    /// Path relative to the folder that was read.
    pub(crate) place: String,
    pub(crate) code: String,
}

pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut found, mut folders) = (vec![], vec![folder.clone()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder of this project") {
            let path = entry.expect("an entry of it").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let place = path.strip_prefix(&folder).expect("it was found there");
                found.push(Source {
                    place: place.to_string_lossy().into_owned(),
                    code: code(&fs::read_to_string(&path).expect("a source file")),
                });
            }
        }
    }
    let for_tests: Vec<String> = found.iter().flat_map(Source::modules_for_tests).collect();
    found.retain(|source| {
        let place = source.place.trim_end_matches(".rs");
        let is_in = |module: &String| {
            let rest = place.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !for_tests.iter().any(is_in)
    });
    found.sort_by(|one, other| one.place.cmp(&other.place));
    found
}

/// Approximation: a `//` in a string ends the line, and the first `#[cfg(test)]` before a `mod … {`
/// ends the file.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        if line.trim() == "#[cfg(test)]" && next.contains("mod ") && next.ends_with('{') {
            break;
        }
        code.push_str(line.split("//").next().unwrap_or_default());
        code.push('\n');
    }
    code
}

impl Source {
    /// Layer of the file: `bus` for both `bus/port.rs` and `bus.rs`.
    pub(crate) fn layer(&self) -> &str {
        self.place.split(['/', '.']).next().unwrap_or_default()
    }

    /// Path of each `#[cfg(test)] mod x;`, without extension.
    fn modules_for_tests(&self) -> Vec<String> {
        let folder = self.place.trim_end_matches(".rs");
        // The modules of `lib.rs` and of a `mod.rs` are in its own folder.
        let folder = folder.trim_end_matches("mod").trim_end_matches('/');
        let folder = if folder == "lib" { "" } else { folder };
        let after = self.code.split("#[cfg(test)]").skip(1);
        let declared = after.filter_map(|rest| rest.split_once("mod ")?.1.split_once(';'));
        let names = declared.map(|(name, _)| name);
        let names = names.filter(|name| words(name).eq([*name]));
        names
            .map(|name| {
                format!("{folder}/{name}")
                    .trim_start_matches('/')
                    .to_owned()
            })
            .collect()
    }

    pub(crate) fn lines_with(&self, word: &str) -> impl Iterator<Item = usize> {
        let lines = self.code.lines().enumerate();
        lines.filter_map(move |(index, line)| {
            words(line).any(|found| found == word).then_some(index + 1)
        })
    }

    /// Lines that contain this text, from 1.
    pub(crate) fn lines_containing(&self, text: &str) -> impl Iterator<Item = usize> {
        let lines = self.code.lines().enumerate();
        lines.filter_map(move |(index, line)| line.contains(text).then_some(index + 1))
    }

    /// Each `x` of `prefix::x` and of `prefix::{x::…, …}`, with its line.
    pub(crate) fn names_behind(&self, prefix: &str) -> Vec<(usize, &str)> {
        let mut names = vec![];
        for (at, prefix) in self.code.match_indices(prefix) {
            if self.code[..at].ends_with("super::") {
                continue;
            }
            let line = self.code[..at].matches('\n').count() + 1;
            let rest = &self.code[at + prefix.len()..];
            let mut depth = 0_usize;
            for item in rest.split_inclusive([',', '{', '}', ';', '(', ')']) {
                if depth == usize::from(rest.starts_with('{')) {
                    names.extend(words(item).next().map(|name| (line, name)));
                }
                match item.chars().last() {
                    Some('{') => depth += 1,
                    Some('}') => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        names
    }
}

pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}
