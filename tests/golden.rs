//! Replays recordings of RTL simulations without a simulator.
//!
//! `cargo xtask cosim --golden` records them again after a change of a run's messages.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use test_support::frames::{frames, recording};
use vhost::trace::{Content, Entry, Trace};
use vhost::{ActorName, Cut, Replay, ReplayError};

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
fn a_changed_payload_is_reported_with_its_place() {
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
        let ReplayError::Divergence(divergence) = &error else {
            panic!("{name}: {error}");
        };
        assert_eq!(divergence.frame, print.frame, "{name}: {error}");
    }
}

/// Served requests of some ticks: tick, name and content.
fn served(file: &Path, ticks: &RangeInclusive<u64>) -> Vec<(u64, String, Content)> {
    const EVENTS: [&str; 4] = ["Served", "CommandServed", "OperationServed", "Transferred"];
    let entries = Trace::open(file).unwrap().map(Result::unwrap);
    let served = entries
        .filter(|entry| ticks.contains(&entry.tick) && EVENTS.contains(&entry.kind.name.as_str()));
    let served = served.map(|entry| (entry.tick, entry.kind.name.clone(), entry.content));
    served.collect()
}

#[test]
fn a_part_replays_by_itself_and_has_the_requests_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in golden() {
        let last = Trace::open(&file).unwrap().map(Result::unwrap).last();
        let last = last.unwrap().tick;
        let part = folder.path().join(&name);
        let mut is_shorter = false;
        for ticks in [
            0..=last / 2,
            last / 3..=last / 2,
            last / 2..=u64::MAX,
            last..=last,
        ] {
            let cut = Cut::of(&file, ticks.clone(), &part);
            let cut = cut.unwrap_or_else(|error| panic!("{name} {ticks:?}: {error}"));
            assert!(cut.first <= *ticks.start());
            assert_eq!(
                served(&part, &ticks),
                served(&file, &ticks),
                "{name} {ticks:?}"
            );
            let replayed = Replay::of(&part).run().unwrap();
            assert_eq!(replayed.messages, cut.entries);
            is_shorter |= cut.first == last / 2;
            // A part of a part.
            let again = folder.path().join("again.trace");
            let second = Cut::of(&part, ticks.clone(), &again).unwrap();
            assert!(second.first >= cut.first, "{name} {ticks:?}");
            assert_eq!(served(&again, &ticks), served(&file, &ticks));
        }
        // Tasks of Python are not kept.
        assert!(is_shorter || name.starts_with("python"), "{name}");
    }
}

#[test]
fn the_error_of_a_part_that_can_not_be_cut_out_has_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = &golden()["selftest"];
    let part = folder.path().join("part.trace");
    let error = |file: &Path, ticks, part: &Path| {
        let cut = Cut::of(file, ticks, part);
        cut.unwrap_err().to_string()
    };
    let text = error(file, u64::MAX..=u64::MAX, &part);
    assert!(text.contains("has no entry of the ticks"), "{text}");
    fs::copy(file, &part).unwrap();
    let text = error(&part, 1..=2, &part);
    assert!(text.contains("is the recording itself"), "{text}");
    assert_eq!(fs::read(&part).unwrap(), fs::read(file).unwrap());
    let text = error(file, 1..=2, &folder.path().join("no/part.trace"));
    assert!(text.contains("no/part.trace"), "{text}");

    let last = Trace::open(file).unwrap().map(Result::unwrap).last();
    let last = last.unwrap().tick;
    let middle = folder.path().join("middle.trace");
    Cut::of(file, last / 2..=last, &middle).unwrap();
    let actor = Replay::of(&middle).only(ActorName::Mailbox).run();
    let text = actor.unwrap_err().to_string();
    assert!(text.contains("was cut out of another recording"), "{text}");
}
