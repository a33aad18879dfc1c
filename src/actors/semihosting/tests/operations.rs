//! Operations, with the results of the specification.

use bytes::Bytes;
use mailbox_rs::{Errno, MAX_STRING, PtrWidth};

use super::fixture::{BASE, BLOCK, DATA, Fixture, NAME, SIZE};
use crate::mem::MemoryId;
use crate::messages::checkpoint::SaveError;
use crate::messages::foreign::Severity;
use crate::messages::front_end::{Operate, OperateError, Save, StdinClose, StdinWrite};
use crate::messages::{ChannelId, ChannelServices, Clock, InputSource, OutputTarget};

const WIDTHS: [PtrWidth; 2] = [PtrWidth::P4, PtrWidth::P8];

#[test]
fn files_are_opened_written_read_and_closed() {
    for width in WIDTHS {
        let fixture = Fixture::new(width);
        assert_eq!(fixture.open("out.txt", 0), -1);
        assert_eq!(fixture.operate(0x13, 0), Some(2), "ENOENT");
        let file = fixture.open("out.txt", 6);
        assert!(file > 0);
        assert_eq!(fixture.write(file, b"some text"), 0);
        assert_eq!(fixture.call(0x0c, &[file as u64]), 9);
        assert_eq!(fixture.call(0x0a, &[file as u64, 5]), 0);
        assert_eq!(fixture.read(file, 100), b"text");
        // Nothing is read at the end of the file.
        assert_eq!(fixture.call(0x06, &[file as u64, DATA, 7]), 7);
        assert_eq!(fixture.call(0x09, &[file as u64]), 0);
        assert_eq!(fixture.call(0x02, &[file as u64]), 0);
        assert_eq!(fixture.call(0x02, &[file as u64]), -1);
        assert_eq!(fixture.operate(0x13, 0), Some(9), "EBADF");
        let file = fixture.open("out.txt", 8);
        assert_eq!(fixture.write(file, b" and more"), 0);
        // A handle that is open only for writing.
        assert_eq!(fixture.call(0x06, &[file as u64, DATA, 7]), 7);
        let text = std::fs::read_to_string(fixture.file("out.txt")).unwrap();
        assert_eq!(text, "some text and more");
        fixture.state.ram.put(NAME + 0x100, b"moved.txt");
        fixture.state.ram.put(NAME, b"out.txt");
        let renamed = fixture.call(0x0f, &[NAME, 7, NAME + 0x100, 9]);
        assert_eq!(renamed, 0);
        assert_eq!(fixture.call(0x0e, &[NAME, 7]), -1);
        assert_eq!(fixture.call(0x0e, &[NAME + 0x100, 9]), 0);
        assert!(!fixture.file("moved.txt").exists());
    }
}

/// Each mode on an existing file: the result of a first read, and the content after a write.
#[test]
fn modes_are_those_of_fopen() {
    for (mode, read, left) in [
        (0, Some("abc"), "abc"),
        (2, Some("abc"), "Xbc"),
        (4, None, "X"),
        (6, Some(""), "X"),
        (8, None, "abcX"),
        (10, Some("abc"), "abcX"),
    ] {
        for mode in [mode, mode + 1] {
            let fixture = Fixture::new(PtrWidth::P8);
            std::fs::write(fixture.file("f"), "abc").unwrap();
            if let Some(read) = read {
                let handle = fixture.open("f", mode);
                assert_eq!(fixture.read(handle, 10), read.as_bytes(), "{mode}");
                fixture.call(0x02, &[handle as u64]);
                std::fs::write(fixture.file("f"), "abc").unwrap();
            }
            let handle = fixture.open("f", mode);
            assert!(handle > 2, "{mode}");
            let rest = fixture.write(handle, b"X");
            assert_eq!(rest, i64::from(mode < 2), "{mode}");
            let text = std::fs::read_to_string(fixture.file("f")).unwrap();
            assert_eq!(text, left, "{mode}");
        }
    }
}

#[test]
fn a_file_to_update_and_append_is_written_at_a_position_that_was_set() {
    let fixture = Fixture::new(PtrWidth::P4);
    std::fs::write(fixture.file("f"), "abc").unwrap();
    let handle = fixture.open("f", 10);
    assert_eq!(fixture.write(handle, b"d"), 0);
    assert_eq!(fixture.call(0x0a, &[handle as u64, 1]), 0);
    assert_eq!(fixture.write(handle, b"X"), 0);
    assert_eq!(fixture.read(handle, 10), b"cd");
    let text = std::fs::read_to_string(fixture.file("f")).unwrap();
    assert_eq!(text, "aXcd");
}

#[test]
fn standard_streams_have_handles_without_an_open() {
    let services = ChannelServices {
        stdin: InputSource::Testbench,
        stdout: OutputTarget::Raw,
        stderr: OutputTarget::File("errors.txt".to_owned()),
        ..ChannelServices::default()
    };
    let fixture = Fixture::with(PtrWidth::P4, services);
    assert_eq!(fixture.write(1, b"out"), 0);
    assert_eq!(fixture.write(2, b"error"), 0);
    assert_eq!(fixture.text(), "out");
    let errors = std::fs::read(fixture.file("errors.txt")).unwrap();
    assert_eq!(errors, b"error");
    assert_eq!(fixture.call(0x02, &[1]), 0);
    assert_eq!(fixture.write(1, b"out"), 3);
    assert_eq!(fixture.open("f", 6), 3);
}

#[test]
fn the_console_has_three_streams() {
    let services = ChannelServices {
        stdin: InputSource::Testbench,
        stdout: OutputTarget::Raw,
        stderr: OutputTarget::File("errors.txt".to_owned()),
        ..ChannelServices::default()
    };
    let fixture = Fixture::with(PtrWidth::P8, services);
    let [input, output, error] = [0, 4, 8].map(|mode| fixture.open(":tt", mode));
    assert_eq!(fixture.write(output, b"hello "), 0);
    assert_eq!(fixture.write(error, b"to a file"), 0);
    fixture.state.ram.put(DATA, b"world\0");
    assert!(fixture.operate(0x04, DATA).is_some());
    fixture.state.ram.put(DATA, b"!");
    assert!(fixture.operate(0x03, DATA).is_some());
    assert_eq!(fixture.text(), "hello world!");
    let text = std::fs::read_to_string(fixture.file("errors.txt")).unwrap();
    assert_eq!(text, "to a file");
    let terminals = [input, output, error].map(|it| fixture.call(0x09, &[it as u64]));
    assert_eq!(terminals, [1, 1, 0]);
    // The input has not come yet.
    let read = [input as u64, DATA, 4];
    assert_eq!(fixture.try_call(0x06, &read), None);
    assert_eq!(fixture.operate(0x07, 0), None);
    let status = fixture.status();
    let shown =
        "waits for more bytes of the standard input since tick 0; hart 0 asks for readc(0x0)";
    assert!(status.contains(shown), "{status}");
    // A repeated wait is not progress.
    fixture.tick();
    assert_eq!(fixture.operate(0x07, 0), None);
    assert!(fixture.status().contains(shown), "{}", fixture.status());
    let channel = ChannelId(0);
    let data = Bytes::from_static(b"abcdefg");
    assert_eq!(fixture.ask(StdinWrite { channel, data }), Ok(7));
    assert_eq!(fixture.operate(0x07, 0), Some(u64::from(b'a')));
    assert_eq!(fixture.read(input, 4), b"bcde");
    assert_eq!(fixture.read(input, 4), b"fg");
    assert_eq!(fixture.try_call(0x06, &read), None);
    assert_eq!(fixture.ask(StdinClose { channel }), Ok(()));
    assert_eq!(fixture.try_call(0x06, &read), Some(4));
    // A character behind the end of the input never comes, which is reported once.
    for _ in 0..3 {
        assert_eq!(fixture.operate(0x07, 0), None);
    }
    let reports = fixture.reports();
    let notified = reports
        .iter()
        .filter(|it| format!("{it:?}").contains("behind the end"));
    assert_eq!(notified.count(), 1, "{reports:?}");
}

#[test]
fn features_have_extended_exits_and_separate_errors() {
    let fixture = Fixture::new(PtrWidth::P4);
    let file = fixture.open(":semihosting-features", 0);
    assert_eq!(fixture.call(0x0c, &[file as u64]), 5);
    assert_eq!(fixture.read(file, 4), [0x53, 0x48, 0x46, 0x42]);
    assert_eq!(fixture.read(file, 4), [3]);
    assert_eq!(fixture.call(0x0a, &[file as u64, 4]), 0);
    assert_eq!(fixture.read(file, 1), [3]);
    assert_eq!(fixture.open(":semihosting-features", 4), -1);
}

#[test]
fn arguments_time_and_other_answers() {
    for width in WIDTHS {
        let services = ChannelServices {
            arguments: Bytes::from_static(b"prog\0-x\0two words\0"),
            clock: Clock::Ticks {
                picoseconds: 1_000_000_000_000,
            },
            ..ChannelServices::default()
        };
        let fixture = Fixture::with(width, services);
        fixture.tick();
        fixture.tick();
        assert_eq!(fixture.call(0x15, &[DATA, 100]), 0);
        assert_eq!(fixture.state.ram.get(DATA, 18), b"prog -x two words\0");
        let length = fixture.state.ram.get(BLOCK + width.bytes(), width.bytes());
        assert_eq!(length[0], 17);
        assert_eq!(fixture.call(0x15, &[DATA, 17]), -1);
        let now = fixture.bus.now();
        assert_eq!(fixture.operate(0x10, 0), Some(100 * now));
        assert_eq!(fixture.operate(0x11, 0), Some(now));
        assert_eq!(fixture.operate(0x31, 0), Some(1_000_000_000));
        assert_eq!(fixture.operate(0x30, DATA), Some(0));
        let elapsed = fixture.state.ram.get(DATA, 8);
        let elapsed = u64::from_le_bytes(elapsed.try_into().unwrap());
        assert_eq!(elapsed, now * 1_000_000_000);
        fixture.state.ram.put(DATA, &[0xff; 40]);
        assert_eq!(fixture.call(0x16, &[DATA]), 0);
        let zeros = 4 * width.bytes();
        assert!(fixture.state.ram.get(DATA, zeros).iter().all(|it| *it == 0));
        assert_eq!(fixture.state.ram.get(DATA + zeros, 1), [0xff]);
        assert_eq!(fixture.call(0x08, &[1]), 0);
        assert_eq!(fixture.call(0x08, &[u64::MAX]), 1);
        assert_eq!(fixture.call(0x0d, &[DATA, 0x1ab, 100]), 0);
        assert_eq!(fixture.state.ram.get(DATA, 11), b"tmp-cpu-ab\0");
        assert_eq!(fixture.call(0x12, &[DATA, 2]), -1);
        assert_eq!(fixture.call(0x99, &[]), -1);
        let reports = fixture.reports();
        let last = &reports.last().unwrap().1;
        assert!(last.contains("operation 0x99(0x80001000): there is no such operation"));
    }
}

#[test]
fn exits_have_the_code_of_their_reason() {
    for (width, operation, argument, words, code) in [
        (PtrWidth::P4, 0x18, 0x20026, [0, 0], 0),
        (PtrWidth::P4, 0x18, 0x20023, [0, 0], 1),
        (PtrWidth::P4, 0x20, BLOCK, [0x20026, 7], 7),
        (PtrWidth::P4, 0x20, BLOCK, [0x20020, 7], 1),
        (PtrWidth::P8, 0x18, BLOCK, [0x20026, 255], 255),
        (PtrWidth::P8, 0x18, BLOCK, [0x20024, 0], 1),
        (PtrWidth::P8, 0x20, BLOCK, [0x20026, 3], 3),
        (
            PtrWidth::P4,
            0x20,
            BLOCK,
            [0x20026, 0xffff_fffe],
            0xffff_fffe,
        ),
        (PtrWidth::P8, 0x18, BLOCK, [0x20026, 1 << 32], u32::MAX),
        (PtrWidth::P8, 0x20, BLOCK, [0x20026, 1 << 32], u32::MAX),
    ] {
        let fixture = Fixture::new(width);
        assert!(
            fixture
                .status()
                .contains("waits for firmware's next operation")
        );
        let len = width.bytes() as usize;
        let block = words.map(|word: u64| word.to_le_bytes()[..len].to_vec());
        fixture.state.ram.put(BLOCK, &block.concat());
        assert_eq!(fixture.operate(operation, argument), Some(0));
        fixture.tick();
        assert_eq!(fixture.state.progress.exits(), [Some(code)]);
        assert!(
            fixture
                .status()
                .contains(&format!("exited with code {code}"))
        );
        let again = Operate {
            channel: ChannelId(0),
            hart: 0,
            operation,
            argument,
        };
        assert_eq!(fixture.ask(again), Err(OperateError::Exited));
    }
}

#[test]
fn an_exit_by_the_testbench_ends_code_in_place_of_traps() {
    let fixture = Fixture::with_stub(PtrWidth::P4);
    fixture.tick();
    assert_eq!(fixture.operate(0x18, 0x20023), Some(0));
    fixture.tick();
    assert_eq!(fixture.state.progress.exits(), [Some(1)]);
}

#[test]
fn failures_are_reported_with_operation_and_reason() {
    let fixture = Fixture::new(PtrWidth::P4);
    assert_eq!(fixture.call(0x05, &[7, DATA, 3]), 3);
    assert_eq!(fixture.call(0x06, &[7, DATA, 3]), 3);
    // A parameter block outside of memory.
    assert_eq!(fixture.operate(0x05, 0x1000), Some(u64::from(u32::MAX)));
    assert_eq!(fixture.operate(0x13, 0), Some(14), "EFAULT");
    fixture.open("missing", 0);
    let reports = fixture.reports();
    let severities: Vec<Severity> = reports.iter().map(|(severity, _)| *severity).collect();
    assert_eq!(&severities[..3], [Severity::Error; 3]);
    assert_eq!(severities[3], Severity::Info, "a probe");
    let expected = "hart 0: write(0x7, 0x80004000, 0x3): handle 7 is not open; answered EBADF";
    assert!(reports[0].1.starts_with(expected), "{reports:?}");
    assert!(reports[3].1.contains("file `missing`"), "{reports:?}");
    let status = fixture.status();
    assert!(
        status.contains("\n  hart 0: write(0x7, 0x80004000, 0x3); fails: EBADF"),
        "{status}"
    );
}

#[test]
fn names_modes_and_objects_that_are_refused_have_their_errors() {
    const FEATURES: &str = ":semihosting-features";
    for width in WIDTHS {
        let fixture = Fixture::new(width);
        let errno = || fixture.operate(0x13, 0).unwrap();
        for (name, mode, wanted) in [
            ("", 0, Errno::ENOENT),
            ("f", 12, Errno::EINVAL),
            ("f", u64::from(u32::MAX), Errno::EINVAL),
            (FEATURES, 4, Errno::EACCES),
            (FEATURES, 11, Errno::EACCES),
            ("../f", 0, Errno::EACCES),
        ] {
            assert_eq!(fixture.open(name, mode), -1, "{name} {mode}");
            assert_eq!(errno(), number(wanted), "{name} {mode}");
        }
        let features = fixture.open(FEATURES, 0).cast_unsigned();
        assert_eq!(fixture.call(0x09, &[features]), 0);
        assert_eq!(fixture.call(0x0a, &[features, 100]), 0);
        assert_eq!(fixture.read(features.cast_signed(), 3), b"");
        for (operation, words, result, wanted) in [
            (
                0x01,
                &[NAME, 0, MAX_STRING + 1][..],
                -1,
                Errno::ENAMETOOLONG,
            ),
            (0x05, &[features, DATA, 3], 3, Errno::EBADF),
            (0x05, &[0, DATA, 3], 3, Errno::EBADF),
            (0x06, &[1, DATA, 3], 3, Errno::EBADF),
            (0x09, &[99], -1, Errno::EBADF),
            (0x0a, &[1, 0], -1, Errno::ESPIPE),
            (0x0a, &[99, 0], -1, Errno::EBADF),
            (0x0c, &[0], -1, Errno::ESPIPE),
            (0x0c, &[99], -1, Errno::EBADF),
            (0x0d, &[DATA, 1, 10], -1, Errno::EINVAL),
            (0x0e, &[NAME, 0], -1, Errno::ENOENT),
            (
                0x0f,
                &[NAME, 1, NAME, MAX_STRING + 1],
                -1,
                Errno::ENAMETOOLONG,
            ),
            (0x12, &[DATA, 3], -1, Errno::ENOSYS),
            (0x15, &[DATA, 0], -1, Errno::EINVAL),
        ] {
            assert_eq!(fixture.call(operation, words), result, "{operation:#x}");
            assert_eq!(errno(), number(wanted), "{operation:#x} {words:x?}");
        }
        // Nothing is moved of a file, a stream and the features without a byte.
        for handle in [0, 1, features] {
            assert_eq!(fixture.call(0x05, &[handle, DATA, 0]), 0);
            assert_eq!(fixture.call(0x06, &[handle, DATA, 0]), 0);
        }
    }
    let fixture = Fixture::new(PtrWidth::P8);
    let file = fixture.open("f", 6).cast_unsigned();
    assert_eq!(fixture.call(0x0a, &[file, 1 << 63]), -1);
    assert_eq!(fixture.operate(0x13, 0), Some(number(Errno::EINVAL)));
}

fn number(errno: Errno) -> u64 {
    u64::try_from(errno.0).unwrap()
}

#[test]
fn a_channel_has_room_for_256_handles() {
    let fixture = Fixture::new(PtrWidth::P4);
    for at in 0..256 {
        assert_eq!(fixture.open(":tt", 0), 3 + at);
    }
    assert_eq!(fixture.open(":tt", 0), -1);
    assert_eq!(fixture.operate(0x13, 0), Some(number(Errno::EMFILE)));
    assert_eq!(fixture.call(0x02, &[7]), 0);
    assert_eq!(fixture.open(":tt", 4), 7, "the lowest free one");
    // A standard stream that was closed is no room for another object.
    assert_eq!(fixture.call(0x02, &[0]), 0);
    assert_eq!(fixture.open(":tt", 0), -1);
}

/// A text without a NUL at the end of memory: its first 4,096 bytes are printed, and the operation
/// fails.
#[test]
fn a_text_that_leaves_memory_fails_behind_whole_pieces() {
    let services = ChannelServices {
        stdout: OutputTarget::Raw,
        ..ChannelServices::default()
    };
    let fixture = Fixture::with(PtrWidth::P4, services);
    let start = BASE + SIZE - 5000;
    fixture.state.ram.put(start, &[b'x'; 5000]);
    let failed = u64::from(u32::MAX);
    assert_eq!(fixture.operate(0x04, start), Some(failed));
    assert_eq!(fixture.operate(0x13, 0), Some(number(Errno::EFAULT)));
    assert_eq!(fixture.text(), "x".repeat(4096));
    let reports = fixture.reports();
    let notified = &reports[0].1;
    let rest = start + 4096;
    let expected =
        format!("write0({start:#x}): the text at {rest:#x} can't be read: no NUL in 904 bytes");
    assert!(notified.contains(&expected), "{notified}");
    for address in [BASE + SIZE, BASE - 1, 0] {
        for operation in [0x03, 0x04] {
            assert_eq!(fixture.operate(operation, address), Some(failed));
            assert_eq!(fixture.operate(0x13, 0), Some(number(Errno::EFAULT)));
        }
    }
    assert_eq!(fixture.text(), "x".repeat(4096));
}

/// A command line without arguments is empty, and has room in one byte.
#[test]
fn a_command_line_may_be_empty() {
    let fixture = Fixture::new(PtrWidth::P8);
    fixture.state.ram.put(DATA, &[0xff; 2]);
    assert_eq!(fixture.call(0x15, &[DATA, 1]), 0);
    assert_eq!(fixture.state.ram.get(DATA, 2), [0, 0xff]);
    assert_eq!(fixture.state.ram.get(BLOCK + 8, 8), [0; 8]);
}

#[test]
fn a_channel_with_failed_memory_has_no_state_to_save() {
    let fixture = Fixture::with_stub(PtrWidth::P8);
    fixture.tick();
    assert!(fixture.ask(Save).is_ok());
    fixture.state.ram.break_down(MemoryId(0));
    fixture.tick();
    assert!(fixture.status().contains("failed"), "{}", fixture.status());
    let channel = "cpu".to_owned();
    assert_eq!(fixture.ask(Save), Err(SaveError::Failed { channel }));
}
