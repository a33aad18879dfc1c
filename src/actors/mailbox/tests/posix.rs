//! Protocol 0.3: negotiation and operations.

use bytes::Bytes;
use mailbox_rs::{
    AccessMode, FileStatus, FileType, NEWEST, PosixFlags, Timestamp, VERSION, Whence,
};

use super::*;
use crate::messages::files::PathAction;
use crate::messages::{ChannelServices, Clock, SeverityRule, files};

/// Status that the mock of the files actor returns.
const STATUS: FileStatus = FileStatus {
    size: 1 << 40,
    inode: 7,
    blocks: 1,
    accessed: TIME,
    modified: TIME,
    changed: TIME,
    mode: FileType::Regular.mode() | 0o644,
    links: 1,
};

const TIME: Timestamp = Timestamp {
    seconds: -5,
    nanoseconds: 6,
};

/// Number of bytes that the mock writes at once, and in total before its disk is full.
const AT_ONCE: u64 = 40_000;
const ROOM: u64 = 100_000;

/// Mock of the files actor for messages of protocol 0.3.
pub(super) fn answer(call: files::Inbox, note: &dyn Fn(String)) {
    let missing = |path: &Bytes| match path.starts_with(b"missing") {
        true => Err(Errno::ENOENT),
        false => Ok(()),
    };
    let text = |path: &Bytes| String::from_utf8_lossy(path).into_owned();
    match call {
        files::Inbox::PosixOpen(call) => {
            let ask = &call.message;
            let (path, flags, mode) = (text(&ask.path), ask.flags.0, ask.mode);
            note(format!("posix open {path} {flags:#o} {mode:#o}"));
            call.reply.send(missing(&ask.path).map(|()| 10));
        }
        files::Inbox::WriteSome(call) => {
            let (fd, len) = (call.message.fd, call.message.data.len() as u64);
            note(format!("write some {fd} {len} bytes"));
            let written = match fd {
                // The number of a descriptor selects how full its disk is.
                77 => Err(Errno::ENOSPC),
                78 if len < AT_ONCE => Err(Errno::ENOSPC),
                _ => Ok(len.min(AT_ONCE)),
            };
            call.reply.send(written);
        }
        files::Inbox::Lseek(call) => {
            let ask = &call.message;
            note(format!("lseek {} {:?} {}", ask.fd, ask.whence, ask.offset));
            call.reply
                .send(Ok(STATUS.size.wrapping_add_signed(ask.offset)));
        }
        files::Inbox::DescriptorStatus(call) => {
            note(format!("fstat {}", call.message.fd));
            call.reply.send(Ok(STATUS));
        }
        files::Inbox::PathStatus(call) => {
            note(format!("stat {}", text(&call.message.path)));
            call.reply
                .send(missing(&call.message.path).map(|()| STATUS));
        }
        files::Inbox::ActOnPath(call) => {
            let (path, action) = (text(&call.message.path), &call.message.action);
            note(format!("{action:?} {path}"));
            call.reply.send(missing(&call.message.path));
        }
        files::Inbox::ReadDirectory(call) => {
            note(format!("read directory {}", call.message.len));
            call.reply.send(Ok(Bytes::from_static(b"records")));
        }
        files::Inbox::SetLength(call) => {
            note(format!("length {} {}", call.message.fd, call.message.len));
            call.reply.send(Ok(()));
        }
        files::Inbox::Sync(call) => {
            note(format!("sync {}", call.message.fd));
            call.reply.send(Ok(()));
        }
        other => panic!("a message of protocol 0.2: {other:?}"),
    }
}

/// One channel after a handshake of protocol 0.3.
pub(super) fn ready_for_posix(fixture: &Fixture, layout: Layout) -> Firmware<&Ram> {
    let mut firmware = Firmware::new(&fixture.chip.ram, BASE, layout);
    firmware.reset_offering(NEWEST);
    fixture.tick();
    assert!(firmware.is_ready(), "{}", fixture.status());
    assert_eq!(firmware.version(), NEWEST);
    firmware
}

/// Result word of a FILE request, sign-extended.
pub(super) fn ask(fixture: &Fixture, firmware: &mut Firmware<&Ram>, request: FileRequest) -> i64 {
    let width = firmware.layout().ptr_width;
    let response = serve(fixture, firmware, &Request::File(request));
    let response = response.unwrap();
    assert_eq!(response.words, 1);
    width.sign_extend(response.rets)
}

fn bytes<const N: usize>(fixture: &Fixture) -> [u8; N] {
    let mut bytes = [0; N];
    fixture.chip.ram.read(DATA + 0x1000, &mut bytes);
    bytes
}

/// Address of results.
const RESULT: u64 = DATA + 0x1000;

const OPERATIONS: [FileRequest; 17] = [
    FileRequest::PosixOpen {
        path: DATA,
        flags: PosixFlags::READ_ONLY,
        mode: 0,
    },
    FileRequest::CheckedClose { fd: 10 },
    FileRequest::Lseek {
        fd: 10,
        whence: Whence::Set,
        offset: 0,
        result: RESULT,
    },
    FileRequest::Fstat {
        fd: 10,
        result: RESULT,
    },
    FileRequest::Stat {
        path: DATA,
        result: RESULT,
    },
    FileRequest::Access {
        path: DATA,
        mode: AccessMode::EXISTS,
    },
    FileRequest::Unlink { path: DATA },
    FileRequest::Rename {
        from: DATA,
        to: DATA,
    },
    FileRequest::Mkdir {
        path: DATA,
        mode: 0,
    },
    FileRequest::Rmdir { path: DATA },
    FileRequest::Readdir {
        fd: 10,
        ptr: RESULT,
        len: 100,
    },
    FileRequest::Ftruncate { fd: 10, len: 0 },
    FileRequest::Fsync { fd: 10 },
    FileRequest::Argv {
        ptr: RESULT,
        len: 100,
    },
    FileRequest::Env {
        ptr: RESULT,
        len: 100,
    },
    FileRequest::Time { result: RESULT },
    FileRequest::Random {
        ptr: RESULT,
        len: 100,
    },
];

#[test]
fn every_offer_and_version_is_negotiated_by_the_protocol() {
    for width in [PtrWidth::P4, PtrWidth::P8] {
        for line in [0, 32, 64, 128, 256] {
            let line = CacheLine::from_bytes(line).unwrap_or(CacheLine::None);
            let layout = Layout::new(width, line);
            for (written, offered, session) in [
                (2, 0, Some(2)),
                (2, 1, Some(2)),
                (2, 2, Some(2)),
                (2, 3, Some(3)),
                (2, 4, Some(3)),
                (2, 0x1_0000, Some(3)),
                (2, u32::MAX, Some(3)),
                (3, 0, Some(3)),
                (3, 3, Some(3)),
                (1, 3, None),
                (4, 3, None),
                (0x1_0002, 3, None),
            ] {
                let fixture = Fixture::new(&[(BASE, layout)]);
                let mut firmware = Firmware::new(&fixture.chip.ram, BASE, layout);
                firmware.reset_offering(Version::from(offered));
                firmware.store(layout.version, written);
                let tick = fixture.bus.tick();
                assert!(tick.is_ok());
                let what = format!("{layout:?} {written:#x} {offered:#x}");
                assert_eq!(firmware.is_ready(), session.is_some(), "{what}");
                let Some(session) = session else {
                    assert_eq!(firmware.load(layout.version), written, "{what}");
                    let (severity, _, text) = fixture.reports().pop().unwrap();
                    assert_eq!(severity, Severity::Fatal);
                    assert!(text.contains("this host 0.2 and 0.3"), "{text}");
                    continue;
                };
                assert_eq!(firmware.load(layout.version), session, "{what}");
                // Without a higher version the offer stays: the host writes the same words as
                // before.
                let left = if session == 3 { 0 } else { offered };
                assert_eq!(firmware.load(layout.request.offer()), left, "{what}");
            }
        }
    }
}

#[test]
fn without_an_offer_the_host_writes_the_words_of_protocol_0_2() {
    for width in [PtrWidth::P4, PtrWidth::P8] {
        let layout = plain(width);
        let fixture = Fixture::new(&[(BASE, layout)]);
        let mut firmware = Firmware::new(&fixture.chip.ram, BASE, layout);
        fixture.chip.writes.set(0);
        firmware.reset();
        fixture.tick();
        assert!(firmware.is_ready());
        // Four indices and the state.
        assert_eq!(fixture.chip.writes.get(), 5);
        assert_eq!(firmware.load(layout.version), 2);
    }
}

#[test]
fn operations_of_protocol_0_3_are_unknown_to_a_session_of_0_2() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    fixture.chip.ram.put_string(DATA, "f");
    for operation in OPERATIONS {
        assert_eq!(ask(&fixture, &mut firmware, operation), -22, "{operation}");
        let reports = fixture.reports();
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!(reports[0].0, Severity::Error);
        assert!(
            reports[0]
                .2
                .contains("is of protocol 0.3, and the session is of 0.2"),
            "{reports:?}"
        );
    }
    // Nor are there standard streams.
    for fd in 0..3 {
        fixture.chip.ram.write(DATA, b"text");
        let write = FileRequest::Write {
            fd,
            ptr: DATA,
            len: 4,
        };
        assert_eq!(ask(&fixture, &mut firmware, write), 4);
        assert_eq!(fixture.seen.files.take(), [format!("write {fd} 4 bytes")]);
    }
    assert_eq!(fixture.seen.text.take(), "");
}

#[test]
fn a_firmware_of_0_2_after_one_of_0_3_gets_version_0_2() {
    let layout = plain(PtrWidth::P8);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready_for_posix(&fixture, layout);
    assert_eq!(ask(&fixture, &mut firmware, OPERATIONS[1]), 0);
    firmware.reset();
    fixture.tick();
    assert!(firmware.is_ready());
    assert_eq!(firmware.version(), VERSION);
    assert_eq!(ask(&fixture, &mut firmware, OPERATIONS[1]), -22);
    firmware.reset_offering(NEWEST);
    fixture.tick();
    assert_eq!(ask(&fixture, &mut firmware, OPERATIONS[1]), 0);
}

#[test]
fn every_operation_is_passed_on_and_its_result_written() {
    for width in [PtrWidth::P4, PtrWidth::P8] {
        let layout = plain(width);
        let fixture = Fixture::new(&[(BASE, layout)]);
        let mut firmware = ready_for_posix(&fixture, layout);
        fixture.chip.ram.put_string(DATA, "a");
        let other = DATA + 0x100;
        fixture.chip.ram.put_string(other, "$DIR/f");
        let mut ask = |request| ask(&fixture, &mut firmware, request);
        let open = FileRequest::PosixOpen {
            path: DATA,
            flags: PosixFlags(0o302),
            mode: 0o640,
        };
        assert_eq!(ask(open), 10);
        let lseek = FileRequest::Lseek {
            fd: 10,
            whence: Whence::End,
            offset: -(1 << 35),
            result: RESULT,
        };
        assert_eq!(ask(lseek), 0);
        let position = (1_u64 << 40) - (1 << 35);
        assert_eq!(u64::from_le_bytes(bytes(&fixture)), position);
        for status in [
            FileRequest::Fstat {
                fd: 10,
                result: RESULT,
            },
            FileRequest::Stat {
                path: other,
                result: RESULT,
            },
        ] {
            fixture.chip.ram.write(RESULT, &[0; FileStatus::SIZE]);
            assert_eq!(ask(status), 0);
            assert_eq!(bytes(&fixture), STATUS.bytes());
        }
        let access = FileRequest::Access {
            path: DATA,
            mode: AccessMode::READ,
        };
        let rename = FileRequest::Rename {
            from: DATA,
            to: other,
        };
        let mkdir = FileRequest::Mkdir {
            path: DATA,
            mode: 0o755,
        };
        for done in [
            access,
            FileRequest::Unlink { path: DATA },
            rename,
            mkdir,
            FileRequest::Rmdir { path: DATA },
            FileRequest::Ftruncate {
                fd: 10,
                len: 1 << 33,
            },
            FileRequest::Fsync { fd: 10 },
            FileRequest::CheckedClose { fd: 10 },
        ] {
            assert_eq!(ask(done), 0, "{done}");
        }
        let readdir = FileRequest::Readdir {
            fd: 11,
            ptr: RESULT,
            len: 272,
        };
        assert_eq!(ask(readdir), 7);
        assert_eq!(&bytes::<7>(&fixture), b"records");
        let actions = [
            PathAction::Access(AccessMode::READ),
            PathAction::Unlink,
            PathAction::Rename {
                to: Bytes::from_static(b"run/f"),
            },
            PathAction::MakeDirectory { mode: 0o755 },
            PathAction::RemoveDirectory,
        ];
        let mut expected = vec![
            "posix open a 0o302 0o640".to_owned(),
            "lseek 10 End -34359738368".to_owned(),
            "fstat 10".to_owned(),
            "stat run/f".to_owned(),
        ];
        expected.extend(actions.iter().map(|action| format!("{action:?} a")));
        expected.extend(
            [
                "length 10 8589934592",
                "sync 10",
                "close 10",
                "read directory 272",
            ]
            .map(str::to_owned),
        );
        assert_eq!(fixture.seen.files.take(), expected);
        assert_eq!(fixture.reports(), []);
    }
}

#[test]
fn a_full_disk_ends_a_write_with_the_bytes_that_were_written() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready_for_posix(&fixture, layout);
    let mut write = |fd, len| {
        let write = FileRequest::Write { fd, ptr: BASE, len };
        ask(&fixture, &mut firmware, write)
    };
    // A part of 64 KiB takes two writes here.
    assert_eq!(write(10, ROOM), ROOM as i64);
    assert_eq!(write(77, 100), -i64::from(Errno::ENOSPC.0));
    assert_eq!(write(78, ROOM), AT_ONCE as i64);
    assert_eq!(write(10, 0), 0);
    assert_eq!(fixture.reports().len(), 1);
}

#[test]
fn results_at_bad_addresses_are_efault_and_service_goes_on() {
    const NOWHERE: u64 = 0x100;

    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready_for_posix(&fixture, layout);
    fixture.chip.ram.put_string(DATA, "f");
    for request in [
        FileRequest::PosixOpen {
            path: NOWHERE,
            flags: PosixFlags::READ_ONLY,
            mode: 0,
        },
        FileRequest::Lseek {
            fd: 10,
            whence: Whence::Set,
            offset: 0,
            result: NOWHERE,
        },
        FileRequest::Fstat {
            fd: 10,
            result: BASE + SIZE - 8,
        },
        FileRequest::Stat {
            path: DATA,
            result: NOWHERE,
        },
        FileRequest::Rename {
            from: DATA,
            to: NOWHERE,
        },
        FileRequest::Readdir {
            fd: 10,
            ptr: NOWHERE,
            len: 100,
        },
        FileRequest::Argv {
            ptr: NOWHERE,
            len: 5,
        },
        FileRequest::Time { result: NOWHERE },
        FileRequest::Random {
            ptr: NOWHERE,
            len: 5,
        },
    ] {
        // The channel has no arguments, so nothing is written.
        let expected = match request {
            FileRequest::Argv { .. } => 0,
            _ => -i64::from(Errno::EFAULT.0),
        };
        assert_eq!(ask(&fixture, &mut firmware, request), expected, "{request}");
    }
    // No entry of the directory was consumed.
    assert!(
        !fixture
            .seen
            .files
            .take()
            .iter()
            .any(|it| it.contains("directory"))
    );
    assert_eq!(fixture.reports().len(), 8);
    let random = FileRequest::Random {
        ptr: DATA,
        len: (256 << 20) + 1,
    };
    assert_eq!(
        ask(&fixture, &mut firmware, random),
        -i64::from(Errno::EFAULT.0)
    );
}

#[test]
fn a_path_without_end_is_too_long() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready_for_posix(&fixture, layout);
    fixture.chip.ram.write(DATA, &[b'x'; 10_000]);
    let stat = FileRequest::Stat {
        path: DATA,
        result: RESULT,
    };
    let expected = -i64::from(Errno::ENAMETOOLONG.0);
    assert_eq!(ask(&fixture, &mut firmware, stat), expected);
    // An OPEN of protocol 0.2 is unchanged.
    let open = FileRequest::Open {
        path: DATA,
        flags: OpenFlags::READ,
    };
    assert_eq!(ask(&fixture, &mut firmware, open), -22);
}

#[test]
fn arguments_and_environment_come_as_far_as_there_is_room() {
    let layout = plain(PtrWidth::P4);
    let services = ChannelServices {
        arguments: Bytes::from_static(b"prog\0-v\0"),
        environment: Bytes::from_static(b"A=1\0"),
        ..ChannelServices::default()
    };
    let ram = Ram::new(BASE, SIZE as usize);
    let fixture = Fixture::with(ram, services, &[(BASE, layout)]);
    let mut firmware = ready_for_posix(&fixture, layout);
    for len in 0..10 {
        fixture.chip.ram.write(RESULT, &[0xff; 16]);
        let argv = FileRequest::Argv { ptr: RESULT, len };
        assert_eq!(ask(&fixture, &mut firmware, argv), 8);
        let mut expected = [0xff; 16];
        let len = (len as usize).min(8);
        expected[..len].copy_from_slice(&b"prog\0-v\0"[..len]);
        assert_eq!(bytes::<16>(&fixture), expected);
    }
    let env = FileRequest::Env {
        ptr: RESULT,
        len: 16,
    };
    assert_eq!(ask(&fixture, &mut firmware, env), 4);
    assert_eq!(&bytes::<4>(&fixture), b"A=1\0");
}

#[test]
fn time_is_that_of_the_ticks_or_of_the_wall() {
    let layout = plain(PtrWidth::P4);
    let read = |clock| {
        let services = ChannelServices {
            clock,
            ..ChannelServices::default()
        };
        let ram = Ram::new(BASE, SIZE as usize);
        let fixture = Fixture::with(ram, services, &[(BASE, layout)]);
        let mut firmware = ready_for_posix(&fixture, layout);
        let time = FileRequest::Time { result: RESULT };
        assert_eq!(ask(&fixture, &mut firmware, time), 0);
        let now = fixture.bus.now();
        (now, Timestamp::parse(&bytes::<16>(&fixture)).unwrap())
    };
    // The handshake and the request took a tick each.
    let (now, time) = read(Clock::Ticks { picoseconds: 2500 });
    assert_eq!(now, 2);
    assert_eq!((time.seconds, time.nanoseconds), (0, 5));
    let (_, time) = read(Clock::Ticks {
        picoseconds: 1_000_000_000_000,
    });
    assert_eq!((time.seconds, time.nanoseconds), (2, 0));
    let (_, time) = read(Clock::Wall);
    assert_eq!(time, Timestamp::from_nanoseconds(1 << 62));
}

#[test]
fn random_bytes_are_those_of_the_seed() {
    let layout = plain(PtrWidth::P8);
    let read = |seed| {
        let services = ChannelServices {
            seed,
            ..ChannelServices::default()
        };
        let ram = Ram::new(BASE, SIZE as usize);
        let fixture = Fixture::with(ram, services, &[(BASE, layout)]);
        let mut firmware = ready_for_posix(&fixture, layout);
        let mut all = Vec::new();
        for _ in 0..2 {
            let random = FileRequest::Random {
                ptr: RESULT,
                len: 16,
            };
            assert_eq!(ask(&fixture, &mut firmware, random), 16);
            all.extend(bytes::<16>(&fixture));
        }
        all
    };
    let first = read(1);
    assert_eq!(first, read(1));
    assert_ne!(first, read(2));
    assert_ne!(first[..16], first[16..]);
}

#[test]
fn a_probe_that_fails_is_information_and_other_failures_are_errors() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready_for_posix(&fixture, layout);
    fixture.chip.ram.put_string(DATA, "missing");
    let open = FileRequest::Open {
        path: DATA,
        flags: OpenFlags::READ,
    };
    for probe in [open]
        .into_iter()
        .chain(OPERATIONS.into_iter().filter(|operation| {
            let names = ["FILE POSIX_OPEN", "FILE STAT", "FILE ACCESS", "FILE UNLINK"];
            names.contains(&operation.kind())
        }))
    {
        assert_eq!(ask(&fixture, &mut firmware, probe), -2, "{probe}");
        let [(severity, _, text)] = &fixture.reports()[..] else {
            panic!("one report of {probe}");
        };
        assert_eq!(*severity, Severity::Info, "{text}");
        assert!(text.contains("file `missing`"), "{text}");
        assert!(
            text.ends_with("answered ENOENT (no such file or directory)"),
            "{text}"
        );
    }
    // Requests with wrong arguments are not probes.
    for request in [
        FileRequest::Stat {
            path: 0x100,
            result: RESULT,
        },
        FileRequest::Fstat {
            fd: 1 << 31,
            result: 0x100,
        },
    ] {
        assert!(ask(&fixture, &mut firmware, request) < 0);
        assert_eq!(fixture.reports()[0].0, Severity::Error);
    }
}

#[test]
fn severities_are_those_of_the_configuration() {
    let layout = plain(PtrWidth::P4);
    let rule = |operation, errno, severity| SeverityRule {
        operation,
        errno,
        severity,
    };
    let services = ChannelServices {
        severities: vec![
            rule("open", Some(Errno::ENOENT), Severity::Error),
            rule("open", None, Severity::Fatal),
            rule("stat", None, Severity::Warning),
            rule("call", Some(Errno::ENOSYS), Severity::Info),
        ],
        ..ChannelServices::default()
    };
    let ram = Ram::new(BASE, SIZE as usize);
    let fixture = Fixture::with(ram, services, &[(BASE, layout)]);
    let mut firmware = ready_for_posix(&fixture, layout);
    let severity = || fixture.reports()[0].0;
    fixture.chip.ram.put_string(DATA, "missing");
    ask(&fixture, &mut firmware, OPERATIONS[0]);
    assert_eq!(severity(), Severity::Error);
    let open = FileRequest::PosixOpen {
        path: 0x100,
        flags: PosixFlags::READ_ONLY,
        mode: 0,
    };
    ask(&fixture, &mut firmware, open);
    assert_eq!(severity(), Severity::Fatal);
    ask(&fixture, &mut firmware, OPERATIONS[4]);
    assert_eq!(severity(), Severity::Warning);
    ask(&fixture, &mut firmware, OPERATIONS[5]);
    assert_eq!(severity(), Severity::Info);
    fixture.chip.ram.put_string(DATA, "absent");
    let call = Request::Call {
        method: DATA,
        args: [].into(),
    };
    serve(&fixture, &mut firmware, &call);
    assert_eq!(severity(), Severity::Info);
}
