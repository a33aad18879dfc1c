//! Injected faults.

use super::*;
use crate::messages::{ChannelServices, Faults};

/// Probability of 1.
const ALWAYS: u64 = 1 << 63;

fn fixture(faults: Faults) -> Fixture {
    let services = ChannelServices {
        faults: Some(faults),
        ..ChannelServices::default()
    };
    let layout = plain(PtrWidth::P4);
    Fixture::with(Ram::new(BASE, SIZE as usize), services, &[(BASE, layout)])
}

/// Result word of a request, in the tick in which it is sent.
fn ask(fixture: &Fixture, firmware: &mut Firmware<&Ram>, request: &Request) -> Option<u64> {
    serve(fixture, firmware, request).map(|response| response.rets)
}

fn word(errno: Errno) -> Option<u64> {
    Some(Response::Error(errno).entry(PtrWidth::P4).rets)
}

fn set(len: u64) -> Request {
    Request::MemSet {
        dest: DATA,
        byte: 0,
        len,
    }
}

fn read(len: u64) -> Request {
    Request::File(FileRequest::Read {
        fd: 10,
        ptr: DATA,
        len,
    })
}

/// Each fault affects only requests of its kind, with a report of severity info.
#[test]
fn failures_are_answers_of_their_kind_of_request_and_information() {
    let call = |fixture: &Fixture| {
        fixture.chip.ram.put_string(DATA, "sum");
        Request::Call {
            method: DATA,
            args: [1, 2].into(),
        }
    };
    let faults = Faults {
        files: vec![(Errno::EIO, ALWAYS)],
        memory: vec![(Errno::EFAULT, ALWAYS)],
        calls: vec![(Errno::EBUSY, ALWAYS)],
        ..Faults::default()
    };
    let kinds: [(&str, Errno, Faults); 3] = [
        (
            "files",
            Errno::EIO,
            Faults {
                files: faults.files.clone(),
                ..Faults::default()
            },
        ),
        (
            "memory",
            Errno::EFAULT,
            Faults {
                memory: faults.memory.clone(),
                ..Faults::default()
            },
        ),
        (
            "calls",
            Errno::EBUSY,
            Faults {
                calls: faults.calls.clone(),
                ..Faults::default()
            },
        ),
    ];
    for (key, errno, faults) in kinds {
        let fixture = fixture(faults);
        let mut firmware = ready(&fixture, BASE, plain(PtrWidth::P4));
        let requests = [
            ("files", read(80)),
            ("memory", set(4)),
            ("calls", call(&fixture)),
        ];
        for (kind, request) in requests {
            if kind == "calls" {
                fixture.chip.ram.put_string(DATA, "sum");
            }
            let answer = ask(&fixture, &mut firmware, &request);
            assert_eq!(
                answer == word(errno),
                kind == key,
                "{kind}, faults of {key}"
            );
            let reports = fixture.reports();
            if kind != key {
                assert_eq!(reports, [], "{kind}, faults of {key}");
                continue;
            }
            let [(Severity::Info, channel, text)] = &reports[..] else {
                panic!("{reports:?}");
            };
            assert_eq!(channel, "core0");
            let expected = format!("fault injected by `faults.{key}`; answered {errno}");
            assert!(text.ends_with(&expected), "{text}");
        }
    }
}

/// A descriptor can be closed with every fault enabled.
#[test]
fn a_close_does_not_fail() {
    let fixture = fixture(Faults {
        files: vec![(Errno::EIO, ALWAYS)],
        ..Faults::default()
    });
    let mut firmware = ready(&fixture, BASE, plain(PtrWidth::P4));
    let close = Request::File(FileRequest::Close { fd: 10 });
    assert_eq!(ask(&fixture, &mut firmware, &close), None);
    assert_eq!(fixture.seen.files.take(), ["close 10"]);
    assert_eq!(fixture.reports(), []);
}

/// Failures of 400 requests, by their numbers.
fn failures(seed: u64) -> Vec<usize> {
    let fixture = fixture(Faults {
        seed,
        memory: vec![(Errno::EFAULT, ALWAYS / 8), (Errno::EIO, ALWAYS / 8)],
        ..Faults::default()
    });
    let mut firmware = ready(&fixture, BASE, plain(PtrWidth::P4));
    let fails = |_: &usize| ask(&fixture, &mut firmware, &set(4)) != Some(0);
    (0..400).filter(fails).collect()
}

#[test]
fn faults_follow_from_the_seed_and_have_its_share() {
    let [one, again, other] = [1, 1, 2].map(failures);
    assert_eq!(one, again);
    assert_ne!(one, other);
    // Expected: a quarter of 400, with a standard deviation of 8.7.
    for failures in [one, other] {
        assert!((60..140).contains(&failures.len()), "{}", failures.len());
    }
}

#[test]
fn transfers_of_files_are_cut_short() {
    let fixture = fixture(Faults {
        short: ALWAYS,
        ..Faults::default()
    });
    let mut firmware = ready(&fixture, BASE, plain(PtrWidth::P4));
    let mut lengths = Vec::new();
    for _ in 0..20 {
        let len = ask(&fixture, &mut firmware, &read(20)).unwrap();
        let [(Severity::Info, _, text)] = &fixture.reports()[..] else {
            panic!("no report");
        };
        let expected = format!("a transfer of descriptor 10 ends after {len} of at most 20 bytes");
        assert_eq!(text, &format!("fault injected: {expected}"));
        lengths.push(len);
    }
    assert!(
        lengths.iter().all(|len| (1..20).contains(len)),
        "{lengths:?}"
    );
    lengths.dedup();
    assert!(lengths.len() > 1);
    let write = Request::File(FileRequest::Write {
        fd: 10,
        ptr: BASE,
        len: 70_000,
    });
    let written = ask(&fixture, &mut firmware, &write).unwrap();
    assert!((1..=65_536).contains(&written), "{written}");
    // One byte can't be a partial transfer.
    fixture.reports();
    assert_eq!(ask(&fixture, &mut firmware, &read(1)), Some(1));
    assert_eq!(fixture.reports(), []);
}

/// The reports name exactly the bits that differ from zero, at most 16 per request.
#[test]
fn flipped_bits_are_reported_with_their_addresses() {
    for (flip, len, expected) in [(ALWAYS, 100, 16), (ALWAYS, 3, 3), (0, 100, 0)] {
        let fixture = fixture(Faults {
            flip,
            ..Faults::default()
        });
        let mut firmware = ready(&fixture, BASE, plain(PtrWidth::P4));
        fixture.chip.ram.write(DATA, &[0xff; 200]);
        assert_eq!(ask(&fixture, &mut firmware, &set(len)), Some(0));
        let mut bytes = [0; 200];
        fixture.chip.ram.read(DATA, &mut bytes);
        assert!(bytes[len as usize..].iter().all(|byte| *byte == 0xff));
        let mut flipped = Vec::new();
        for (address, byte) in (DATA..).zip(&bytes[..len as usize]) {
            assert!(byte.count_ones() < 2);
            if *byte != 0 {
                let bit = byte.trailing_zeros();
                flipped.push(format!(
                    "fault injected: bit {bit} of the byte at {address:#x} is flipped"
                ));
            }
        }
        let reports = fixture.reports().into_iter();
        let texts: Vec<_> = reports.map(|(_, _, text)| text).collect();
        assert_eq!(texts, flipped);
        assert_eq!(texts.len(), expected);
    }
}

#[test]
fn a_response_is_delayed_and_the_status_has_its_tick() {
    let fixture = fixture(Faults {
        delay: Some(3..=3),
        ..Faults::default()
    });
    let mut firmware = ready(&fixture, BASE, plain(PtrWidth::P4));
    for _ in 0..2 {
        assert!(firmware.try_send(&set(4)));
        for _ in 0..3 {
            fixture.tick();
            assert_eq!(firmware.try_receive(), None);
        }
        let (now, until) = (fixture.bus.now(), fixture.bus.now() + 1);
        assert!(
            fixture.status().contains(&format!(
                "holds a response back until tick {until}, as `faults.delay` asks for"
            )),
            "tick {now}: {}",
            fixture.status()
        );
        fixture.tick();
        assert_eq!(
            firmware.try_receive().map(|response| response.rets),
            Some(0)
        );
        let [(Severity::Info, _, text)] = &fixture.reports()[..] else {
            panic!("no report");
        };
        let expected = format!("a response is held back for 3 ticks, until tick {until}");
        assert_eq!(text, &format!("fault injected: {expected}"));
    }
}

#[test]
fn a_reset_drops_a_response_that_is_held_back() {
    let fixture = fixture(Faults {
        delay: Some(10..=10),
        ..Faults::default()
    });
    let layout = plain(PtrWidth::P4);
    let mut firmware = ready(&fixture, BASE, layout);
    assert!(firmware.try_send(&set(4)));
    fixture.tick();
    let mut firmware = ready(&fixture, BASE, layout);
    for _ in 0..20 {
        fixture.tick();
        assert_eq!(firmware.try_receive(), None);
    }
    assert!(firmware.try_send(&set(4)));
    (0..11).for_each(|_| fixture.tick());
    assert_eq!(
        firmware.try_receive().map(|response| response.rets),
        Some(0)
    );
}
