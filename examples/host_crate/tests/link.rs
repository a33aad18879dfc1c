//! Linkage of the host program, as an archive and as a shared library, with a program that does not
//! refer to it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use object::elf::DT_SONAME;
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSymbol};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Library that cargo has built beside this test: the host program, or its dependency vhost.
fn built(file: &str) -> PathBuf {
    let built = env::current_exe().unwrap().with_file_name(file);
    assert!(built.is_file(), "cargo has not built {}", built.display());
    built
}

/// Links `link.c` with a library, as `program` in the folder of this test's files.
fn link(program: &str, library: &Path) -> (PathBuf, Output) {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(program);
    let mut cc = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    cc.arg(Path::new(ROOT).join("tests/link.c"))
        .arg("-I")
        .arg(Path::new(ROOT).join("../../include"))
        .arg("-o")
        .arg(&program)
        .arg(library)
        .args(["-lpthread", "-ldl", "-lm"]);
    if let Some(folder) = library.parent() {
        cc.arg(format!("-Wl,-rpath,{}", folder.display()));
    }
    (program, cc.output().unwrap())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a program linked with this library, and checks the host program's memory, method and start.
fn runs_with_its_hook(program: &str, library: &str) {
    let (program, linked) = link(program, &built(library));
    assert!(linked.status.success(), "{}", text(&linked.stderr));
    let folder = program.with_extension("files");
    fs::create_dir_all(&folder).unwrap();
    let mailboxes = folder.join("mailbox.yaml");
    let channel = "cpu0: {space: cpu0, base: 0x1000, ptr: 32, cache_line: 0}\n";
    fs::write(&mailboxes, channel).unwrap();
    let run = Command::new(program)
        .arg(Path::new(ROOT).join("mem.yaml"))
        .args([&mailboxes, &folder])
        .output()
        .unwrap();
    let (stdout, stderr) = (text(&run.stdout), text(&run.stderr));
    assert!(run.status.success(), "{}\n{stderr}", run.status);
    assert_eq!(stdout, "host program: 1 channel\n");
    assert_eq!(stderr, "");
}

#[test]
fn an_archive_has_its_hook() {
    runs_with_its_hook("static", "libvhost_example_host.a");
}

#[test]
fn a_shared_library_has_its_hook() {
    runs_with_its_hook("shared", "libvhost_example_host.so");
}

/// The archive of vhost itself has no hook, like a host program without one.
#[test]
fn an_archive_without_a_hook_does_not_link() {
    let (_, linked) = link("hookless", &built("libvhost.a"));
    let errors = text(&linked.stderr);
    assert!(!linked.status.success());
    assert!(errors.contains("__vhost_host"), "{errors}");
}

/// Functions of `vhost.h` that the library must export.
fn declared() -> Vec<String> {
    let header = fs::read_to_string(Path::new(ROOT).join("../../include/vhost.h")).unwrap();
    let (exported, _) = header.split_once("#ifdef VHOST_DECLARE_TESTBENCH").unwrap();
    let declarations = exported
        .lines()
        .filter(|line| line.ends_with(");") && !line.starts_with([' ', '#']));
    let names = declarations.filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next());
    names.map(str::to_owned).collect()
}

/// Otherwise the loader takes it for `libvhost.so`.
#[test]
fn the_shared_library_is_one_of_its_own_and_has_all_of_vhosts() {
    let library = fs::read(built("libvhost_example_host.so")).unwrap();
    let library = ElfFile64::<Endianness>::parse(&*library).unwrap();
    let names: Vec<&str> = library
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition())
        .map(|symbol| symbol.name().unwrap())
        .collect();
    let declared = declared();
    assert!(declared.iter().any(|name| name == "mb_tick"));
    for name in declared.iter().map(String::as_str) {
        assert!(names.contains(&name), "{name} is not exported");
    }
    for own in ["__vhost_host", "host_ticks", "ram_load", "ram_store"] {
        assert!(names.contains(&own), "{own} is not exported");
    }
    assert_eq!(soname(&library), None);
}

/// Name under which the loader looks for the library, if it differs from the file's.
fn soname(library: &ElfFile64<'_>) -> Option<String> {
    let table = library.elf_dynamic_table().unwrap();
    let mut entries = table.iter();
    let entry = entries.find(|entry| entry.tag == DT_SONAME)?;
    Some(text(table.string(entry).unwrap()))
}
