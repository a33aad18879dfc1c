//! Bytes up and down, and their targets.

use bytes::Bytes;
use mailbox_rs::PtrWidth;
use proptest::prelude::*;

use super::fixture::{BLOCK, Buffer, Firmware, Fixture, place};
use crate::mem::MemoryId;
use crate::messages::checkpoint::SaveError;
use crate::messages::front_end::{Save, StdinClose, StdinWrite};
use crate::messages::{ChannelId, ChannelServices, InputSource, RttMode, UpTarget};

const TERMINAL: Buffer<'_> = Buffer {
    name: "Terminal",
    size: 64,
};

#[test]
fn bytes_of_the_terminal_reach_the_console_in_both_widths() {
    for width in [PtrWidth::P4, PtrWidth::P8] {
        let fixture = Fixture::new(width);
        let mut firmware = Firmware::new(&fixture, width);
        fixture.ticks(3);
        assert!(
            fixture
                .status()
                .contains("waits for firmware to set up RTT")
        );
        firmware.set_up(&[TERMINAL], &[]);
        fixture.ticks(1);
        assert_eq!(firmware.write(0, b"hello\n"), 6);
        fixture.ticks(1);
        assert_eq!(fixture.text(), "hello\n", "{width:?}");
        // Across the end of the ring.
        for _ in 0..20 {
            assert_eq!(firmware.write(0, b"0123456789"), 10);
            fixture.ticks(1);
        }
        assert_eq!(fixture.text().len(), 206);
        let status = fixture.status();
        assert!(
            status.contains("waits for firmware to write to RTT"),
            "{status}"
        );
        assert!(
            status.ends_with("\n  up 0 `Terminal`: 206 bytes"),
            "{status}"
        );
        assert_eq!(fixture.reports(), []);
    }
}

#[test]
fn an_idle_channel_is_read_once_a_tick() {
    for (width, buffers) in [
        (PtrWidth::P4, 1),
        (PtrWidth::P4, 3),
        (PtrWidth::P4, 4),
        (PtrWidth::P4, 14),
        (PtrWidth::P8, 1),
        (PtrWidth::P8, 2),
        (PtrWidth::P8, 3),
        (PtrWidth::P8, 14),
    ] {
        let fixture = Fixture::new(width);
        let mut firmware = Firmware::new(&fixture, width);
        let buffer = |_| Buffer {
            name: "log",
            size: 32,
        };
        let up: Vec<Buffer<'_>> = (0..buffers).map(buffer).collect();
        firmware.set_up(&up, &[]);
        fixture.ticks(5);
        let _ = fixture.state.ram.count();
        fixture.ticks(10);
        let (reads, _) = fixture.state.ram.count();
        assert_eq!(reads, 10, "{width:?}, {buffers} buffers");
    }
}

/// Each buffer is read within a few ticks, and so is the mark: the loss of the control block is
/// noticed.
#[test]
fn buffers_beyond_one_read_take_turns() {
    for (width, reads) in [(PtrWidth::P4, 5), (PtrWidth::P8, 8)] {
        let fixture = Fixture::new(width);
        let mut firmware = Firmware::new(&fixture, width);
        let buffer = |_| Buffer {
            name: "log",
            size: 32,
        };
        let up: Vec<Buffer<'_>> = (0..14).map(buffer).collect();
        firmware.set_up(&up, &[]);
        fixture.ticks(2);
        for number in 0..14 {
            firmware.write(number, b"a line\n");
            fixture.ticks(reads);
            let expected: &[u8] = match number {
                0 => b"a line\n",
                _ => b"[cpu] log: a line\n",
            };
            assert_eq!(fixture.take_text(), expected, "{width:?} {number}");
        }
        fixture.state.ram.put(BLOCK, b"XEGGER");
        fixture.ticks(reads);
        let reports = fixture.reports();
        assert!(reports[0].1.contains("is gone"), "{reports:?}");
    }
}

/// Modes are set once for each control block, because firmware may change them.
#[test]
fn modes_are_set_when_a_control_block_is_there() {
    for width in [PtrWidth::P4, PtrWidth::P8] {
        let mut place = place(width);
        let modes = [
            ("log", RttMode::Block),
            ("0", RttMode::Trim),
            ("none", RttMode::Block),
        ];
        place.modes = modes.map(|(name, mode)| (name.to_owned(), mode)).into();
        let fixture = Fixture::with(place, ChannelServices::default());
        let mut firmware = Firmware::new(&fixture, width);
        let buffer = |name| Buffer { name, size: 32 };
        let up = [TERMINAL, buffer("log"), buffer("other")];
        let flags = |firmware: &Firmware, number| firmware.words(number) + 12;
        for _ in 0..2 {
            firmware.set_up(&up, &[]);
            fixture.state.ram.put(flags(&firmware, 1), &[0xf0, 1, 0, 0]);
            fixture.ticks(2);
            let now = [0, 1, 2].map(|number| firmware.word(flags(&firmware, number)));
            assert_eq!(now, [1, 0x1f2, 0], "{width:?}");
            fixture.state.ram.put(flags(&firmware, 1), &[1, 0, 0, 0]);
            firmware.write(1, b"a line\n");
            fixture.ticks(2);
            assert_eq!(firmware.word(flags(&firmware, 1)), 1);
            // Start-up code clears the memory.
            fixture.state.ram.put(BLOCK, &[0; 0x80]);
            fixture.ticks(4);
        }
    }
}

#[test]
fn other_channels_have_lines_with_their_names() {
    let fixture = Fixture::new(PtrWidth::P4);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    let log = |name| Buffer { name, size: 32 };
    firmware.set_up(&[TERMINAL, log("trace"), log("")], &[]);
    fixture.ticks(1);
    firmware.write(1, b"be");
    firmware.write(2, b"nameless\n");
    fixture.ticks(1);
    firmware.write(1, b"gun\nnext");
    fixture.ticks(1);
    assert_eq!(fixture.text(), "[cpu] up 2: nameless\n[cpu] trace: begun\n");
}

#[test]
fn bytes_reach_files_and_methods() {
    let fixture = Fixture::with_targets(&[
        ("log", UpTarget::File("log.txt".to_owned())),
        ("2", UpTarget::Method("seen".into())),
        ("Terminal", UpTarget::Nothing),
    ]);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    let buffer = |name| Buffer { name, size: 16 };
    firmware.set_up(&[TERMINAL, buffer("log"), buffer("calls")], &[]);
    fixture.ticks(1);
    for _ in 0..3 {
        firmware.write(0, b"dropped");
        assert_eq!(firmware.write(1, b"to a file\n"), 10);
        assert_eq!(firmware.write(2, b"0123456789"), 10);
        fixture.ticks(1);
    }
    assert_eq!(fixture.text(), "");
    let file = std::fs::read_to_string(fixture.file("log.txt")).unwrap();
    assert_eq!(file, "to a file\n".repeat(3));
    // The second chunk of ten bytes is split by the end of the ring.
    let calls = fixture.state.calls.borrow();
    let lengths: Vec<u64> = calls.iter().map(|call| call.args[2]).collect();
    assert_eq!(lengths, [10, 6, 4, 10]);
    assert_eq!(calls[0].args[0], 2);
    let data = calls[0].args[1];
    assert_eq!(calls[2].args[1], data);
    assert_eq!(calls[1].args[1], data + 10);
}

#[test]
fn a_file_that_can_not_be_written_is_reported_once() {
    let fixture = Fixture::with_targets(&[("0", UpTarget::File("../out.txt".to_owned()))]);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    firmware.set_up(&[TERMINAL], &[]);
    for _ in 0..5 {
        firmware.write(0, b"lost");
        fixture.ticks(1);
    }
    let reports = fixture.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(
        reports[0]
            .1
            .contains("up channel 0 `Terminal`: file `../out.txt`")
    );
}

#[test]
fn standard_input_fills_the_first_down_buffer() {
    let services = ChannelServices {
        stdin: InputSource::Testbench,
        ..ChannelServices::default()
    };
    let fixture = Fixture::with(place(PtrWidth::P8), services);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P8);
    let input = Buffer {
        name: "in",
        size: 16,
    };
    firmware.set_up(&[TERMINAL], &[input]);
    fixture.ticks(2);
    let channel = ChannelId(0);
    let sent: Vec<u8> = (0..100).collect();
    let data = Bytes::from(sent.clone());
    assert_eq!(fixture.ask(StdinWrite { channel, data }), Ok(100));
    assert_eq!(fixture.ask(StdinClose { channel }), Ok(()));
    let full = "down channel 0, which has no room for more of the standard input";
    assert!(fixture.status().contains(full), "{}", fixture.status());
    let mut received = firmware.read(0, 16);
    assert_eq!(received.len(), 15);
    fixture.ticks(2);
    // While the buffer is full, one read in each tick checks for free space.
    let _ = fixture.state.ram.count();
    fixture.ticks(10);
    assert_eq!(fixture.state.ram.count(), (10, 0));
    for _ in 0..60 {
        fixture.ticks(1);
        received.extend(firmware.read(0, 3));
    }
    assert_eq!(received, sent);
    let status = fixture.status();
    assert!(status.contains("\n  down 0 `in`: 100 bytes"), "{status}");
    assert!(
        status.contains("waits for firmware to write to RTT"),
        "{status}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A writer that blocks while the buffer is full loses no bytes, with any size of the buffer.
    #[test]
    fn a_blocking_writer_loses_nothing(
        size in 2_u32..40,
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..20),
        wide: bool,
    ) {
        let width = if wide { PtrWidth::P8 } else { PtrWidth::P4 };
        let fixture = Fixture::new(width);
        let mut firmware = Firmware::new(&fixture, width);
        firmware.set_up(&[Buffer { name: "Terminal", size }], &[]);
        let mut received = Vec::new();
        for piece in &pieces {
            let mut rest = &piece[..];
            while !rest.is_empty() {
                rest = &rest[firmware.write(0, rest)..];
                fixture.ticks(1);
                received.extend(fixture.take_text());
            }
        }
        fixture.ticks(2);
        received.extend(fixture.take_text());
        prop_assert_eq!(received, pieces.concat());
    }
}

/// More buffers than one poll reads.
#[test]
fn sixty_four_buffers_are_served() {
    for ptr_width in [PtrWidth::P4, PtrWidth::P8] {
        let fixture = Fixture::new(ptr_width);
        let mut firmware = Firmware::new(&fixture, ptr_width);
        let names: Vec<String> = (0..64).map(|number| format!("b{number}")).collect();
        let buffers: Vec<Buffer<'_>> = names.iter().map(|name| Buffer { name, size: 8 }).collect();
        firmware.set_up(&buffers, &[]);
        fixture.ticks(3);
        assert_eq!(fixture.reports(), []);
        for number in [0, 13, 14, 40, 63] {
            assert_eq!(firmware.write(number, b"abc\n"), 4);
            fixture.ticks(17);
            let expected = match number {
                0 => "abc\n".to_owned(),
                _ => format!("[cpu] b{number}: abc\n"),
            };
            assert_eq!(String::from_utf8(fixture.take_text()).unwrap(), expected);
        }
        // A blocking buffer loses no bytes, at any position.
        let text: Vec<u8> = (0..200).map(|at| b'a' + at % 26).chain([b'\n']).collect();
        let mut done = 0;
        while done < text.len() {
            done += firmware.write(63, &text[done..]);
            fixture.tick();
        }
        fixture.ticks(17);
        let expected = format!("[cpu] b63: {}", str::from_utf8(&text).unwrap());
        assert_eq!(String::from_utf8(fixture.take_text()).unwrap(), expected);
    }
}

/// A buffer outside of memory loses what is for it, which is said once, and others are served.
#[test]
fn input_for_a_down_buffer_outside_of_memory_is_lost() {
    let services = ChannelServices {
        stdin: InputSource::Testbench,
        ..ChannelServices::default()
    };
    let fixture = Fixture::with(place(PtrWidth::P4), services);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    let input = Buffer {
        name: "in",
        size: 16,
    };
    firmware.set_up(&[TERMINAL], &[input]);
    let data = firmware.words(1) - 4;
    fixture.state.ram.put(data, &0x1000_u32.to_le_bytes());
    fixture.ticks(2);
    let channel = ChannelId(0);
    for _ in 0..3 {
        let data = Bytes::from_static(b"lost");
        assert_eq!(fixture.ask(StdinWrite { channel, data }), Ok(4));
        fixture.ticks(2);
    }
    let reports = fixture.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let reported = &reports[0].1;
    assert!(
        reported.starts_with("RTT: down channel 0 `in`: "),
        "{reported}"
    );
    assert!(reported.ends_with("; bytes for it are lost"), "{reported}");
    assert_eq!(firmware.word(firmware.words(1) + 4), 0, "nothing was put");
    firmware.write(0, b"alive\n");
    fixture.ticks(1);
    assert_eq!(fixture.text(), "alive\n");
}

#[test]
fn a_channel_with_failed_memory_has_no_state_to_save() {
    let fixture = Fixture::new(PtrWidth::P4);
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    firmware.set_up(&[TERMINAL], &[]);
    fixture.ticks(2);
    assert!(fixture.ask(Save).is_ok());
    fixture.state.ram.break_down(MemoryId(0));
    fixture.ticks(1);
    assert!(fixture.status().contains("failed"), "{}", fixture.status());
    let channel = "cpu".to_owned();
    assert_eq!(fixture.ask(Save), Err(SaveError::Failed { channel }));
}
