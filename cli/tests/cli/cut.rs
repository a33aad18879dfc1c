use serde_json::Value;

use crate::report::data;
use crate::run::{Run, entries};
use crate::{command, end, vhost_on};

/// Served requests in the output of `show --json`.
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
    // All commands read it.
    for verb in ["trace stat --json", "trace show --json"] {
        vhost_on(verb, &part).stdout(0);
    }
    let one = vhost_on("replay --only mailbox", &part).stderr(2);
    assert!(one.contains("was cut out of another recording"), "{one}");
}

/// Verdict and printed lines of a recording, on a page and in JUnit results.
fn reported(folder: &std::path::Path, trace: &std::path::Path) -> (Value, Vec<String>, String) {
    let (page, junit) = (folder.join("page.html"), folder.join("results.xml"));
    let mut report = command();
    report.arg("report").arg(trace).arg("-o").arg(&page);
    end(report.arg("--junit").arg(&junit)).stdout(0);
    let page = std::fs::read_to_string(page).unwrap();
    let detail = data(&page, "run-0");
    let lines = detail["console"].as_array().unwrap().iter();
    let mut lines: Vec<_> = lines
        .map(|line| format!("{}: {}", line["channel"], line["text"]))
        .collect();
    lines.sort();
    let junit = std::fs::read_to_string(junit).unwrap();
    let (_, printed) = junit.split_once("<system-out>").unwrap_or_default();
    (detail["verdict"].clone(), lines, printed.to_owned())
}

#[test]
fn a_part_has_the_open_lines_and_the_exits_at_its_begin() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        text: "no end ",
        ..Run::default()
    };
    let trace = run.record(folder.path());
    let whole = reported(folder.path(), &trace);
    assert_eq!(whole.0, "passed");
    assert_eq!(whole.1.len(), 2);
    let last = entries(&trace).last().unwrap()["tick"].as_u64().unwrap();
    let part = folder.path().join("part.trace");
    for first in 2..=last {
        let mut cut = command();
        cut.args(["trace", "cut", "--ticks", &format!("{first}..")]);
        end(cut.arg(&trace).arg("-o").arg(&part)).stdout(0);
        let mut reported = reported(folder.path(), &part);
        if first == last {
            // The part does not contain text that was printed before it.
            reported.1.clone_from(&whole.1);
            reported.2.clone_from(&whole.2);
        }
        assert_eq!(reported, whole, "from {first}");
    }
}

#[test]
fn recordings_that_can_not_be_cut_are_named() {
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
    // One of them is compressed.
    for file in [&trace, &part] {
        let from = vhost_on("trace show --from 9", file).stdout(0);
        assert_eq!(from, vhost_on("trace show --ticks 9..", file).stdout(0));
        assert!(from.lines().count() > 3, "{from}");
    }
    let text = vhost_on("trace show --from 9 --ticks 9..", &trace).stderr(2);
    assert!(text.contains("cannot be used with"), "{text}");
}
