//! What paths reach, and what they don't.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};
use proptest::prelude::*;

use super::bench::*;
use crate::messages::files::{Close, Open, Read, Seek, Write};

const WAYS: [OpenFlags; 5] = [R, W, RW, APPEND, TRUNCATE];

/// No way of opening leads there, and what is outside stays as it is.
#[track_caller]
fn refused(bench: &Bench, path: impl AsRef<[u8]>, errno: Errno) {
    for flags in WAYS {
        let opened = bench.open(&path, flags);
        let path = String::from_utf8_lossy(path.as_ref());
        assert_eq!(opened, Err(errno), "{path}, flags {}", flags.0);
    }
    assert_eq!(
        std::fs::read_to_string(bench.outside("secret")).unwrap(),
        "secret"
    );
}

#[test]
fn parents_do_not_lead_out() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("dir")).unwrap();
    for path in [
        "../secret",
        "dir/../../secret",
        "./.././secret",
        "..",
        "../root/../secret",
    ] {
        refused(&bench, path, Errno::EACCES);
    }
}

#[test]
fn parents_inside_are_fine() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("dir")).unwrap();
    bench.put("f", "text");
    let fd = bench.open("dir/../f", R).unwrap();
    assert_eq!(bench.read(fd, 9).unwrap(), "text");
    assert!(bench.open("./dir/.././f", R).is_ok());
}

#[test]
fn absolute_paths_are_refused() {
    let bench = Bench::new();
    bench.put("f", "text");
    let inside = bench.path("f");
    for path in ["/", "/etc/passwd", "//", "/..", inside.to_str().unwrap()] {
        refused(&bench, path, Errno::EACCES);
    }
}

#[test]
fn links_do_not_lead_out() {
    let bench = Bench::new();
    symlink(bench.outside("secret"), bench.path("absolute")).unwrap();
    symlink("../secret", bench.path("relative")).unwrap();
    symlink("relative", bench.path("chained")).unwrap();
    symlink("../new", bench.path("dangling")).unwrap();
    symlink(bench.outside(""), bench.path("dir")).unwrap();
    symlink("..", bench.path("up")).unwrap();
    let paths = [
        "absolute",
        "relative",
        "chained",
        "dangling",
        "dir/secret",
        "up/secret",
        "up",
    ];
    for path in paths {
        refused(&bench, path, Errno::EACCES);
    }
    assert!(!bench.outside("new").exists());
}

#[test]
fn links_inside_are_followed() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("dir")).unwrap();
    bench.put("dir/f", "text");
    symlink("dir", bench.path("link")).unwrap();
    symlink("link/f", bench.path("file")).unwrap();
    for path in ["link/f", "file", "link/../file"] {
        let fd = bench.open(path, R).unwrap();
        assert_eq!(bench.read(fd, 9).unwrap(), "text", "{path}");
    }
    symlink("dir/new", bench.path("dangling")).unwrap();
    assert!(bench.open("dangling", W).is_ok());
    assert_eq!(bench.content("dir/new"), "");
    symlink("loop", bench.path("loop")).unwrap();
    refused(&bench, "loop", Errno::ELOOP);
}

#[test]
fn directories_are_no_files() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("dir")).unwrap();
    bench.put("f", "text");
    for path in ["dir", "dir/", ".", "dir/.."] {
        refused(&bench, path, Errno::EISDIR);
    }
    refused(&bench, "f/x", Errno::ENOTDIR);
    refused(&bench, "absent/x", Errno::ENOENT);
    assert_eq!(bench.content("f"), "text");
}

#[test]
fn paths_that_are_no_paths() {
    let bench = Bench::new();
    refused(&bench, "", Errno::ENOENT);
    refused(&bench, b"a\0b", Errno::EINVAL);
    refused(&bench, b"\xff\xfe", Errno::EINVAL);
    refused(&bench, "x".repeat(256), Errno::ENAMETOOLONG);
    refused(&bench, "x/".repeat(4096), Errno::ENAMETOOLONG);
}

#[test]
fn what_could_block_is_refused() {
    let bench = Bench::new();
    let made = Command::new("mkfifo")
        .arg(bench.path("fifo"))
        .status()
        .unwrap();
    assert!(made.success());
    refused(&bench, "fifo", Errno::EACCES);
    let _listener = UnixListener::bind(bench.path("socket")).unwrap();
    refused(&bench, "socket", Errno::EACCES);
}

#[test]
fn without_a_root_there_are_only_special_files() {
    let bench = Bench::without_root();
    refused(&bench, "f", Errno::EACCES);
    assert_eq!(bench.open("virtual/uart", R), Ok(10));
}

/// One request, as firmware that lost its way may make it.
#[derive(Debug, Clone)]
enum Step {
    Open(Vec<u8>, u32),
    Close(u64),
    Read(u64, u64),
    Write(u64, Vec<u8>),
    Seek(u64, u64),
}

fn steps() -> impl Strategy<Value = Step> {
    let part =
        prop::sample::select(&["..", ".", "a", "b.sock", "virtual", "uart", "out", "", "\0"][..]);
    let path = prop_oneof![
        8 => prop::collection::vec(part, 1..6).prop_map(|parts| parts.join("/").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    let fd = || prop_oneof![8 => 9..14_u64, 1 => any::<u64>()];
    // A seek far out makes a sparse file at most.
    let number = || prop_oneof![0..100_u64, any::<u64>()];
    prop_oneof![
        3 => (path, 0..20_u32).prop_map(|(path, flags)| Step::Open(path, flags)),
        1 => fd().prop_map(Step::Close),
        2 => (fd(), number()).prop_map(|(fd, len)| Step::Read(fd, len)),
        2 => (fd(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(fd, data)| Step::Write(fd, data)),
        2 => (fd(), number()).prop_map(|(fd, position)| Step::Seek(fd, position)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn whatever_firmware_asks_is_answered_and_stays_inside(
        steps in prop::collection::vec(steps(), 0..60),
    ) {
        let bench = Bench::new();
        symlink("..", bench.path("out")).unwrap();
        for step in steps {
            let channel = A;
            match step {
                Step::Open(path, flags) => {
                    let path = Bytes::from(path);
                    let flags = OpenFlags(flags);
                    let opened = bench.try_ask(Open { channel, path, flags }).unwrap();
                    prop_assert!(opened.is_err() || opened.is_ok_and(|fd| fd >= 10));
                }
                Step::Close(fd) => {
                    let _ = bench.try_ask(Close { channel, fd }).unwrap();
                }
                Step::Read(fd, len) => {
                    let read = bench.try_ask(Read { channel, fd, len }).unwrap();
                    prop_assert!(read.is_err() || read.is_ok_and(|bytes| bytes.len() as u64 <= len));
                }
                Step::Write(fd, data) => {
                    let data = Bytes::from(data);
                    let _ = bench.try_ask(Write { channel, fd, data }).unwrap();
                }
                Step::Seek(fd, position) => {
                    let _ = bench.try_ask(Seek { channel, fd, position }).unwrap();
                }
            }
        }
        let outside = std::fs::read_dir(bench.outside("")).unwrap().count();
        prop_assert_eq!(outside, 2, "the root and the secret");
        prop_assert_eq!(std::fs::read_to_string(bench.outside("secret")).unwrap(), "secret");
    }
}
