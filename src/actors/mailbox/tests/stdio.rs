//! Standard streams.

use bytes::Bytes;
use mailbox_rs::{Errno, FileStatus, FileType, NEWEST, Whence};

use super::posix::{ask, ready_for_posix};
use super::*;
use crate::bus::BusError;
use crate::messages::mailbox::{OutputFailed, StdinClose, StdinError, StdinWrite};
use crate::messages::{ChannelId, ChannelServices, InputSource, OutputTarget};

const EBADF: i64 = -9;
const ESPIPE: i64 = -29;

fn fixture_with(services: ChannelServices) -> Fixture {
    let ram = Ram::new(BASE, SIZE as usize);
    Fixture::with(ram, services, &[(BASE, plain(PtrWidth::P4))])
}

fn session(fixture: &Fixture) -> Firmware<&Ram> {
    ready_for_posix(fixture, plain(PtrWidth::P4))
}

fn write(fixture: &Fixture, firmware: &mut Firmware<&Ram>, fd: u64, data: &[u8]) -> i64 {
    fixture.chip.ram.write(DATA, data);
    let write = FileRequest::Write {
        fd,
        ptr: DATA,
        len: data.len() as u64,
    };
    ask(fixture, firmware, write)
}

const fn read(len: u64) -> FileRequest {
    FileRequest::Read {
        fd: 0,
        ptr: DATA,
        len,
    }
}

fn data<const N: usize>(fixture: &Fixture) -> [u8; N] {
    let mut bytes = [0; N];
    fixture.chip.ram.read(DATA, &mut bytes);
    bytes
}

fn push(fixture: &Fixture, data: &[u8]) -> Result<u64, StdinError> {
    let write = StdinWrite {
        channel: ChannelId(0),
        data: Bytes::copy_from_slice(data),
    };
    fixture.bus.ask(&fixture.server, write).unwrap()
}

fn close(fixture: &Fixture) -> Result<(), StdinError> {
    let channel = ChannelId(0);
    fixture
        .bus
        .ask(&fixture.server, StdinClose { channel })
        .unwrap()
}

#[test]
fn outputs_go_to_the_console_and_errors_are_marked() {
    let fixture = fixture_with(ChannelServices::default());
    let mut firmware = session(&fixture);
    assert_eq!(write(&fixture, &mut firmware, 1, b"out\xff\0"), 5);
    assert_eq!(write(&fixture, &mut firmware, 2, b"err"), 3);
    assert_eq!(fixture.seen.text.take(), "out\u{fffd}\0<err>");
    assert_eq!(write(&fixture, &mut firmware, 1, b""), 0);
    assert_eq!(fixture.reports(), []);
}

#[test]
fn raw_outputs_are_the_bytes_that_firmware_wrote() {
    let fixture = fixture_with(ChannelServices {
        stdout: OutputTarget::Raw,
        stderr: OutputTarget::Raw,
        ..ChannelServices::default()
    });
    let mut firmware = session(&fixture);
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(write(&fixture, &mut firmware, 1, &all), 256);
    assert_eq!(write(&fixture, &mut firmware, 2, b"\r\n\0"), 3);
    let raw = fixture.seen.raw.take();
    assert_eq!(raw, [(false, all), (true, b"\r\n\0".to_vec())]);
}

#[test]
fn an_output_file_is_truncated_once_and_then_continued() {
    let out = || OutputTarget::File("out".to_owned());
    let fixture = fixture_with(ChannelServices {
        stdout: out(),
        stderr: out(),
        ..ChannelServices::default()
    });
    let mut firmware = session(&fixture);
    assert_eq!(write(&fixture, &mut firmware, 2, b"abc"), 3);
    assert_eq!(write(&fixture, &mut firmware, 1, b"d"), 1);
    let fstat = FileRequest::Fstat {
        fd: 1,
        result: DATA,
    };
    assert_eq!(ask(&fixture, &mut firmware, fstat), 0);
    assert_eq!(
        ask(&fixture, &mut firmware, FileRequest::Fsync { fd: 2 }),
        0
    );
    assert_eq!(
        fixture.seen.files.take(),
        [
            "posix open out 0o3101 0o666",
            "write some 10 3 bytes",
            "write some 10 1 bytes",
            "fstat 10",
            "sync 10",
        ]
    );
    firmware.reset_offering(NEWEST);
    fixture.tick();
    assert_eq!(write(&fixture, &mut firmware, 1, b"e"), 1);
    assert_eq!(
        fixture.seen.files.take(),
        [
            "close all of 0",
            "posix open out 0o2101 0o666",
            "write some 10 1 bytes"
        ]
    );
    // A missing file is an error of the configuration, named by its path.
    let fixture = fixture_with(ChannelServices {
        stdin: InputSource::File("missing".to_owned()),
        ..ChannelServices::default()
    });
    let mut firmware = session(&fixture);
    assert_eq!(ask(&fixture, &mut firmware, read(4)), -2);
    let [(severity, _, text)] = &fixture.reports()[..] else {
        panic!("one report");
    };
    assert_eq!(*severity, Severity::Error);
    assert!(text.contains("file `missing`"), "{text}");
}

#[test]
fn an_input_without_source_is_empty() {
    let fixture = fixture_with(ChannelServices::default());
    let mut firmware = session(&fixture);
    assert_eq!(ask(&fixture, &mut firmware, read(4)), 0);
    assert_eq!(push(&fixture, b"x"), Err(StdinError::NotTestbench));
    assert_eq!(close(&fixture), Err(StdinError::NotTestbench));
    let elsewhere = StdinClose {
        channel: ChannelId(1),
    };
    let refused = fixture.bus.ask(&fixture.server, elsewhere).unwrap();
    assert_eq!(refused, Err(StdinError::NoChannel));
}

#[test]
fn an_input_file_is_read_like_any_other() {
    let fixture = fixture_with(ChannelServices {
        stdin: InputSource::File("in".to_owned()),
        ..ChannelServices::default()
    });
    let mut firmware = session(&fixture);
    assert_eq!(ask(&fixture, &mut firmware, read(80)), 80);
    assert_eq!(
        fixture.seen.files.take(),
        ["posix open in 0o0 0o666", "read 10 80", "read 10 20"]
    );
}

#[test]
fn a_read_waits_for_the_testbench_and_gets_the_bytes_there() {
    let fixture = fixture_with(ChannelServices {
        stdin: InputSource::Testbench,
        ..ChannelServices::default()
    });
    let mut firmware = session(&fixture);
    assert!(firmware.try_send(&Request::File(read(4))));
    fixture.tick();
    fixture.tick();
    assert_eq!(firmware.try_receive(), None);
    assert!(
        fixture
            .status()
            .contains("waits for more bytes of the standard input since tick 2"),
        "{}",
        fixture.status()
    );
    assert_eq!(push(&fixture, b"abcdef"), Ok(6));
    let width = PtrWidth::P4;
    assert_eq!(
        firmware.try_receive(),
        Some(Response::Value(4).entry(width))
    );
    assert_eq!(&data::<4>(&fixture), b"abcd");
    // Fewer bytes are available than requested.
    assert_eq!(ask(&fixture, &mut firmware, read(4)), 2);
    assert_eq!(&data::<2>(&fixture), b"ef");

    // The end of the file.
    assert!(firmware.try_send(&Request::File(read(4))));
    fixture.tick();
    assert_eq!(firmware.try_receive(), None);
    assert_eq!(close(&fixture), Ok(()));
    assert_eq!(
        firmware.try_receive(),
        Some(Response::Value(0).entry(width))
    );
    assert_eq!(ask(&fixture, &mut firmware, read(4)), 0);
    assert_eq!(push(&fixture, b"x"), Err(StdinError::Closed));
    assert_eq!(fixture.reports(), []);
}

#[test]
fn bytes_before_the_end_are_read_after_it_and_nothing_is_lost_at_a_bad_address() {
    let fixture = fixture_with(ChannelServices {
        stdin: InputSource::Testbench,
        ..ChannelServices::default()
    });
    assert_eq!(push(&fixture, b"before the handshake"), Ok(20));
    assert_eq!(close(&fixture), Ok(()));
    let mut firmware = session(&fixture);
    let nowhere = FileRequest::Read {
        fd: 0,
        ptr: 0x100,
        len: 4,
    };
    assert_eq!(ask(&fixture, &mut firmware, nowhere), -14);
    // A read at the end of memory gets as many bytes as there is room for.
    let end = FileRequest::Read {
        fd: 0,
        ptr: BASE + SIZE - 3,
        len: 100,
    };
    assert_eq!(ask(&fixture, &mut firmware, end), 3);
    assert_eq!(ask(&fixture, &mut firmware, read(0)), 17);
    assert_eq!(&data::<17>(&fixture), b"ore the handshake");
}

#[test]
fn a_reset_drops_a_waiting_read_and_keeps_the_input() {
    let fixture = fixture_with(ChannelServices {
        stdin: InputSource::Testbench,
        ..ChannelServices::default()
    });
    let mut firmware = session(&fixture);
    assert!(firmware.try_send(&Request::File(read(4))));
    fixture.tick();
    firmware.reset_offering(NEWEST);
    fixture.tick();
    assert!(firmware.is_ready());
    assert_eq!(push(&fixture, b"ab"), Ok(2));
    assert_eq!(firmware.try_receive(), None);
    assert_eq!(ask(&fixture, &mut firmware, read(4)), 2);
    // The bus refuses a request from inside of an actor.
    let refused: Result<_, BusError> = fixture.bus.ask(
        &fixture.server,
        StdinClose {
            channel: ChannelId(0),
        },
    );
    assert_eq!(refused.unwrap(), Ok(()));
}

#[test]
fn standard_streams_are_no_files_with_positions() {
    let fixture = fixture_with(ChannelServices::default());
    let mut firmware = session(&fixture);
    for fd in 0..3 {
        let lseek = FileRequest::Lseek {
            fd,
            whence: Whence::Current,
            offset: 0,
            result: DATA,
        };
        assert_eq!(ask(&fixture, &mut firmware, lseek), ESPIPE);
        assert_eq!(fixture.reports()[0].0, Severity::Info);
        let seek = FileRequest::Seek { fd, position: 0 };
        assert_eq!(ask(&fixture, &mut firmware, seek), ESPIPE);
        let fstat = FileRequest::Fstat { fd, result: DATA };
        assert_eq!(ask(&fixture, &mut firmware, fstat), 0);
        let status = FileStatus::parse(&data::<80>(&fixture)).unwrap();
        assert_eq!(status.file_type(), FileType::CharacterDevice);
        let truncate = FileRequest::Ftruncate { fd, len: 0 };
        assert_eq!(ask(&fixture, &mut firmware, truncate), -22);
        assert_eq!(ask(&fixture, &mut firmware, FileRequest::Fsync { fd }), 0);
        let readdir = FileRequest::Readdir {
            fd,
            ptr: DATA,
            len: 100,
        };
        assert_eq!(ask(&fixture, &mut firmware, readdir), -20);
        fixture.reports();
    }
    assert_eq!(write(&fixture, &mut firmware, 0, b"x"), EBADF);
    for fd in [1, 2] {
        let read = FileRequest::Read {
            fd,
            ptr: DATA,
            len: 4,
        };
        assert_eq!(ask(&fixture, &mut firmware, read), EBADF);
    }
    assert_eq!(fixture.seen.files.take(), [""; 0]);
}

#[test]
fn a_closed_stream_stays_closed_until_the_next_session() {
    let fixture = fixture_with(ChannelServices::default());
    let mut firmware = session(&fixture);
    let checked = |fd| FileRequest::CheckedClose { fd };
    assert_eq!(ask(&fixture, &mut firmware, checked(1)), 0);
    assert_eq!(ask(&fixture, &mut firmware, checked(1)), EBADF);
    assert_eq!(write(&fixture, &mut firmware, 1, b"x"), EBADF);
    // A CLOSE of protocol 0.2 closes as well, without a response.
    let close = Request::File(FileRequest::Close { fd: 2 });
    assert!(firmware.try_send(&close));
    fixture.tick();
    assert_eq!(write(&fixture, &mut firmware, 2, b"x"), EBADF);
    assert_eq!(fixture.seen.text.take(), "");
    firmware.reset_offering(NEWEST);
    fixture.tick();
    assert_eq!(write(&fixture, &mut firmware, 1, b"x"), 1);
    assert_eq!(write(&fixture, &mut firmware, 2, b"y"), 1);
    assert_eq!(fixture.seen.text.take(), "|x<y>");
}

#[test]
fn text_that_is_lost_is_answered_once_by_the_next_request_of_its_stream() {
    const ENOSPC: i64 = -28;
    let raw = || OutputTarget::Raw;
    let fails = |fixture: &Fixture, is_error| {
        let failed = OutputFailed {
            channel: ChannelId(0),
            is_error,
            errno: Errno::ENOSPC,
        };
        fixture.bus.ask(&fixture.server, failed).unwrap();
    };
    // Lines of both streams go to one output, raw bytes to two.
    for (services, both) in [
        (ChannelServices::default(), true),
        (
            ChannelServices {
                stdout: raw(),
                stderr: raw(),
                ..ChannelServices::default()
            },
            false,
        ),
    ] {
        let fixture = fixture_with(services);
        let mut firmware = session(&fixture);
        let mut expect = |request: FileRequest, answer| {
            assert_eq!(ask(&fixture, &mut firmware, request), answer, "{request:?}");
        };
        let write = |fd| FileRequest::Write {
            fd,
            ptr: DATA,
            len: 4,
        };
        fails(&fixture, false);
        expect(write(1), ENOSPC);
        expect(write(1), 4);
        fails(&fixture, false);
        fails(&fixture, false);
        expect(FileRequest::Fsync { fd: 1 }, ENOSPC);
        expect(FileRequest::Fsync { fd: 1 }, 0);
        fails(&fixture, false);
        expect(write(2), if both { ENOSPC } else { 4 });
        fails(&fixture, true);
        expect(
            FileRequest::CheckedClose { fd: 2 },
            if both { 0 } else { ENOSPC },
        );
        expect(
            FileRequest::CheckedClose { fd: 1 },
            if both { 0 } else { ENOSPC },
        );
        // The console has reported the failure.
        assert_eq!(fixture.reports(), []);
        // Each session has errors of its own.
        fails(&fixture, false);
        firmware.reset_offering(NEWEST);
        fixture.tick();
        assert_eq!(ask(&fixture, &mut firmware, write(1)), 4);
    }
}
