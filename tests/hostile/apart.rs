//! Runs a test in a process of its own: the heap is then the test's alone, and its thousands of reports and panics, all
//! on purpose, hide nobody's else.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set in the process apart: the directory that the test may use.
const STAGE: &str = "VHOST_HOSTILE_STAGE";

/// What the process apart has to say begins with this.
pub(crate) const TOLD: &str = "hostile: ";

/// The process apart says with it from which seed a system lives; a run that begins with it comes to the same.
pub(crate) const SEED: &str = "VHOST_HOSTILE_SEED";

/// The last lines of the output, which are shown of a test that failed.
const SHOWN: usize = 60;

/// Does `body` in a process apart, for the test of this name, and shows what it [tells](TOLD).
pub(crate) fn apart(test: &str, body: impl FnOnce(&Path)) {
    if let Some(stage) = env::var_os(STAGE) {
        return body(&PathBuf::from(stage));
    }
    let stage = tempfile::tempdir().expect("a directory for the test");
    let output = stage.path().join("output");
    let file = File::create(&output).expect("a file for the output");
    let ended = Command::new(env::current_exe().expect("the test's own program"))
        .args([test, "--exact", "--nocapture"])
        .env(STAGE, stage.path())
        // Thousands of callbacks panic, each of them on purpose.
        .env("RUST_BACKTRACE", "0")
        .stdout(file.try_clone().expect("the same file"))
        .stderr(file)
        .status()
        .expect("the process apart");
    let output = fs::read(&output).expect("the output");
    let output = String::from_utf8_lossy(&output);
    let told = output.lines().filter(|line| line.starts_with(TOLD));
    told.for_each(|line| println!("{line}"));
    if !ended.success() {
        let skipped = output.lines().count().saturating_sub(SHOWN);
        let last = output.lines().skip(skipped);
        last.for_each(|line| println!("{line}"));
        let seed = output.lines().rfind(|line| line.starts_with(SEED));
        panic!("{test} failed in its process: {ended}, {seed:?}");
    }
}
