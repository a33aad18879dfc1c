use std::collections::HashMap;

use serde_json::Value;

use crate::run::{Run, WAIT, entries, frames};
use crate::{command, end, vhost_on};

struct Exported {
    events: Vec<Value>,
    /// Names of tracks, by process and thread.
    tracks: HashMap<(u64, u64), String>,
}

fn number(event: &Value, key: &str) -> f64 {
    event[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} of {event}"))
}

fn track(event: &Value) -> (u64, u64) {
    (
        event["pid"].as_u64().unwrap(),
        event["tid"].as_u64().unwrap(),
    )
}

fn parse(text: &str) -> Exported {
    let mut whole: Value = serde_json::from_str(text).unwrap();
    let Value::Array(events) = whole["traceEvents"].take() else {
        panic!("no events in {text}");
    };
    let named = events.iter().filter(|event| event["name"] == "thread_name");
    let tracks = named.map(|event| (track(event), event["args"]["name"].as_str().unwrap().into()));
    Exported {
        tracks: tracks.collect(),
        events,
    }
}

impl Exported {
    fn of_phase<'a>(&'a self, phase: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["ph"] == phase)
    }
}

#[test]
fn every_event_is_on_a_named_track_and_slices_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let exported = parse(&vhost_on("trace export --perfetto", &trace).stdout(0));
    let phases = ["M", "X", "i", "s", "f"];
    let mut ends: HashMap<(u64, u64), f64> = HashMap::new();
    let mut now = 0.0;
    for event in &exported.events {
        let phase = event["ph"].as_str().unwrap();
        assert!(phases.contains(&phase), "{event}");
        assert!(exported.tracks.contains_key(&track(event)), "{event}");
        if phase == "M" {
            continue;
        }
        let ts = number(event, "ts");
        if phase == "X" {
            // No two slices of a track overlap. Viewers round times to a nanosecond.
            let dur = number(event, "dur");
            let end = ends.entry(track(event)).or_default();
            assert!(
                dur > 0.0 && ts >= *end - 1e-6,
                "{event} begins before {end}"
            );
            *end = ts + dur;
        }
        // A request is written at its response and begins earlier.
        if event["cat"] != "request" {
            assert!(ts >= now, "{event} is before {now}");
            now = ts;
        }
    }
    let tracks: Vec<&String> = exported.tracks.values().collect();
    for name in [
        "mailbox", "memory", "rpc", "foreign", "console", "core0", "core1",
    ] {
        assert!(tracks.contains(&&name.to_owned()), "{tracks:?}");
    }
}

#[test]
fn requests_last_from_taken_to_answered() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let exported = parse(&vhost_on("trace export --perfetto", &trace).stdout(0));
    let shown = entries(&trace);
    let served: Vec<&Value> = shown
        .iter()
        .filter(|entry| entry["message"] == "Served")
        .collect();
    let slices = exported.of_phase("X").filter(|it| it["cat"] == "request");
    let slices: Vec<&Value> = slices.collect();
    assert_eq!(slices.len(), served.len());
    for (slice, served) in slices.iter().zip(&served) {
        assert_eq!(
            exported.tracks[&track(slice)],
            served["channel"].as_str().unwrap()
        );
        let (begin, end) = (
            number(slice, "ts"),
            number(slice, "ts") + number(slice, "dur"),
        );
        assert_eq!(begin.floor(), number(&served["body"], "since"), "{slice}");
        assert_eq!((end - 1e-6).floor(), number(served, "tick"), "{slice}");
        let calls = slice["name"] == "CALL";
        assert_eq!(end - begin >= WAIT as f64 - 1.0, calls, "{slice}");
    }
}

#[test]
fn arrows_lead_from_messages_to_their_replies() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let exported = parse(&vhost_on("trace export --perfetto", &trace).stdout(0));
    let begun: HashMap<u64, &Value> = exported
        .of_phase("s")
        .map(|event| (event["id"].as_u64().unwrap(), event))
        .collect();
    assert!(begun.len() > 20);
    let mut ended = 0;
    for event in exported.of_phase("f") {
        let begin = begun[&event["id"].as_u64().unwrap()];
        assert_eq!(begin["name"], event["name"]);
        assert!(number(begin, "ts") < number(event, "ts"), "{begin} {event}");
        ended += 1;
    }
    assert_eq!(ended, begun.len());
}

#[test]
fn the_file_is_whole_even_where_the_recording_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let mut bytes = std::fs::read(&trace).unwrap();
    let frames = frames(&bytes);
    bytes[frames.last().unwrap().content.start + 1] ^= 1;
    std::fs::write(&trace, bytes).unwrap();
    let output = folder.path().join("out.json");
    let mut export = command();
    export.args(["trace", "export", "--perfetto"]).arg(&trace);
    let ended = end(export.arg("-o").arg(&output));
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr(2).contains("checksum"));
    let exported = parse(&std::fs::read_to_string(output).unwrap());
    assert!(exported.of_phase("X").count() > 50);
}

#[test]
fn a_file_that_can_not_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let mut export = command();
    export.args(["trace", "export", "--perfetto"]).arg(&trace);
    let output = end(export.args(["-o", "/no/such/folder/out.json"])).stderr(2);
    assert!(output.contains("/no/such/folder/out.json"), "{output}");
}

#[test]
fn the_recording_itself_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let bytes = std::fs::read(&trace).unwrap();
    let mut export = command();
    export.args(["trace", "export", "--perfetto"]).arg(&trace);
    let output = end(export.arg("-o").arg(folder.path().join("./run.trace"))).stderr(2);
    assert!(output.contains("is the recording"), "{output}");
    assert_eq!(std::fs::read(&trace).unwrap(), bytes);
}
