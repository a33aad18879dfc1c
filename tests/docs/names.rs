//! Compares the tables of `docs/migrating.md` with the names in the code, in both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use vhost::config::VARIABLES;

use crate::page::{column, file, names, page, rows};

fn text() -> String {
    page("docs/migrating.md")
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// Texts of all files below a folder with one of these extensions.
fn sources(folder: &str, extensions: &[&str]) -> Vec<String> {
    let mut texts = vec![];
    let mut folders = vec![file(folder).into()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir::<std::path::PathBuf>(folder).unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if extension.is_some_and(|extension| extensions.contains(&extension)) {
                texts.push(fs::read_to_string(&path).unwrap());
            }
        }
    }
    texts
}

/// Identifiers in a text, as in C.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
}

#[test]
fn cargo_features() {
    let manifest = page("Cargo.toml");
    let (_, features) = manifest.split_once("[features]\n").unwrap();
    let features = features.split("\n[").next().unwrap().lines();
    let features = features.filter(|line| !line.starts_with('#'));
    let features = features.filter_map(|line| Some(line.split_once(" = ")?.0));
    let mut known = set(features);
    // The other column lists it.
    assert!(known.remove("default"));
    assert_eq!(column(&text(), "Cargo features", 0), known);
}

/// Names of functions declared in a part of the header.
fn declared(header: &str) -> BTreeSet<String> {
    let lines = header.lines().filter(|line| line.ends_with(");"));
    let names = lines.filter_map(|line| words(line.split('(').next()?).last());
    set(names)
}

#[test]
fn c_functions() {
    let header = page("include/vhost.h");
    let (library, testbench) = header.split_once("#ifdef VHOST_DECLARE_TESTBENCH").unwrap();
    assert_eq!(
        column(&text(), "C functions of the library", 0),
        declared(library)
    );
    assert_eq!(
        column(&text(), "C functions of the testbench", 0),
        declared(testbench)
    );
}

/// Names checked by the compiler: each is imported.
macro_rules! exist {
    ($($module:path: $($name:ident),+;)+) => {{
        $({
            use $module as module;
            #[allow(unused_imports, reason = "imported to exist")]
            use module::{$($name as _),+};
        })+
        [$($(stringify!($name)),+),+]
    }};
}

#[test]
fn rust_items() {
    let known = exist! {
        vhost: mailbox_init, mailbox_init_with_paths, mailbox_init_with_config, MailboxInitPaths, mb_server_run,
            Vhost, Builder, MemoryModel, Openers, FileOpener, SpecialFile, with_host;
        vhost::mem: flush_static_mems, DPIShareMemParser, StaticMemSink, StaticMemDescriptor, StaticMemRange;
    };
    assert_eq!(column(&text(), "Rust", 0), set(known));
}

/// Class or interface of SystemVerilog.
#[derive(Default)]
struct Class {
    base: Option<String>,
    members: BTreeSet<String>,
}

/// Name declared by a line of a class: a function, task or variable.
fn member(line: &str) -> Option<&str> {
    let line = line.strip_prefix("    ")?;
    if line.starts_with([' ', '/', '`']) {
        return None;
    }
    let routine = line.split_once("function ").or(line.split_once("task "));
    let head = match routine {
        Some((_, rest)) => rest.split(['(', ';']).next(),
        None => line.split([';', '=']).next(),
    };
    words(head?).last()
}

fn classes() -> BTreeMap<String, Class> {
    let mut classes: BTreeMap<String, Class> = BTreeMap::new();
    for text in sources("sv", &["sv", "svh"]) {
        let mut inside = None;
        for line in text.lines() {
            let mut head = words(line).skip_while(|word| *word == "virtual");
            let begins = ["class", "virtual class", "interface"]
                .iter()
                .any(|word| line.starts_with(&format!("{word} ")));
            if begins {
                let name = head.find(|word| !["class", "interface"].contains(word));
                let base = line.split_once(" extends ");
                let base = base.and_then(|(_, base)| words(base).next());
                let base = base.map(str::to_owned);
                let class = classes.entry(name.unwrap().to_owned()).or_default();
                class.base = base;
                inside = name;
            } else if line.starts_with("end") {
                inside = None;
            } else if let Some(class) = inside.and_then(|name| classes.get_mut(name)) {
                class.members.extend(member(line).map(str::to_owned));
            }
        }
    }
    classes
}

#[test]
fn systemverilog_classes_and_members() {
    let text = text();
    let classes = classes();
    let mut checked = 0;
    for row in rows(&text, "SystemVerilog") {
        let [name, members, _] = row[..] else {
            continue;
        };
        let name = &names(name)[0];
        let mut members = names(members);
        let mut next = Some(name.clone());
        while let Some(class) = next.and_then(|name| classes.get(&name)) {
            checked += members.len();
            members.retain(|member| !class.members.contains(member));
            checked -= members.len();
            next = class.base.clone();
        }
        assert!(members.is_empty(), "{name} has no {members:?}");
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn systemverilog_macros_and_tasks() {
    let defined: BTreeSet<String> = sources("sv", &["sv", "svh"])
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| {
            let (head, rest) = line
                .split_once("`define ")
                .or(line.split_once("task automatic "))
                .or(line.split_once(" = task "))?;
            let at_start = head.is_empty() || head.starts_with("import");
            at_start.then(|| words(rest).next())?
        })
        .map(str::to_owned)
        .collect();
    for row in rows(&text(), "SystemVerilog") {
        if let [cell, _] = row[..] {
            let missing: Vec<_> = names(cell)
                .into_iter()
                .filter(|name| !defined.contains(name))
                .collect();
            assert!(missing.is_empty(), "sv/ has no {missing:?}");
        }
    }
}

#[test]
fn vhost_variables() {
    let known = set(VARIABLES.iter().map(|variable| variable.name));
    assert_eq!(column(&text(), "Environment", 0), known);
}

/// The page's table has the library's names, meanings (possibly with additions), values and
/// defaults.
#[test]
fn environment_variables_are_described_as_the_library_does() {
    let page = page("docs/configuration.md");
    let (_, table) = page.split_once("| variable | meaning |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| !line.is_empty());
    let mut variables = VARIABLES.iter();
    for row in rows {
        let row = row.trim_start_matches("| ").trim_end_matches(" |");
        let [name, meaning, values, default] = row.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("not four cells: {row}");
        };
        let variable = variables.next().ok_or(name).unwrap();
        assert_eq!(names(name), [variable.name]);
        assert!(meaning.starts_with(variable.meaning), "{row}");
        assert_eq!((values, default), (variable.values, variable.default));
    }
    assert_eq!(variables.next(), None);
}

/// Names in the first column of each table of variables of the page.
fn described_variables() -> BTreeSet<String> {
    let page = page("docs/configuration.md");
    let tables = page.split("| variable | meaning |").skip(1);
    let rows = tables.flat_map(|table| {
        let rows = table.lines().skip(2);
        rows.take_while(|line| !line.is_empty())
    });
    rows.flat_map(|row| names(row.split(" | ").next().unwrap()))
        .collect()
}

/// Variables that any shipped file reads, by the literals of their names: of the library, the
/// command, the package in Python, and the modules in C.
#[test]
fn variables_that_are_read_anywhere_are_described() {
    let shipped = [
        ("src", "rs"),
        ("cli/src", "rs"),
        ("python/vhost", "py"),
        ("python/async", "py"),
        ("python/cocotb", "py"),
        ("sv", "c"),
        ("vhdl", "c"),
    ];
    let texts = shipped.map(|(folder, extension)| sources(folder, &[extension]));
    let mut read = BTreeSet::new();
    for text in texts.iter().flatten() {
        let literals = text
            .lines()
            .flat_map(|line| line.split('"').skip(1).step_by(2));
        let is_name = |text: &&str| {
            let name = |c: char| c == '_' || c.is_ascii_uppercase();
            text.starts_with("VHOST_") && text.chars().all(name)
        };
        read.extend(literals.filter(is_name).map(str::to_owned));
    }
    // Of a test for its own processes, begins of names, and the name of the system in
    // configurations.
    read.retain(|name| !name.starts_with("VHOST_TEST_") && !name.ends_with('_'));
    read.remove("VHOST_SYSTEM");
    let contributing = page("CONTRIBUTING.md");
    let of_tests = contributing.lines().filter(|line| line.starts_with("| `"));
    let of_tests = of_tests.filter_map(|line| line.split(" | ").next());
    let of_tests: BTreeSet<String> = of_tests.flat_map(names).collect();
    read.retain(|name| !of_tests.contains(name));
    let mut described = described_variables();
    described.retain(|name| name.starts_with("VHOST_"));
    assert_eq!(read, described);
}

/// Functions defined in a Python file, or by an assignment of a method.
fn functions(file: &str) -> BTreeSet<String> {
    let text = page(file);
    let lines = text.lines();
    let names = lines.filter_map(|line| {
        let defined = line.strip_prefix("def ");
        let assigned = line.contains(" = _methods.") || line.starts_with("py_mb_");
        words(defined.or(assigned.then_some(line))?).next()
    });
    set(names)
}

#[test]
fn python_names() {
    let native = functions("python/vhost/_vhost.pyi");
    let shim = functions("python/async/pymb_rpc.py");
    let cocotb = functions("python/cocotb/pymb_rpc.py");
    let bridge = sources("src/foreign/python", &["rs", "py"]).concat();
    let mut listed = BTreeSet::new();
    for row in rows(&text(), "Python") {
        let module = names(row[0]);
        for name in names(row[1]) {
            let found = match module[0].as_str() {
                "vhost" => native.contains(&name),
                "pymb_rpc" if row[0].contains("cocotb") => cocotb.contains(&name),
                "pymb_rpc" => shim.contains(&name) && cocotb.contains(&name),
                // The user defines it, and the bridge looks it up.
                _ => bridge.contains(&format!("\"{name}\"")),
            };
            assert!(found, "{}: no {name}", module[0]);
            if module[0] == "vhost" {
                listed.insert(name);
            }
        }
    }
    let unlisted: Vec<_> = native.difference(&listed).collect();
    assert_eq!(unlisted, ["py_mb_backdoor_read_into"]);
}

/// Limits on the page equal those in the code.
#[test]
fn limits() {
    let text = text();
    let rows = rows(&text, "Limits");
    let mut rows: BTreeMap<&str, &str> = rows.iter().map(|row| (row[0], row[1])).collect();
    let mut documented = |name: &str| rows.remove(name).ok_or(name).unwrap();

    let mailbox_rs::Version { major, minor } = mailbox_rs::VERSION;
    assert_eq!(documented("protocol version"), format!("{major}.{minor}"));
    let mut limit = |name: &str, value: u64| assert_eq!(documented(name), value.to_string());
    limit("entries of a queue", mailbox_rs::QUEUE_LEN.into());
    limit(
        "argument words of a request",
        mailbox_rs::REQUEST_ARGS as u64,
    );
    limit("arguments of CALL", mailbox_rs::CALL_ARGS as u64);
    limit(
        "arguments of CPRINT's format",
        mailbox_rs::CPRINT_ARGS as u64,
    );
    limit("bytes of a string, NUL included", mailbox_rs::MAX_STRING);
    // Constants private to the library: the line with the definition is searched.
    for (name, value, source, line) in [
        (
            "arguments of a testbench's method",
            16,
            "src/sim/testbench.rs",
            "SV_CALL_ARGS: usize = 16;",
        ),
        (
            "width and precision of a conversion",
            4096,
            "src/sim/snprintf.rs",
            "MAX: u16 = 4096;",
        ),
        (
            "first file descriptor",
            10,
            "src/actors/files/descriptors.rs",
            "FIRST: u64 = 10;",
        ),
        (
            "bytes of one request to move",
            256 << 20,
            "src/actors/service/mod.rs",
            "MAX_MOVE: u64 = 256 << 20;",
        ),
        (
            "bits of one `uvm_hdl_read`",
            1024,
            "src/sim/uvm_hdl.rs",
            "MAX_BITS: u64 = 1024;",
        ),
        (
            "bytes of one `mb_bb_mem_read_block`",
            64,
            "src/sim/sv_memory.rs",
            "BLOCK: usize = 64;",
        ),
        (
            "bytes queued for a socket's client",
            1 << 20,
            "src/system/api/sockets.rs",
            "QUEUE_LIMIT: usize = 1024 * 1024;",
        ),
    ] {
        assert!(page(source).contains(line), "{source}: no `{line}`");
        limit(name, value);
    }
    assert!(rows.is_empty(), "unchecked: {rows:?}");
}
