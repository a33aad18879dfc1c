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
        let bench = Fixture::new();
        bench.command(word);
        assert_eq!(bench.reports_and_exit(), (vec![], Some(code)));
        assert_eq!(bench.word(TOHOST), 0);
        assert_eq!(bench.state.progress.exits(), [Some(code)]);
        assert_eq!(bench.response(), None);
        assert!(bench.status().contains("exited with code"));
        // No command is served after the exit.
        bench.command(WRITE | 0x41);
        assert_eq!(bench.word(TOHOST), WRITE | 0x41);
    }
}

#[test]
fn characters_are_printed_also_if_one_follows_its_equal() {
    let bench = Fixture::new();
    for byte in b"hello\n" {
        bench.command(WRITE | u64::from(*byte));
        assert_eq!(bench.word(TOHOST), 0);
    }
    assert_eq!(bench.text(), "[cpu] hello\n");
    assert_eq!(bench.response(), None);
}

#[test]
fn a_console_read_is_answered_when_a_character_comes() {
    let services = ChannelServices {
        stdin: InputSource::Testbench,
        ..ChannelServices::default()
    };
    let bench = Fixture::with(services, 0, |_| {});
    bench.command(READ);
    bench.command(READ);
    assert_eq!(bench.response(), None);
    assert!(bench.status().contains("2 console reads wait"));
    // Other commands are served meanwhile.
    bench.command(WRITE | u64::from(b'\n'));
    assert_eq!(bench.text(), "[cpu] \n");
    let channel = ChannelId(0);
    let data = Bytes::from_static(b"xyz");
    assert_eq!(bench.ask(StdinWrite { channel, data }), Ok(3));
    bench.tick();
    assert_eq!(bench.response(), Some(Command(READ | 0x178)));
    bench.tick();
    assert_eq!(bench.response(), Some(Command(READ | 0x179)));
    bench.command(READ);
    bench.tick();
    assert_eq!(bench.response(), Some(Command(READ | 0x17a)));
    // At the end of the input there is no response.
    bench.command(READ);
    let status = bench.status();
    let said = "waits for more bytes of the standard input or for a command in tohost";
    assert!(status.contains(said), "{status}");
    assert_eq!(bench.ask(StdinClose { channel }), Ok(()));
    bench.ticks(2);
    assert_eq!(bench.response(), None);
    let status = bench.status();
    assert!(status.contains("input, which has ended, or"), "{status}");
    bench.command(READ);
    bench.ticks(2);
    bench.command(1);
    let (reports, exit) = bench.reports_and_exit();
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
    let bench = Fixture::new();
    bench.put_word(FROMHOST, 5);
    bench.command(0x00ff << 48 | BUFFER << 8 | 0xff);
    bench.tick();
    assert_eq!(bench.word(FROMHOST), 5);
    assert!(
        bench.status().contains("to clear fromhost"),
        "{}",
        bench.status()
    );
    bench.put_word(FROMHOST, 0);
    bench.tick();
    assert_eq!(bench.response(), Some(Command(0x00ff << 48 | 1)));
}

#[test]
fn devices_and_commands_have_names() {
    let bench = Fixture::new();
    for (device, what, name) in [
        (0, 255, "syscall_proxy"),
        (0, 0, "syscall"),
        (1, 255, "bcd"),
        (1, 0, "read"),
        (1, 1, "write"),
        (1, 2, ""),
        (2, 255, ""),
    ] {
        bench.state.ram.put(BUFFER, &[0xaa; 65]);
        bench.command(device << 56 | 255 << 48 | BUFFER << 8 | what);
        bench.tick();
        assert_eq!(
            bench.response(),
            Some(Command(device << 56 | 255 << 48 | 1))
        );
        let bytes = bench.bytes(BUFFER, 65);
        let mut expected = name.as_bytes().to_vec();
        expected.resize(64, 0);
        expected.push(0xaa);
        assert_eq!(bytes, expected, "{device} {what}");
    }
}

#[test]
fn unknown_devices_and_commands_are_ignored_with_one_report() {
    let bench = Fixture::new();
    for word in [
        0x0201 << 48 | 1,
        0x0107 << 48 | 1,
        0x0001 << 48 | 3,
        0xff00 << 48,
    ] {
        bench.command(word);
        assert_eq!((bench.word(TOHOST), bench.response()), (0, None));
    }
    let (reports, exit) = bench.reports_and_exit();
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
            let bench = Fixture::with(ChannelServices::default(), 5, |_| {});
            let halves = [(TOHOST, 0x42), (TOHOST + 4, 0x0101_0000)];
            let (address, half) = halves[first];
            bench.put_half(address, half);
            for _ in 0..between {
                bench.tick();
            }
            assert_eq!(
                (bench.text(), bench.reports_and_exit()),
                (String::new(), (vec![], None))
            );
            let (address, half) = halves[1 - first];
            bench.put_half(address, half);
            bench.tick();
            assert_eq!(bench.word(TOHOST), 0, "{first} {between}");
            bench.command(WRITE | 0xa);
            for _ in 0..6 {
                bench.tick();
            }
            assert_eq!(bench.text(), "[cpu] B\n");
        }
    }
}

#[test]
fn a_low_half_alone_is_a_command_once_it_has_settled() {
    let bench = Fixture::with(ChannelServices::default(), 5, |_| {});
    bench.put_half(TOHOST, 7);
    for _ in 0..5 {
        bench.tick();
        assert_eq!(bench.reports_and_exit(), (vec![], None));
    }
    assert!(bench.status().contains("other half"), "{}", bench.status());
    bench.tick();
    assert_eq!(bench.reports_and_exit(), (vec![], Some(3)));
}

/// Notification of each store, also of a high half of 0, by a testbench that ticks with stores.
#[test]
fn a_half_settles_in_notified_ticks() {
    let bench = Fixture::with(ChannelServices::default(), 5, |_| {});
    bench.put_half(TOHOST, 7);
    for _ in 0..5 {
        bench.bus.notify();
        bench.tick();
        assert_eq!(bench.reports_and_exit(), (vec![], None));
    }
    bench.bus.notify();
    bench.tick();
    assert_eq!(bench.reports_and_exit(), (vec![], Some(3)));
}

#[test]
fn the_signature_is_written_at_the_exit() {
    let signature = Signature {
        file: "test.sig".to_owned(),
        begin: BUFFER,
        end: BUFFER + 20,
        granularity: 16,
    };
    let bench = Fixture::with(ChannelServices::default(), 0, |place| {
        place.signature = Some(signature);
    });
    let bytes: Vec<u8> = (1..=20).collect();
    bench.state.ram.put(BUFFER, &bytes);
    bench.command(1);
    assert_eq!(bench.reports_and_exit(), (vec![], Some(0)));
    let text = std::fs::read_to_string(bench.file("test.sig")).unwrap();
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
    let bench = Fixture::with(ChannelServices::default(), 0, |place| {
        place.signature = Some(signature);
    });
    bench.command(5);
    let (reports, exit) = bench.reports_and_exit();
    assert_eq!(exit, Some(2));
    assert!(reports[0].1.contains("no/such/dir"), "{reports:?}");
}

#[test]
fn an_idle_tick_reads_one_word() {
    let bench = Fixture::new();
    bench.tick();
    bench.state.ram.count();
    for _ in 0..10 {
        assert!(!bench.tick());
    }
    assert_eq!(bench.state.ram.count(), (10, 0));
}

#[test]
fn the_testbench_gets_commands_once_it_observes() {
    let bench = Fixture::new();
    let served = || -> Vec<Served> {
        let calls = bench.outside.calls().into_iter();
        let served = calls.filter_map(|call| match call {
            ForeignCall::Served(served) => Some(served),
            _ => None,
        });
        served.collect()
    };
    bench.command(0x0101_0000_0000_0041);
    assert_eq!(served(), []);
    bench.state.observed.set(true);
    bench.command(0x0101_0000_0000_0041);
    assert_eq!(bench.call(12_345, &[1, 2]), -38);
    let served = served();
    let actions: Vec<u32> = served.iter().map(|it| it.entry.action).collect();
    assert_eq!(actions, [HTIF_ACTION | 0x101, HTIF_ACTION]);
    let words = served.iter().map(|it| (it.slot, it.entry.words, it.result));
    let words: Vec<_> = words.collect();
    let failed = Some((-38_i64).cast_unsigned());
    assert_eq!(words, [(NO_SLOT, 1, None), (NO_SLOT, 9, failed)]);
    assert_eq!(served[1].entry.args[..4], [CALL, 12_345, 1, 2]);
}
