//! A line for each request.

use std::fs;
use std::io;

use vhost::attach::Logger;

use crate::bench::{builder, session, start};

fn logged(logger: impl FnOnce(Logger) -> Logger) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requests.log");
    let (builder, _) = builder(folder.path());
    let vhost = start(builder.attach(logger(Logger::file(&file))));
    session(&vhost);
    vhost.shutdown();
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn for_people() {
    let lines = logged(|logger| logger);
    let of = |kind: &str| -> &String {
        let mut lines = lines.iter();
        lines.find(|line| line.contains(kind)).unwrap()
    };
    assert_eq!(lines.len(), 10, "{lines:#?}");
    for (kind, parts) in [
        (
            "core0: PRINT",
            &["tick ", "\"hello\\n\"", "; slot 0, taken in tick "][..],
        ),
        ("core1: MEMMOVE", &["len 32", "; slot 1"]),
        ("core0: CALL", &["`wait`", "; gives 0xc; slot 2"]),
        ("core1: MEMSET", &["; fails: EFAULT"]),
        ("error: core1: ", &["request in slot 3, MEMSET"]),
    ] {
        let line = of(kind);
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    }
}

#[test]
fn for_programs() {
    let lines = logged(Logger::json);
    let lines: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 10);
    let call = &lines[2];
    assert_eq!(call["channel"], "core0");
    assert_eq!(call["request"], "CALL");
    assert_eq!(call["args"][1], 3);
    assert_eq!(call["value"], 12);
    assert_eq!(call["about"], "method `wait`");
    let took = call["tick"].as_u64().unwrap() - call["taken"].as_u64().unwrap();
    assert_eq!(took, 3);
    assert!(
        lines
            .iter()
            .any(|line| line["severity"] == "error" && line["id"] == "core0")
    );
    assert!(
        lines
            .iter()
            .any(|line| line["request"] == "MEMSET" && line["error"].is_string())
    );
}

/// A disk that is full.
struct Full;

impl io::Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_can_not_be_logged_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let vhost = start(builder.attach(Logger::writer(Full)));
    session(&vhost);
    let told = reports.take_of("log");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("no storage space"), "{told:?}");
}
