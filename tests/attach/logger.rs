//! Log lines of requests.

use std::fs;
use std::io;

use insta::assert_snapshot;
use mailbox_rs::Request;
use vhost::attach::{Logger, Statistics};

use test_support::two_channels::{NAME, ask, builder, call, firmware, session, shake, start};

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
    assert_snapshot!(lines.join("\n"), @r#"
    tick 2: core0: PRINT ptr 0x4008 len 6, "hello\n"; done; slot 0, taken in tick 2
    tick 3: core0: MEMMOVE dest 0x4100 src 0x4000 len 32; done; slot 1, taken in tick 3
    tick 7: core0: CALL method 0x4000 args [0x3], `wait`; gives 0xc; slot 2, taken in tick 4
    tick 8: error: core0: request in slot 3, MEMSET dest 0x10 byte 0x0 len 4: space `one` has no memory at 0x10, needed for the 4 bytes at 0x10; answered EFAULT (bad address)
    tick 8: core0: MEMSET dest 0x10 byte 0x0 len 4; fails: EFAULT (bad address); slot 3, taken in tick 8
    tick 10: core1: PRINT ptr 0x4008 len 6, "hello\n"; done; slot 0, taken in tick 10
    tick 11: core1: MEMMOVE dest 0x4100 src 0x4000 len 32; done; slot 1, taken in tick 11
    tick 15: core1: CALL method 0x4000 args [0x3], `wait`; gives 0xc; slot 2, taken in tick 12
    tick 16: error: core1: request in slot 3, MEMSET dest 0x10 byte 0x0 len 4: space `two` has no memory at 0x10, needed for the 4 bytes at 0x10; answered EFAULT (bad address)
    tick 16: core1: MEMSET dest 0x10 byte 0x0 len 4; fails: EFAULT (bad address); slot 3, taken in tick 16
    "#);
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
    assert_eq!(call["about"], "wait");
    assert_eq!(lines[0]["about"], "hello\n");
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

/// Full disk.
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
fn a_failed_write_of_the_log_is_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let vhost = start(builder.attach(Logger::writer(Full)));
    session(&vhost);
    let reported = reports.take_of("log");
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert!(reported[0].contains("no storage space"), "{reported:?}");
}

#[test]
fn a_reset_drops_the_arguments_of_requests() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requests.log");
    let (builder, _) = builder(folder.path());
    let vhost = start(builder.attach(Logger::file(&file)));
    let [mut core0, _] = firmware(&vhost);
    shake(&vhost, &mut core0);
    assert!(core0.try_send(&call(100)));
    vhost.tick().unwrap();
    shake(&vhost, &mut core0);
    let (dest, byte, len) = (NAME, 1, 4);
    ask(&vhost, &mut core0, &Request::MemSet { dest, byte, len });
    vhost.shutdown();
    let text = fs::read_to_string(file).unwrap();
    assert_eq!(
        text,
        "tick 4: core0: MEMSET dest 0x4000 byte 0x1 len 4; done; slot 0, taken in tick 4\n"
    );
}

#[test]
fn a_full_disk_is_reported_once_by_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let vhost = start(
        builder
            .attach(Logger::file("/dev/full"))
            .attach(Statistics::new().file("/dev/full")),
    );
    session(&vhost);
    vhost.shutdown();
    let reported = reports.take();
    for (id, what) in [
        ("log", "log /dev/full can't be written"),
        ("statistics", "table /dev/full can't be written"),
    ] {
        let of: Vec<_> = reported.iter().filter(|report| report.id == id).collect();
        assert!(
            of.len() == 1 && of[0].text.contains(what) && of[0].text.contains("No space"),
            "{reported:?}"
        );
    }
}
