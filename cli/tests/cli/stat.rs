use std::collections::BTreeMap;

use serde_json::Value;

use crate::run::{Run, WAIT, entries};
use crate::vhost_on;

#[test]
fn counts_are_those_of_the_shown_entries() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let shown = entries(&trace);
    let stat: Value =
        serde_json::from_str(&vhost_on("trace stat --json", &trace).stdout(0)).unwrap();
    assert_eq!(stat["entries"], shown.len());
    assert_eq!(stat["ticks"], shown.last().unwrap()["tick"]);
    assert_eq!(stat["whole"], true);
    assert_eq!(stat["payloads"], "keep");

    let key = |entry: &Value| ["to", "message", "from"].map(|key| entry[key].to_string());
    let mut expected = BTreeMap::new();
    for entry in &shown {
        let counts: &mut [u64; 3] = expected.entry(key(entry)).or_default();
        let event = ["message", "reply", "dropped"].map(|event| entry["event"] == event);
        counts[event.iter().position(|is| *is).unwrap()] += 1;
    }
    let counted = stat["messages"].as_array().unwrap().iter().map(|of_kind| {
        let counts = ["messages", "replies", "dropped"].map(|it| of_kind[it].as_u64().unwrap());
        (key(of_kind), counts)
    });
    assert_eq!(counted.collect::<BTreeMap<_, _>>(), expected);
}

#[test]
fn requests_are_counted_by_channel_with_their_latency() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::default();
    let trace = run.record(folder.path());
    let stat: Value =
        serde_json::from_str(&vhost_on("trace stat --json", &trace).stdout(0)).unwrap();
    let requests = stat["requests"].as_array().unwrap();
    let names: Vec<_> = requests
        .iter()
        .map(|it| {
            (
                it["channel"].as_str().unwrap(),
                it["request"].as_str().unwrap(),
            )
        })
        .collect();
    let of_each = ["CALL", "EXIT", "PRINT"];
    let expected = ["core0", "core1"].map(|channel| of_each.map(|request| (channel, request)));
    assert_eq!(names, expected.concat());
    for of_kind in requests {
        let (count, bytes, ticks) = match of_kind["request"].as_str().unwrap() {
            "CALL" => (1, 0, WAIT),
            "PRINT" => (run.prints, run.prints * run.text.len() as u64, 0),
            _ => (1, 0, 0),
        };
        assert_eq!(of_kind["count"], count, "{of_kind}");
        assert_eq!(of_kind["bytes"], bytes, "{of_kind}");
        assert_eq!(of_kind["failed"], 0, "{of_kind}");
        assert_eq!(of_kind["ticks_max"], ticks, "{of_kind}");
        assert_eq!(of_kind["ticks_sum"], ticks, "{of_kind}");
    }
    let table = vhost_on("trace stat", &trace).stdout(0);
    let line = table
        .lines()
        .find(|line| line.starts_with("core1      CALL"));
    let columns: Vec<&str> = line.unwrap().split_whitespace().collect();
    let expected = ["1", "0", "0", "bytes", "5", "5.0", "5", "≤7:", "1"];
    assert_eq!(columns[2..], expected);
}
