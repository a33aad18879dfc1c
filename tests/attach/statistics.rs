//! Statistics of requests.

use std::fs;

use vhost::attach::Statistics;

use test_support::two_channels::{builder, session, start};

#[test]
fn requests_are_counted_by_channel_and_kind() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, _) = builder(folder.path());
    let statistics = Statistics::new();
    let vhost = start(builder.attach(statistics.clone()));
    session(&vhost);
    let table = statistics.table();
    let rows: Vec<(&str, &str)> = table
        .iter()
        .map(|(channel, kind, _)| (&**channel, kind))
        .collect();
    let kinds = ["CALL", "MEMMOVE", "MEMSET", "PRINT"];
    let expected: Vec<(&str, &str)> = ["core0", "core1"]
        .into_iter()
        .flat_map(|channel| kinds.map(|kind| (channel, kind)))
        .collect();
    assert_eq!(rows, expected);
    for channel in ["core0", "core1"] {
        let of = |kind| table.of(channel, kind).unwrap();
        assert_eq!((of("PRINT").bytes, of("MEMMOVE").bytes), (6, 32));
        assert_eq!((of("MEMSET").failed, of("MEMSET").bytes), (1, 0));
        let call = of("CALL");
        assert_eq!((call.ticks_min, call.ticks_sum, call.ticks_max), (3, 3, 3));
        let steps: Vec<(u64, u64)> = call.histogram.steps().collect();
        assert_eq!(steps, [(0, 0), (1, 0), (3, 1)]);
    }
}

#[test]
fn the_table_is_written_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (text, json) = (
        folder.path().join("table.txt"),
        folder.path().join("table.json"),
    );
    let (builder, _) = builder(folder.path());
    let vhost = start(
        builder
            .attach(Statistics::new().file(&text))
            .attach(Statistics::new().file(&json)),
    );
    session(&vhost);
    assert_eq!(fs::read_to_string(&text).unwrap(), "");
    vhost.shutdown();
    let text = fs::read_to_string(&text).unwrap();
    assert_eq!(text.lines().count(), 9, "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    let rows = json.as_array().unwrap();
    assert_eq!(rows.len(), 8);
    assert_eq!(rows[0]["channel"], "core0");
    assert_eq!(rows[0]["request"], "CALL");
    assert_eq!(rows[0]["ticks_max"], 3);
    assert_eq!(rows[0]["histogram"][2], serde_json::json!([3, 1]));
}

#[test]
fn a_file_that_can_not_be_written_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, _) = builder(folder.path());
    let error = builder
        .attach(Statistics::new().file("/no/such/folder/table.txt"))
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("/no/such/folder/table.txt"), "{error}");
}
