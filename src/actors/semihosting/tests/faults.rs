//! Injected faults.

use mailbox_rs::{Errno, PtrWidth};

use super::fixture::{DATA, Fixture};
use crate::messages::foreign::Severity;
use crate::messages::{ChannelServices, Faults};

/// Probability of 1.
const ALWAYS: u64 = 1 << 63;

fn fixture(faults: Faults) -> Fixture {
    let services = ChannelServices {
        faults: Some(faults),
        ..ChannelServices::default()
    };
    Fixture::with(PtrWidth::P8, services)
}

fn is_reported(fixture: &Fixture, text: &str) -> bool {
    let reports = fixture.reports();
    let mut reports = reports.iter();
    reports.any(|(severity, report)| *severity == Severity::Info && report.contains(text))
}

#[test]
fn file_operations_fail() {
    let fixture = fixture(Faults {
        files: vec![(Errno::ENOSPC, ALWAYS)],
        ..Faults::default()
    });
    assert_eq!(fixture.open("f", 6), -1);
    assert!(is_reported(
        &fixture,
        "fault injected by `faults.files`; answered ENOSPC"
    ));
    let errno = u64::try_from(Errno::ENOSPC.0).unwrap();
    assert_eq!(fixture.operate(0x13, 0), Some(errno));
    let console = fixture.open(":tt", 4);
    assert_eq!(fixture.write(console, b"text\n"), 0);
}

#[test]
fn transfers_are_short() {
    let fixture = fixture(Faults {
        short: ALWAYS,
        ..Faults::default()
    });
    let handle = fixture.open("f", 6);
    let rest = fixture.write(handle, &[1; 100]);
    assert!((1..100).contains(&rest), "{rest}");
    assert!(is_reported(
        &fixture,
        "fault injected: a transfer of descriptor"
    ));
    let len = std::fs::metadata(fixture.file("f")).unwrap().len();
    assert_eq!(len, 100 - rest.cast_unsigned());
}

#[test]
fn bits_of_read_data_are_flipped() {
    let fixture = fixture(Faults {
        flip: ALWAYS,
        ..Faults::default()
    });
    std::fs::write(fixture.file("f"), [0; 4]).unwrap();
    let handle = fixture.open("f", 0).cast_unsigned();
    assert_eq!(fixture.call(0x06, &[handle, DATA, 4]), 0);
    let read = fixture.state.ram.get(DATA, 4);
    assert!(read.iter().all(|byte| byte.count_ones() == 1), "{read:?}");
    assert!(is_reported(&fixture, "fault injected: bit "));
}
