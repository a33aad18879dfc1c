//! Recorded runs replay without the chip, with every message as recorded.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../examples/quickstart/main.rs"]
#[allow(
    dead_code,
    reason = "a program of its own, of which the test uses what it needs"
)]
mod quickstart;

mod frames;

use std::path::{Path, PathBuf};

use frames::{frames, recording};
use quickstart::{SELFTEST, builder, run, start};
use vhost::trace::{Payloads, Trace};
use vhost::{Replay, ReplayError, Vhost};

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

/// Position of the `nth` frame that contains this text.
fn frame_with(frames: &[Vec<u8>], text: &[u8], nth: usize) -> (usize, usize) {
    let place = |frame: &Vec<u8>| frame.windows(text.len()).position(|part| part == text);
    // Skips the header, which contains the image.
    let found = frames.iter().enumerate().skip(1);
    let mut found = found.filter_map(|(number, frame)| Some((number, place(frame)?)));
    found.nth(nth).unwrap()
}

#[test]
fn a_byte_that_was_changed_is_told_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let sound = std::fs::read(&trace).unwrap();
    let mut bytes = sound.clone();
    let text = b"hello from firmware";
    let last = bytes.windows(text.len()).rposition(|part| part == text);
    bytes[last.unwrap()] ^= 1;
    std::fs::write(&trace, &bytes).unwrap();
    let damaged = Replay::of(&trace).run().unwrap_err().to_string();
    assert!(damaged.contains("its checksum is another"), "{damaged}");
    let frames = frames(&sound);
    let of_text = frames
        .iter()
        .rposition(|frame| frame.windows(text.len()).any(|part| part == text));
    assert!(
        damaged.contains(&format!("frame {}:", of_text.unwrap())),
        "{damaged}"
    );
}

#[test]
fn the_first_message_that_differs_is_told_with_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let sound = frames(&std::fs::read(&trace).unwrap());
    // The server's message to the console follows from the replies of memory.
    let text = b"no more than this";
    let all = (0..).map_while(|nth| {
        let known = sound
            .iter()
            .skip(1)
            .filter(|frame| frame.windows(text.len()).any(|part| part == text));
        (nth < known.count()).then(|| frame_with(&sound, text, nth))
    });
    let (number, place) = all.last().unwrap();
    let mut changed = sound.clone();
    changed[number][place] = b'N';
    std::fs::write(&trace, recording(&changed)).unwrap();
    let error = Replay::of(&trace).run().unwrap_err();
    let ReplayError::Difference(difference) = &error else {
        panic!("{error}");
    };
    assert_eq!(difference.frame, number as u64, "{error}");
    assert!(
        difference
            .recorded
            .as_ref()
            .unwrap()
            .contains("No more than this"),
        "{error}"
    );
    assert!(
        difference
            .replayed
            .as_ref()
            .unwrap()
            .contains("no more than this"),
        "{error}"
    );
    assert!(!difference.before.is_empty(), "{error}");
}

#[test]
fn a_message_that_is_missing_or_one_too_many_differs() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let sound = frames(&std::fs::read(&trace).unwrap());
    let (number, _) = frame_with(&sound, b"hello from firmware", 1);
    for change in [true, false] {
        let mut changed = sound.clone();
        if change {
            changed.remove(number);
        } else {
            let again = changed[number].clone();
            changed.insert(number, again);
        }
        std::fs::write(&trace, recording(&changed)).unwrap();
        let error = Replay::of(&trace).run().unwrap_err();
        assert!(
            matches!(error, ReplayError::Difference(_) | ReplayError::Trace(_)),
            "{error}"
        );
    }
}

#[test]
fn a_recording_that_was_cut_off_is_replayed_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let sound = std::fs::read(&trace).unwrap();
    let header = 12 + 8 + frames(&sound)[0].len();
    let mut before = u64::MAX;
    for cut in (header..sound.len()).rev().step_by(997) {
        std::fs::write(&trace, &sound[..cut]).unwrap();
        let replayed = Replay::of(&trace)
            .run()
            .unwrap_or_else(|error| panic!("{cut}: {error}"));
        assert!(replayed.messages <= before, "{cut}");
        before = replayed.messages;
    }
    std::fs::write(&trace, &sound[..header - 1]).unwrap();
    Trace::open(&trace).unwrap_err();
}

#[test]
fn what_can_not_be_replayed_says_why() {
    let folder = tempfile::tempdir().unwrap();
    for payloads in [Payloads::Hash, Payloads::Drop] {
        let trace = record(folder.path(), payloads);
        let error = Replay::of(&trace).run().unwrap_err();
        assert!(matches!(error, ReplayError::NoPayloads { .. }), "{error}");
    }
    let trace = folder.path().join("late.trace");
    let vhost = Vhost::builder().start().unwrap();
    vhost.record(&trace, Payloads::Keep).unwrap();
    // One system per thread.
    let error = Replay::of(record_nothing(folder.path())).run().unwrap_err();
    assert!(matches!(error, ReplayError::System(_)), "{error}");
    vhost.shutdown();
    let error = Replay::of(&trace).run().unwrap_err();
    assert!(matches!(error, ReplayError::NotWhole { .. }), "{error}");
    let error = Replay::of(folder.path().join("none")).run().unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
    std::fs::write(&trace, "no recording at all").unwrap();
    let error = Replay::of(&trace).run().unwrap_err().to_string();
    assert!(error.contains("VHOSTTRC"), "{error}");
}

/// Recording of an empty system, made by another thread.
fn record_nothing(folder: &Path) -> PathBuf {
    let trace = folder.join("nothing.trace");
    let file = trace.clone();
    let recorded =
        std::thread::spawn(move || Vhost::builder().record(file).start().unwrap().shutdown());
    recorded.join().unwrap();
    trace
}

#[test]
fn a_file_that_can_not_be_written_is_no_recording() {
    let error = Vhost::builder()
        .record("/no/such/run.trace")
        .start()
        .unwrap_err();
    assert!(error.to_string().contains("/no/such/run.trace"), "{error}");
    let error = Vhost::builder().record("/dev/full").start().unwrap_err();
    assert!(error.to_string().contains("/dev/full"), "{error}");
}
