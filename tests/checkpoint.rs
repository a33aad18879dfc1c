//! Checkpoints of whole systems: another host restores one with open files and pending requests,
//! and its recording replays.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use mailbox_rs::mock::{Firmware, Memory as _};
use mailbox_rs::{
    DirectoryRecord, Errno, FileRequest, NEWEST, OpenFlags, PosixFlags, Request, ResponseEntry,
    Whence,
};
use test_support::kept_bytes::KeptBytes;
use test_support::ram::Ram;
use test_support::reports::Reports;
use test_support::two_channels::{self, NAME, call, firmware};
use vhost::attach::{ProtocolChecker, Statistics};
use vhost::messages::foreign::Severity;
use vhost::trace::{Matcher, Trace};
use vhost::{ActorName, Builder, Checkpoint, CheckpointError, Error, Replay, SpecialFile, Vhost};

const MAILBOXES: &str = "\
core0: {space: one, base: 0x1000, ptr: 32, cache_line: 0, stdio: {stdin: testbench}}
core1: {space: two, base: 0x1000, ptr: 64, cache_line: 64}
";

const DATA: u64 = NAME + 0x100;

/// System, its text and its reports.
struct Host {
    vhost: Vhost,
    text: KeptBytes,
    reports: Reports,
}

impl Host {
    fn start(folder: &Path, change: impl FnOnce(Builder) -> Builder) -> Self {
        let (builder, reports) = two_channels::builder(folder);
        let text = KeptBytes::default();
        let builder = builder.mailboxes_text(MAILBOXES).console(text.clone());
        let vhost = two_channels::start(change(builder));
        Self {
            vhost,
            text,
            reports,
        }
    }

    fn firmware(&self) -> [Firmware<Ram>; 2] {
        firmware(&self.vhost)
    }

    /// Firmware of protocol 0.3 on both channels.
    fn shaken(&self) -> [Firmware<Ram>; 2] {
        self.firmware().map(|mut firmware| {
            firmware.reset_offering(NEWEST);
            self.vhost.tick().unwrap();
            assert!(firmware.is_ready());
            firmware.memory().write(NAME, b"wait\0");
            firmware
        })
    }

    fn ask(&self, firmware: &mut Firmware<Ram>, request: FileRequest) -> i64 {
        let width = firmware.layout().ptr_width;
        let answer = two_channels::ask(&self.vhost, firmware, &Request::File(request));
        width.sign_extend(answer.rets)
    }

    fn open(&self, firmware: &mut Firmware<Ram>, path: &str, flags: PosixFlags) -> u64 {
        let at = NAME + 0x40;
        firmware.memory().write(at, format!("{path}\0").as_bytes());
        let open = FileRequest::PosixOpen {
            path: at,
            flags,
            mode: 0o644,
        };
        self.ask(firmware, open).try_into().unwrap()
    }

    fn write(&self, firmware: &mut Firmware<Ram>, fd: u64, data: &[u8]) -> i64 {
        firmware.memory().write(DATA, data);
        let (ptr, len) = (DATA, data.len() as u64);
        self.ask(firmware, FileRequest::Write { fd, ptr, len })
    }

    fn read(&self, firmware: &mut Firmware<Ram>, fd: u64, len: u64) -> Result<Vec<u8>, i64> {
        let read = self.ask(firmware, FileRequest::Read { fd, ptr: DATA, len });
        let len = usize::try_from(read).map_err(|_| read)?;
        let mut data = vec![0; len];
        firmware.memory().read(DATA, &mut data);
        Ok(data)
    }

    /// Name of the next entry of a directory, read from a record with 16 bytes.
    fn entry(&self, firmware: &mut Firmware<Ram>, fd: u64) -> String {
        let (ptr, len) = (DATA, 16);
        assert_eq!(
            self.ask(firmware, FileRequest::Readdir { fd, ptr, len }),
            16
        );
        let mut record = [0; 16];
        firmware.memory().read(DATA, &mut record);
        let (record, _) = DirectoryRecord::parse(&record).unwrap();
        String::from_utf8(record.name.to_vec()).unwrap()
    }

    fn print(&self, firmware: &mut Firmware<Ram>, text: &str) {
        firmware.memory().write(DATA, text.as_bytes());
        let print = Request::Print {
            ptr: DATA,
            len: text.len() as u64,
        };
        two_channels::ask(&self.vhost, firmware, &print);
    }

    /// Ticks until the response. Returns the number of ticks, and the response.
    fn answer(&self, firmware: &mut Firmware<Ram>) -> (u64, ResponseEntry) {
        for ticks in 1..100 {
            self.vhost.tick().unwrap();
            if let Some(response) = firmware.try_receive() {
                return (ticks, response);
            }
        }
        panic!("no response\n{}", self.vhost.status().unwrap());
    }

    fn exit(&self, firmware: &mut Firmware<Ram>, code: u32) {
        assert!(firmware.try_send(&Request::Exit { code }));
        self.vhost.tick().unwrap();
    }
}

const CREATE: PosixFlags = PosixFlags(0o102);

/// Session up to a checkpoint during a call, a read of the standard input, and a line.
fn begin(host: &Host, file: &Path) -> [u64; 2] {
    let [mut one, mut two] = host.shaken();
    fs::write(file.with_file_name("in"), "0123456789").unwrap();
    let input = host.open(&mut one, "in", PosixFlags::READ_ONLY);
    assert_eq!(host.read(&mut one, input, 4).unwrap(), b"0123");
    let output = host.open(&mut two, "out", CREATE);
    assert_eq!(host.write(&mut two, output, b"abc"), 3);
    host.print(&mut two, "half a li");
    let read = FileRequest::Read {
        fd: 0,
        ptr: DATA,
        len: 3,
    };
    assert!(one.try_send(&Request::File(read)));
    assert!(two.try_send(&call(5)));
    host.vhost.tick().unwrap();
    host.vhost.tick().unwrap();
    host.vhost.save(file).unwrap();
    [input, output]
}

/// Rest of the session after the checkpoint. Returns the last tick.
fn go_on(host: &Host, [input, output]: [u64; 2], pending: u64) -> u64 {
    let [mut one, mut two] = host.firmware();
    assert_eq!(host.vhost.write_stdin("core0", b"xyz!").unwrap(), 4);
    host.vhost.tick().unwrap();
    let response = one.try_receive().unwrap();
    assert_eq!(response.rets, 3);
    let mut data = [0; 3];
    one.memory().read(DATA, &mut data);
    assert_eq!(&data, b"xyz");
    let (ticks, response) = host.answer(&mut two);
    assert_eq!((ticks + 1, response.rets), (pending, 12));
    assert_eq!(host.read(&mut one, input, 100).unwrap(), b"456789");
    assert_eq!(host.write(&mut two, output, b"def"), 3);
    host.print(&mut two, "ne\n");
    assert_eq!(host.read(&mut one, 0, 1).unwrap(), b"!");
    host.exit(&mut one, 0);
    host.exit(&mut two, 3);
    assert!(host.text.text().contains("[core1] half a line\n"));
    let exits = host.vhost.exits().into_iter().map(|exit| exit.code);
    assert_eq!(exits.collect::<Vec<_>>(), [Some(0), Some(3)]);
    host.vhost.now()
}

#[test]
fn another_host_goes_on_from_a_checkpoint_and_its_recording_replays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ckpt");
    let host = Host::start(folder.path(), |builder| builder);
    let open = begin(&host, &file);
    let saved = host.vhost.now();
    // `wait` counts its polls: two before the checkpoint, so that three more are pending.
    let last = go_on(&host, open, 4);
    assert_eq!(fs::read(folder.path().join("out")).unwrap(), b"abcdef");
    host.vhost.shutdown();

    fs::write(folder.path().join("out"), "abc").unwrap();
    let trace = folder.path().join("run.trace");
    for tapped in [false, true] {
        fs::write(folder.path().join("out"), "abc").unwrap();
        let host = Host::start(folder.path(), |builder| match tapped {
            true => builder.record(&trace).attach(ProtocolChecker::new()),
            false => builder,
        });
        // The restore replaces any present state.
        let [mut one, _] = host.shaken();
        assert!(one.try_send(&call(100)));
        host.vhost.tick().unwrap();
        host.vhost.restore(&file).unwrap();
        assert_eq!(host.vhost.now(), saved);
        // Another process polls the call anew: its method begins with its own state, with one poll.
        assert_eq!(go_on(&host, open, 5), last + 1, "tapped: {tapped}");
        assert_eq!(fs::read(folder.path().join("out")).unwrap(), b"abcdef");
        let reports = host.reports.take();
        let worst = reports.iter().map(|report| report.severity).max();
        assert_eq!(worst, Some(Severity::Info), "{reports:?}");
        host.vhost.shutdown();
    }
    let replayed = Replay::of(&trace).run();
    replayed.unwrap_or_else(|error| panic!("{error}"));
    for actor in ActorName::ALL {
        let replayed = Replay::of(&trace).only(actor).run();
        replayed.unwrap_or_else(|error| panic!("{actor}: {error}"));
    }
}

/// A checkpoint is taken, the run continues, and the checkpoint is restored in the same process.
#[test]
fn a_run_can_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ckpt");
    let trace = folder.path().join("run.trace");
    let statistics = Statistics::new();
    let host = Host::start(folder.path(), |builder| {
        builder.record(&trace).attach(statistics.clone())
    });
    let open = begin(&host, &file);
    // Both requests were taken in the tick before the last one.
    let taken = format!("since tick {};", host.vhost.now() - 1);
    let counted = statistics.table();
    let last = go_on(&host, open, 4);
    let whole = statistics.table();
    for _ in 0..3 {
        fs::write(folder.path().join("out"), "abc").unwrap();
        host.vhost.restore(&file).unwrap();
        assert_eq!(statistics.table(), counted);
        // The run that was left has no requests in the status.
        let status = host.vhost.status().unwrap();
        assert!(!status.contains("slot 0, tick"), "{status}");
        assert_eq!(status.matches(&taken).count(), 2, "{status}");
        assert_eq!(go_on(&host, open, 6), last + 2);
        let (now, before) = (statistics.table(), &whole);
        assert_eq!(now.of("core0", "READ"), before.of("core0", "READ"));
    }
    host.vhost.shutdown();
    let replayed = Replay::of(&trace).run();
    replayed.unwrap_or_else(|error| panic!("{error}"));
}

/// Times of files differ between equal runs, and no restore needs them.
#[test]
fn equal_runs_that_are_saved_have_equal_recordings() {
    let traces = ["one.trace", "other.trace"].map(|name| {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join(name);
        let host = Host::start(folder.path(), |builder| builder.record(&trace));
        let file = folder.path().join("x.ckpt");
        begin(&host, &file);
        host.vhost.restore(&file).unwrap();
        host.vhost.shutdown();
        (folder, Trace::open(&trace).unwrap())
    });
    let [(_one, one), (_other, other)] = traces;
    let mut same = Matcher::default();
    let mut compared = 0;
    for (a, b) in one.zip(other) {
        assert!(same.is(&a.unwrap(), &b.unwrap()), "entry {compared}");
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}

#[test]
fn files_that_have_changed_are_reported_and_answer_eio() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ckpt");
    let host = Host::start(folder.path(), |builder| builder);
    let [mut one, _] = host.shaken();
    for name in ["gone", "shrunk", "grown", "same"] {
        fs::write(folder.path().join(name), "0123").unwrap();
    }
    let names = ["gone", "shrunk", "grown", "same"];
    let open = names.map(|name| host.open(&mut one, name, PosixFlags(2)));
    for fd in open {
        assert_eq!(host.read(&mut one, fd, 2).unwrap(), b"01");
    }
    host.vhost.save(&file).unwrap();
    host.vhost.shutdown();
    fs::remove_file(folder.path().join("gone")).unwrap();
    fs::write(folder.path().join("shrunk"), "012").unwrap();
    fs::write(folder.path().join("grown"), "01234").unwrap();
    let host = Host::start(folder.path(), |builder| builder);
    host.vhost.restore(&file).unwrap();
    let reports = host.reports.take_of("checkpoint");
    let expected = [
        "goes on from a checkpoint at tick",
        "file `gone`, can't be opened again: ENOENT",
        "file `shrunk`, has 3 bytes, and had 4",
        "file `grown`, has 5 bytes, and had 4",
    ];
    assert_eq!(reports.len(), expected.len(), "{reports:?}");
    for (report, expected) in reports.iter().zip(expected) {
        assert!(report.contains(expected), "{report}");
    }
    let [mut one, _] = host.firmware();
    let eio = -i64::from(Errno::EIO.0);
    for fd in &open[..2] {
        let fd = *fd;
        assert_eq!(host.read(&mut one, fd, 2), Err(eio));
        assert_eq!(host.write(&mut one, fd, b"x"), eio);
        let seek = FileRequest::Lseek {
            fd,
            whence: Whence::Set,
            offset: 0,
            result: DATA,
        };
        assert_eq!(host.ask(&mut one, seek), eio);
        assert_eq!(host.ask(&mut one, FileRequest::CheckedClose { fd }), 0);
    }
    assert_eq!(host.read(&mut one, open[2], 9).unwrap(), b"234");
    assert_eq!(host.read(&mut one, open[3], 9).unwrap(), b"23");
    // Numbers of descriptors continue.
    assert_eq!(host.open(&mut one, "same", PosixFlags(0)), open[3] + 1);
    host.vhost.shutdown();
}

/// Content of a special file.
fn pipe(_: &str, _: OpenFlags) -> std::io::Result<Box<dyn SpecialFile>> {
    Ok(Box::new(Cursor::new(vec![1; 9].into_boxed_slice())))
}

/// Open directories continue behind the entries that were read, with the entries at their opening.
/// A lost descriptor fails in all operations, and in later checkpoints.
#[test]
fn directories_go_on_and_lost_descriptors_stay_lost() {
    let folder = tempfile::tempdir().unwrap();
    let files = [folder.path().join("x.ckpt"), folder.path().join("y.ckpt")];
    let path = |name: &str| folder.path().join(name);
    let start = || Host::start(folder.path(), |builder| builder.virtual_file("pipe", pipe));
    let host = start();
    let [mut one, _] = host.shaken();
    for name in ["kept", "gone"] {
        fs::create_dir(path(name)).unwrap();
        for entry in ["a", "b", "c"] {
            fs::write(path(name).join(entry), "").unwrap();
        }
    }
    fs::write(path("file"), "0123").unwrap();
    let as_directory = PosixFlags::READ_ONLY | PosixFlags::DIRECTORY;
    let kept = host.open(&mut one, "kept", as_directory);
    let lost = [
        host.open(&mut one, "gone", as_directory),
        host.open(&mut one, "file", PosixFlags::READ_ONLY),
        host.open(&mut one, "virtual/pipe", PosixFlags::READ_ONLY),
    ];
    assert_eq!(host.entry(&mut one, kept), "a");
    host.vhost.save(&files[0]).unwrap();
    host.vhost.shutdown();

    fs::remove_dir_all(path("gone")).unwrap();
    fs::remove_file(path("file")).unwrap();
    fs::create_dir(path("file")).unwrap();
    fs::remove_file(path("kept/b")).unwrap();
    fs::write(path("kept/d"), "").unwrap();
    let host = start();
    let before = "(it was lost before the checkpoint)";
    for (checkpoint, reasons, next) in [
        (
            &files[0],
            [
                "`gone`, can't be opened again: ENOENT",
                "`file`, can't be opened again: EISDIR",
                "`virtual/pipe`, was opened by the host program",
            ],
            "b",
        ),
        (&files[1], [before; 3], "c"),
    ] {
        host.vhost.restore(checkpoint).unwrap();
        let reports = host.reports.take_of("checkpoint");
        assert_eq!(reports.len(), 4, "{reports:?}");
        for (report, reason) in reports[1..].iter().zip(reasons) {
            assert!(report.contains(reason), "{report}");
            assert!(
                report.contains("operations on it fail with EIO"),
                "{report}"
            );
        }
        let [mut one, _] = host.firmware();
        assert_eq!(host.entry(&mut one, kept), next);
        let (ptr, len, result, position) = (DATA, 100, DATA, 0);
        for fd in lost {
            for request in [
                FileRequest::Readdir { fd, ptr, len },
                FileRequest::Fstat { fd, result },
                FileRequest::Fsync { fd },
                FileRequest::Seek { fd, position },
            ] {
                let answer = host.ask(&mut one, request);
                assert_eq!(answer, -i64::from(Errno::EIO.0), "{request:?}");
            }
        }
        host.vhost.save(&files[1]).unwrap();
    }
    host.vhost.shutdown();
}

/// A full response queue, and requests behind it.
#[test]
fn responses_wait_across_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ckpt");
    let host = Host::start(folder.path(), |builder| builder);
    let [mut one, _] = host.shaken();
    let set = |byte| Request::MemSet {
        dest: DATA,
        byte,
        len: 1,
    };
    for byte in 0..8 {
        assert!(one.try_send(&set(byte)));
        host.vhost.tick().unwrap();
    }
    for byte in 8..12 {
        assert!(one.try_send(&set(byte)));
    }
    host.vhost.tick().unwrap();
    assert!(host.vhost.status().unwrap().contains("the queue is full"));
    host.vhost.save(&file).unwrap();
    host.vhost.shutdown();
    let host = Host::start(folder.path(), |builder| builder);
    host.vhost.restore(&file).unwrap();
    assert!(host.vhost.status().unwrap().contains("the queue is full"));
    let [mut one, _] = host.firmware();
    let mut received = 0;
    for _ in 0..30 {
        received += usize::from(one.try_receive().is_some());
        host.vhost.tick().unwrap();
    }
    assert_eq!(received, 12);
    let mut byte = [0];
    one.memory().read(DATA, &mut byte);
    assert_eq!(byte, [11]);
    host.vhost.shutdown();
}

const LATE: &str = "\
core0: {space: one, base: 0x1000, ptr: 32, cache_line: 0, faults: {seed: 3, delay: 5..9, files: {EIO: 0.5}}}
core1: {space: two, base: 0x1000, ptr: 64, cache_line: 64, seed: 4}
";

/// Outcomes of file operations and their delays, and random bytes, after a checkpoint.
fn chosen(host: &Host, fd: u64) -> Vec<(u64, i64)> {
    let [mut one, mut two] = host.firmware();
    let mut seen = vec![];
    // The delayed request.
    let (ticks, response) = host.answer(&mut one);
    seen.push((ticks, one.layout().ptr_width.sign_extend(response.rets)));
    for _ in 0..20 {
        let seek = FileRequest::Seek { fd, position: 1 };
        assert!(one.try_send(&Request::File(seek)));
        let (ticks, response) = host.answer(&mut one);
        seen.push((ticks, one.layout().ptr_width.sign_extend(response.rets)));
    }
    let random = FileRequest::Random { ptr: DATA, len: 8 };
    host.ask(&mut two, random);
    let mut bytes = [0; 8];
    two.memory().read(DATA, &mut bytes);
    seen.push((0, i64::from_le_bytes(bytes)));
    seen
}

#[test]
fn injected_faults_and_random_bytes_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ckpt");
    fs::write(folder.path().join("in"), "0123").unwrap();
    let host = Host::start(folder.path(), |builder| builder.mailboxes_text(LATE));
    let [mut one, mut two] = host.shaken();
    let open = (0..20).find_map(|_| {
        let at = NAME + 0x40;
        one.memory().write(at, b"in\0");
        let flags = PosixFlags(0);
        let open = FileRequest::PosixOpen {
            path: at,
            flags,
            mode: 0,
        };
        u64::try_from(host.ask(&mut one, open)).ok()
    });
    let fd = open.unwrap();
    host.ask(&mut two, FileRequest::Random { ptr: DATA, len: 8 });
    assert!(one.try_send(&Request::File(FileRequest::Seek { fd, position: 2 })));
    host.vhost.tick().unwrap();
    assert!(one.try_receive().is_none());
    host.vhost.save(&file).unwrap();
    let whole = chosen(&host, fd);
    assert!(whole.iter().any(|(_, result)| *result < 0));
    host.vhost.restore(&file).unwrap();
    assert_eq!(chosen(&host, fd), whole);
    host.vhost.shutdown();
    let host = Host::start(folder.path(), |builder| builder.mailboxes_text(LATE));
    host.vhost.restore(&file).unwrap();
    assert_eq!(chosen(&host, fd), whole);
    host.vhost.shutdown();
}

#[test]
fn other_configurations_and_moments_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ckpt");
    let host = Host::start(folder.path(), |builder| builder);
    host.vhost.save(&file).unwrap();
    host.vhost.shutdown();
    let other = MAILBOXES.replace(
        "core1: {space: two, base: 0x1000",
        "core1: {space: two, base: 0x1400",
    );
    let host = Host::start(folder.path(), |builder| builder.mailboxes_text(other));
    let error = host.vhost.restore(&file).unwrap_err().to_string();
    assert!(error.contains("mailbox at 0x1000"), "{error}");
    assert!(error.contains("mailbox at 0x1400"), "{error}");
    assert_eq!(host.vhost.now(), 0);
    // From inside a method.
    let inside = Arc::new(Mutex::new(Vec::new()));
    let (seen, path) = (inside.clone(), file.clone());
    let method = move |vhost: &Vhost, _: vhost::HostProgramCall<'_>| {
        for outcome in [vhost.save(&path), vhost.restore(&path)] {
            seen.lock().unwrap().push(outcome.unwrap_err().to_string());
        }
        Ok(std::task::Poll::Ready(0))
    };
    host.vhost.register_method("inside", method).unwrap();
    let [mut one, _] = host.firmware();
    one.reset_offering(NEWEST);
    host.vhost.tick().unwrap();
    one.memory().write(NAME, b"inside\0");
    two_channels::ask(&host.vhost, &mut one, &call(0));
    let errors = inside.lock().unwrap();
    assert_eq!(errors.len(), 2);
    assert!(
        errors[0].contains("from inside a foreign call"),
        "{errors:?}"
    );
    host.vhost.shutdown();
}

/// A checkpoint with an impossible state is rejected, or does no harm.
#[test]
fn impossible_states_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ckpt");
    let host = Host::start(folder.path(), |builder| builder);
    begin(&host, &file);
    refuse_impossible(&host.vhost, &file);
    host.vhost.shutdown();
}

/// Restores a checkpoint with each of its bytes changed.
fn refuse_impossible(vhost: &Vhost, file: &Path) {
    let sound = Checkpoint::read(file).unwrap();
    let bytes = sound.part("state").unwrap();
    let mut restored = 0;
    for at in 0..bytes.len() {
        for change in [1, 0x80, 0xff] {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= change;
            let mut changed = sound.clone();
            changed.set_part("state", bytes);
            match vhost.restore_checkpoint(&changed) {
                Ok(()) => restored += 1,
                Err(Error::Checkpoint(
                    CheckpointError::Content { .. } | CheckpointError::Restore(_),
                )) => {}
                Err(error) => panic!("{at}: {error}"),
            }
            for _ in 0..4 {
                vhost.tick().unwrap();
            }
        }
    }
    assert!(restored > 0);
    vhost.restore_checkpoint(&sound).unwrap();
}

#[test]
fn a_channel_that_is_ready_is_adopted_only_by_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(folder.path(), |builder| builder);
    let [mut one, _] = host.shaken();
    for _ in 0..5 {
        host.print(&mut one, "x");
    }
    let mut kept = vec![0; 0x4000];
    one.memory().read(0x1000, &mut kept);
    host.vhost.shutdown();
    for adopt in ["false", "$NO_SUCH_VARIABLE", "true"] {
        let key = format!("cache_line: 0, adopt: {adopt}");
        let mailboxes = MAILBOXES.replace("cache_line: 0", &key);
        let trace = folder.path().join("run.trace");
        let host = Host::start(folder.path(), |builder| {
            builder.mailboxes_text(mailboxes).record(&trace)
        });
        host.vhost.write_from("one", 0x1000, &kept).unwrap();
        host.vhost.tick().unwrap();
        let [mut one, _] = host.firmware();
        let adopted = host.reports.take_of("core0");
        if adopt == "true" {
            assert!(
                adopted[0].contains("is adopted, with 0x5 requests"),
                "{adopted:?}"
            );
            host.print(&mut one, "y\n");
            assert!(host.text.text().contains("[core0] y\n"));
            // A later stale READY does not count: firmware must make the handshake.
            one.store(one.layout().state, 7);
            host.vhost.tick().unwrap();
            one.store(one.layout().state, 2);
            host.vhost.tick().unwrap();
            assert!(host.vhost.status().unwrap().contains("handshake"));
        } else {
            assert!(adopted.is_empty(), "{adopted:?}");
            assert!(host.vhost.status().unwrap().contains("handshake"));
        }
        host.vhost.shutdown();
        let replayed = Replay::of(&trace).run();
        replayed.unwrap_or_else(|error| panic!("{error}"));
    }
}

const CPU: &str =
    "space: {cpu: [ram: {base: 0x80000000, size: 0x10000, path: r, width: 64, backend: static}]}";

/// HTIF, RTT with a method as target of its first buffer, and semihosting, in one memory.
const PROTOCOLS: &str = "\
htif: {space: cpu, abi: htif, tohost: 0x80000000, fromhost: 0x80000040, settle: 0, stdio: {stdin: testbench}}
rtt: {space: cpu, ptr: 32, abi: rtt, rtt: {address: 0x80001000, up: {'0': {method: seen}, '1': {file: log}}}}
semi: {space: cpu, ptr: 64, abi: semihosting, stub: none, stdio: {stdin: testbench}}
";

const BLOCK: u64 = 0x8000_1000;
const BYTES: u64 = 0x8000_2000;
const CALL: u64 = 0x8000_3000;

/// System of three protocols; the pieces that the method `seen` got, which takes as many as `room`
/// says.
fn protocols(folder: &Path, room: &Arc<Mutex<u32>>, trace: &str) -> (Host, KeptBytes) {
    let (reports, text, pieces) = (
        Reports::default(),
        KeptBytes::default(),
        KeptBytes::default(),
    );
    let (room, mut seen) = (room.clone(), pieces.clone());
    let builder = Vhost::builder()
        .memories_text(CPU)
        .mailboxes_text(PROTOCOLS)
        .files(folder)
        .console(text.clone())
        .record(folder.join(trace))
        .attach(ProtocolChecker::new())
        .on_report(reports.callback())
        .method(
            "seen",
            move |vhost: &Vhost, call: vhost::HostProgramCall<'_>| {
                let mut room = room.lock().unwrap();
                let Some(left) = room.checked_sub(1) else {
                    return Ok(std::task::Poll::Pending);
                };
                *room = left;
                let bytes = vhost.read("cpu", call.args[1], call.args[2]).unwrap();
                seen.write_all(&bytes).unwrap();
                Ok(std::task::Poll::Ready(0))
            },
        );
    let vhost = builder.start().unwrap();
    let host = Host {
        vhost,
        text,
        reports,
    };
    (host, pieces)
}

/// Writes to an up buffer of 16 bytes, from its current offset on.
fn write_up(vhost: &Vhost, number: u64, bytes: &[u8]) {
    let offset = BLOCK + 24 + 24 * number + 12;
    let mut at = vhost.read_u32("cpu", offset).unwrap();
    for byte in bytes {
        let address = BYTES + 16 * number + u64::from(at);
        vhost.write_u8("cpu", address, *byte).unwrap();
        at = (at + 1) % 16;
    }
    vhost.write_u32("cpu", offset, at).unwrap();
}

/// Sets up a control block of RTT with two up buffers.
fn set_up(vhost: &Vhost) {
    for number in 0..2 {
        let words = [0, (BYTES + 16 * number) as u32, 16, 0, 0, 2];
        let at = BLOCK + 24 + 24 * number;
        let bytes = words.map(u32::to_le_bytes);
        vhost.write_from("cpu", at, bytes.as_flattened()).unwrap();
    }
    vhost.write_u32("cpu", BLOCK + 16, 2).unwrap();
    vhost
        .write_from("cpu", BLOCK, b"SEGGER RTT\0\0\0\0\0\0")
        .unwrap();
}

/// Executes a semihosting operation with these words.
fn semihost(vhost: &Vhost, operation: u64, words: &[u64]) -> Option<u64> {
    for (at, word) in (0..).zip(words) {
        vhost
            .write_u64("cpu", CALL + 0x800 + 8 * at, *word)
            .unwrap();
    }
    vhost.semihost("semi", 0, operation, CALL + 0x800).unwrap()
}

/// Handles of semihosting: a file to read, one to update and append, and the features.
type Handles = [u64; 3];

/// System of three protocols, in the middle of something in each of them, with a checkpoint.
fn begin_protocols(folder: &Path, room: &Arc<Mutex<u32>>, file: &Path) -> (Host, Handles) {
    fs::write(folder.join("in"), "0123456789").unwrap();
    fs::write(folder.join("both"), "begin ").unwrap();
    let (host, pieces) = protocols(folder, room, "a.trace");
    let vhost = &host.vhost;
    set_up(vhost);
    // HTIF: a waiting console read, and a system call: read(0, …) waits for input.
    vhost.write_u64("cpu", 0x8000_0000, 1 << 56).unwrap();
    vhost.tick().unwrap();
    for (at, word) in (0..).zip([63, 0, CALL + 0x100, 4]) {
        vhost.write_u64("cpu", CALL + 8 * at, word).unwrap();
    }
    vhost.write_u64("cpu", 0x8000_0000, CALL).unwrap();
    // Semihosting: a file and the features are read.
    let handles = [("in", 0), ("both", 10), (":semihosting-features", 0)].map(|(name, mode)| {
        vhost
            .write_from("cpu", CALL + 0x400, name.as_bytes())
            .unwrap();
        semihost(vhost, 1, &[CALL + 0x400, mode, name.len() as u64]).unwrap()
    });
    for handle in [handles[0], handles[2]] {
        assert_eq!(semihost(vhost, 6, &[handle, CALL + 0x500, 4]), Some(0));
    }
    // RTT: the method is pending with the second piece of a wrapped buffer, and a file is open.
    write_up(vhost, 1, b"first ");
    *room.lock().unwrap() = 1;
    write_up(vhost, 0, b"0123456789");
    vhost.tick().unwrap();
    assert_eq!(pieces.text(), "0123456789");
    *room.lock().unwrap() = 1;
    write_up(vhost, 0, b"abcdefghij");
    vhost.tick().unwrap();
    assert_eq!(pieces.text(), "0123456789abcdef");
    vhost.save(file).unwrap();
    (host, handles)
}

#[test]
fn impossible_states_of_the_other_protocols_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ckpt");
    let room = Arc::new(Mutex::new(0));
    let (host, _) = begin_protocols(folder.path(), &room, &file);
    refuse_impossible(&host.vhost, &file);
    host.vhost.shutdown();
}

#[test]
fn the_other_protocols_go_on_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ckpt");
    let room = Arc::new(Mutex::new(0));
    let (host, [handle, both, features]) = begin_protocols(folder.path(), &room, &file);
    host.vhost.shutdown();

    let (host, pieces) = protocols(folder.path(), &room, "b.trace");
    let vhost = &host.vhost;
    vhost.restore(&file).unwrap();
    *room.lock().unwrap() = 10;
    // What is written behind the checkpoint is none of the transfer.
    write_up(vhost, 0, b"XY");
    vhost.write_stdin("htif", b"cdefg").unwrap();
    for _ in 0..6 {
        vhost.tick().unwrap();
        let response = vhost.read_u64("cpu", 0x8000_0040).unwrap();
        if response == 1 << 56 | 0x100 | u64::from(b'g') {
            break;
        }
        vhost.write_u64("cpu", 0x8000_0040, 0).unwrap();
    }
    // The first piece had arrived.
    assert_eq!(pieces.text(), "ghijXY");
    assert_eq!(vhost.read_u64("cpu", CALL).unwrap(), 4);
    assert_eq!(&vhost.read("cpu", CALL + 0x100, 4).unwrap()[..], b"cdef");
    assert_eq!(semihost(vhost, 6, &[handle, CALL + 0x500, 4]), Some(0));
    assert_eq!(&vhost.read("cpu", CALL + 0x500, 4).unwrap()[..], b"4567");
    // A file that was not read yet is written at its end.
    assert_eq!(semihost(vhost, 5, &[both, CALL + 0x500, 4]), Some(0));
    assert_eq!(fs::read(folder.path().join("both")).unwrap(), b"begin 4567");
    assert_eq!(semihost(vhost, 6, &[features, CALL + 0x500, 4]), Some(3));
    assert_eq!(vhost.read_u8("cpu", CALL + 0x500).unwrap(), 3);
    write_up(vhost, 1, b"second");
    vhost.tick().unwrap();
    assert_eq!(
        fs::read(folder.path().join("log")).unwrap(),
        b"first second"
    );
    // Exits of two channels, and a checkpoint after them.
    vhost.write_u64("cpu", 0x8000_0000, 5 << 1 | 1).unwrap();
    vhost.tick().unwrap();
    vhost.save(&file).unwrap();
    semihost(vhost, 0x20, &[0x20026, 7]);
    vhost.tick().unwrap();
    vhost.restore(&file).unwrap();
    let codes = |vhost: &Vhost| {
        vhost
            .exits()
            .into_iter()
            .map(|it| it.code)
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(vhost), [Some(5), None, None]);
    assert_eq!(vhost.tick().unwrap(), 1);
    semihost(vhost, 0x20, &[0x20026, 7]);
    assert_eq!(vhost.tick().unwrap(), 0);
    assert_eq!(codes(vhost), [Some(5), None, Some(7)]);
    let worst = host.reports.take().into_iter().map(|it| it.severity).max();
    assert_eq!(worst, Some(Severity::Info));
    host.vhost.shutdown();
    for trace in ["a.trace", "b.trace"] {
        let trace = folder.path().join(trace);
        let replayed = Replay::of(&trace).run();
        replayed.unwrap_or_else(|error| panic!("{error}"));
        // The last exit closes all files: the actor of one protocol does not know those of others.
        let alone = ActorName::ALL.into_iter();
        for actor in alone.filter(|actor| *actor != ActorName::Semihosting) {
            let replayed = Replay::of(&trace).only(actor).run();
            replayed.unwrap_or_else(|error| panic!("{actor}: {error}"));
        }
    }
}

/// The C ABI, with the same messages.
#[test]
fn c_saves_and_restores() {
    use test_support::c_host;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.ckpt");
    let path = file.to_str().unwrap();
    assert_eq!(
        c_host::init(folder.path(), c_host::MEMORIES, c_host::MAILBOXES),
        0
    );
    assert!(c_host::write(0x4000, b"kept"));
    for _ in 0..3 {
        c_host::mb_tick();
    }
    assert_eq!(c_host::save(path), 0);
    assert!(c_host::write(0x4000, b"lost"));
    assert_eq!(c_host::restore(path), 0);
    let mut bytes = [0; 4];
    assert!(c_host::read(0x4000, &mut bytes));
    assert_eq!(&bytes, b"kept");
    assert_eq!(c_host::mb_tick(), 1);
    assert_eq!(c_host::save("/no/such/x"), -1);
    let error = c_host::last_error();
    assert!(
        error.contains("mb_save: checkpoint /no/such/x can't be written"),
        "{error}"
    );
    assert_eq!(c_host::restore("/no/such/x"), -1);
    c_host::mb_shutdown();
}
