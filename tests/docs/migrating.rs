//! Builds and runs the code of `docs/migrating.md`: its host crate with firmware on the
//! quickstart's chip, and the memory model in C.
//!
//! `xtask/check-sv.py` compiles the testbench, `tests/python` runs the shims.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use vhost::Vhost;

use crate::host;
use crate::page::{block_of, blocks, file, page};
use test_support::kept_bytes::KeptBytes;

#[path = "../../examples/quickstart/main.rs"]
#[allow(
    dead_code,
    reason = "a program of its own, of which the test uses the chip"
)]
mod quickstart;

const PAGE: &str = "docs/migrating.md";

/// Writes a file of the page to a folder.
fn extract(folder: &Path, name: &str) {
    std::fs::write(folder.join(name), block_of(&page(PAGE), name)).unwrap();
}

/// Runs a compiler, which must succeed. Returns `None` if it is not installed.
fn built(command: &mut Command) -> Option<()> {
    let Output { status, stderr, .. } = match command.output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            skipped(&command.get_program().to_string_lossy());
            return None;
        }
        output => output.unwrap(),
    };
    let shown = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {shown}");
    Some(())
}

/// Prints the reason of a skip past the test's captured output.
fn skipped(missing: &str) {
    let _ = writeln!(io::stderr().lock(), "skipped: {PAGE}: not found: {missing}");
}

fn found(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skipped(program);
    }
    found
}

#[test]
fn the_host_crate_is_the_one_that_runs() {
    assert_eq!(block_of(&page(PAGE), "src/lib.rs"), include_str!("host.rs"));
}

/// Features of the library in a manifest.
fn features(manifest: &str) -> &str {
    let dependency = manifest.lines().find(|line| line.starts_with("vhost = "));
    let (_, features) = dependency.unwrap().split_once("features = [").unwrap();
    features.split(']').next().unwrap()
}

/// The example's own tests link it as an archive and as a shared library, without linker options
/// for its hook.
#[test]
fn the_manifest_has_the_features_of_the_example() {
    let example = page("examples/host_crate/Cargo.toml");
    let text = page(PAGE);
    let manifest = block_of(&text, "Cargo.toml");
    assert_eq!(features(manifest), features(&example));
    let pages = [text.as_str(), &page("docs/host-crate.md")];
    let manifests = pages.iter().flat_map(|page| blocks(page, "toml"));
    let mut found = 0;
    for manifest in manifests.filter(|manifest| manifest.contains("\nvhost = ")) {
        assert!(features(manifest).contains("\"host\""), "{manifest}");
        found += 1;
    }
    assert!(found >= 3, "{found} manifests");
    for text in pages
        .into_iter()
        .chain([&*page("examples/host_crate/design.f")])
    {
        assert!(!text.contains("--undefined=__vhost_host"));
    }
}

#[test]
fn firmware_is_served_by_the_host_crate() {
    if !(found("clang") && found("ld.lld")) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    extract(folder.path(), "firmware.c");
    extract(folder.path(), "mailbox.yaml");
    for width in ["rv64", "rv32"] {
        let mut compile = Command::new("sh");
        compile
            .arg(file("firmware/compile.sh"))
            .args([width, "firmware.elf", "firmware.c"]);
        built(compile.current_dir(&folder)).unwrap();
    }

    // The chip's memories are static memories in this process.
    let text = page(PAGE);
    let memories = block_of(&text, "mem.yaml");
    let here = memories
        .replace(
            "width: 32, backend: uvm",
            "width: 32, backend: static, init: {method: all_zero}",
        )
        .replace("size: 0x100, backend: uvm", "size: 0x100, backend: model");
    assert_eq!(here.matches("backend: uvm").count(), 0);
    std::fs::write(folder.path().join("mem.yaml"), here).unwrap();

    let (console, total) = (KeptBytes::default(), AtomicU64::new(0));
    let image = folder.path().join("firmware.elf");
    let builder = Vhost::builder()
        .memories(folder.path().join("mem.yaml"))
        .mailboxes(folder.path().join("mailbox.yaml"))
        .variable("FIRMWARE", image.to_str().unwrap())
        .console(console.clone())
        .memory_model("regs", vec![0; 0x100].into_boxed_slice())
        // Method of the testbench.
        .method("total", move |_, call| {
            let value = call.args[0];
            Ok(Poll::Ready(
                total.fetch_add(value, Ordering::Relaxed) + value,
            ))
        });
    let vhost = host::configure(builder).unwrap().start().unwrap();
    assert_eq!(quickstart::run(&vhost).unwrap().code, 0);

    let printed = console.text();
    assert_eq!([printed.as_str()], blocks(&text, "text")[..]);
    let error = vhost.poll_call("cpu", "checksum", &[]).unwrap_err();
    assert!(error.to_string().contains("two arguments"), "{error}");
}

/// Program with the model's memory, which calls the model's method.
#[test]
fn the_model_in_c_is_reached_by_the_library() {
    let folder = tempfile::tempdir().unwrap();
    extract(folder.path(), "model.c");
    std::fs::write(
        folder.path().join("mem.yaml"),
        "space: {cpu: [{ram: {base: 0, size: 0x1000, path: ram, width: 32, backend: static}}, \
         {regs: {base: 0x10000000, size: 0x200, backend: api}}]}",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("mailbox.yaml"),
        "cpu: {space: cpu, base: 0, ptr: 32, cache_line: 0}",
    )
    .unwrap();
    let library = std::env::current_exe()
        .unwrap()
        .with_file_name("libvhost.so");
    let mut compile = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()));
    compile
        .args([
            "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", "program", "model.c",
        ])
        .args([
            file("tests/docs/driver.c"),
            format!("-I{}", file("include")),
        ])
        .arg(&library)
        .arg(format!(
            "-Wl,-rpath,{}",
            library.parent().unwrap().display()
        ));
    if built(compile.current_dir(&folder)).is_none() {
        return;
    }
    let run = Command::new(folder.path().join("program"))
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
}
