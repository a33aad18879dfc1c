//! Firmware's files: shared by two cores, with variables in paths, and replayed elsewhere.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::fs;
use std::path::Path;

use mailbox_rs::mock::{Firmware, Memory as _};
use mailbox_rs::{Errno, FileRequest, OpenFlags, Request};
use test_support::ram::Ram;
use test_support::two_channels::{NAME, ask, builder, firmware, shake};
use vhost::messages::foreign::Severity;
use vhost::{ActorName, Replay, Vhost};

const DATA: u64 = NAME + 0x100;

/// Core and its requests.
struct Core<'a> {
    vhost: &'a Vhost,
    firmware: Firmware<Ram>,
}

impl Core<'_> {
    fn ask(&mut self, request: FileRequest) -> u64 {
        let width = self.firmware.layout().ptr_width;
        let answer = ask(self.vhost, &mut self.firmware, &Request::File(request));
        width.sign_extend(answer.rets) as u64
    }

    fn open(&mut self, path: &str, flags: OpenFlags) -> u64 {
        let path = format!("{path}\0");
        self.firmware.memory().write(NAME, path.as_bytes());
        self.ask(FileRequest::Open { path: NAME, flags })
    }

    fn write(&mut self, fd: u64, text: &str) -> u64 {
        self.firmware.memory().write(DATA, text.as_bytes());
        self.ask(FileRequest::Write {
            fd,
            ptr: DATA,
            len: text.len() as u64,
        })
    }

    fn close(&mut self, fd: u64) {
        let close = Request::File(FileRequest::Close { fd });
        assert!(self.firmware.try_send(&close));
        self.vhost.tick().unwrap();
    }

    fn exit(&mut self) {
        assert!(self.firmware.try_send(&Request::Exit { code: 0 }));
        self.vhost.tick().unwrap();
    }
}

fn cores(vhost: &Vhost) -> [Core<'_>; 2] {
    firmware(vhost).map(|mut firmware| {
        shake(vhost, &mut firmware);
        Core { vhost, firmware }
    })
}

fn error(errno: Errno) -> u64 {
    -i64::from(errno.0) as u64
}

const W: OpenFlags = OpenFlags::WRITE;

#[test]
fn cores_share_descriptors_until_their_opener_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let vhost = builder.start().unwrap();
    let [mut one, mut two] = cores(&vhost);
    let shared = one.open("shared", W);
    let own = two.open("own", W);
    assert_eq!((shared, own), (10, 11));
    assert_eq!(two.write(shared, "of two, "), 8);
    assert_eq!(one.write(shared, "of one"), 6);
    assert_eq!(
        fs::read_to_string(folder.path().join("shared")).unwrap(),
        "of two, of one"
    );
    assert_eq!(reports.take(), []);

    shake(&vhost, &mut one.firmware);
    assert_eq!(two.write(shared, "lost"), error(Errno::EBADF));
    assert_eq!(two.write(own, "kept"), 4);
    // Descriptors are not reused.
    let next = one.open("next", W);
    assert_eq!(next, 12);

    // Files of a core that exits stay open for the others.
    one.exit();
    assert_eq!(two.write(next, "from the other"), 14);
}

/// Requests of firmware, with variables in paths.
fn session(vhost: &Vhost) -> Vec<u64> {
    let [mut one, mut two] = cores(vhost);
    let mut answers = vec![];
    for core in [&mut one, &mut two] {
        for path in ["$RUN/a", "${RUN}/b", "~/c", "$ABSOLUTE/d", "${NONE:-e}"] {
            let fd = core.open(path, W | OpenFlags::READ | OpenFlags(1 << 30));
            answers.push(fd);
            answers.push(core.write(fd, path));
        }
        for path in ["$VHOST_TEST_NOT_SET/f", "$OUTSIDE", "$UP/f"] {
            answers.push(core.open(path, W));
        }
    }
    answers
}

#[test]
fn paths_name_variables_and_a_replay_needs_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("run")).unwrap();
    let trace = folder.path().join("run.trace");
    let (builder, reports) = builder(&root);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let vhost = builder
        .variable("RUN", "run")
        .variable("HOME", text(&root.join("run")))
        .variable("ABSOLUTE", text(&root))
        .variable("OUTSIDE", text(&folder.path().join("secret")))
        .variable("UP", "..")
        .record(&trace)
        .start()
        .unwrap();
    let answers = session(&vhost);
    vhost.shutdown();

    let refused = [Errno::ENOENT, Errno::EACCES, Errno::EACCES].map(error);
    let opened = |first: u64| (first..).zip([6, 8, 3, 11, 10]);
    let of_core = |first: u64| {
        let written = opened(first).flat_map(|(fd, len)| [fd, len]);
        written.chain(refused).collect::<Vec<_>>()
    };
    assert_eq!(answers, [of_core(10), of_core(15)].concat());
    for (file, content) in [
        ("run/a", "$RUN/a"),
        ("run/b", "${RUN}/b"),
        ("run/c", "~/c"),
        ("d", "$ABSOLUTE/d"),
        ("e", "${NONE:-e}"),
    ] {
        assert_eq!(fs::read_to_string(root.join(file)).unwrap(), content);
    }
    assert!(!folder.path().join("secret").exists());
    let printed = reports.take();
    assert_eq!(printed.len(), 6, "{printed:?}");
    assert!(
        printed
            .iter()
            .all(|printed| printed.severity == Severity::Error)
    );
    assert!(
        printed[0].text.contains("`VHOST_TEST_NOT_SET` is not set"),
        "{}",
        printed[0].text
    );

    // The replay has neither the files nor the variables.
    fs::remove_dir_all(&root).unwrap();
    Replay::of(&trace).run().unwrap();
    for actor in [ActorName::Mailbox, ActorName::Files] {
        let replayed = Replay::of(&trace).only(actor).run();
        assert!(replayed.unwrap().messages > 20, "{actor:?}");
    }
}

/// Rejected requests, each with a part of its report.
fn refused(core: &mut Core<'_>, root: &Path) -> Vec<(u64, Errno, &'static str)> {
    let inside = core.open(&format!("{}/a", root.display()), W);
    let reader = core.open("reader", OpenFlags(3));
    core.close(reader);
    let readable = core.open("reader", OpenFlags::READ);
    let read = |fd| FileRequest::Read {
        fd,
        ptr: DATA,
        len: 4,
    };
    vec![
        (
            core.open("../secret", W),
            Errno::EACCES,
            "leads out of the root ",
        ),
        (
            core.open("/etc/passwd", OpenFlags::READ),
            Errno::EACCES,
            "leads out of the root ",
        ),
        (
            core.open("link", W),
            Errno::EACCES,
            "leads out of the root ",
        ),
        (
            core.open("a", OpenFlags(16)),
            Errno::EINVAL,
            "neither reading nor writing",
        ),
        (
            core.ask(read(inside)),
            Errno::EBADF,
            "was opened for writing only",
        ),
        (
            core.write(readable, "x"),
            Errno::EBADF,
            "was opened for reading only",
        ),
        (core.write(reader, "x"), Errno::EBADF, "is closed"),
        (core.ask(read(99)), Errno::EBADF, "was never opened"),
        (
            core.ask(FileRequest::Seek {
                fd: inside,
                position: u64::MAX,
            }),
            Errno::EINVAL,
            "would be an error number as a response",
        ),
    ]
}

#[test]
fn reports_have_their_reason_in_a_run_and_in_its_replay() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(&root).unwrap();
    std::os::unix::fs::symlink("../secret", root.join("link")).unwrap();
    let trace = folder.path().join("run.trace");
    let (builder, reports) = builder(&root);
    let vhost = builder.record(&trace).start().unwrap();
    let [mut core, _] = cores(&vhost);
    let asked = refused(&mut core, &root);
    vhost.shutdown();
    let printed = reports.take();
    assert_eq!(printed.len(), asked.len(), "{printed:?}");
    for ((answer, errno, part), printed) in asked.iter().zip(&printed) {
        assert_eq!(*answer, error(*errno), "{}", printed.text);
        let name = errno.name().unwrap();
        assert!(
            printed.text.contains(part) && printed.text.contains(name),
            "{}",
            printed.text
        );
    }
    fs::remove_dir_all(&root).unwrap();
    Replay::of(&trace).run().unwrap();
    for actor in [ActorName::Mailbox, ActorName::Files] {
        Replay::of(&trace).only(actor).run().unwrap();
    }
}
