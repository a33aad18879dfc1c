//! Checks the invariants of `docs/architecture.md`: dependencies between the folders of `src` have
//! one direction, and some words are confined to one place. Each rule is a row of a table. A
//! violation is reported as `file:line`.

#![allow(clippy::expect_used, reason = "a test says what it expects")]

use std::fs;
use std::path::Path;

use crate::sources::{Source, sources};

mod circles;
mod payloads;
mod sources;

/// Folder of `src`, and the folders below it, which are the only ones that it may name as
/// `crate::<name>`. Files beside the folders, such as `lib.rs`, may name all.
const ALLOWED_IMPORTS: &[(&str, &[&str])] = &[
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
    ("messages", &["bus", "channel", "mem", "guest"]),
    ("bus", &[]),
    ("config", &["channel", "mem", "guest"]),
    ("channel", &[]),
    ("mem", &["guest", "sim"]),
    ("printf", &["sim"]),
    ("guest", &["sim"]),
    ("sim", &[]),
];

/// Folder of `src/system`, and those of its folders that it may name as `crate::system::<name>`.
const WITHIN_SYSTEM: &[(&str, &[&str])] = &[
    ("api", &["assembly", "running"]),
    (
        "replay",
        &["checkpoint", "assembly", "running", "recorded_messages"],
    ),
    ("checkpoint", &["assembly", "running"]),
    ("assembly", &["running"]),
    ("running", &["recorded_messages"]),
    ("recorded_messages", &[]),
];

/// Names of `src/system/error.rs` that all of its folders may use.
const OF_ALL_SYSTEM: &[&str] = &["CallbackResult", "Error"];

/// Confined word, and the only places under `src` that may contain it.
const CONFINED: &[(&str, &[&str])] = &[
    ("unsafe", &["ffi", "sim"]),
    ("pyo3", &["foreign/python", "ffi/recordings"]),
    ("bincode", &["trace"]),
    ("zstd_safe", &["trace/compressed"]),
    ("serde_yaml", &["config"]),
    ("socket2", &["actors/sockets/tcp"]),
    ("FuturesUnordered", &["bus"]),
    ("defmt_decoder", &["system/assembly/defmt"]),
];

/// Code that opens a file or a socket, or writes to a stream of the process, and the only places
/// under `src` that may contain it.
///
/// A careless open may return the number of a standard stream, and a careless write may raise a
/// signal. `guest` prevents both.
const OUTSIDE_ACCESS: &[(&str, &[&str])] = &[
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
            "system/api/builder",
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
fn the_process_is_changed_only_in_its_modules() {
    let sources = sources("src");
    let mut offences = vec![];
    for source in &sources {
        for (text, places) in OUTSIDE_ACCESS {
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
        if !source.place.contains('/') {
            continue;
        }
        let layer = source.layer();
        let Some((_, allowed)) = ALLOWED_IMPORTS.iter().find(|(name, _)| *name == layer) else {
            let place = &source.place;
            offences.push(format!(
                "src/{place}: `{layer}` has no row in ALLOWED_IMPORTS"
            ));
            continue;
        };
        for (line, name) in source.names_behind("crate::") {
            let known = ALLOWED_IMPORTS.iter().any(|(other, _)| *other == name);
            if known && name != layer && !allowed.contains(&name) {
                let place = &source.place;
                offences.push(format!("src/{place}:{line}: `{layer}` names `{name}`"));
            }
        }
    }
    assert!(
        offences.is_empty(),
        "against the arrows:\n{}",
        offences.join("\n")
    );
}

/// The list of modules in `src/lib.rs` and the table of folders in `docs/architecture.md` have the
/// order of `ALLOWED_IMPORTS`.
#[test]
fn modules_are_listed_from_top_to_bottom() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders: Vec<_> = ALLOWED_IMPORTS.iter().map(|(name, _)| *name).collect();
    for (file, begin) in [
        ("src/lib.rs", "//! - "),
        ("docs/architecture.md", "| `src/"),
    ] {
        let text = fs::read_to_string(root.join(file)).expect("a file of this project");
        let items = text.lines().filter_map(|line| line.strip_prefix(begin));
        let listed: Vec<_> = items
            .map(|item| item.trim_start_matches(['[', '`']))
            .map(|item| item.split('`').next().unwrap_or_default())
            .filter(|name| *name != "testing" && !name.contains('/'))
            .collect();
        assert_eq!(listed, folders, "{file}");
    }
}

/// A folder of `system` names the others by their paths, so that each use is seen here.
#[test]
fn arrows_within_the_system_run_one_way() {
    let mut offences = vec![];
    for source in sources("src/system") {
        if !source.place.contains('/') {
            continue;
        }
        let (layer, place) = (source.layer(), &source.place);
        let Some((_, allowed)) = WITHIN_SYSTEM.iter().find(|(name, _)| *name == layer) else {
            let text = format!("src/system/{place}: `{layer}` has no row in WITHIN_SYSTEM");
            offences.push(text);
            continue;
        };
        for (line, name) in source.names_behind("crate::system::") {
            let is_known = name == layer || OF_ALL_SYSTEM.contains(&name);
            if !is_known && !allowed.contains(&name) {
                offences.push(format!(
                    "src/system/{place}:{line}: `{layer}` names `{name}`"
                ));
            }
        }
        let above = source.lines_containing("super::super::");
        offences.extend(above.map(|line| format!("src/system/{place}:{line}: `super::super`")));
    }
    assert!(
        offences.is_empty(),
        "against the arrows:\n{}",
        offences.join("\n")
    );
}

#[test]
fn the_tables_have_no_cycle() {
    for table in [ALLOWED_IMPORTS, WITHIN_SYSTEM] {
        for (index, (name, allowed)) in table.iter().enumerate() {
            for below in *allowed {
                let place = table.iter().position(|(other, _)| other == below);
                assert!(
                    place > Some(index),
                    "`{name}` may name `{below}`, which is not below it"
                );
            }
        }
    }
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

/// Two lines are joined with one space. Lines of tables begin with spaces, or have several columns.
#[test]
fn texts_have_no_runs_of_blanks() {
    let mut offences = vec![];
    for source in ["src", "cli/src", "xtask/src"]
        .into_iter()
        .flat_map(sources)
    {
        for line in source.code.lines() {
            let texts = line.split('"').skip(1).step_by(2);
            offences.extend(
                texts
                    .filter(|text| text.trim_start().len() == text.len() && !text.contains("\\n"))
                    .filter(|text| text.trim_end().matches("   ").count() > 0)
                    .map(|text| format!("{}: {text}", source.place)),
            );
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn the_wire_protocol_has_one_file_of_unsafe() {
    let mut files = sources("mailbox_rs/src");
    let is_test = |source: &Source| source.place.ends_with("tests.rs");
    files.retain(|source| !is_test(source) && source.lines_with("unsafe").next().is_some());
    let places: Vec<String> = files.into_iter().map(|source| source.place).collect();
    assert!(places.len() <= 1, "more than one: {}", places.join(", "));
}

/// `test_support` depends on the library, whose tests depend on it.
#[test]
fn no_product_depends_on_the_test_kit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for manifest in ["Cargo.toml", "cli/Cargo.toml"] {
        let text = fs::read_to_string(root.join(manifest)).expect("a file of this project");
        let tables = text
            .split("\n[")
            .filter(|table| table.contains("test_support"));
        for table in tables {
            let name = table.split(']').next().unwrap_or_default();
            let is_for_tests = matches!(name, "dev-dependencies" | "workspace.dependencies");
            assert!(is_for_tests, "{manifest}: [{name}] has test_support");
        }
    }
}

#[test]
fn the_instruction_set_simulator_depends_on_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("riscv_iss");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a file of this project");
    assert!(!manifest.contains("\n[dependencies]"));
    let library = fs::read_to_string(folder.join("src/lib.rs")).expect("a file of this project");
    assert!(library.contains("#![forbid(unsafe_code)]"));
}
