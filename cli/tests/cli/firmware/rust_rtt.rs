//! Firmware of `firmware/rtt`, compiled with crates that this project has not written.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::tree;

/// Target of the firmware.
const TARGET: &str = "riscv32imc-unknown-none-elf";

/// Texts of a machine without the target, or without the crates.
const ABSENT: [&str; 5] = [
    "can't find crate for `core`",
    "target may not be installed",
    "failed to download",
    "failed to fetch",
    "Could not resolve host",
];

/// Compiles a program; `None` on a machine that can't. Sets of features share their dependencies.
pub(super) fn build(bin: &str, features: &[&str]) -> Option<PathBuf> {
    let folder = tree().join("target/rtt");
    fs::create_dir_all(&folder).unwrap();
    // Held until the program is copied: cargo gives it the same path with other features.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--target", TARGET])
        .args(["--bin", bin, "--features", &features.join(",")])
        .arg("--manifest-path")
        .arg(tree().join("firmware/rtt/Cargo.toml"))
        .arg("--target-dir")
        .arg(&folder)
        .env("DEFMT_LOG", "trace")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        // The locations of frames are in the debug information.
        .env_remove("CARGO_PROFILE_RELEASE_DEBUG")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if let Some(what) = ABSENT.iter().find(|what| said.contains(**what)) {
        let _ = writeln!(
            std::io::stderr().lock(),
            "skipped: firmware for {TARGET} can't be compiled here ({what})"
        );
        return None;
    }
    assert!(output.status.success(), "{said}");
    let program = folder.join([&[bin], features].concat().join("-"));
    let built = fs::read(folder.join(TARGET).join("release").join(bin)).unwrap();
    // Another test may be reading it.
    if fs::read(&program).ok().as_ref() != Some(&built) {
        fs::write(&program, built).unwrap();
    }
    Some(program)
}
