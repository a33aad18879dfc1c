//! Runs a test in a process of its own: what firmware prints goes to C's standard output, where no test harness keeps
//! it, and environment and heap are then the test's alone.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set in the process apart: the directory that the test may use.
const STAGE: &str = "VHOST_HOSTILE_STAGE";

/// Lines of standard error that are shown of a test that failed.
const SHOWN: usize = 60;

/// Does `body` in a process apart, for the test of this name. Gives what was printed there, but for the test
/// harness' own lines; `None` in the process apart itself.
pub(crate) fn apart(test: &str, body: impl FnOnce(&Path)) -> Option<Vec<String>> {
    if let Some(stage) = env::var_os(STAGE) {
        body(&PathBuf::from(stage));
        return None;
    }
    let stage = tempfile::tempdir().expect("a directory for the test");
    let file = |name| stage.path().join(name);
    fs::create_dir(file("root")).expect("a root for firmware's files");
    let create = |name| File::create(file(name)).expect("a file for the output");
    let ended = Command::new(env::current_exe().expect("the test's own program"))
        .args([test, "--exact", "--nocapture"])
        // Thousands of callbacks panic, each of them on purpose.
        .env("RUST_BACKTRACE", "0")
        .env(STAGE, stage.path())
        .env("MEM_CFG_FILE", file("memories.yaml"))
        .env("MAILBOX_CFG_FILE", file("mailboxes.yaml"))
        .env("MAILBOX_FS_ROOT", file("root"))
        .stdout(create("stdout"))
        .stderr(create("stderr"))
        .status()
        .expect("the process apart");
    let text = |name| fs::read(file(name)).expect("the output");
    if !ended.success() {
        let errors = text("stderr");
        let errors = String::from_utf8_lossy(&errors);
        let skipped = errors.lines().count().saturating_sub(SHOWN);
        errors
            .lines()
            .skip(skipped)
            .for_each(|line| println!("{line}"));
        panic!("{test} failed in its process: {ended}");
    }
    let printed = text("stdout");
    let printed = String::from_utf8_lossy(&printed);
    let harness = |line: &&str| {
        !line.is_empty() && !line.starts_with("running 1 test") && !line.starts_with("test ")
    };
    Some(printed.lines().filter(harness).map(str::to_owned).collect())
}
