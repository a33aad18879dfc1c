//! Quickstart as a test: firmware's text, exit status, and failing runs.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../examples/quickstart/main.rs"]
#[allow(
    dead_code,
    reason = "a program of its own, of which the test uses what it needs"
)]
mod quickstart;

use std::io;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use quickstart::{RunResult, SELFTEST, builder, exit_status, run, start};
use vhost::attach::Statistics;
use vhost::bus::Observation;
use vhost::messages::foreign::Report;
use vhost::{Severity, Vhost};

const OUTPUT: &str = "\
[cpu] hello from firmware
[cpu] a line in two parts, café
[cpu] no more than this
[cpu] integers: -1 2 3 +4    -5| 6    | -0007 008
[cpu] narrow: -1 255 -1 65535
[cpu] hexadecimal: beef BEEF 0xbeef 0x0000beef, octal: 10 010
[cpu] text: whole cut  right| left  | c %
[cpu] reals: 1.500000 -0.12 1.234500e+04 0.5
[cpu] width and precision from arguments:     42| 0.2
[cpu] words: 1234 0x1000
[cpu] 64 bits: -2 0x123456789abcdef 18446744073709551615, then 5
[cpu] 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
[cpu] six requests that are refused, and reported, on purpose:
[cpu] and again after a reset
[cpu] 50 checks passed
";

/// Files and text of one run.
struct Fixture {
    files: tempfile::TempDir,
    text: Text,
    vhost: Vhost,
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl io::Write for Text {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Fixture {
    fn new() -> Self {
        let (files, text) = (tempfile::tempdir().unwrap(), Text::default());
        let vhost = start(builder(SELFTEST, files.path(), text.clone())).unwrap();
        Self { files, text, vhost }
    }

    fn text(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.text.0.lock().unwrap())).unwrap()
    }
}

#[test]
fn every_service_is_served() {
    let fixture = Fixture::new();
    let statistics = Statistics::new();
    fixture.vhost.attach(statistics.clone()).unwrap();

    let RunResult { code, .. } = run(&fixture.vhost).unwrap();
    assert_eq!(fixture.text(), OUTPUT);
    assert_eq!(code, 0);

    let notes = std::fs::read_to_string(fixture.files.path().join("notes.txt")).unwrap();
    assert_eq!(notes, "first line\nsecond line\n");
    assert!(!fixture.files.path().join("../outside.txt").exists());

    let table = statistics.table();
    let failed: u64 = table.iter().map(|(_, _, requests)| requests.failed).sum();
    assert_eq!(failed, 6);
    assert_eq!(table.of("cpu", "FILE WRITE").unwrap().bytes, 23);
    assert_eq!(table.of("cpu", "CALL").unwrap().ticks_max, 10);
    for at_once in [
        "PRINT",
        "CPRINT",
        "MEMMOVE",
        "MEMSET",
        "MEMCMP",
        "FILE READ",
        "OTHER",
    ] {
        let requests = table.of("cpu", at_once).unwrap();
        assert_eq!(
            requests.ticks_max, 0,
            "{at_once} was not answered in its tick"
        );
    }
}

#[test]
fn each_refusal_is_reported() {
    let fixture = Fixture::new();
    let reports = Arc::new(Mutex::new(Vec::new()));
    let kept = reports.clone();
    let keep = move |seen: &Observation<'_>| {
        if let Some(report) = seen.content.downcast_ref::<Report>() {
            kept.lock().unwrap().push(report.clone());
        }
    };
    fixture.vhost.attach(keep).unwrap();
    run(&fixture.vhost).unwrap();

    let reports = reports.lock().unwrap();
    let expected = [
        "`missing.txt`; answered ENOENT",
        "`../outside.txt`: the path, or a symbolic link in it, leads out of the root",
        "FILE READ fd 99",
        "MEMSET dest 0xffffffc0",
        "`no_such_method`",
        "custom command 0x2",
    ];
    assert_eq!(reports.len(), expected.len(), "{reports:?}");
    for (report, part) in reports.iter().zip(expected) {
        // A probe for a missing file is not an error.
        let severity = match part.contains("ENOENT") {
            true => Severity::Info,
            false => Severity::Error,
        };
        assert_eq!((report.severity, report.id.as_str()), (severity, "cpu"));
        assert!(report.text.contains(part), "{part}: {}", report.text);
    }
}

#[test]
fn a_check_that_fails_ends_the_run_with_its_number() {
    let fixture = Fixture::new();
    fixture
        .vhost
        .register_method("add", |_, _| Ok(Poll::Ready(7)))
        .unwrap();

    let RunResult { code, .. } = run(&fixture.vhost).unwrap();
    let text = fixture.text();
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with(&format!("[cpu] check {code} failed, line "))
            && last.ends_with(": mb_call(&mailbox, \"add\", 1, 2, 3) == 6"),
        "{last}"
    );
    assert_ne!(exit_status(code), 0);
}

#[test]
fn a_method_that_fails_fails_the_check() {
    let fixture = Fixture::new();
    fixture
        .vhost
        .register_method("greet", |_, _| Err("not today".into()))
        .unwrap();
    assert_ne!(run(&fixture.vhost).unwrap().code, 0);
}

#[test]
fn firmware_that_hangs_is_reported() {
    let fixture = Fixture::new();
    fixture
        .vhost
        .register_method("add", |_, _| Ok(Poll::Pending))
        .unwrap();
    let error = run(&fixture.vhost).unwrap_err().to_string();
    assert!(error.contains("did not exit within"), "{error}");
    let owes = "cpu: waits for the host program: method `add` is pending since tick ";
    assert!(error.contains(owes), "{error}");
}

#[test]
fn no_code_of_firmware_but_zero_is_success() {
    assert_eq!(exit_status(0), 0);
    assert_eq!(exit_status(3), 3);
    assert_eq!(exit_status(256), 255);
    assert_eq!(exit_status(u32::MAX), 255);
}
