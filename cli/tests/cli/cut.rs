use serde_json::Value;

use crate::run::{Run, entries};
use crate::{command, end, vhost_on};

/// Served requests of an output of `show --json`.
fn served(shown: &str) -> Vec<Value> {
    let entries = shown
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    entries
        .filter(|entry: &Value| entry["message"] == "Served")
        .map(|entry| entry["body"].clone())
        .collect()
}

#[test]
fn a_part_replays_in_another_process_and_shows_its_requests() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let last = entries(&trace).last().unwrap()["tick"].as_u64().unwrap();
    // The calls of both channels are pending.
    let first = last / 2;
    let part = folder.path().join("part.trace");
    let mut cut = command();
    cut.args(["trace", "cut", "--ticks", &format!("{first}..")]);
    cut.arg(&trace).arg("-o").arg(&part);
    let output = end(&mut cut).stdout(0);
    assert!(output.starts_with("cut: "), "{output}");
    assert_eq!(output.lines().count(), 1, "{output}");
    let replayed = vhost_on("replay", &part).stdout(0);
    assert!(replayed.starts_with("replayed: "), "{replayed}");

    let ticks = format!("trace show --json --from {first}");
    let expected = served(&vhost_on(&ticks, &trace).stdout(0));
    assert!(!expected.is_empty());
    assert_eq!(served(&vhost_on(&ticks, &part).stdout(0)), expected);
    // All verbs read it.
    for verb in ["trace stat --json", "trace show --json"] {
        vhost_on(verb, &part).stdout(0);
    }
    let one = vhost_on("replay --only mailbox", &part).stderr(2);
    assert!(one.contains("was cut out of another recording"), "{one}");
}

#[test]
fn what_can_not_be_cut_out_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let before = std::fs::read(&trace).unwrap();
    let cut = |ticks: &str, output: &std::path::Path| {
        let mut cut = command();
        cut.args(["trace", "cut", "--ticks", ticks]).arg(&trace);
        end(cut.arg("-o").arg(output)).stderr(2)
    };
    let text = cut("1..2", &trace);
    assert!(
        text.contains("is the recording; give the output another name"),
        "{text}"
    );
    assert_eq!(std::fs::read(&trace).unwrap(), before);
    let text = cut("99999999..", &folder.path().join("part.trace"));
    assert!(
        text.contains("has no entry of the ticks from 99999999"),
        "{text}"
    );
    let text = cut("1..2", &folder.path().join("no/part.trace"));
    assert!(text.contains("no/part.trace"), "{text}");
}

#[test]
fn from_a_tick_is_the_range_without_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let part = folder.path().join("part.trace");
    let mut cut = command();
    cut.args(["trace", "cut", "--ticks", ".."]).arg(&trace);
    end(cut.arg("-o").arg(&part)).stdout(0);
    // One is compressed.
    for file in [&trace, &part] {
        let from = vhost_on("trace show --from 9", file).stdout(0);
        assert_eq!(from, vhost_on("trace show --ticks 9..", file).stdout(0));
        assert!(from.lines().count() > 3, "{from}");
    }
    let text = vhost_on("trace show --from 9 --ticks 9..", &trace).stderr(2);
    assert!(text.contains("cannot be used with"), "{text}");
}
