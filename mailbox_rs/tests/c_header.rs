//! `include/mailbox.h` is built as its users build it, and run against a host in C.
//!
//! A test that does not find its compiler checks nothing, and says so on stderr: `skipped: ...`.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mailbox_rs::{CacheLine, Layout, PtrWidth};

const LINES: [CacheLine; 5] = [
    CacheLine::None,
    CacheLine::B32,
    CacheLine::B64,
    CacheLine::B128,
    CacheLine::B256,
];

const STRICT: [&str; 5] = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"];

/// A compiler run, warnings as errors, on a file of this test.
fn compile(compiler: &str, options: &[&str], source: &str, output: &Path) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(compiler)
        .args(STRICT)
        .args(options)
        .arg("-I")
        .arg(folder.join("include"))
        .arg(folder.join("tests/c_header").join(source))
        .arg("-o")
        .arg(output)
        .output()
        .unwrap()
}

fn assert_success(output: &Output, what: &str) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(
        output.status.success(),
        "{what}:\n{}",
        String::from_utf8_lossy(&text)
    );
}

/// The options by which the firmware checks its layout against this crate's.
fn layout_options(width: PtrWidth, line: CacheLine) -> Vec<String> {
    let layout = Layout::new(width, line);
    vec![
        format!("-DMB_CACHE_LINE={}", line.bytes()),
        format!("-DCHANNEL_SIZE={}", layout.channel_size),
        format!("-DREQUEST={}", layout.request.offset),
        format!("-DREQUEST_IDX_C={}", layout.request.idx_c),
        format!("-DRESPONSE={}", layout.response.offset),
        format!("-DRESPONSE_IDX_C={}", layout.response.idx_c),
    ]
}

fn output_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Whether all `programs` can be run; if not, says that `test` is skipped and why.
fn found(test: &str, programs: &[&str]) -> bool {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let missing: Vec<_> = programs
        .iter()
        .filter(|program| !runs(program))
        .copied()
        .collect();
    if !missing.is_empty() {
        // Locked, it is written past the test's captured output, and so seen of a test that passes, too.
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "skipped: {test}: not found: {}", missing.join(", "));
    }
    missing.is_empty()
}

fn builds_for_riscv(test: &str, width: PtrWidth, target: &str, arch: &str, abi: &str) {
    if !found(test, &["clang", "ld.lld"]) {
        return;
    }
    for line in LINES {
        for level in ["-O0", "-O2"] {
            let layout = layout_options(width, line);
            let mut options = vec![target, arch, abi, level, "-nostdlib", "-ffreestanding"];
            options.extend(["-fuse-ld=lld", "-Wl,-e,firmware"]);
            options.extend(layout.iter().map(String::as_str));
            let output = compile("clang", &options, "firmware.c", &output_path(test));
            assert_success(&output, &format!("{target} {line:?} {level}"));
        }
    }
}

#[test]
fn builds_for_riscv32() {
    builds_for_riscv(
        "builds_for_riscv32",
        PtrWidth::P4,
        "--target=riscv32",
        "-march=rv32im",
        "-mabi=ilp32",
    );
}

#[test]
fn builds_for_riscv64() {
    builds_for_riscv(
        "builds_for_riscv64",
        PtrWidth::P8,
        "--target=riscv64",
        "-march=rv64im",
        "-mabi=lp64",
    );
}

#[test]
fn every_service_is_answered_natively() {
    if !found("every_service_is_answered_natively", &["cc"]) {
        return;
    }
    for line in LINES {
        for level in ["-O0", "-O2"] {
            let program = output_path(&format!("c_host_{}{level}", line.bytes()));
            let mut options = layout_options(PtrWidth::NATIVE, line);
            options.push(level.to_owned());
            let options: Vec<_> = options.iter().map(String::as_str).collect();
            assert_success(
                &compile("cc", &options, "host.c", &program),
                &format!("cc {line:?} {level}"),
            );
            assert_success(
                &Command::new(&program).output().unwrap(),
                &format!("run {line:?} {level}"),
            );
        }
    }
}

#[test]
fn wrong_arguments_do_not_compile() {
    if !found("wrong_arguments_do_not_compile", &["cc"]) {
        return;
    }
    let object = output_path("refused.o");
    assert_success(&compile("cc", &["-c"], "refused.c", &object), "in order");
    for case in 1..=4 {
        let output = compile(
            "cc",
            &["-c", &format!("-DREFUSED={case}")],
            "refused.c",
            &object,
        );
        assert!(!output.status.success(), "case {case} was compiled");
    }
}
