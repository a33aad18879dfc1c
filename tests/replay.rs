//! A run that was recorded is replayed without the chip, and every message comes out again.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../examples/quickstart/main.rs"]
#[allow(
    dead_code,
    reason = "a program of its own, of which the test uses what it needs"
)]
mod quickstart;

use std::path::{Path, PathBuf};

use quickstart::{SELFTEST, builder, run, start};
use vhost::Replay;
use vhost::trace::{Payloads, Trace};

/// Records a run of the quickstart.
fn record(folder: &Path, payloads: Payloads) -> PathBuf {
    let trace = folder.join("run.trace");
    let files = folder.join("files");
    std::fs::create_dir_all(&files).unwrap();
    let builder = builder(SELFTEST, &files, std::io::sink()).record_with(&trace, payloads);
    let vhost = start(builder).unwrap();
    assert_eq!(run(&vhost).unwrap().code, 0);
    vhost.shutdown();
    trace
}

#[test]
fn every_message_comes_out_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let first = Replay::of(&trace)
        .run()
        .unwrap_or_else(|error| panic!("{error}"));
    let entries = Trace::open(&trace).unwrap().map(Result::unwrap).count();
    assert_eq!(first.messages, entries as u64);
    assert!(first.messages > 500, "{first:?}");
    assert_eq!(Replay::of(&trace).run().unwrap(), first);
}
