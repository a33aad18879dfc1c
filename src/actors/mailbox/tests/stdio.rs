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

fn bench_with(services: ChannelServices) -> Fixture {
    let ram = Ram::new(BASE, SIZE as usize);
    Fixture::with(ram, services, &[(BASE, plain(PtrWidth::P4))])
}

fn session(bench: &Fixture) -> Firmware<&Ram> {
    ready_for_posix(bench, plain(PtrWidth::P4))
}

fn write(bench: &Fixture, firmware: &mut Firmware<&Ram>, fd: u64, data: &[u8]) -> i64 {
    bench.chip.ram.write(DATA, data);
    let write = FileRequest::Write {
        fd,
        ptr: DATA,
        len: data.len() as u64,
    };
    ask(bench, firmware, write)
}

const fn read(len: u64) -> FileRequest {
    FileRequest::Read {
        fd: 0,
        ptr: DATA,
        len,
    }
}

fn data<const N: usize>(bench: &Fixture) -> [u8; N] {
    let mut bytes = [0; N];
    bench.chip.ram.read(DATA, &mut bytes);
    bytes
}

fn push(bench: &Fixture, data: &[u8]) -> Result<u64, StdinError> {
    let write = StdinWrite {
        channel: ChannelId(0),
        data: Bytes::copy_from_slice(data),
    };
    bench.bus.ask(&bench.server, write).unwrap()
}

fn close(bench: &Fixture) -> Result<(), StdinError> {
    let channel = ChannelId(0);
    bench
        .bus
        .ask(&bench.server, StdinClose { channel })
        .unwrap()
}

#[test]
fn outputs_go_to_the_console_and_errors_are_marked() {
    let bench = bench_with(ChannelServices::default());
    let mut firmware = session(&bench);
    assert_eq!(write(&bench, &mut firmware, 1, b"out\xff\0"), 5);
    assert_eq!(write(&bench, &mut firmware, 2, b"err"), 3);
    assert_eq!(bench.seen.text.take(), "out\u{fffd}\0<err>");
    assert_eq!(write(&bench, &mut firmware, 1, b""), 0);
    assert_eq!(bench.reports(), []);
}

#[test]
fn raw_outputs_are_the_bytes_that_firmware_wrote() {
    let bench = bench_with(ChannelServices {
        stdout: OutputTarget::Raw,
        stderr: OutputTarget::Raw,
        ..ChannelServices::default()
    });
    let mut firmware = session(&bench);
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(write(&bench, &mut firmware, 1, &all), 256);
    assert_eq!(write(&bench, &mut firmware, 2, b"\r\n\0"), 3);
    let raw = bench.seen.raw.take();
    assert_eq!(raw, [(false, all), (true, b"\r\n\0".to_vec())]);
}

#[test]
fn an_output_file_is_truncated_once_and_then_continued() {
    let out = || OutputTarget::File("out".to_owned());
    let bench = bench_with(ChannelServices {
        stdout: out(),
        stderr: out(),
        ..ChannelServices::default()
    });
    let mut firmware = session(&bench);
    assert_eq!(write(&bench, &mut firmware, 2, b"abc"), 3);
    assert_eq!(write(&bench, &mut firmware, 1, b"d"), 1);
    let fstat = FileRequest::Fstat {
        fd: 1,
        result: DATA,
    };
    assert_eq!(ask(&bench, &mut firmware, fstat), 0);
    assert_eq!(ask(&bench, &mut firmware, FileRequest::Fsync { fd: 2 }), 0);
    assert_eq!(
        bench.seen.files.take(),
        [
            "posix open out 0o3101 0o666",
            "write some 10 3 bytes",
            "write some 10 1 bytes",
            "fstat 10",
            "sync 10",
        ]
    );
    firmware.reset_offering(NEWEST);
    bench.tick();
    assert_eq!(write(&bench, &mut firmware, 1, b"e"), 1);
    assert_eq!(
        bench.seen.files.take(),
        [
            "close all of 0",
            "posix open out 0o2101 0o666",
            "write some 10 1 bytes"
        ]
    );
    // A missing file is an error of the configuration, named by its path.
    let bench = bench_with(ChannelServices {
        stdin: InputSource::File("missing".to_owned()),
        ..ChannelServices::default()
    });
    let mut firmware = session(&bench);
    assert_eq!(ask(&bench, &mut firmware, read(4)), -2);
    let [(severity, _, text)] = &bench.reports()[..] else {
        panic!("one report");
    };
    assert_eq!(*severity, Severity::Error);
    assert!(text.contains("file `missing`"), "{text}");
}

#[test]
fn an_input_without_source_is_empty() {
    let bench = bench_with(ChannelServices::default());
    let mut firmware = session(&bench);
    assert_eq!(ask(&bench, &mut firmware, read(4)), 0);
    assert_eq!(push(&bench, b"x"), Err(StdinError::NotTestbench));
    assert_eq!(close(&bench), Err(StdinError::NotTestbench));
    let elsewhere = StdinClose {
        channel: ChannelId(1),
    };
    let refused = bench.bus.ask(&bench.server, elsewhere).unwrap();
    assert_eq!(refused, Err(StdinError::NoChannel));
}

#[test]
fn an_input_file_is_read_like_any_other() {
    let bench = bench_with(ChannelServices {
        stdin: InputSource::File("in".to_owned()),
        ..ChannelServices::default()
    });
    let mut firmware = session(&bench);
    assert_eq!(ask(&bench, &mut firmware, read(80)), 80);
    assert_eq!(
        bench.seen.files.take(),
        ["posix open in 0o0 0o666", "read 10 80", "read 10 20"]
    );
}

#[test]
fn a_read_waits_for_the_testbench_and_gets_the_bytes_there() {
    let bench = bench_with(ChannelServices {
        stdin: InputSource::Testbench,
        ..ChannelServices::default()
    });
    let mut firmware = session(&bench);
    assert!(firmware.try_send(&Request::File(read(4))));
    bench.tick();
    bench.tick();
    assert_eq!(firmware.try_receive(), None);
    assert!(
        bench
            .status()
            .contains("waits for more bytes of the standard input since tick 2"),
        "{}",
        bench.status()
    );
    assert_eq!(push(&bench, b"abcdef"), Ok(6));
    let width = PtrWidth::P4;
    assert_eq!(
        firmware.try_receive(),
        Some(Response::Value(4).entry(width))
    );
    assert_eq!(&data::<4>(&bench), b"abcd");
    // Fewer bytes are available than requested.
    assert_eq!(ask(&bench, &mut firmware, read(4)), 2);
    assert_eq!(&data::<2>(&bench), b"ef");

    // The end of the file.
    assert!(firmware.try_send(&Request::File(read(4))));
    bench.tick();
    assert_eq!(firmware.try_receive(), None);
    assert_eq!(close(&bench), Ok(()));
    assert_eq!(
        firmware.try_receive(),
        Some(Response::Value(0).entry(width))
    );
    assert_eq!(ask(&bench, &mut firmware, read(4)), 0);
    assert_eq!(push(&bench, b"x"), Err(StdinError::Closed));
    assert_eq!(bench.reports(), []);
}

#[test]
fn bytes_before_the_end_are_read_after_it_and_nothing_is_lost_at_a_bad_address() {
    let bench = bench_with(ChannelServices {
        stdin: InputSource::Testbench,
        ..ChannelServices::default()
    });
    assert_eq!(push(&bench, b"before the handshake"), Ok(20));
    assert_eq!(close(&bench), Ok(()));
    let mut firmware = session(&bench);
    let nowhere = FileRequest::Read {
        fd: 0,
        ptr: 0x100,
        len: 4,
    };
    assert_eq!(ask(&bench, &mut firmware, nowhere), -14);
    // A read at the end of memory gets as many bytes as there is room for.
    let end = FileRequest::Read {
        fd: 0,
        ptr: BASE + SIZE - 3,
        len: 100,
    };
    assert_eq!(ask(&bench, &mut firmware, end), 3);
    assert_eq!(ask(&bench, &mut firmware, read(0)), 17);
    assert_eq!(&data::<17>(&bench), b"ore the handshake");
}

#[test]
fn a_reset_drops_a_waiting_read_and_keeps_the_input() {
    let bench = bench_with(ChannelServices {
        stdin: InputSource::Testbench,
        ..ChannelServices::default()
    });
    let mut firmware = session(&bench);
    assert!(firmware.try_send(&Request::File(read(4))));
    bench.tick();
    firmware.reset_offering(NEWEST);
    bench.tick();
    assert!(firmware.is_ready());
    assert_eq!(push(&bench, b"ab"), Ok(2));
    assert_eq!(firmware.try_receive(), None);
    assert_eq!(ask(&bench, &mut firmware, read(4)), 2);
    // The bus refuses a request from inside of an actor.
    let refused: Result<_, BusError> = bench.bus.ask(
        &bench.server,
        StdinClose {
            channel: ChannelId(0),
        },
    );
    assert_eq!(refused.unwrap(), Ok(()));
}

#[test]
fn standard_streams_are_no_files_with_positions() {
    let bench = bench_with(ChannelServices::default());
    let mut firmware = session(&bench);
    for fd in 0..3 {
        let lseek = FileRequest::Lseek {
            fd,
            whence: Whence::Current,
            offset: 0,
            result: DATA,
        };
        assert_eq!(ask(&bench, &mut firmware, lseek), ESPIPE);
        assert_eq!(bench.reports()[0].0, Severity::Info);
        let seek = FileRequest::Seek { fd, position: 0 };
        assert_eq!(ask(&bench, &mut firmware, seek), ESPIPE);
        let fstat = FileRequest::Fstat { fd, result: DATA };
        assert_eq!(ask(&bench, &mut firmware, fstat), 0);
        let status = FileStatus::parse(&data::<80>(&bench)).unwrap();
        assert_eq!(status.file_type(), FileType::CharacterDevice);
        let truncate = FileRequest::Ftruncate { fd, len: 0 };
        assert_eq!(ask(&bench, &mut firmware, truncate), -22);
        assert_eq!(ask(&bench, &mut firmware, FileRequest::Fsync { fd }), 0);
        let readdir = FileRequest::Readdir {
            fd,
            ptr: DATA,
            len: 100,
        };
        assert_eq!(ask(&bench, &mut firmware, readdir), -20);
        bench.reports();
    }
    assert_eq!(write(&bench, &mut firmware, 0, b"x"), EBADF);
    for fd in [1, 2] {
        let read = FileRequest::Read {
            fd,
            ptr: DATA,
            len: 4,
        };
        assert_eq!(ask(&bench, &mut firmware, read), EBADF);
    }
    assert_eq!(bench.seen.files.take(), [""; 0]);
}

#[test]
fn a_closed_stream_stays_closed_until_the_next_session() {
    let bench = bench_with(ChannelServices::default());
    let mut firmware = session(&bench);
    let checked = |fd| FileRequest::CheckedClose { fd };
    assert_eq!(ask(&bench, &mut firmware, checked(1)), 0);
    assert_eq!(ask(&bench, &mut firmware, checked(1)), EBADF);
    assert_eq!(write(&bench, &mut firmware, 1, b"x"), EBADF);
    // A CLOSE of protocol 0.2 closes as well, without a response.
    let close = Request::File(FileRequest::Close { fd: 2 });
    assert!(firmware.try_send(&close));
    bench.tick();
    assert_eq!(write(&bench, &mut firmware, 2, b"x"), EBADF);
    assert_eq!(bench.seen.text.take(), "");
    firmware.reset_offering(NEWEST);
    bench.tick();
    assert_eq!(write(&bench, &mut firmware, 1, b"x"), 1);
    assert_eq!(write(&bench, &mut firmware, 2, b"y"), 1);
    assert_eq!(bench.seen.text.take(), "|x<y>");
}

#[test]
fn text_that_is_lost_is_answered_once_by_the_next_request_of_its_stream() {
    const ENOSPC: i64 = -28;
    let raw = || OutputTarget::Raw;
    let fails = |bench: &Fixture, is_error| {
        let failed = OutputFailed {
            channel: ChannelId(0),
            is_error,
            errno: Errno::ENOSPC,
        };
        bench.bus.ask(&bench.server, failed).unwrap();
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
        let bench = bench_with(services);
        let mut firmware = session(&bench);
        let mut expect = |request: FileRequest, answer| {
            assert_eq!(ask(&bench, &mut firmware, request), answer, "{request:?}");
        };
        let write = |fd| FileRequest::Write {
            fd,
            ptr: DATA,
            len: 4,
        };
        fails(&bench, false);
        expect(write(1), ENOSPC);
        expect(write(1), 4);
        fails(&bench, false);
        fails(&bench, false);
        expect(FileRequest::Fsync { fd: 1 }, ENOSPC);
        expect(FileRequest::Fsync { fd: 1 }, 0);
        fails(&bench, false);
        expect(write(2), if both { ENOSPC } else { 4 });
        fails(&bench, true);
        expect(
            FileRequest::CheckedClose { fd: 2 },
            if both { 0 } else { ENOSPC },
        );
        expect(
            FileRequest::CheckedClose { fd: 1 },
            if both { 0 } else { ENOSPC },
        );
        // The console has reported the failure.
        assert_eq!(bench.reports(), []);
        // Each session has errors of its own.
        fails(&bench, false);
        firmware.reset_offering(NEWEST);
        bench.tick();
        assert_eq!(ask(&bench, &mut firmware, write(1)), 4);
    }
}
