//! The images in `firmware/` are built from its sources.
//!
//! They are rebuilt if clang and lld are installed. The same versions give identical files. The
//! code of other versions differs, and is run instead. The section `.comment` of an image names the
//! versions that built it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../examples/quickstart/main.rs"]
#[allow(
    dead_code,
    reason = "a program of its own, of which the test uses what it needs"
)]
mod quickstart;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSection};
use quickstart::{builder, run, start};
use test_support::kept_bytes::KeptBytes;
use vhost::mem::Image;

const IMAGES: [(&str, u64, u64); 2] = [
    // Name, pointer width, size of a channel.
    ("selftest-rv32.elf", 4, 800),
    ("selftest-rv64.elf", 8, 1512),
];

fn firmware() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("firmware")
}

#[test]
fn images_have_one_channel_and_begin_at_zero() {
    for (name, width, channel) in IMAGES {
        let file = firmware().join(name);
        let image = Image::open(&file).unwrap();
        assert_eq!(image.ptr_width().bytes(), width, "{name}");
        assert_eq!(image.mailbox().unwrap().size, channel, "{name}");
        assert_eq!(image.warnings(), [], "{name}");

        let bytes = fs::read(&file).unwrap();
        let elf = object::File::parse(bytes.as_slice()).unwrap();
        assert_eq!(elf.entry(), 0, "{name}");
        assert!(
            elf.symbols().next().is_none() && !elf.has_debug_symbols(),
            "{name} has more than it needs"
        );
    }
}

#[test]
fn images_are_those_of_their_sources() {
    if let Some(missing) = missing() {
        skipped(&missing);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let built = folder.path();
    let output = Command::new("sh")
        .arg(firmware().join("build.sh"))
        .arg(built)
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}");

    for (name, ..) in IMAGES {
        let committed = fs::read(firmware().join(name)).unwrap();
        let anew = fs::read(built.join(name)).unwrap();
        if tools(&committed) == tools(&anew) {
            assert!(
                committed == anew,
                "firmware/{name} is not what its sources give: run firmware/build.sh, and commit what it builds"
            );
        } else {
            skipped(&format!(
                "comparison of {name}: it was built by {}, here is {}",
                tools(&committed),
                tools(&anew)
            ));
        }
    }

    let files = tempfile::tempdir().unwrap();
    let image = built.join("selftest-rv32.elf");
    let builder = builder(image.to_str().unwrap(), files.path(), std::io::sink());
    let vhost = start(builder).unwrap();
    assert_eq!(run(&vhost).unwrap().code, 0);
}

/// Compiles the self-test with options, and returns the address of its mailbox.
fn mailbox_of_selftest(width: &str, image: &Path, options: &[&str]) -> u64 {
    let output = Command::new("sh")
        .arg(firmware().join("compile.sh"))
        .arg(width)
        .arg(image)
        .arg(firmware().join("selftest.c"))
        .args(options)
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && shown.is_empty(),
        "{width} {options:?}: {shown}"
    );
    Image::open(image).unwrap().mailbox().unwrap().address
}

/// Widths and optimisation levels.
const WAYS: [(&str, &str); 3] = [("rv32", "-Os"), ("rv64", "-O2"), ("rv64", "-O0")];

/// True in a full run of the tests.
fn is_whole_matrix() -> bool {
    std::env::var_os("VHOST_WHOLE_MATRIX").is_some()
}

/// Each kind of cached core, with several cache lines, at optimisation levels with and without
/// calls of memcpy.
#[test]
fn the_self_test_links_with_hooks_and_its_mailbox_begins_at_a_line() {
    if let Some(missing) = missing() {
        skipped(&missing);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image.elf");
    let cores = [
        ("vexriscv.h", 0),
        ("rocket.h", 64),
        ("zicbom.h", 32),
        ("zicbom.h", 64),
    ];
    for (hooks, block) in cores {
        let hooks = firmware().join("cache").join(hooks);
        let (lines, ways) = match is_whole_matrix() {
            true => (&[0, 32, 64, 128, 256][..], &WAYS[..]),
            false => (&[block, 256][..], &WAYS[..2]),
        };
        for line in lines.iter().copied().filter(|line| *line >= block) {
            for (width, level) in ways {
                let line_option = format!("-DMB_CACHE_LINE={line}");
                let options = ["-include", hooks.to_str().unwrap(), &line_option, level];
                let address = mailbox_of_selftest(width, &image, &options);
                assert_eq!(address % line.max(8), 0, "{width} {options:?}");
            }
        }
    }
}

#[test]
fn hooks_refuse_a_line_that_is_less_than_the_cpus() {
    if let Some(missing) = missing() {
        skipped(&missing);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (hooks, options) in [
        ("rocket.h", &["-DMB_CACHE_LINE=32"][..]),
        ("rocket.h", &[]),
        ("zicbom.h", &["-DMB_CACHE_LINE=32", "-DMB_CACHE_BLOCK=64"]),
        ("zicbom.h", &[]),
    ] {
        let output = Command::new("sh")
            .arg(firmware().join("compile.sh"))
            .arg("rv64")
            .arg(folder.path().join("image.elf"))
            .arg(firmware().join("selftest.c"))
            .arg("-include")
            .arg(firmware().join("cache").join(hooks))
            .args(options)
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{hooks} {options:?}");
        assert!(shown.contains("MB_CACHE_LINE"), "{shown}");
    }
}

#[test]
fn firmware_in_cpp_is_built_for_both_widths_and_served() {
    if let Some(missing) = missing() {
        skipped(&missing);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for width in ["rv64", "rv32"] {
        let output = Command::new("sh")
            .arg(firmware().join("compile.sh"))
            .args([width, "cplusplus.elf"])
            .arg(firmware().join("cplusplus.cpp"))
            .current_dir(&folder)
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{width}: {shown}");
    }

    // The last image is for the quickstart's chip.
    let image = folder.path().join("cplusplus.elf");
    let files = tempfile::tempdir().unwrap();
    let console = KeptBytes::default();
    let vhost = start(builder(
        image.to_str().unwrap(),
        files.path(),
        console.clone(),
    ))
    .unwrap();
    assert_eq!(run(&vhost).unwrap().code, 0);
    assert_eq!(
        console.text(),
        "\
[cpu] no arguments
[cpu] -1 2 text c 0.25
[cpu] 7 5 300 1
[cpu] -2 123456789abcdef, then 5
[cpu] (nil) 1
"
    );
}

/// Reason why the images can't be rebuilt here, if any.
fn missing() -> Option<String> {
    let clang = std::env::var("CLANG").unwrap_or("clang".into());
    let Ok(targets) = Command::new(&clang).arg("--print-targets").output() else {
        return Some(format!("not found: {clang}"));
    };
    if !String::from_utf8_lossy(&targets.stdout).contains("riscv32") {
        return Some(format!("{clang} does not know riscv32"));
    }
    let linker = Command::new("ld.lld").arg("--version").output();
    linker.is_err().then(|| "not found: ld.lld".into())
}

/// Compiler and linker that built an image.
fn tools(image: &[u8]) -> String {
    let elf = object::File::parse(image).unwrap();
    let comment = elf.section_by_name(".comment").unwrap();
    let texts = comment.data().unwrap().split(|byte| *byte == 0);
    let texts = texts.filter(|text| !text.is_empty());
    let texts: Vec<_> = texts.map(String::from_utf8_lossy).collect();
    texts.join(", ")
}

fn skipped(why: &str) {
    // The locked stream bypasses the test's captured output, so that the line is also printed for a
    // passing test.
    let _ = writeln!(std::io::stderr().lock(), "skipped: {why}");
}
