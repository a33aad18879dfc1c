use std::path::Path;

use bytes::Bytes;
use tempfile::TempDir;

use super::format::IDENTITY_FORMAT;
use super::*;
use crate::bus::{Bus, Envelope, Inbox as _};
use crate::mem::{Op, OpOutcome, SpaceId, Span};
use crate::messages::foreign::{self, Severity};
use crate::messages::memory::{self, Access};

/// Records messages to a receiver that replies to every access with these bytes, and drops all
/// other messages.
fn record(file: &Path, payloads: Payloads, ops: &[Op<Span>]) {
    let header = Header {
        payloads,
        ..Header::new()
    };
    let bus = Bus::new();
    bus.attach(Recorder::create(file, &header).unwrap());
    let port = bus.foreign(std::rc::Rc::new(|call| match call {
        memory::Inbox::Access(Envelope { reply, .. }) => {
            reply.send(Ok(OpOutcome::Bytes(Bytes::from_static(&[7; 100]))));
        }
        other => drop(other),
    }));
    for op in ops {
        let space = SpaceId(0);
        let op = op.clone();
        bus.ask(&port, Access { space, op }).unwrap().unwrap();
    }
    let span = Span { address: 0, len: 1 };
    let space = SpaceId(1);
    bus.ask(&port, memory::MappedLength { space, span })
        .unwrap_err();
}

fn write(len: usize) -> Op<Span> {
    let span = Span {
        address: 16,
        len: len as u64,
    };
    Op::Write(span, vec![5; len].into())
}

fn entries(file: &Path) -> Vec<Entry> {
    Trace::open(file).unwrap().map(Result::unwrap).collect()
}

fn decoded<T: Clone + 'static>(entry: &Entry) -> T {
    let body = decode(entry).unwrap().unwrap();
    body.downcast_ref::<T>().unwrap().clone()
}

#[test]
fn recorded_messages_are_read_unchanged() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.trace");
    record(&file, Payloads::Keep, &[write(3)]);
    let entries = entries(&file);
    let names = entries.iter().map(|entry| entry.kind.name.as_str());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["Access", "Access", "MappedLength", "MappedLength"]
    );
    assert_eq!(decoded::<Access>(&entries[0]).op, write(3));
    let reply: Result<OpOutcome, crate::mem::AccessError> = decoded(&entries[1]);
    assert_eq!(reply, Ok(OpOutcome::Bytes(Bytes::from_static(&[7; 100]))));
    assert_eq!(entries[3].content, Content::Dropped);
    let kind = &entries[0].kind;
    assert_eq!(
        (kind.from.as_str(), kind.to.as_str()),
        ("outside", memory::Inbox::ENDPOINT.name())
    );
    assert_eq!((entries[0].sequence, entries[1].sequence), (1, 1));
    assert_eq!((entries[2].sequence, entries[2].root), (2, 2));
}

#[test]
fn payloads_are_kept_hashed_or_left_out() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.trace");
    let data = |payloads, len: usize| {
        record(&file, payloads, &[Op::Batch(vec![write(len)])]);
        let entries = entries(&file);
        let Op::Batch(ops) = decoded::<Access>(&entries[0]).op else {
            panic!("{entries:?}");
        };
        let [Op::Write(_, data)] = &ops[..] else {
            panic!("{ops:?}");
        };
        let Ok(OpOutcome::Bytes(reply)) =
            decoded::<Result<OpOutcome, crate::mem::AccessError>>(&entries[1])
        else {
            panic!("{entries:?}");
        };
        (data.len(), reply.len())
    };
    assert_eq!(data(Payloads::Keep, 65), (65, 100));
    assert_eq!(data(Payloads::Hash, 65), (4, 4));
    assert_eq!(data(Payloads::Drop, 65), (0, 0));
    // A few bytes are recorded unchanged.
    assert_eq!(data(Payloads::Drop, 64), (64, 0));
}

#[test]
fn a_fatal_error_is_in_the_file_when_it_is_reported() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.trace");
    let bus = Bus::new();
    bus.attach(Recorder::create(&file, &Header::new()).unwrap());
    let port = bus.foreign(std::rc::Rc::new(|call: foreign::Inbox| drop(call)));
    let report = |severity| foreign::Report {
        severity,
        id: "core0".to_owned(),
        text: "it can't go on".to_owned(),
    };
    port.post(report(Severity::Error));
    assert_eq!(entries(&file), []);
    port.post(report(Severity::Fatal));
    assert_eq!(entries(&file).len(), 2);
    drop(bus);
}

#[test]
fn files_of_another_format_are_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.trace");
    let error = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Trace::open(&file).unwrap_err()
    };
    for bytes in [&b"W"[..], b"VHOSTTRD\x01\0\0\0", b"VHOSTTRD\x01"] {
        assert!(
            matches!(error(bytes), TraceError::NoTrace { .. }),
            "{bytes:?}"
        );
    }
    let other = error(b"VHOSTTRC\x02\0\0\0");
    assert!(
        matches!(other, TraceError::Version { found: 2, .. }),
        "{other}"
    );
    let empty = error(b"VHOSTTRC\x03\0\0\0\0\0\0\0\0\0\0\0");
    assert!(
        matches!(empty, TraceError::Damaged { frame: 0, .. }),
        "{empty}"
    );
}

#[test]
fn a_truncated_header_is_distinguished_from_another_format() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.trace");
    for compressed in [false, true] {
        let header = Header {
            compressed,
            ..Header::new()
        };
        drop(Recorder::create(&file, &header).unwrap());
        let bytes = std::fs::read(&file).unwrap();
        let mut whole = 0;
        for len in 0..bytes.len() {
            std::fs::write(&file, &bytes[..len]).unwrap();
            match Trace::open(&file) {
                Err(TraceError::Empty { .. }) => assert_eq!(len, 0),
                Err(TraceError::TruncatedHeader { size, least, .. }) => {
                    assert_eq!(size, len as u64);
                    assert!(least > size && least <= bytes.len() as u64, "{least}");
                    // Only a compressed one has bytes after its header.
                    assert_eq!(whole, 0);
                    if !compressed && len >= 20 {
                        assert_eq!(least, bytes.len() as u64);
                    }
                }
                // Four bytes show that it is compressed.
                Err(TraceError::NoTrace { .. }) => assert!(compressed && (1..4).contains(&len)),
                Err(other) => panic!("{len} of {}: {other}", bytes.len()),
                Ok(_) => whole += 1,
            }
        }
        assert_eq!(whole > 0, compressed);
    }
}

#[test]
fn irregular_files_are_named_and_not_opened() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for (file, expected) in [
        (folder.path(), "folder"),
        (&pipe, "pipe"),
        (&socket, "socket"),
        (Path::new("/dev/null"), "device"),
    ] {
        let error = Trace::open(file).unwrap_err();
        assert!(
            matches!(error, TraceError::NoFile { kind, .. } if kind == expected),
            "{error}"
        );
    }
}

/// Makes an empty recording with an identity. Returns the bytes of the file.
fn identified(file: &Path, properties: &[(&str, &str)]) -> Vec<u8> {
    let mut header = Header::new();
    for (key, value) in properties {
        header.run.set(*key, *value);
    }
    drop(Recorder::create(file, &header).unwrap());
    std::fs::read(file).unwrap()
}

#[test]
fn an_identity_is_read_as_it_was_written_and_none_leaves_the_older_format() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.trace");
    let bytes = identified(&file, &[(RunIdentity::ID, "")]);
    assert_eq!(bytes[8..12], OLDEST_FORMAT.to_le_bytes());
    assert!(Trace::open(&file).unwrap().header().run.is_empty());

    let long = "x".repeat(100_000);
    let given = [("another", "ä\n"), ("id", "a/b"), ("seed", long.as_str())];
    let bytes = identified(&file, &given);
    assert_eq!(bytes[8..12], IDENTITY_FORMAT.to_le_bytes());
    let header = Trace::open(&file).unwrap().header().clone();
    assert!(header.run.iter().eq(given));
    assert_eq!(header.run.get(RunIdentity::ID), Some("a/b"));
}

#[test]
fn a_format_that_does_not_fit_its_header_is_damage() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.trace");
    for (properties, format) in [(&[][..], IDENTITY_FORMAT), (&[("id", "a")], OLDEST_FORMAT)] {
        let mut bytes = identified(&file, properties);
        bytes[8..12].copy_from_slice(&format.to_le_bytes());
        std::fs::write(&file, bytes).unwrap();
        let error = Trace::open(&file).unwrap_err();
        assert!(
            matches!(error, TraceError::Damaged { frame: 0, .. }),
            "{error}"
        );
    }
}
