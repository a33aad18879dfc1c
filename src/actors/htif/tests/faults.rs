//! Injected faults.

use super::*;
use crate::messages::foreign::Severity;
use crate::messages::{ChannelServices, Faults};

/// Probability of 1.
const ALWAYS: u64 = 1 << 63;

/// `O_CREAT` and `O_RDWR`.
const CREATE: u64 = 0o102;

fn bench(faults: Faults) -> Fixture {
    let services = ChannelServices {
        faults: Some(faults),
        ..ChannelServices::default()
    };
    Fixture::with(services, 0, |_| {})
}

fn is_reported(bench: &Fixture, text: &str) -> bool {
    let (reports, _) = bench.reports_and_exit();
    let mut reports = reports.iter();
    reports.any(|(severity, report)| *severity == Severity::Info && report.contains(text))
}

#[test]
fn file_operations_fail() {
    let bench = bench(Faults {
        files: vec![(Errno::EIO, ALWAYS)],
        ..Faults::default()
    });
    let expected = -i64::from(Errno::EIO.0);
    assert_eq!(bench.open("f", CREATE), expected);
    assert!(is_reported(
        &bench,
        "fault injected by `faults.files`; answered EIO"
    ));
    assert!(!bench.file("f").exists());
    // Faults of files don't affect standard streams.
    bench.state.ram.put(BUFFER, b"text\n");
    assert_eq!(bench.call(64, &[1, BUFFER, 5]), 5);
}

#[test]
fn transfers_are_short() {
    let bench = bench(Faults {
        short: ALWAYS,
        ..Faults::default()
    });
    let fd = bench.open("f", CREATE).cast_unsigned();
    let written = bench.call(64, &[fd, BUFFER, 100]);
    assert!((1..100).contains(&written), "{written}");
    assert!(is_reported(
        &bench,
        "fault injected: a transfer of descriptor"
    ));
    let len = std::fs::metadata(bench.file("f")).unwrap().len();
    assert_eq!(len, written.cast_unsigned());
}

#[test]
fn bits_of_read_data_are_flipped() {
    let bench = bench(Faults {
        flip: ALWAYS,
        ..Faults::default()
    });
    std::fs::write(bench.file("f"), [0; 4]).unwrap();
    let fd = bench.open("f", 0).cast_unsigned();
    assert_eq!(bench.call(63, &[fd, BUFFER, 4]), 4);
    let read = bench.bytes(BUFFER, 4);
    assert!(read.iter().all(|byte| byte.count_ones() == 1), "{read:?}");
    assert!(is_reported(&bench, "fault injected: bit "));
    // The words of HTIF itself have no flipped bits.
    assert_eq!(bench.call(57, &[fd]), 0);
}

#[test]
fn responses_are_late() {
    let bench = bench(Faults {
        delay: Some(5..=5),
        ..Faults::default()
    });
    bench.put_word(CALL, 12345);
    bench.command(CALL);
    for _ in 0..4 {
        bench.tick();
        assert_eq!(bench.response(), None);
    }
    assert!(is_reported(&bench, "a response is held back for 5 ticks"));
    bench.tick();
    bench.tick();
    assert!(bench.response().is_some());
}
