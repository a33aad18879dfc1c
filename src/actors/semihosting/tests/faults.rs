//! Injected faults.

use mailbox_rs::{Errno, PtrWidth};

use super::fixture::{DATA, Fixture};
use crate::messages::foreign::Severity;
use crate::messages::{ChannelServices, Faults};

/// Probability of 1.
const ALWAYS: u64 = 1 << 63;

fn bench(faults: Faults) -> Fixture {
    let services = ChannelServices {
        faults: Some(faults),
        ..ChannelServices::default()
    };
    Fixture::with(PtrWidth::P8, services)
}

fn is_reported(bench: &Fixture, text: &str) -> bool {
    let reports = bench.reports();
    let mut reports = reports.iter();
    reports.any(|(severity, report)| *severity == Severity::Info && report.contains(text))
}

#[test]
fn file_operations_fail() {
    let bench = bench(Faults {
        files: vec![(Errno::ENOSPC, ALWAYS)],
        ..Faults::default()
    });
    assert_eq!(bench.open("f", 6), -1);
    assert!(is_reported(
        &bench,
        "fault injected by `faults.files`; answered ENOSPC"
    ));
    let errno = u64::try_from(Errno::ENOSPC.0).unwrap();
    assert_eq!(bench.operate(0x13, 0), Some(errno));
    let console = bench.open(":tt", 4);
    assert_eq!(bench.write(console, b"text\n"), 0);
}

#[test]
fn transfers_are_short() {
    let bench = bench(Faults {
        short: ALWAYS,
        ..Faults::default()
    });
    let handle = bench.open("f", 6);
    let rest = bench.write(handle, &[1; 100]);
    assert!((1..100).contains(&rest), "{rest}");
    assert!(is_reported(
        &bench,
        "fault injected: a transfer of descriptor"
    ));
    let len = std::fs::metadata(bench.file("f")).unwrap().len();
    assert_eq!(len, 100 - rest.cast_unsigned());
}

#[test]
fn bits_of_read_data_are_flipped() {
    let bench = bench(Faults {
        flip: ALWAYS,
        ..Faults::default()
    });
    std::fs::write(bench.file("f"), [0; 4]).unwrap();
    let handle = bench.open("f", 0).cast_unsigned();
    assert_eq!(bench.call(0x06, &[handle, DATA, 4]), 0);
    let read = bench.state.ram.get(DATA, 4);
    assert!(read.iter().all(|byte| byte.count_ones() == 1), "{read:?}");
    assert!(is_reported(&bench, "fault injected: bit "));
}
