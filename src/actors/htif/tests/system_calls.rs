//! System calls.

use std::fs;

use super::fixture::CWD;
use super::*;
use crate::messages::foreign::Severity;
use crate::messages::front_end::OutputFailed;
use crate::messages::{ChannelId, ChannelServices, InputSource};

const ENOENT: i64 = -(Errno::ENOENT.0 as i64);
const EBADF: i64 = -(Errno::EBADF.0 as i64);
const EINVAL: i64 = -(Errno::EINVAL.0 as i64);
const EPIPE: i64 = -(Errno::EPIPE.0 as i64);
const EFAULT: i64 = -(Errno::EFAULT.0 as i64);
const CREATE: u64 = 0o100;

impl Fixture {
    /// Writes text to a descriptor. Returns the result.
    fn write(&self, fd: u64, text: &str) -> i64 {
        self.state.ram.put(BUFFER, text.as_bytes());
        self.call(64, &[fd, BUFFER, text.len() as u64])
    }

    /// Reads from a descriptor.
    fn read(&self, fd: u64, len: u64) -> Vec<u8> {
        let read = self.call(63, &[fd, BUFFER, len]);
        self.bytes(BUFFER, read.try_into().unwrap()).to_vec()
    }
}

#[test]
fn a_file_is_written_and_read() {
    let fixture = Fixture::new();
    let fd = fixture.open("f", CREATE | 2).cast_unsigned();
    assert_eq!(fixture.write(fd, "hello world"), 11);
    assert_eq!(fixture.call(62, &[fd, 6, 0]), 6);
    assert_eq!(fixture.read(fd, 100), b"world");
    assert_eq!(fixture.read(fd, 100), b"");
    // Negative offset from the end.
    assert_eq!(fixture.call(62, &[fd, (-4_i64).cast_unsigned(), 2]), 7);
    assert_eq!(fixture.read(fd, 2), b"or");
    // pread and pwrite leave the position.
    assert_eq!(fixture.call(67, &[fd, BUFFER, 5, 0]), 5);
    assert_eq!(fixture.bytes(BUFFER, 5), &b"hello"[..]);
    assert_eq!(fixture.call(68, &[fd, BUFFER, 2, 9]), 2);
    assert_eq!(fixture.read(fd, 9), b"he");
    assert_eq!(fixture.call(46, &[fd, 3]), 0);
    assert_eq!(fixture.call(57, &[fd]), 0);
    assert_eq!(fixture.call(57, &[fd]), EBADF);
    assert_eq!(fs::read(fixture.file("f")).unwrap(), b"hel");
}

#[test]
fn standard_streams_are_open() {
    let services = ChannelServices {
        stdin: InputSource::File("in".to_owned()),
        ..ChannelServices::default()
    };
    let fixture = Fixture::with(services, 0, |_| {});
    fs::write(fixture.file("in"), "typed").unwrap();
    assert_eq!(fixture.read(0, 3), b"typ");
    assert_eq!(fixture.write(1, "out\n"), 4);
    assert_eq!(fixture.text(), "[cpu] out\n");
    assert_eq!(fixture.call(63, &[0, BUFFER, 0]), 0);
    assert_eq!(fixture.call(64, &[99, BUFFER, 0]), EBADF);
    // F_GETFL: read only, write only, each with O_LARGEFILE.
    let flags = [0, 1, 2].map(|fd| fixture.call(25, &[fd, 3, 0]));
    assert_eq!(flags, [0, 1, 1].map(|access| access | 0o100_000));
    assert_eq!(fixture.call(25, &[0, 77, 0]), EINVAL);
}

#[test]
fn text_that_is_lost_is_answered_by_the_next_write() {
    let fixture = Fixture::new();
    let failed = OutputFailed {
        channel: ChannelId(0),
        is_error: false,
        errno: Errno::EPIPE,
    };
    // The first command begins the session.
    assert_eq!(fixture.write(1, "a\n"), 2);
    fixture.try_ask(failed).unwrap();
    assert_eq!(fixture.write(1, "lost\n"), EPIPE);
    assert_eq!(fixture.write(1, "b\n"), 2);
    assert_eq!(fixture.text(), "[cpu] a\n[cpu] b\n");
    // The console has reported the failure.
    assert_eq!(fixture.reports_and_exit(), (vec![], None));
}

#[test]
fn directories_are_made_entered_and_removed() {
    let fixture = Fixture::new();
    let (path, len) = fixture.path("d");
    assert_eq!(fixture.call(34, &[CWD, path, len, 0o755]), 0);
    assert_eq!(fixture.call(17, &[BUFFER, 100]), 2);
    assert_eq!(fixture.bytes(BUFFER, 2), &b"/\0"[..]);
    let (path, _) = fixture.path("d");
    assert_eq!(fixture.call(49, &[path]), 0);
    assert_eq!(fixture.call(17, &[BUFFER, 100]), 3);
    assert_eq!(fixture.bytes(BUFFER, 3), &b"/d\0"[..]);
    assert_eq!(fixture.call(17, &[BUFFER, 2]), -i64::from(Errno::ERANGE.0));
    assert!(fixture.open("g", CREATE | 1) > 2);
    assert!(fixture.file("d/g").exists());
    // From a directory's own descriptor, as 32 bits.
    let (path, _) = fixture.path("..");
    assert_eq!(fixture.call(49, &[path]), 0);
    let directory = fixture.open("d", 0o200_000).cast_unsigned();
    assert_eq!(fixture.open("g", 0), ENOENT);
    let (path, len) = fixture.path("g");
    assert!(fixture.call(56, &[directory, path, len, 0, 0]) > 2);
    assert_eq!(fixture.call(48, &[directory, path, len, 4]), 0);
    assert_eq!(fixture.call(35, &[directory, path, len, 0]), 0);
    assert_eq!(fixture.call(35, &[directory, path, len, 0]), ENOENT);
    assert_eq!(fixture.call(56, &[77, path, len, 0, 0]), EBADF);
    let (path, len) = fixture.path("d");
    let unsigned = u64::from((-100_i32).cast_unsigned());
    assert_eq!(fixture.call(35, &[unsigned, path, len, 0x200]), 0);
    assert!(!fixture.file("d").exists());
}

#[test]
fn files_are_renamed_and_not_linked() {
    let fixture = Fixture::new();
    fs::write(fixture.file("a"), "x").unwrap();
    fixture.state.ram.put(BUFFER, b"b\0");
    let (path, len) = fixture.path("a");
    let link = [CWD, path, len, CWD, BUFFER, 2, 0];
    assert_eq!(fixture.call(37, &link), -i64::from(Errno::EPERM.0));
    assert_eq!(fixture.call(78, &[CWD, path, len, BUFFER, 2]), EINVAL);
    assert_eq!(fixture.call(38, &link[..6]), 0);
    assert_eq!(fixture.call(37, &link), ENOENT);
    assert!(fixture.file("b").exists());
}

#[test]
fn all_forms_of_stat_agree() {
    let fixture = Fixture::new();
    fs::write(fixture.file("a"), "twelve bytes").unwrap();
    let (path, len) = fixture.path("a");
    let size = |result: i64, at: u64| {
        assert_eq!(result, 0);
        fixture.word(BUFFER + at)
    };
    assert_eq!(size(fixture.call(79, &[CWD, path, len, BUFFER, 0]), 48), 12);
    assert_eq!(size(fixture.call(1039, &[path, len, BUFFER]), 48), 12);
    assert_eq!(
        size(fixture.call(291, &[CWD, path, len, 0, 0x7ff, BUFFER]), 40),
        12
    );
    let fd = fixture.open("a", 0).cast_unsigned();
    assert_eq!(size(fixture.call(80, &[fd, BUFFER]), 48), 12);
    let (path, len) = fixture.path("");
    assert_eq!(
        size(fixture.call(79, &[fd, path, len, BUFFER, 0x1000]), 48),
        12
    );
    assert_eq!(fixture.call(79, &[CWD, path, len, BUFFER, 0]), ENOENT);
    assert_eq!(fixture.call(80, &[fd, 0x1000]), EFAULT);
}

#[test]
fn main_gets_the_configured_arguments() {
    let services = ChannelServices {
        arguments: "prog\0one\0".into(),
        ..ChannelServices::default()
    };
    let fixture = Fixture::with(services, 0, |_| {});
    assert_eq!(fixture.call(2011, &[BUFFER, 49]), 0);
    assert_eq!(
        (fixture.word(BUFFER), fixture.word(BUFFER + 8)),
        (2, BUFFER + 40)
    );
    assert_eq!(fixture.bytes(BUFFER + 45, 4), &b"one\0"[..]);
    assert_eq!(
        fixture.call(2011, &[BUFFER, 48]),
        -i64::from(Errno::ENOMEM.0)
    );
}

#[test]
fn an_exit_may_be_a_call() {
    for (word, code) in [(42, 42), (1 << 32, u32::MAX)] {
        let fixture = Fixture::new();
        fixture.put_word(CALL, 93);
        fixture.put_word(CALL + 8, word);
        fixture.command(CALL);
        assert_eq!(fixture.reports_and_exit(), (vec![], Some(code)));
    }
}

#[test]
fn failures_are_reported_with_the_call_and_service_goes_on() {
    let fixture = Fixture::new();
    assert_eq!(fixture.call(9999, &[]), -i64::from(Errno::ENOSYS.0));
    let (reports, _) = fixture.reports_and_exit();
    assert_eq!(reports[0].0, Severity::Error);
    assert!(
        reports[0].1.contains("system call 9999 does not exist"),
        "{reports:?}"
    );
    // A program checks if a file is there.
    assert_eq!(fixture.open("missing", 0), ENOENT);
    let (reports, _) = fixture.reports_and_exit();
    assert_eq!(reports[0].0, Severity::Info);
    assert!(reports[0].1.contains("file `missing`"), "{reports:?}");
    // The words of the call are not mapped, and firmware still gets a response.
    fixture.command(0x10);
    fixture.tick();
    assert!(fixture.response().is_some());
    let (reports, _) = fixture.reports_and_exit();
    assert!(reports[0].1.contains("system call at 0x10"), "{reports:?}");
    // A path without its NUL.
    fixture.state.ram.put(PATH, &[b'a'; 10]);
    assert_eq!(fixture.call(56, &[CWD, PATH, 10, 0, 0]), EINVAL);
    assert_eq!(fixture.call(56, &[CWD, 0, 10, 0, 0]), EFAULT);
    assert!(fixture.open("../outside", 0) < 0);
    assert_eq!(fixture.write(1, "on\n"), 3);
    assert!(
        fixture.status().contains("write(0x1, "),
        "{}",
        fixture.status()
    );
}

/// Each path that getcwd returns leads back to its directory; the root is `/`.
#[test]
fn paths_of_getcwd_lead_back() {
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.file("logs/deep")).unwrap();
    fs::write(fixture.file("logs/f"), "text").unwrap();
    let chdir = |path| {
        let (path, _) = fixture.path(path);
        fixture.call(49, &[path])
    };
    let getcwd = || {
        let len = fixture.call(17, &[BUFFER, 256]).cast_unsigned();
        String::from_utf8(fixture.bytes(BUFFER, len - 1).to_vec()).unwrap()
    };
    for (path, cwd) in [
        ("logs/deep", "/logs/deep"),
        ("/", "/"),
        ("/logs", "/logs"),
        ("deep", "/logs/deep"),
        ("..", "/logs"),
        ("/..", "/"),
    ] {
        assert_eq!(chdir(path), 0, "{path}");
        assert_eq!(getcwd(), cwd, "{path}");
        assert_eq!(chdir(cwd), 0);
        assert_eq!(getcwd(), cwd);
    }
    assert!(fixture.open("/logs/f", 0) > 2);
    assert_eq!(fixture.open("/logs/g", 0), ENOENT);
    // An absolute path of the host that is not below the root does not exist for firmware.
    assert_eq!(fixture.open("/etc/passwd", 0), ENOENT);
}
