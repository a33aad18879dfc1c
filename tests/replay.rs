//! Recorded runs replay without the chip, with every message as recorded.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../examples/quickstart/main.rs"]
#[allow(
    dead_code,
    reason = "a program of its own, of which the test uses what it needs"
)]
mod quickstart;

use std::fs;
use std::io::{Cursor, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::task::Poll;

use mailbox_rs::mock::{Firmware, Memory as _};
use mailbox_rs::{CacheLine, FileRequest, Layout, OpenFlags, PtrWidth, Request};
use quickstart::{SELFTEST, builder, run, start};
use test_support::frames::{frames, header_size, recording, whole_blocks};
use test_support::ram::Ram;
use vhost::attach::Statistics;
use vhost::messages::rpc::Progress;
use vhost::trace::{Payloads, Trace};
use vhost::{Checkpoint, Replay, ReplayError, SpecialFile, Vhost};

/// Records a run of the quickstart.
fn record(folder: &Path, payloads: Payloads) -> PathBuf {
    let trace = folder.join("run.trace");
    let files = folder.join("files");
    fs::create_dir_all(&files).unwrap();
    let builder = builder(SELFTEST, &files, std::io::sink()).record_with(&trace, payloads);
    let vhost = start(builder).unwrap();
    assert_eq!(run(&vhost).unwrap().code, 0);
    vhost.shutdown();
    trace
}

#[test]
fn every_message_comes_out_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let first = Replay::of(&trace)
        .run()
        .unwrap_or_else(|error| panic!("{error}"));
    let entries = Trace::open(&trace).unwrap().map(Result::unwrap).count();
    assert_eq!(first.messages, entries as u64);
    assert!(first.messages > 500, "{first:?}");
    assert_eq!(Replay::of(&trace).run().unwrap(), first);
}

/// Position of the `nth` frame that contains this text.
fn frame_with(frames: &[Vec<u8>], text: &[u8], nth: usize) -> (usize, usize) {
    let place = |frame: &Vec<u8>| frame.windows(text.len()).position(|part| part == text);
    // Skips the header, which contains the image.
    let found = frames.iter().enumerate().skip(1);
    let mut found = found.filter_map(|(number, frame)| Some((number, place(frame)?)));
    found.nth(nth).unwrap()
}

#[test]
fn a_changed_byte_is_reported_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let sound = fs::read(&trace).unwrap();
    let mut bytes = sound.clone();
    let text = b"hello from firmware";
    let last = bytes.windows(text.len()).rposition(|part| part == text);
    bytes[last.unwrap()] ^= 1;
    fs::write(&trace, &bytes).unwrap();
    let damaged = Replay::of(&trace).run().unwrap_err().to_string();
    assert!(damaged.contains("checksum mismatch"), "{damaged}");
    let frames = frames(&sound);
    let of_text = frames
        .iter()
        .rposition(|frame| frame.windows(text.len()).any(|part| part == text));
    // The first frame of the damaged block.
    let (_, named) = damaged.split_once("frame ").unwrap();
    let (named, _) = named.split_once(':').unwrap();
    let named: usize = named.parse().unwrap();
    assert!((1..=of_text.unwrap()).contains(&named), "{damaged}");
}

/// The length of a block detects a file that was cut off; damage must not be reported as such.
#[test]
fn a_length_that_was_changed_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let sound = fs::read(&trace).unwrap();
    let block = header_size(&sound);
    for byte in 0..4 {
        let mut bytes = sound.clone();
        bytes[block + byte] ^= 0x10;
        fs::write(&trace, &bytes).unwrap();
        let damaged = Replay::of(&trace).run().unwrap_err().to_string();
        assert!(damaged.contains("checksum mismatch"), "{byte}: {damaged}");
    }
}

#[test]
fn the_first_message_that_differs_is_reported_with_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let sound = frames(&fs::read(&trace).unwrap());
    // The server's message to the console follows from the replies of memory.
    let text = b"no more than this";
    let all = (0..).map_while(|nth| {
        let known = sound
            .iter()
            .skip(1)
            .filter(|frame| frame.windows(text.len()).any(|part| part == text));
        (nth < known.count()).then(|| frame_with(&sound, text, nth))
    });
    let (number, place) = all.last().unwrap();
    let mut changed = sound.clone();
    changed[number][place] = b'N';
    fs::write(&trace, recording(&changed)).unwrap();
    let error = Replay::of(&trace).run().unwrap_err();
    let ReplayError::Divergence(divergence) = &error else {
        panic!("{error}");
    };
    assert_eq!(divergence.frame, number as u64, "{error}");
    assert!(
        divergence
            .recorded
            .as_ref()
            .unwrap()
            .contains("No more than this"),
        "{error}"
    );
    assert!(
        divergence
            .replayed
            .as_ref()
            .unwrap()
            .contains("no more than this"),
        "{error}"
    );
    assert!(!divergence.before.is_empty(), "{error}");
}

#[test]
fn a_message_that_is_missing_or_one_too_many_differs() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let sound = frames(&fs::read(&trace).unwrap());
    let (number, _) = frame_with(&sound, b"hello from firmware", 1);
    for change in [true, false] {
        let mut changed = sound.clone();
        if change {
            changed.remove(number);
        } else {
            let again = changed[number].clone();
            changed.insert(number, again);
        }
        fs::write(&trace, recording(&changed)).unwrap();
        let error = Replay::of(&trace).run().unwrap_err();
        assert!(
            matches!(error, ReplayError::Divergence(_) | ReplayError::Trace(_)),
            "{error}"
        );
    }
}

#[test]
fn a_recording_that_was_cut_off_is_replayed_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let trace = record(folder.path(), Payloads::Keep);
    let sound = fs::read(&trace).unwrap();
    let header = header_size(&sound);
    let mut before = u64::MAX;
    for cut in (header..sound.len()).rev().step_by(997) {
        fs::write(&trace, &sound[..cut]).unwrap();
        let replayed = Replay::of(&trace)
            .run()
            .unwrap_or_else(|error| panic!("{cut}: {error}"));
        assert!(replayed.messages <= before, "{cut}");
        let frames = frames(&sound[..whole_blocks(&sound, cut)]);
        let kinds = frames.iter().filter(|frame| frame[0] == 0).count();
        let entries = frames.len() - 1 - kinds;
        assert_eq!(replayed.messages, entries as u64, "{cut}");
        before = replayed.messages;
    }
    fs::write(&trace, &sound[..header - 1]).unwrap();
    Trace::open(&trace).unwrap_err();
}

/// Bytes of firmware, files and clients: more than a recording contains in any case.
const SECRET: &[u8] = b"0123456789-secret-0123456789-secret-0123456789-secret-0123456789-secret-0123456789-secret-0123456789";

fn special(_: &str, _: OpenFlags) -> std::io::Result<Box<dyn SpecialFile>> {
    Ok(Box::new(Cursor::new(SECRET.to_vec())))
}

/// Records a run in which [`SECRET`] passes through memory, console, files, special files and
/// sockets.
fn record_secret(folder: &Path, payloads: Payloads) -> Vec<u8> {
    const MEMORIES: &str =
        "space: {core: [ram: {base: 0, size: 0x2000, path: ram, width: 32, backend: static}]}";
    let (memories, trace) = (folder.join("mem.yaml"), folder.join("secret.trace"));
    fs::write(&memories, MEMORIES).unwrap();
    fs::write(folder.join("a.txt"), SECRET).unwrap();
    let vhost = Vhost::builder()
        .memories(memories)
        .mailboxes_text("core: {space: core, base: 0x1000, ptr: 32, cache_line: 0}")
        .files(folder)
        .special_file("special", special)
        .console(std::io::sink())
        .record_with(&trace, payloads)
        .start()
        .unwrap();
    let paths = [b"a.txt\0".to_vec(), b"b.special\0".to_vec()];
    vhost.write("core", 0x100, SECRET).unwrap();
    vhost.write("core", 0x200, paths[0].clone()).unwrap();
    vhost.write("core", 0x220, paths[1].clone()).unwrap();
    let (ptr, len) = (0x100, SECRET.len() as u64);
    let flags = OpenFlags(OpenFlags::READ.0 | OpenFlags::WRITE.0);
    let mut requests = vec![
        Request::Print { ptr, len },
        Request::MemMove {
            dest: 0x400,
            src: ptr,
            len,
        },
    ];
    for (fd, path) in [(10, 0x200), (11, 0x220)] {
        requests.extend([
            Request::File(FileRequest::Open { path, flags }),
            Request::File(FileRequest::Read {
                fd,
                ptr: 0x300,
                len,
            }),
            Request::File(FileRequest::Seek { fd, position: 0 }),
            Request::File(FileRequest::Write { fd, ptr, len }),
        ]);
    }
    requests.push(Request::Exit { code: 0 });
    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    let mut firmware = Firmware::new(Ram::of(&vhost, "core", "ram"), 0x1000, layout);
    firmware.reset();
    let mut requests = requests.into_iter().peekable();
    while vhost.tick().unwrap() > 0 {
        assert!(vhost.now() < 1000, "{}", vhost.status().unwrap());
        while firmware.try_receive().is_some() {}
        if firmware.is_ready()
            && requests
                .peek()
                .is_some_and(|request| firmware.try_send(request))
        {
            requests.next();
        }
    }
    let sockets = vhost.sockets();
    let uart = sockets.open("uart", 0).unwrap();
    let mut client = TcpStream::connect(("127.0.0.1", sockets.port(uart).unwrap())).unwrap();
    let accepted = (0..1_000_000).find_map(|_| sockets.accept(uart).unwrap());
    let accepted = accepted.unwrap();
    client.write_all(SECRET).unwrap();
    sockets.write(uart, accepted, SECRET).unwrap();
    let received =
        (0..1_000_000).find_map(|_| sockets.read_exactly::<100>(uart, accepted).unwrap());
    assert_eq!(received.unwrap(), SECRET);
    vhost.shutdown();
    fs::read(trace).unwrap()
}

/// Replies to messages before the start of the recording are shown to the earlier tap, and are not
/// part of the recording.
#[test]
fn a_recording_from_the_middle_begins_with_its_first_message() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("late.trace");
    let vhost = Vhost::builder().start().unwrap();
    vhost.attach(Statistics::new()).unwrap();
    let file = trace.clone();
    let method = move |vhost: &Vhost, _: vhost::HostProgramCall<'_>| {
        vhost.record(&file, Payloads::Keep).unwrap();
        Ok(Poll::Ready(7))
    };
    vhost.register_method("records", method).unwrap();
    let called = vhost.poll_call("core", "records", &[]).unwrap();
    assert_eq!(called, Progress::Ready(7));
    vhost.tick().unwrap();
    vhost.poll_call("core", "nobody", &[]).unwrap_err();
    vhost.shutdown();
    let entries: Vec<_> = Trace::open(&trace).unwrap().map(Result::unwrap).collect();
    assert!(
        entries.iter().any(|entry| entry.kind.name == "MethodCall"),
        "{entries:?}"
    );
}

/// True if a recording has more of [`SECRET`] than is kept in any case.
fn has_secret(recording: &[u8]) -> bool {
    recording.windows(65).any(|part| SECRET.starts_with(part))
}

/// Payload that is not declared in a message type would be recorded.
#[test]
fn payloads_of_all_messages_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    assert!(has_secret(&record_secret(folder.path(), Payloads::Keep)));
    for payloads in [Payloads::Hash, Payloads::Drop] {
        assert!(!has_secret(&record_secret(folder.path(), payloads)));
    }
}

/// A checkpoint has the input that firmware has not read, and lines that were begun.
#[test]
fn payloads_of_checkpoints_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (trace, file) = (
        folder.path().join("run.trace"),
        folder.path().join("x.ckpt"),
    );
    let count = |bytes: &[u8]| {
        let parts = bytes.windows(SECRET.len());
        parts.filter(|part| *part == SECRET).count()
    };
    for payloads in [Payloads::Keep, Payloads::Hash, Payloads::Drop] {
        let vhost = Vhost::builder()
            .memories_text(
                "space: {core: [ram: {base: 0, size: 0x4000, path: r, width: 32, backend: static}]}",
            )
            .mailboxes_text(
                "core: {space: core, base: 0x1000, ptr: 32, cache_line: 0, stdio: {stdin: testbench}}",
            )
            .console(std::io::sink())
            .record_with(&trace, payloads)
            .start()
            .unwrap();
        let layout = Layout::new(PtrWidth::P4, CacheLine::None);
        let ram = Ram::of(&vhost, "core", "ram");
        ram.write(0x300, SECRET);
        let mut firmware = Firmware::new(ram, 0x1000, layout);
        firmware.reset();
        vhost.tick().unwrap();
        let print = Request::Print {
            ptr: 0x300,
            len: SECRET.len() as u64,
        };
        assert!(firmware.try_send(&print));
        vhost.write_stdin("core", SECRET).unwrap();
        vhost.tick().unwrap();
        vhost.save(&file).unwrap();
        vhost.restore(&file).unwrap();
        vhost.shutdown();
        let recorded = fs::read(&trace).unwrap();
        match payloads {
            Payloads::Keep => assert!(count(&recorded) > 5),
            Payloads::Hash | Payloads::Drop => assert!(!has_secret(&recorded), "{payloads:?}"),
        }
        let saved = Checkpoint::read(&file).unwrap();
        assert_eq!(count(saved.part("state").unwrap()), 2);
    }
}

#[test]
fn a_recording_that_can_not_be_replayed_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    for payloads in [Payloads::Hash, Payloads::Drop] {
        let trace = record(folder.path(), payloads);
        let error = Replay::of(&trace).run().unwrap_err();
        assert!(matches!(error, ReplayError::NoPayloads { .. }), "{error}");
    }
    let trace = folder.path().join("late.trace");
    let vhost = Vhost::builder().start().unwrap();
    vhost.record(&trace, Payloads::Keep).unwrap();
    // One system per thread.
    let error = Replay::of(record_nothing(folder.path())).run().unwrap_err();
    assert!(matches!(error, ReplayError::System(_)), "{error}");
    vhost.shutdown();
    let error = Replay::of(&trace).run().unwrap_err();
    assert!(matches!(error, ReplayError::NotWhole { .. }), "{error}");
    let error = Replay::of(folder.path().join("none")).run().unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
    fs::write(&trace, "no recording at all").unwrap();
    let error = Replay::of(&trace).run().unwrap_err().to_string();
    assert!(error.contains("VHOSTTRC"), "{error}");
}

/// Recording of an empty system, made by another thread.
fn record_nothing(folder: &Path) -> PathBuf {
    let trace = folder.join("nothing.trace");
    let file = trace.clone();
    let recorded =
        std::thread::spawn(move || Vhost::builder().record(file).start().unwrap().shutdown());
    recorded.join().unwrap();
    trace
}

#[test]
fn a_file_that_can_not_be_written_is_no_recording() {
    let error = Vhost::builder()
        .record("/no/such/run.trace")
        .start()
        .unwrap_err();
    assert!(error.to_string().contains("/no/such/run.trace"), "{error}");
    let error = Vhost::builder().record("/dev/full").start().unwrap_err();
    assert!(error.to_string().contains("/dev/full"), "{error}");
}
