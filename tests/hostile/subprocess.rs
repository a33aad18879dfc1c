//! Runs a test in a process of its own: its heap belongs to the test alone, and its thousands of
//! intended reports and panics hide no others.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Variable of the separate process: the directory for the test's files.
const DIRECTORY: &str = "VHOST_HOSTILE_DIRECTORY";

/// Prefix of lines that the separate process reports.
pub(crate) const REPORT_PREFIX: &str = "hostile: ";

/// Prefix of the line with the seed of the current system, by which the run can be repeated.
pub(crate) const SEED: &str = "VHOST_HOSTILE_SEED";

/// Number of lines at the end of the output that are shown for a failed test.
const SHOWN: usize = 60;

/// Runs `body` in a separate process, for the test of this name, and prints the lines that it
/// [reports](REPORT_PREFIX).
pub(crate) fn in_subprocess(test: &str, body: impl FnOnce(&Path)) {
    if let Some(fixture) = env::var_os(DIRECTORY) {
        return body(&PathBuf::from(fixture));
    }
    let fixture = tempfile::tempdir().expect("a directory for the test");
    let output = fixture.path().join("output");
    let file = File::create(&output).expect("a file for the output");
    let ended = Command::new(env::current_exe().expect("the test's own program"))
        .args([test, "--exact", "--nocapture"])
        .env(DIRECTORY, fixture.path())
        // Thousands of callbacks panic intentionally.
        .env("RUST_BACKTRACE", "0")
        .stdout(file.try_clone().expect("the same file"))
        .stderr(file)
        .status()
        .expect("the process apart");
    let output = fs::read(&output).expect("the output");
    let output = String::from_utf8_lossy(&output);
    let reported = output
        .lines()
        .filter(|line| line.starts_with(REPORT_PREFIX));
    reported.for_each(|line| println!("{line}"));
    if !ended.success() {
        let skipped = output.lines().count().saturating_sub(SHOWN);
        let last = output.lines().skip(skipped);
        last.for_each(|line| println!("{line}"));
        let seed = output.lines().rfind(|line| line.starts_with(SEED));
        panic!("{test} failed in its process: {ended}, {seed:?}");
    }
}
