//! Protocol 0.3 with a whole system: files, standard streams, time, and the replay of all of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::fs;

use mailbox_rs::mock::{Firmware, Memory as _};
use mailbox_rs::{
    AccessMode, DirectoryRecord, Errno, FileRequest, FileStatus, NEWEST, PosixFlags, Request,
    Timestamp, VERSION, Whence,
};
use test_support::kept_bytes::KeptBytes;
use test_support::ram::Ram;
use test_support::two_channels::{self, NAME, builder, firmware};
use vhost::messages::foreign::Severity;
use vhost::{ActorName, Error, Replay, Vhost};

const MAILBOXES: &str = "\
core0:
  space: one
  base: 0x1000
  ptr: 32
  cache_line: 0
  stdio: {stdin: testbench, stdout: raw, stderr: raw}
  args: [prog, '$WHO']
  env: {WHO: $WHO}
  time: {period: 10ns}
core1:
  space: two
  base: 0x1000
  ptr: 64
  cache_line: 64
  stdio: {stdin: in, stdout: logs/out, stderr: console}
  time: {clock: wall}
  seed: 5
  errors: {stat: {ENOENT: warning}}
";

const DATA: u64 = NAME + 0x100;

/// Core and its requests.
struct Core<'a> {
    vhost: &'a Vhost,
    firmware: Firmware<Ram>,
}

impl Core<'_> {
    fn ask(&mut self, request: FileRequest) -> i64 {
        let width = self.firmware.layout().ptr_width;
        let answer = two_channels::ask(self.vhost, &mut self.firmware, &Request::File(request));
        width.sign_extend(answer.rets)
    }

    fn put(&mut self, at: u64, data: &[u8]) {
        self.firmware.memory().write(at, data);
    }

    fn data(&self, len: usize) -> Vec<u8> {
        let mut data = vec![0; len];
        self.firmware.memory().read(DATA, &mut data);
        data
    }

    fn path(&mut self, path: &str) -> u64 {
        self.put(NAME, format!("{path}\0").as_bytes());
        NAME
    }

    fn open(&mut self, path: &str, flags: PosixFlags) -> i64 {
        let path = self.path(path);
        self.ask(FileRequest::PosixOpen {
            path,
            flags,
            mode: 0o644,
        })
    }

    fn write(&mut self, fd: u64, data: &[u8]) -> i64 {
        self.put(DATA, data);
        self.ask(FileRequest::Write {
            fd,
            ptr: DATA,
            len: data.len() as u64,
        })
    }

    fn read(&mut self, fd: u64, len: u64) -> Vec<u8> {
        let read = self.ask(FileRequest::Read { fd, ptr: DATA, len });
        self.data(read.try_into().unwrap())
    }

    fn block(&mut self, request: impl Fn(u64, u64) -> FileRequest) -> Vec<u8> {
        let len = self.ask(request(DATA, 100));
        self.data(len.try_into().unwrap())
    }

    fn time(&mut self) -> Timestamp {
        assert_eq!(self.ask(FileRequest::Time { result: DATA }), 0);
        Timestamp::parse(&self.data(Timestamp::SIZE)).unwrap()
    }
}

fn cores(vhost: &Vhost) -> [Core<'_>; 2] {
    firmware(vhost).map(|mut firmware| {
        firmware.reset_offering(NEWEST);
        vhost.tick().unwrap();
        assert!(firmware.is_ready());
        assert_eq!(firmware.version(), NEWEST);
        Core { vhost, firmware }
    })
}

fn error(errno: Errno) -> i64 {
    -i64::from(errno.0)
}

const RW: PosixFlags = PosixFlags(0o102);

/// Uses every service. Returns all values that firmware receives.
fn session(vhost: &Vhost) -> Vec<Vec<u8>> {
    let [mut one, mut two] = cores(vhost);
    let mut reported = vec![];

    assert_eq!(
        one.block(|ptr, len| FileRequest::Argv { ptr, len }),
        b"prog\0me\0"
    );
    assert_eq!(
        one.block(|ptr, len| FileRequest::Env { ptr, len }),
        b"WHO=me\0"
    );
    assert_eq!(
        two.block(|ptr, len| FileRequest::Argv { ptr, len }),
        b"core1\0"
    );
    assert_eq!(two.block(|ptr, len| FileRequest::Env { ptr, len }), b"");
    let time = one.time();
    let ticks = u64::from(vhost.now() as u32);
    assert_eq!((time.seconds, time.nanoseconds), (0, ticks * 10));
    let wall = two.time();
    assert!(wall.seconds > 1_600_000_000);
    reported.push(wall.bytes().to_vec());
    for core in [&mut one, &mut two] {
        reported.push(core.block(|ptr, len| FileRequest::Random { ptr, len }));
    }

    // Files, by both widths of pointers.
    for (core, name) in [(&mut one, "a"), (&mut two, "b")] {
        let path = core.path("dir");
        core.ask(FileRequest::Mkdir { path, mode: 0o755 });
        let fd = core.open(&format!("dir/{name}"), RW) as u64;
        assert_eq!(core.write(fd, b"0123456789"), 10);
        let lseek = FileRequest::Lseek {
            fd,
            whence: Whence::End,
            offset: -4,
            result: DATA,
        };
        assert_eq!(core.ask(lseek), 0);
        reported.push(core.data(8));
        reported.push(core.read(fd, 3));
        assert_eq!(core.ask(FileRequest::Ftruncate { fd, len: 5 }), 0);
        assert_eq!(core.ask(FileRequest::Fsync { fd }), 0);
        assert_eq!(core.ask(FileRequest::Fstat { fd, result: DATA }), 0);
        let status = FileStatus::parse(&core.data(FileStatus::SIZE)).unwrap();
        assert_eq!(status.size, 5);
        reported.push(status.bytes().to_vec());
        assert_eq!(core.ask(FileRequest::CheckedClose { fd }), 0);
        assert_eq!(
            core.ask(FileRequest::CheckedClose { fd }),
            error(Errno::EBADF)
        );
    }
    let fd = two.open("dir", PosixFlags::READ_ONLY) as u64;
    let from = two.path("dir/b");
    two.put(DATA, b"dir/c\0");
    assert_eq!(two.ask(FileRequest::Rename { from, to: DATA }), 0);
    let readdir = FileRequest::Readdir {
        fd,
        ptr: DATA,
        len: 272,
    };
    let len = two.ask(readdir) as usize;
    let records = two.data(len);
    let (first, size) = DirectoryRecord::parse(&records).unwrap();
    let (second, _) = DirectoryRecord::parse(&records[size..]).unwrap();
    assert_eq!((first.name, second.name), (&b"a"[..], &b"b"[..]));
    reported.push(records.clone());
    assert_eq!(two.ask(readdir), 0);

    // Probes.
    for core in [&mut one, &mut two] {
        assert_eq!(
            core.open("missing", PosixFlags::READ_ONLY),
            error(Errno::ENOENT)
        );
        let path = core.path("missing");
        let stat = FileRequest::Stat { path, result: DATA };
        assert_eq!(core.ask(stat), error(Errno::ENOENT));
        let mode = AccessMode::READ;
        assert_eq!(
            core.ask(FileRequest::Access { path, mode }),
            error(Errno::ENOENT)
        );
        assert_eq!(core.ask(FileRequest::Unlink { path }), error(Errno::ENOENT));
        assert_eq!(core.ask(FileRequest::Rmdir { path }), error(Errno::ENOENT));
        assert_eq!(core.open("../secret", RW), error(Errno::EACCES));
    }

    // Standard streams.
    assert_eq!(one.write(1, b"raw\0\xff"), 5);
    assert_eq!(one.write(2, b"raw error"), 9);
    assert_eq!(two.write(1, b"to a file"), 9);
    assert_eq!(two.write(2, b"a line\n"), 7);
    assert_eq!(two.read(0, 4), b"from");
    assert_eq!(two.read(0, 100), b" a file");
    assert_eq!(two.read(0, 100), b"");
    let read = Request::File(FileRequest::Read {
        fd: 0,
        ptr: DATA,
        len: 100,
    });
    assert!(one.firmware.try_send(&read));
    vhost.tick().unwrap();
    assert_eq!(one.firmware.try_receive(), None);
    assert_eq!(vhost.write_stdin("core0", b"input").unwrap(), 5);
    vhost.tick().unwrap();
    assert_eq!(one.firmware.try_receive().unwrap().rets, 5);
    assert_eq!(one.data(5), b"input");
    vhost.close_stdin("core0").unwrap();
    assert_eq!(one.read(0, 100), b"");
    reported
}

#[test]
fn every_service_is_recorded_and_replayed_without_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("logs")).unwrap();
    fs::write(root.join("in"), "from a file").unwrap();
    let trace = folder.path().join("run.trace");
    let (builder, reports) = builder(&root);
    let (out, errors) = (KeptBytes::default(), KeptBytes::default());
    let vhost = builder
        .mailboxes_text(MAILBOXES)
        .variable("WHO", "me")
        .console(out.clone())
        .console_errors(errors.clone())
        .record(&trace)
        .start()
        .unwrap();
    let reported = session(&vhost);
    vhost.shutdown();

    // Positions, and each channel's own random bytes.
    assert_eq!(reported[3], 6_u64.to_le_bytes());
    assert_eq!(reported[4], b"678");
    assert_ne!(reported[1], reported[2]);
    assert_eq!(out.take(), b"raw\0\xff[core1] stderr: a line\n");
    assert_eq!(errors.take(), b"raw error");
    assert_eq!(fs::read(root.join("logs/out")).unwrap(), b"to a file");
    assert_eq!(fs::read(root.join("dir/c")).unwrap(), b"01234");

    let reports = reports.take();
    let of = |channel: &str| {
        let of = reports.iter().filter(|report| report.id == channel);
        of.map(|report| report.severity).collect::<Vec<_>>()
    };
    let (info, error) = (Severity::Info, Severity::Error);
    // A second close, then the probes, of which the last one leads out of the root.
    assert_eq!(of("core0"), [error, info, info, info, info, info, info]);
    let mkdir_and_stat = [info, error, info, Severity::Warning, info, info, info, info];
    assert_eq!(of("core1"), mkdir_and_stat);

    fs::remove_dir_all(&root).unwrap();
    Replay::of(&trace).run().unwrap();
    for actor in [ActorName::Mailbox, ActorName::Files, ActorName::Console] {
        let replayed = Replay::of(&trace).only(actor).run();
        assert!(replayed.unwrap().messages > 2, "{actor:?}");
    }
}

#[test]
fn only_a_channel_that_reads_the_testbench_has_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, _) = builder(folder.path());
    let vhost = builder
        .mailboxes_text(MAILBOXES)
        .variable("WHO", "me")
        .start()
        .unwrap();
    for (channel, part) in [
        ("core1", "configure `stdio: {stdin: testbench}`"),
        ("core2", "there is no such channel"),
    ] {
        for refused in [
            vhost.write_stdin(channel, b"x").unwrap_err(),
            vhost.close_stdin(channel).unwrap_err(),
        ] {
            assert!(matches!(refused, Error::Stdin { .. }));
            let text = refused.to_string();
            assert!(text.contains(channel) && text.contains(part), "{text}");
        }
    }
    vhost.close_stdin("core0").unwrap();
    let refused = vhost.write_stdin("core0", b"x").unwrap_err().to_string();
    assert_eq!(refused, "channel `core0`: its standard input was closed");
}

#[test]
fn a_host_of_any_version_serves_firmware_that_offers_none() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let vhost = builder.start().unwrap();
    let [mut firmware, _] = firmware(&vhost);
    two_channels::shake(&vhost, &mut firmware);
    let mut core = Core {
        vhost: &vhost,
        firmware,
    };
    assert_eq!(core.write(1, b"x"), error(Errno::EBADF));
    assert_eq!(core.open("f", RW), error(Errno::EINVAL));
    assert_eq!(reports.take().len(), 2);
}

#[test]
fn a_channel_of_protocol_0_2_ignores_the_offer_also_in_its_replay() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("run.trace");
    let (builder, reports) = builder(folder.path());
    let old = MAILBOXES.replacen("  ptr: 32\n", "  ptr: 32\n  protocol: 0.2\n", 1);
    let vhost = builder
        .mailboxes_text(old)
        .variable("WHO", "me")
        .record(&trace)
        .start()
        .unwrap();
    let cores = firmware(&vhost).map(|mut firmware| {
        firmware.reset_offering(NEWEST);
        vhost.tick().unwrap();
        assert!(firmware.is_ready());
        firmware
    });
    let [old, new] = cores.each_ref().map(Firmware::version);
    assert_eq!((old, new), (VERSION, NEWEST));
    let [firmware, _] = cores;
    let mut core = Core {
        vhost: &vhost,
        firmware,
    };
    // The host does not change the offer.
    let offer = core.firmware.layout().request.offer();
    assert_eq!(core.firmware.load(offer), 3);
    assert_eq!(core.open("f", RW), error(Errno::EINVAL));
    vhost.shutdown();
    assert_eq!(reports.take().len(), 1);
    Replay::of(&trace).run().unwrap();
}
