//! Checks the invariants of `docs/architecture.md`: dependencies between the folders of `src` go
//! one way, and some words are confined to one place. Each rule is a row of a table. A violation is
//! reported as `file:line`.

#![allow(clippy::expect_used, reason = "a test says what it expects")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Folder of `src`, and the folders that it may name as `crate::<name>`: only those below it. Files
/// beside the folders, such as `lib.rs`, may name all.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "ffi",
        &[
            "system", "backend", "foreign", "trace", "attach", "sim", "actors", "bus", "messages",
            "config", "mem", "guest",
        ],
    ),
    (
        "system",
        &[
            "backend", "foreign", "trace", "attach", "actors", "sim", "bus", "messages", "config",
            "mem", "guest",
        ],
    ),
    ("backend", &["foreign", "messages", "mem", "sim"]),
    (
        "foreign",
        &["messages", "bus", "config", "mem", "guest", "sim"],
    ),
    (
        "trace",
        &["attach", "messages", "bus", "config", "mem", "guest"],
    ),
    ("attach", &["messages", "bus", "config", "mem", "guest"]),
    ("actors", &["messages", "bus", "mem", "printf", "guest"]),
    ("messages", &["bus", "mem", "guest"]),
    ("bus", &[]),
    ("config", &["mem", "guest"]),
    ("mem", &["guest", "sim"]),
    ("printf", &["sim"]),
    ("guest", &["sim"]),
    ("sim", &[]),
];

/// Confined word, and the only places under `src` that may contain it.
const CONFINED: &[(&str, &[&str])] = &[
    ("unsafe", &["ffi", "sim"]),
    ("pyo3", &["foreign/python", "ffi/recordings"]),
    ("bincode", &["trace"]),
    ("zstd_safe", &["trace/compressed"]),
    ("serde_yaml", &["config"]),
    ("socket2", &["actors/sockets/tcp"]),
    ("FuturesUnordered", &["bus"]),
    ("defmt_decoder", &["system/defmt"]),
];

/// Code that opens a file or a socket, or writes to a stream of the process, and the only places
/// under `src` that may contain it.
///
/// A careless open may return the number of a standard stream, and a careless write may raise a
/// signal. `guest` prevents both.
const GUESTS: &[(&str, &[&str])] = &[
    ("File::create", &["guest"]),
    ("File::open(", &["guest"]),
    ("fs::write", &["guest"]),
    ("fs::read(", &["guest"]),
    ("fs::read_to_string", &["guest"]),
    ("fs::copy", &["guest"]),
    (
        "OpenOptions",
        &["guest", "actors/files/root", "actors/files/places"],
    ),
    ("io::stderr", &["guest"]),
    ("io::stdout", &["guest"]),
    ("print!(", &[]),
    ("println!(", &[]),
    ("dbg!(", &[]),
    ("TcpListener", &[]),
    ("TcpStream", &[]),
    ("UdpSocket", &[]),
    ("UnixStream", &[]),
    ("UnixListener", &[]),
    ("Socket::new(", &["actors/sockets/tcp"]),
    ("io::pipe(", &["guest/descriptor"]),
    ("process::Command", &[]),
    ("thread::spawn", &[]),
    ("thread::Builder", &["sim/call_timeout"]),
    (
        "env::var",
        &[
            "config/vhost_variables",
            "config/external_inputs",
            "foreign/python/interpreter",
        ],
    ),
    ("set_var", &[]),
    ("remove_var", &[]),
    ("set_current_dir", &[]),
    (
        "CStdout",
        &[
            "sim",
            "actors/console",
            "foreign/live",
            "foreign/python/stdout",
            "system/builder",
            "system/replay",
        ],
    ),
];

/// Guards that a place must use because it opens or writes something itself.
const CAREFUL: &[(&str, &[&str])] = &[
    ("actors/files/root.rs", &["above_standard("]),
    ("actors/files/places.rs", &["above_standard("]),
    ("actors/files/positioned_file.rs", &["quietly_to_file("]),
    (
        "actors/sockets/tcp.rs",
        &["above_standard(", "MSG_NOSIGNAL"],
    ),
    ("actors/console/text.rs", &["quietly("]),
    ("foreign/live.rs", &["quietly("]),
    ("foreign/python/interpreter.rs", &["OwnState::enter()"]),
    ("foreign/python/stdout.rs", &["quietly("]),
    ("guest/output.rs", &["quietly("]),
    ("guest/quiet.rs", &["quietly("]),
    ("guest/snapshots.rs", &["above_standard", "quietly("]),
];

#[test]
fn the_process_is_changed_by_nobody() {
    let sources = sources("src");
    let mut offences = vec![];
    for source in &sources {
        for (text, places) in GUESTS {
            if !places.iter().any(|place| source.place.starts_with(place)) {
                let lines = source.code.lines().enumerate();
                let found = lines.filter(|(_, line)| stands_in(text, line));
                let place = &source.place;
                offences.extend(found.map(|(at, _)| format!("src/{place}:{}: `{text}`", at + 1)));
            }
        }
    }
    for (place, texts) in CAREFUL {
        let source = sources.iter().find(|source| source.place == *place);
        let code = source.map_or("", |source| &source.code);
        let missing = texts.iter().filter(|text| !code.contains(**text));
        offences.extend(missing.map(|text| format!("src/{place}: no `{text}`")));
    }
    assert!(
        offences.is_empty(),
        "see `src/guest`:\n{}",
        offences.join("\n")
    );
}

/// True if a line contains the text at the beginning of a word.
fn stands_in(text: &str, line: &str) -> bool {
    line.match_indices(text).any(|(at, _)| {
        let before = line[..at].chars().last();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn arrows_run_one_way() {
    let mut offences = vec![];
    for source in sources("src") {
        let layer = source.layer();
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == layer) else {
            if source.place.contains('/') {
                offences.push(format!(
                    "src/{}: `{layer}` has no row in ARROWS",
                    source.place
                ));
            }
            continue;
        };
        for (line, name) in source.names_of_the_crate() {
            let known = ARROWS.iter().any(|(other, _)| *other == name);
            if known && name != layer && !allowed.contains(&name) {
                offences.push(format!(
                    "src/{}:{line}: `{layer}` names `{name}`",
                    source.place
                ));
            }
        }
    }
    assert!(
        offences.is_empty(),
        "against the arrows:\n{}",
        offences.join("\n")
    );
}

#[test]
fn the_table_has_no_cycle() {
    for (index, (name, allowed)) in ARROWS.iter().enumerate() {
        for below in *allowed {
            let place = ARROWS.iter().position(|(other, _)| other == below);
            assert!(
                place > Some(index),
                "`{name}` may name `{below}`, which is not below it"
            );
        }
    }
}

/// Modules of each folder, with the modules of the same folder that each names.
fn names_in_folders(sources: &[Source]) -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let mut folders: BTreeMap<_, BTreeMap<_, BTreeSet<_>>> = BTreeMap::new();
    for source in sources {
        let place = source.place.trim_end_matches(".rs");
        let path = place.strip_suffix("/mod").unwrap_or(place);
        for (index, _) in path.match_indices('/') {
            let (folder, below) = (&path[..index], &path[index + 1..]);
            let levels = below.matches('/').count() + 1;
            let module = below.split('/').next().unwrap_or_default();
            let from_root = format!("crate::{}::", folder.replace('/', "::"));
            let named = source.names_behind(&"super::".repeat(levels));
            let named = named.into_iter().chain(source.names_behind(&from_root));
            let named = named.map(|(_, name)| name.to_owned());
            let modules = folders.entry(folder.to_owned()).or_default();
            modules.entry(module.to_owned()).or_default().extend(named);
        }
    }
    folders
}

#[test]
fn modules_of_a_folder_name_one_another_in_no_circle() {
    let mut circles = BTreeSet::new();
    for (folder, modules) in names_in_folders(&sources("src")) {
        // All that is reached by names, from each module.
        let reached = |from: &String| {
            let (mut found, mut next) = (BTreeSet::new(), vec![from]);
            while let Some(module) = next.pop() {
                let names = modules.get(module).into_iter().flatten();
                next.extend(names.filter(|name| found.insert((*name).clone())));
            }
            found
        };
        let reached: BTreeMap<_, _> = modules.keys().map(|from| (from, reached(from))).collect();
        for (module, names) in &reached {
            let returns = |name: &&String| reached.get(name).is_some_and(|r| r.contains(*module));
            let circle: Vec<String> = names.iter().filter(returns).cloned().collect();
            if circle.len() > 1 {
                circles.insert((folder.clone(), circle));
            }
        }
    }
    assert_eq!(circles, BTreeSet::new());
}

#[test]
fn words_stay_where_they_belong() {
    let mut offences = vec![];
    for source in sources("src") {
        for (word, places) in CONFINED {
            if !places.iter().any(|place| source.place.starts_with(place)) {
                let lines = source.lines_with(word);
                offences.extend(lines.map(|line| format!("src/{}:{line}: `{word}`", source.place)));
            }
        }
    }
    assert!(
        offences.is_empty(),
        "out of place:\n{}",
        offences.join("\n")
    );
}

/// Features in `Cargo.toml` that choose a default.
fn defaults_by_feature() -> Vec<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("a file of this project");
    let (_, features) = manifest.split_once("\n[features]\n").expect("a table");
    let lines = features.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| Some(line.split_once(" = ")?.0));
    // The other features add code: the interpreter, exported symbols, the hook of a host program.
    let chooses = |name: &&str| {
        let adds = ["default", "python", "host", "c_abi", "defmt"];
        !name.starts_with('#') && !adds.iter().any(|prefix| name.starts_with(prefix))
    };
    names.filter(chooses).map(String::from).collect()
}

/// `cargo xtask test` without `--full` tests other feature sets with the tests of `config` only.
#[test]
fn features_choose_in_config_alone() {
    let features = defaults_by_feature();
    assert!(features.iter().any(|name| name == "mem_vpi"));
    let mut offences = vec![];
    for source in sources("src") {
        if source.layer() == "config" {
            continue;
        }
        for name in &features {
            let quoted = format!("\"{name}\"");
            let lines = source.code.lines().enumerate();
            let lines =
                lines.filter(|(_, line)| line.contains("feature") && line.contains(&quoted));
            offences.extend(
                lines.map(|(line, _)| format!("src/{}:{}: {name}", source.place, line + 1)),
            );
        }
    }
    assert!(
        offences.is_empty(),
        "not in config:\n{}",
        offences.join("\n")
    );
}

#[test]
fn the_wire_protocol_has_one_file_of_unsafe() {
    let mut files = sources("mailbox_rs/src");
    let is_test = |source: &Source| source.place.ends_with("tests.rs");
    files.retain(|source| !is_test(source) && source.lines_with("unsafe").next().is_some());
    let places: Vec<String> = files.into_iter().map(|source| source.place).collect();
    assert!(places.len() <= 1, "more than one: {}", places.join(", "));
}

#[test]
fn the_instruction_set_simulator_depends_on_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("riscv_iss");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a file of this project");
    assert!(!manifest.contains("\n[dependencies]"));
    let library = fs::read_to_string(folder.join("src/lib.rs")).expect("a file of this project");
    assert!(library.contains("#![forbid(unsafe_code)]"));
}

/// Rust file without comments and without its tests. Files that are built for tests only are left
/// out.
struct Source {
    /// Path relative to the folder that was read.
    place: String,
    code: String,
}

fn sources(folder: &str) -> Vec<Source> {
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
    fn layer(&self) -> &str {
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

    fn lines_with(&self, word: &str) -> impl Iterator<Item = usize> {
        let lines = self.code.lines().enumerate();
        lines.filter_map(move |(index, line)| {
            words(line).any(|found| found == word).then_some(index + 1)
        })
    }

    /// Each `x` of `crate::x` and of `crate::{x::…, …}`, with its line.
    fn names_of_the_crate(&self) -> Vec<(usize, &str)> {
        self.names_behind("crate::")
    }

    /// Each `x` of `prefix::x` and of `prefix::{x::…, …}`, with its line.
    fn names_behind(&self, prefix: &str) -> Vec<(usize, &str)> {
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

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}
