//! Circles between files: a file that uses, through any number of others, itself.
//!
//! A use of a name counts for the file that defines it, not for a `mod.rs` that re-exports it. A
//! `mod.rs` that only declares and re-exports modules is not a file here.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{Source, sources, words};

#[test]
fn no_file_uses_itself_through_others() {
    let sources = sources("src");
    let tree = Tree::new(&sources);
    let uses = tree.uses();
    let circles = circles(&uses);
    let text: Vec<String> = circles
        .iter()
        .map(|circle| tree.describe(circle, &uses))
        .collect();
    assert!(circles.is_empty(), "circles:\n{}", text.join("\n"));
}

/// Modules of a crate by path (`bus::port`, empty for the root), each from one file.
struct Tree<'a> {
    modules: BTreeMap<String, Module<'a>>,
}

struct Module<'a> {
    source: &'a Source,
    /// Imported names with their paths, absolute (`crate::…`) or as written.
    imports: Vec<Import>,
    /// Words of the code without declarations of modules and imports. Empty for a module that only
    /// declares and re-exports others.
    words: BTreeSet<String>,
    /// Paths of at least two segments in that code.
    paths: BTreeSet<String>,
    /// Names of its items.
    items: BTreeSet<String>,
}

struct Import {
    path: String,
    /// Name in this module; `*` for all names of another module.
    name: String,
    is_public: bool,
}

/// File that uses a name, with the file that defines it.
type Uses = BTreeMap<String, BTreeMap<String, String>>;

impl<'a> Tree<'a> {
    fn new(sources: &'a [Source]) -> Self {
        let modules = sources.iter().map(|source| {
            let path = source.place.trim_end_matches(".rs");
            let path = path.strip_suffix("/mod").unwrap_or(path);
            let path = if path == "lib" { "" } else { path };
            (path.replace('/', "::"), Module::new(source))
        });
        Self {
            modules: modules.collect(),
        }
    }

    fn uses(&self) -> Uses {
        let mut uses = Uses::new();
        for (path, module) in &self.modules {
            if module.words.is_empty() {
                continue;
            }
            let imported = module.imports.iter().filter(|import| {
                // A re-exported name is not used here.
                !import.is_public || module.words.contains(&import.name)
            });
            let imported = imported.map(|import| &import.path);
            for used in imported.chain(&module.paths) {
                if let Some(file) = self.file_of(path, used, 0)
                    && file != *path
                {
                    let files = uses.entry(path.clone()).or_default();
                    files.entry(file).or_insert_with(|| used.clone());
                }
            }
        }
        uses
    }

    /// Module whose file defines the name at the end of a path. `None` for a name of another crate,
    /// and for a module: its names count at their uses.
    fn file_of(&self, from: &str, path: &str, depth: usize) -> Option<String> {
        if depth > 16 {
            return None;
        }
        let mut segments: Vec<&str> = path.split("::").collect();
        let mut module = from.to_owned();
        let mut is_explicit = false;
        while let Some(first) = segments.first().copied() {
            match first {
                "crate" => module.clear(),
                "self" => {}
                "super" => {
                    let end = module.rfind("::").unwrap_or(0);
                    module.truncate(end);
                }
                _ => break,
            }
            is_explicit = true;
            segments.remove(0);
        }
        for (index, segment) in segments.iter().enumerate() {
            let child = if module.is_empty() {
                (*segment).to_owned()
            } else {
                format!("{module}::{segment}")
            };
            if self.modules.contains_key(&child) {
                module = child;
                continue;
            }
            let here = self.modules.get(&module)?;
            if here.items.contains(*segment) {
                return Some(module);
            }
            let rest = segments[index + 1..].iter().map(|part| format!("::{part}"));
            let rest: String = rest.collect();
            let import = here.imports.iter().find(|import| import.name == *segment);
            if let Some(import) = import {
                // A module's import of itself begins with another crate's name.
                if import.path.split("::").next() == Some(segment) {
                    return None;
                }
                return self.file_of(&module, &format!("{}{rest}", import.path), depth + 1);
            }
            let globs = here.imports.iter().filter(|import| import.name == "*");
            for glob in globs {
                let all = glob.path.trim_end_matches("::*");
                let found = self.file_of(&module, &format!("{all}::{segment}{rest}"), depth + 1);
                if found.is_some() {
                    return found;
                }
            }
            // A missing name is generated by a macro of the file, if it is in this crate.
            let is_here = (is_explicit || index > 0) && !here.words.is_empty();
            return is_here.then_some(module);
        }
        None
    }

    /// Files of a circle, with the names by which each uses the others.
    fn describe(&self, circle: &BTreeSet<String>, uses: &Uses) -> String {
        let mut lines = vec![];
        for file in circle {
            for (other, name) in &uses[file] {
                if circle.contains(other) {
                    let [file, other] = [file, other].map(|path| &self.modules[path].source.place);
                    lines.push(format!("src/{file} uses `{name}` of src/{other}"));
                }
            }
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

impl<'a> Module<'a> {
    fn new(source: &'a Source) -> Self {
        let (mut imports, mut body) = (vec![], String::new());
        let mut statement = String::new();
        let mut is_for_tests = false;
        for line in source.code.lines() {
            let start = line.trim_start();
            if statement.is_empty() && !is_declaration(start) {
                if start == "#[cfg(test)]" {
                    is_for_tests = true;
                } else if !start.starts_with("#[") && !start.starts_with("#![") {
                    is_for_tests = false;
                    body.push_str(line);
                    body.push('\n');
                }
                continue;
            }
            statement.push_str(start);
            statement.push(' ');
            if line.contains(';') {
                if let Some((before, tree)) = statement.split_once("use ")
                    && !is_for_tests
                {
                    let tree = tree.split(';').next().unwrap_or_default();
                    let is_public = before.contains("pub");
                    import(tree.trim(), "", is_public, &mut imports);
                }
                statement.clear();
                is_for_tests = false;
            }
        }
        Self {
            source,
            imports,
            words: words(&body).map(String::from).collect(),
            paths: paths(&body),
            items: items(&body),
        }
    }
}

/// Names of the items of a module.
fn items(body: &str) -> BTreeSet<String> {
    let keywords = [
        "fn",
        "struct",
        "enum",
        "trait",
        "type",
        "const",
        "static",
        "union",
        "mod",
        "macro_rules!",
    ];
    // Items in blocks are indented.
    let lines = body.lines().filter(|line| !line.starts_with([' ', '}']));
    let mut found = BTreeSet::new();
    for line in lines {
        let mut before = "";
        for word in line.split_whitespace() {
            if keywords.contains(&before) {
                found.extend(words(word).next().map(String::from));
            }
            before = word;
        }
    }
    found
}

/// True for the first line of an import, or of a module in another file.
fn is_declaration(line: &str) -> bool {
    let rest = line.strip_prefix("pub").map_or(line, |rest| {
        let rest = rest.trim_start();
        let inner = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        inner.map_or(rest, |(_, rest)| rest).trim_start()
    });
    rest.starts_with("use ") || (rest.starts_with("mod ") && rest.ends_with(';'))
}

/// Adds the names of a tree of imports (`a::{b, c as d}`).
fn import(tree: &str, prefix: &str, is_public: bool, imports: &mut Vec<Import>) {
    if let Some((head, list)) = tree.split_once('{') {
        let list = list.trim_end().trim_end_matches('}');
        let prefix = format!("{prefix}{head}");
        let (mut depth, mut start) = (0_usize, 0);
        let ends = list.char_indices().chain([(list.len(), ',')]);
        for (at, character) in ends {
            match character {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    let item = list[start..at].trim();
                    start = at + 1;
                    if !item.is_empty() {
                        import(item, &prefix, is_public, imports);
                    }
                }
                _ => {}
            }
        }
        return;
    }
    let (path, name) = tree.split_once(" as ").unwrap_or((tree, ""));
    let path = format!("{prefix}{}", path.trim());
    let path = path.trim_end_matches("::self").to_owned();
    let last = path.rsplit("::").next().unwrap_or_default();
    let name = if name.is_empty() { last } else { name.trim() };
    imports.push(Import {
        name: name.to_owned(),
        path,
        is_public,
    });
}

/// Paths of at least two segments in code.
fn paths(code: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let found = code.split(|c: char| !is_part(c));
    let found = found.map(|path| path.trim_matches(':'));
    found
        .filter(|path| path.contains("::"))
        .map(String::from)
        .collect()
}

/// Sets of files that use each other, directly or indirectly.
fn circles(uses: &Uses) -> BTreeSet<BTreeSet<String>> {
    let reached = |from: &String| {
        let (mut found, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(file) = next.pop() {
            let files = uses.get(file).into_iter().flat_map(BTreeMap::keys);
            next.extend(files.filter(|file| found.insert((*file).clone())));
        }
        found
    };
    let reached: BTreeMap<_, _> = uses.keys().map(|from| (from, reached(from))).collect();
    let mut circles = BTreeSet::new();
    for (file, files) in &reached {
        let returns = |other: &&String| reached.get(other).is_some_and(|r| r.contains(*file));
        let circle: BTreeSet<String> = files.iter().filter(returns).cloned().collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles
}

/// Places of these files' circles.
fn circles_among<const N: usize>(files: [(&str, &str); N]) -> Vec<Vec<String>> {
    let sources = files.map(|(place, code)| Source {
        place: place.to_owned(),
        code: code.to_owned(),
    });
    let tree = Tree::new(&sources);
    let found = circles(&tree.uses());
    let found = found.into_iter().map(|circle| circle.into_iter().collect());
    found.collect()
}

#[test]
fn a_name_counts_for_the_file_that_defines_it() {
    let found = circles_among([
        ("a/mod.rs", "mod x;\nmod y;\n\npub use x::One;\n"),
        ("a/x.rs", "use super::y::two;\n\npub struct One;\n"),
        (
            "a/y.rs",
            "use super::{\n    One, Three as Other,\n};\n\npub fn two(_: One) {}\n",
        ),
    ]);
    assert_eq!(found, [["a::x", "a::y"]]);
    let found = circles_among([
        ("a/mod.rs", "mod x;\nmod y;\n\npub use x::*;\n"),
        ("a/x.rs", "pub struct One;\n"),
        ("a/y.rs", "fn two(_: super::One) {}\n"),
        ("lib.rs", "pub mod a;\npub use a::One;\n"),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_parent_with_more_than_declarations_is_a_file() {
    let child = ("a/x.rs", "use super::Shared;\n\npub fn two() {}\n");
    let parent = "mod x;\n\nuse x::two;\n\npub struct Shared;\n\nfn three() {\n    two()\n}\n";
    let found = circles_among([("a/mod.rs", parent), child]);
    assert_eq!(found, [["a", "a::x"]]);
    let found = circles_among([
        (
            "a/mod.rs",
            "mod shared;\nmod x;\n\npub use shared::Shared;\npub use x::two;\n",
        ),
        ("a/shared.rs", "pub struct Shared;\n"),
        child,
    ]);
    assert!(found.is_empty(), "{found:?}");
    let found = circles_among([
        ("a/mod.rs", "mod x;\n\nfn three() {\n    x::two()\n}\n"),
        ("a/x.rs", "pub fn two() {\n    crate::a::three()\n}\n"),
    ]);
    assert_eq!(found, [["a", "a::x"]]);
}
