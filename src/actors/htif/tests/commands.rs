//! Commands, responses, halves of commands, and the exit.

use bytes::Bytes;

use super::fixture::FROMHOST;
use super::*;
use crate::messages::ChannelServices;
use crate::messages::foreign::{Served, Severity};
use crate::messages::front_end::{StdinClose, StdinWrite};
use crate::messages::htif::Command;
use crate::messages::{ChannelId, HTIF_ACTION, InputSource, NO_SLOT, Signature};
use crate::testing::ForeignCall;

/// Console: device 1.
const WRITE: u64 = 0x0101 << 48;
const READ: u64 = 0x0100 << 48;

#[test]
fn an_exit_has_the_payload_without_its_lowest_bit() {
    for (word, code) in [(1, 0), (7, 3), ((1_u64 << 47) - 1, u32::MAX)] {
        let fixture = Fixture::new();
        fixture.command(word);
        assert_eq!(fixture.reports_and_exit(), (vec![], Some(code)));
        assert_eq!(fixture.word(TOHOST), 0);
        assert_eq!(fixture.state.progress.exits(), [Some(code)]);
        assert_eq!(fixture.response(), None);
        assert!(fixture.status().contains("exited with code"));
        // No command is served after the exit.
        fixture.command(WRITE | 0x41);
        assert_eq!(fixture.word(TOHOST), WRITE | 0x41);
    }
}

#[test]
fn characters_are_printed_also_if_one_follows_its_equal() {
    let fixture = Fixture::new();
    for byte in b"hello\n" {
        fixture.command(WRITE | u64::from(*byte));
        assert_eq!(fixture.word(TOHOST), 0);
    }
    assert_eq!(fixture.text(), "[cpu] hello\n");
    assert_eq!(fixture.response(), None);
}

#[test]
fn a_console_read_is_answered_when_a_character_comes() {
    let services = ChannelServices {
        stdin: InputSource::Testbench,
        ..ChannelServices::default()
    };
    let fixture = Fixture::with(services, 0, |_| {});
    fixture.command(READ);
    fixture.command(READ);
    assert_eq!(fixture.response(), None);
    assert!(fixture.status().contains("2 console reads wait"));
    // Other commands are served meanwhile.
    fixture.command(WRITE | u64::from(b'\n'));
    assert_eq!(fixture.text(), "[cpu] \n");
    let channel = ChannelId(0);
    let data = Bytes::from_static(b"xyz");
    assert_eq!(fixture.ask(StdinWrite { channel, data }), Ok(3));
    fixture.tick();
    assert_eq!(fixture.response(), Some(Command(READ | 0x178)));
    fixture.tick();
    assert_eq!(fixture.response(), Some(Command(READ | 0x179)));
    fixture.command(READ);
    fixture.tick();
    assert_eq!(fixture.response(), Some(Command(READ | 0x17a)));
    // At the end of the input there is no response.
    fixture.command(READ);
    let status = fixture.status();
    let printed = "waits for more bytes of the standard input or for a command in tohost";
    assert!(status.contains(printed), "{status}");
    assert_eq!(fixture.ask(StdinClose { channel }), Ok(()));
    fixture.ticks(2);
    assert_eq!(fixture.response(), None);
    let status = fixture.status();
    assert!(status.contains("input, which has ended, or"), "{status}");
    fixture.command(READ);
    fixture.ticks(2);
    fixture.command(1);
    let (reports, exit) = fixture.reports_and_exit();
    let [(Severity::Warning, text)] = &reports[..] else {
        panic!("{reports:?}");
    };
    assert!(
        text.contains("behind the end of the standard input"),
        "{text}"
    );
    assert_eq!(exit, Some(0));
}

#[test]
fn a_response_waits_until_firmware_has_taken_the_one_before() {
    let fixture = Fixture::new();
    fixture.put_word(FROMHOST, 5);
    fixture.command(0x00ff << 48 | BUFFER << 8 | 0xff);
    fixture.tick();
    assert_eq!(fixture.word(FROMHOST), 5);
    assert!(
        fixture.status().contains("to clear fromhost"),
        "{}",
        fixture.status()
    );
    fixture.put_word(FROMHOST, 0);
    fixture.tick();
    assert_eq!(fixture.response(), Some(Command(0x00ff << 48 | 1)));
}

#[test]
fn devices_and_commands_have_names() {
    let fixture = Fixture::new();
    for (device, what, name) in [
        (0, 255, "syscall_proxy"),
        (0, 0, "syscall"),
        (1, 255, "bcd"),
        (1, 0, "read"),
        (1, 1, "write"),
        (1, 2, ""),
        (2, 255, ""),
    ] {
        fixture.state.ram.put(BUFFER, &[0xaa; 65]);
        fixture.command(device << 56 | 255 << 48 | BUFFER << 8 | what);
        fixture.tick();
        assert_eq!(
            fixture.response(),
            Some(Command(device << 56 | 255 << 48 | 1))
        );
        let bytes = fixture.bytes(BUFFER, 65);
        let mut expected = name.as_bytes().to_vec();
        expected.resize(64, 0);
        expected.push(0xaa);
        assert_eq!(bytes, expected, "{device} {what}");
    }
}

#[test]
fn unknown_devices_and_commands_are_ignored_with_one_report() {
    let fixture = Fixture::new();
    for word in [
        0x0201 << 48 | 1,
        0x0107 << 48 | 1,
        0x0001 << 48 | 3,
        0xff00 << 48,
    ] {
        fixture.command(word);
        assert_eq!((fixture.word(TOHOST), fixture.response()), (0, None));
    }
    let (reports, exit) = fixture.reports_and_exit();
    assert_eq!(exit, None);
    let [(Severity::Warning, text)] = &reports[..] else {
        panic!("{reports:?}");
    };
    assert!(text.contains("0x201000000000001"), "{text}");
}

/// Both orders of the stores, with any number of ticks between them up to the limit.
#[test]
fn half_a_command_is_not_served() {
    for first in [0, 1] {
        for between in 0..=5 {
            let fixture = Fixture::with(ChannelServices::default(), 5, |_| {});
            let halves = [(TOHOST, 0x42), (TOHOST + 4, 0x0101_0000)];
            let (address, half) = halves[first];
            fixture.put_half(address, half);
            for _ in 0..between {
                fixture.tick();
            }
            assert_eq!(
                (fixture.text(), fixture.reports_and_exit()),
                (String::new(), (vec![], None))
            );
            let (address, half) = halves[1 - first];
            fixture.put_half(address, half);
            fixture.tick();
            assert_eq!(fixture.word(TOHOST), 0, "{first} {between}");
            fixture.command(WRITE | 0xa);
            for _ in 0..6 {
                fixture.tick();
            }
            assert_eq!(fixture.text(), "[cpu] B\n");
        }
    }
}

#[test]
fn a_low_half_alone_is_a_command_once_it_has_settled() {
    let fixture = Fixture::with(ChannelServices::default(), 5, |_| {});
    fixture.put_half(TOHOST, 7);
    for _ in 0..5 {
        fixture.tick();
        assert_eq!(fixture.reports_and_exit(), (vec![], None));
    }
    assert!(
        fixture.status().contains("other half"),
        "{}",
        fixture.status()
    );
    fixture.tick();
    assert_eq!(fixture.reports_and_exit(), (vec![], Some(3)));
}

/// Notification of each store, also of a high half of 0, by a testbench that ticks with stores.
#[test]
fn a_half_settles_in_notified_ticks() {
    let fixture = Fixture::with(ChannelServices::default(), 5, |_| {});
    fixture.put_half(TOHOST, 7);
    for _ in 0..5 {
        fixture.bus.notify();
        fixture.tick();
        assert_eq!(fixture.reports_and_exit(), (vec![], None));
    }
    fixture.bus.notify();
    fixture.tick();
    assert_eq!(fixture.reports_and_exit(), (vec![], Some(3)));
}

#[test]
fn the_signature_is_written_at_the_exit() {
    let signature = Signature {
        file: "test.sig".to_owned(),
        begin: BUFFER,
        end: BUFFER + 20,
        granularity: 16,
    };
    let fixture = Fixture::with(ChannelServices::default(), 0, |place| {
        place.signature = Some(signature);
    });
    let bytes: Vec<u8> = (1..=20).collect();
    fixture.state.ram.put(BUFFER, &bytes);
    fixture.command(1);
    assert_eq!(fixture.reports_and_exit(), (vec![], Some(0)));
    let text = std::fs::read_to_string(fixture.file("test.sig")).unwrap();
    assert_eq!(
        text,
        "100f0e0d0c0b0a090807060504030201\n00000000000000000000000014131211\n"
    );
}

#[test]
fn a_signature_without_a_place_is_reported_and_the_exit_stays() {
    let signature = Signature {
        file: "no/such/dir".to_owned(),
        begin: BUFFER,
        end: BUFFER + 4,
        granularity: 4,
    };
    let fixture = Fixture::with(ChannelServices::default(), 0, |place| {
        place.signature = Some(signature);
    });
    fixture.command(5);
    let (reports, exit) = fixture.reports_and_exit();
    assert_eq!(exit, Some(2));
    assert!(reports[0].1.contains("no/such/dir"), "{reports:?}");
}

#[test]
fn an_idle_tick_reads_one_word() {
    let fixture = Fixture::new();
    fixture.tick();
    fixture.state.ram.count();
    for _ in 0..10 {
        assert!(!fixture.tick());
    }
    assert_eq!(fixture.state.ram.count(), (10, 0));
}

#[test]
fn the_testbench_gets_commands_once_it_observes() {
    let fixture = Fixture::new();
    let served = || -> Vec<Served> {
        let calls = fixture.outside.calls().into_iter();
        let served = calls.filter_map(|call| match call {
            ForeignCall::Served(served) => Some(served),
            _ => None,
        });
        served.collect()
    };
    fixture.command(0x0101_0000_0000_0041);
    assert_eq!(served(), []);
    fixture.state.observed.set(true);
    fixture.command(0x0101_0000_0000_0041);
    assert_eq!(fixture.call(12_345, &[1, 2]), -38);
    let served = served();
    let actions: Vec<u32> = served.iter().map(|it| it.entry.action).collect();
    assert_eq!(actions, [HTIF_ACTION | 0x101, HTIF_ACTION]);
    let words = served.iter().map(|it| (it.slot, it.entry.words, it.result));
    let words: Vec<_> = words.collect();
    let failed = Some((-38_i64).cast_unsigned());
    assert_eq!(words, [(NO_SLOT, 1, None), (NO_SLOT, 9, failed)]);
    assert_eq!(served[1].entry.args[..4], [CALL, 12_345, 1, 2]);
}
