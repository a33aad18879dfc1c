//! Replays recordings of RTL simulations without a simulator.
//!
//! `cargo xtask cosim --golden` records them again after a change of a run's messages.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use support::frames::{frames, recording};
use vhost::trace::{Content, Entry, Trace};
use vhost::{Replay, ReplayError};

/// Recordings by the names of their cases.
fn golden() -> BTreeMap<String, PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/golden");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let name = |file: &Path| file.file_stem().unwrap().to_string_lossy().into_owned();
    files.map(|file| (name(&file), file)).collect()
}

#[test]
fn there_is_one_of_each_kind_of_run() {
    let names: Vec<String> = golden().into_keys().collect();
    assert_eq!(
        names,
        [
            "console-every-10000-clocks",
            "python-every-16-clocks",
            "selftest",
            "uvm-cluster"
        ]
    );
}

#[test]
fn every_message_comes_out_again_and_again() {
    for (name, file) in golden() {
        let entries = Trace::open(&file).unwrap().map(Result::unwrap).count();
        let replay = || {
            let replayed = Replay::of(&file).run();
            replayed.unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let first = replay();
        assert_eq!(first.messages, entries as u64, "{name}");
        assert_eq!(replay(), first, "{name}");
    }
}

/// True for a text to the console.
fn is_print(entry: &Entry) -> bool {
    entry.kind.name == "Print" && matches!(entry.content, Content::Message { .. })
}

#[test]
fn a_payload_that_was_changed_is_told_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in golden() {
        let entries = Trace::open(&file).unwrap().map(Result::unwrap);
        let print = entries.filter(is_print).last().unwrap();
        let mut changed = frames(&fs::read(&file).unwrap());
        let frame = &mut changed[usize::try_from(print.frame).unwrap()];
        *frame.last_mut().unwrap() ^= 1;
        let harmed = folder.path().join(&name);
        fs::write(&harmed, recording(&changed)).unwrap();
        let error = Replay::of(&harmed).run().unwrap_err();
        let ReplayError::Difference(difference) = &error else {
            panic!("{name}: {error}");
        };
        assert_eq!(difference.frame, print.frame, "{name}: {error}");
    }
}
