//! Injected faults.

use super::*;
use crate::messages::foreign::Severity;
use crate::messages::{ChannelServices, Faults};

/// Probability of 1.
const ALWAYS: u64 = 1 << 63;

/// `O_CREAT` and `O_RDWR`.
const CREATE: u64 = 0o102;

fn fixture(faults: Faults) -> Fixture {
    let services = ChannelServices {
        faults: Some(faults),
        ..ChannelServices::default()
    };
    Fixture::with(services, 0, |_| {})
}

fn is_reported(fixture: &Fixture, text: &str) -> bool {
    let (reports, _) = fixture.reports_and_exit();
    let mut reports = reports.iter();
    reports.any(|(severity, report)| *severity == Severity::Info && report.contains(text))
}

#[test]
fn file_operations_fail() {
    let fixture = fixture(Faults {
        files: vec![(Errno::EIO, ALWAYS)],
        ..Faults::default()
    });
    let expected = -i64::from(Errno::EIO.0);
    assert_eq!(fixture.open("f", CREATE), expected);
    assert!(is_reported(
        &fixture,
        "fault injected by `faults.files`; answered EIO"
    ));
    assert!(!fixture.file("f").exists());
    // Faults of files don't affect standard streams.
    fixture.state.ram.put(BUFFER, b"text\n");
    assert_eq!(fixture.call(64, &[1, BUFFER, 5]), 5);
}

#[test]
fn transfers_are_short() {
    let fixture = fixture(Faults {
        short: ALWAYS,
        ..Faults::default()
    });
    let fd = fixture.open("f", CREATE).cast_unsigned();
    let written = fixture.call(64, &[fd, BUFFER, 100]);
    assert!((1..100).contains(&written), "{written}");
    assert!(is_reported(
        &fixture,
        "fault injected: a transfer of descriptor"
    ));
    let len = std::fs::metadata(fixture.file("f")).unwrap().len();
    assert_eq!(len, written.cast_unsigned());
}

#[test]
fn bits_of_read_data_are_flipped() {
    let fixture = fixture(Faults {
        flip: ALWAYS,
        ..Faults::default()
    });
    std::fs::write(fixture.file("f"), [0; 4]).unwrap();
    let fd = fixture.open("f", 0).cast_unsigned();
    assert_eq!(fixture.call(63, &[fd, BUFFER, 4]), 4);
    let read = fixture.bytes(BUFFER, 4);
    assert!(read.iter().all(|byte| byte.count_ones() == 1), "{read:?}");
    assert!(is_reported(&fixture, "fault injected: bit "));
    // The words of HTIF itself have no flipped bits.
    assert_eq!(fixture.call(57, &[fd]), 0);
}

#[test]
fn responses_are_late() {
    let fixture = fixture(Faults {
        delay: Some(5..=5),
        ..Faults::default()
    });
    fixture.put_word(CALL, 12345);
    fixture.command(CALL);
    for _ in 0..4 {
        fixture.tick();
        assert_eq!(fixture.response(), None);
    }
    assert!(is_reported(&fixture, "a response is held back for 5 ticks"));
    fixture.tick();
    fixture.tick();
    assert!(fixture.response().is_some());
}
