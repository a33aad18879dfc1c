use std::path::Path;

use vhost::trace::Payloads;

use crate::run::{Run, cut, frames};
use crate::{Ended, command, end};

fn diff(one: &Path, other: &Path) -> Ended {
    end(command().args(["trace", "diff"]).args([one, other]))
}

#[test]
fn a_run_and_its_repetition_elsewhere_are_the_same() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] = folders
        .each_ref()
        .map(|folder| Run::default().record(folder.path()));
    // The names of the configurations differ.
    assert_ne!(std::fs::read(&one).unwrap(), std::fs::read(&other).unwrap());
    let output = diff(&one, &other).stdout(0);
    assert!(output.starts_with("the same:"), "{output}");
}

#[test]
fn the_first_difference_is_reported_with_the_entries_before() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let one = Run::default().record(folders[0].path());
    let run = Run {
        text: "a line, and else\n",
        ..Run::default()
    };
    let other = run.record(folders[1].path());
    let output = diff(&one, &other).stdout(1);
    // The text first differs in the read from memory, before it is printed.
    assert!(
        output.contains("a line, and some") && output.contains("a line, and else"),
        "{output}"
    );
    assert!(
        output.contains("different: `Ok.Bytes.12`, 115 and 101"),
        "{output}"
    );
    let before = output.lines().take_while(|line| !line.contains(", frame "));
    assert_eq!(before.count(), 1 + 5, "{output}");
    let swapped = diff(&other, &one).stdout(1);
    assert!(swapped.contains("`Ok.Bytes.12`, 101 and 115"), "{swapped}");
}

#[test]
fn a_recording_that_ends_before_the_other_differs_there() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let bytes = std::fs::read(&trace).unwrap();
    let shortened = cut(&bytes, frames(&bytes).last().unwrap());
    let cut = folder.path().join("cut.trace");
    std::fs::write(&cut, shortened).unwrap();
    let output = diff(&trace, &cut).stdout(1);
    assert!(output.contains("cut.trace: its end"), "{output}");
    assert!(diff(&cut, &trace).stdout(1).contains("its end"));
}

#[test]
fn headers_of_the_runs_are_compared_too() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let one = Run::default().record(folders[0].path());
    let run = Run {
        payloads: Payloads::Hash,
        ..Run::default()
    };
    let other = run.record(folders[1].path());
    let output = diff(&one, &other).stdout(1);
    assert!(
        output.contains("different: the settings of payloads"),
        "{output}"
    );
}
