//! Firmware in Rust, compiled with foreign crates.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::tree;

/// Targets of the firmware.
pub(super) const RV32: &str = "riscv32imc-unknown-none-elf";
pub(super) const RV64: &str = "riscv64gc-unknown-none-elf";

/// Error texts on a machine without the target, or without the crates.
const ABSENT: [&str; 5] = [
    "can't find crate for `core`",
    "target may not be installed",
    "failed to download",
    "failed to fetch",
    "Could not resolve host",
];

/// Compiles a program in a folder of `firmware`; `None` on a machine that can't. Feature sets share
/// their dependencies.
pub(super) fn build(project: &str, target: &str, bin: &str, features: &[&str]) -> Option<PathBuf> {
    let folder = tree().join("target").join(project);
    fs::create_dir_all(&folder).unwrap();
    // Held until the program is copied, since cargo uses the same path for other features.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--target", target])
        .args(["--bin", bin, "--features", &features.join(",")])
        .arg("--manifest-path")
        .arg(tree().join("firmware").join(project).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&folder)
        .env("DEFMT_LOG", "trace")
        .env_remove("RUSTFLAGS")
        // That of `cargo xtask coverage` adds counters, for which firmware has no runtime.
        .env_remove("RUSTC_WRAPPER")
        .env_remove("CARGO_TARGET_DIR")
        // Debug information has the locations of frames.
        .env_remove("CARGO_PROFILE_RELEASE_DEBUG")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    if let Some(what) = ABSENT.iter().find(|what| printed.contains(**what)) {
        let _ = writeln!(
            std::io::stderr().lock(),
            "skipped: firmware for {target} can't be compiled here ({what})"
        );
        return None;
    }
    assert!(output.status.success(), "{printed}");
    let program = folder.join([&[target, bin], features].concat().join("-"));
    let built = fs::read(folder.join(target).join("release").join(bin)).unwrap();
    // Another test may be reading the file.
    if fs::read(&program).ok().as_ref() != Some(&built) {
        fs::write(&program, built).unwrap();
    }
    Some(program)
}
