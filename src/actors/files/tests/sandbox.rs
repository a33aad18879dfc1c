//! Paths inside of the root are found, and all others rejected.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};
use proptest::prelude::*;

use super::fixture::*;
use crate::messages::files::{Close, Open, Read, Seek, Write};

const WAYS: [OpenFlags; 5] = [R, W, RW, APPEND, TRUNCATE];

/// Asserts that no flags open this path, and that files outside stay unchanged.
#[track_caller]
fn refused(bench: &Fixture, path: impl AsRef<[u8]>, errno: Errno) {
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
    let bench = Fixture::new();
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
    let bench = Fixture::new();
    std::fs::create_dir(bench.path("dir")).unwrap();
    bench.put("f", "text");
    let fd = bench.open("dir/../f", R).unwrap();
    assert_eq!(bench.read(fd, 9).unwrap(), "text");
    assert!(bench.open("./dir/.././f", R).is_ok());
}

#[test]
fn absolute_paths_lead_below_the_root_alone() {
    let bench = Fixture::new();
    bench.put("f", "text");
    std::fs::create_dir(bench.path("dir")).unwrap();
    let (root, outside) = (bench.path(""), bench.outside(""));
    let (root, outside) = (root.display(), outside.display());
    for path in ["/", "/etc/passwd", "//", "/.."] {
        refused(&bench, path, Errno::EACCES);
    }
    for path in [
        "",
        "secret",
        "rootless/f",
        "root/../secret",
        "root/dir/../../secret",
        "absent/f",
    ] {
        refused(&bench, format!("{outside}/{path}"), Errno::EACCES);
    }
    refused(&bench, format!("{root}"), Errno::EISDIR);
    refused(&bench, format!("{root}/absent/f"), Errno::ENOENT);
    for path in ["f", "dir/../f", "../root/f", "./f"] {
        let fd = bench.open(format!("{root}/{path}"), R).unwrap();
        assert_eq!(bench.read(fd, 9).unwrap(), "text", "{path}");
    }
    let fd = bench.open(format!("{root}/dir/new"), W).unwrap();
    bench.write(fd, "n").unwrap();
    assert_eq!(bench.content("dir/new"), "n");
}

/// Checks that a name which begins like the root's is compared by components, not as text.
#[test]
fn a_directory_with_the_root_s_name_as_prefix_is_outside() {
    let bench = Fixture::new();
    // Cutting off the root's name as text would leave a path inside.
    for folder in ["rootx", "root/x", "root.d", "root/.d"] {
        std::fs::create_dir(bench.outside(folder)).unwrap();
        std::fs::write(bench.outside(&format!("{folder}/f")), "text").unwrap();
    }
    for folder in ["rootx", "root.d"] {
        let link = format!("to_{folder}");
        symlink(bench.outside(folder), bench.path(&link)).unwrap();
        let beside = bench.outside(folder).display().to_string();
        for path in [&beside, &link] {
            refused(&bench, path, Errno::EACCES);
            for name in ["f", "new", "absent/f", "../root/../rootx/f"] {
                refused(&bench, format!("{path}/{name}"), Errno::EACCES);
            }
        }
        assert!(!bench.outside(&format!("{folder}/new")).exists());
    }
    assert_eq!(bench.content("x/f"), "text");
    assert!(!bench.path("x/new").exists());
}

#[test]
fn absolute_links_into_the_root_are_followed() {
    let bench = Fixture::new();
    std::fs::create_dir(bench.path("dir")).unwrap();
    bench.put("dir/f", "text");
    symlink(bench.path("dir"), bench.path("folder")).unwrap();
    symlink(bench.path("folder/f"), bench.path("file")).unwrap();
    symlink("../file", bench.path("dir/chained")).unwrap();
    symlink(bench.path(""), bench.path("top")).unwrap();
    // Another name of the root.
    symlink(bench.path(""), bench.outside("alias")).unwrap();
    symlink(bench.outside("alias/dir/f"), bench.path("by_alias")).unwrap();
    for path in [
        "folder/f",
        "file",
        "dir/chained",
        "top/file",
        "top/top/dir/../file",
        "by_alias",
    ] {
        let fd = bench
            .open(path, R)
            .unwrap_or_else(|errno| panic!("{path}: {errno}"));
        assert_eq!(bench.read(fd, 9).unwrap(), "text", "{path}");
    }
    symlink(bench.path("dir/new"), bench.path("dangling")).unwrap();
    assert_eq!(bench.open("dangling", R), Err(Errno::ENOENT));
    bench.open("dangling", W).unwrap();
    assert_eq!(bench.content("dir/new"), "");
    std::fs::remove_file(bench.outside("alias")).unwrap();
    symlink(bench.path("loop"), bench.path("loop")).unwrap();
    refused(&bench, "loop", Errno::ELOOP);
    for (target, path) in [
        (bench.path("../secret"), "up"),
        (bench.path("dir/../../secret"), "further"),
        (bench.path("relative"), "by_relative"),
    ] {
        symlink(target, bench.path(path)).unwrap();
    }
    symlink("../secret", bench.path("relative")).unwrap();
    for path in [
        "up",
        "further",
        "by_relative",
        "top/up",
        "folder/../../secret",
        "top/../secret",
    ] {
        refused(&bench, path, Errno::EACCES);
    }
}

#[test]
fn links_do_not_lead_out() {
    let bench = Fixture::new();
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
    let bench = Fixture::new();
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
    let bench = Fixture::new();
    std::fs::create_dir(bench.path("dir")).unwrap();
    bench.put("f", "text");
    for path in ["dir", "dir/", ".", "dir/.."] {
        refused(&bench, path, Errno::EISDIR);
    }
    refused(&bench, "f/x", Errno::ENOTDIR);
    refused(&bench, "absent/x", Errno::ENOENT);
    assert_eq!(bench.content("f"), "text");
}

/// Checks that a trailing slash means a directory, in relative and absolute paths.
#[test]
fn a_path_with_a_slash_at_its_end_opens_no_file() {
    let bench = Fixture::new();
    std::fs::create_dir(bench.path("dir")).unwrap();
    bench.put("f", "text");
    symlink("f", bench.path("link")).unwrap();
    let root = bench.path("").display().to_string();
    for start in ["", &root, &format!("{root}../root/")] {
        for (path, errno) in [
            ("dir/", Errno::EISDIR),
            ("f/", Errno::ENOTDIR),
            ("link//", Errno::ENOTDIR),
            ("f/x/", Errno::ENOTDIR),
        ] {
            refused(&bench, format!("{start}{path}"), errno);
        }
        assert_eq!(bench.open(format!("{start}new/"), R), Err(Errno::ENOENT));
        for flags in [W, RW, APPEND, TRUNCATE] {
            assert_eq!(
                bench.open(format!("{start}new/"), flags),
                Err(Errno::EISDIR)
            );
        }
        assert!(!bench.path("new").exists());
    }
    refused(&bench, "../secret/", Errno::EACCES);
    refused(
        &bench,
        format!("{}/", bench.outside("secret").display()),
        Errno::EACCES,
    );
    assert_eq!(bench.content("f"), "text");
}

#[test]
fn paths_that_are_no_paths() {
    let bench = Fixture::new();
    refused(&bench, "", Errno::ENOENT);
    refused(&bench, b"a\0b", Errno::EINVAL);
    refused(&bench, b"\xff\xfe", Errno::EINVAL);
    refused(&bench, "x".repeat(256), Errno::ENAMETOOLONG);
    refused(&bench, "x/".repeat(4096), Errno::ENAMETOOLONG);
}

#[test]
fn files_that_could_block_are_refused() {
    let bench = Fixture::new();
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
    let bench = Fixture::without_root();
    refused(&bench, "f", Errno::EACCES);
    assert_eq!(bench.open("virtual/uart", R), Ok(10));
}

/// A failing operation and its reason.
type Refused<'a> = (&'a dyn Fn() -> Result<(), Errno>, String);

/// Checks that a reason is returned once, to the channel of the operation.
#[test]
fn a_refusal_has_its_reason() {
    let bench = Fixture::new();
    bench.put("f", "text");
    symlink("../secret", bench.path("link")).unwrap();
    let root = bench.path("");
    let out = format!(
        "the path, or a symbolic link in it, leads out of the root {}",
        root.display()
    );
    for path in ["../secret", "link", "/etc/passwd"] {
        assert_eq!(bench.open(path, R), Err(Errno::EACCES));
        assert_eq!(bench.explain(A), Some(out.clone()), "{path}");
        assert_eq!(bench.explain(A), None);
    }
    let reasons: &[(&str, OpenFlags, Option<&str>)] = &[
        ("../a.sock", R, Some("the path leads out of the root")),
        (
            "f",
            OpenFlags(0),
            Some("the flags select neither reading nor writing"),
        ),
        ("", R, Some("the path is empty")),
        ("absent", R, None),
    ];
    for (path, flags, reason) in reasons {
        bench.open(path, *flags).unwrap_err();
        assert_eq!(bench.explain(A).as_deref(), *reason, "{path}");
    }
    let _listener = UnixListener::bind(bench.path("socket")).unwrap();
    bench.open("socket", R).unwrap_err();
    let special = "it is a FIFO, a socket or a device, and only regular files are opened";
    assert_eq!(bench.explain(A).unwrap(), special);

    let (reads, writes) = (bench.open("f", R).unwrap(), bench.open("f", W).unwrap());
    bench.close(writes).unwrap();
    let writes = bench.open("f", W).unwrap();
    let refused: [Refused<'_>; 5] = [
        (
            &|| bench.write(reads, "x").map(drop),
            "the file was opened for reading only".to_owned(),
        ),
        (
            &|| bench.read(writes, 1).map(drop),
            "the file was opened for writing only".to_owned(),
        ),
        (
            &|| bench.seek(writes - 1, 0).map(drop),
            format!("descriptor {} is closed", writes - 1),
        ),
        (
            &|| bench.close(99),
            "descriptor 99 was never opened".to_owned(),
        ),
        (
            &|| bench.close(1),
            "descriptor 1 was never opened: those of files start at 10".to_owned(),
        ),
    ];
    for (operation, reason) in refused {
        assert_eq!(operation(), Err(Errno::EBADF));
        assert_eq!(bench.explain(B), None);
        assert_eq!(bench.explain(A), Some(reason));
    }
    // Errors of the operating system and the host program name the file.
    let special = bench.open("virtual/uart", W).unwrap();
    assert_eq!(bench.write(special, ""), Err(Errno::EPIPE));
    assert_eq!(bench.explain(A).unwrap(), "file `virtual/uart`");
    bench.seek(writes, i64::MAX as u64).unwrap();
    assert_eq!(bench.write(writes, "x"), Err(Errno::EINVAL));
    assert_eq!(bench.explain(A).unwrap(), "file `f`");
    // Another operation does not return the reason.
    bench.read(writes, 1).unwrap_err();
    bench.open("absent", R).unwrap_err();
    assert_eq!(bench.explain(A), None);

    let without = Fixture::without_root();
    without.open("f", R).unwrap_err();
    assert!(without.explain(A).unwrap().contains("MAILBOX_FS_ROOT"));
}

/// One request, as faulty firmware may send it.
#[derive(Debug, Clone)]
enum Step {
    Open(Vec<u8>, u32),
    Close(u64),
    Read(u64, u64),
    Write(u64, Vec<u8>),
    Seek(u64, u64),
}

fn steps() -> impl Strategy<Value = Step> {
    let part = prop::sample::select(
        &[
            "..", ".", "a", "b.sock", "virtual", "uart", "out", "in", "back", "", "\0",
        ][..],
    );
    // `@` stands for the directory around the root.
    let start = prop::sample::select(&["", "", "", "/", "@/", "@/root/", "@/alias/"][..]);
    let path = prop_oneof![
        8 => (start, prop::collection::vec(part, 1..6)).prop_map(|(start, parts)| format!("{start}{}", parts.join("/")).into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    let fd = || prop_oneof![8 => 9..14_u64, 1 => any::<u64>()];
    // A seek far behind the end at most makes a sparse file.
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
    fn every_request_is_answered_and_stays_inside(
        steps in prop::collection::vec(steps(), 0..60),
    ) {
        let bench = Fixture::new();
        symlink("..", bench.path("out")).unwrap();
        symlink(bench.path("a"), bench.path("in")).unwrap();
        symlink(bench.outside("root"), bench.path("back")).unwrap();
        symlink("root", bench.outside("alias")).unwrap();
        let outside = bench.outside("").display().to_string();
        for step in steps {
            let channel = A;
            match step {
                Step::Open(path, flags) => {
                    let path = match path.strip_prefix(b"@/") {
                        Some(behind) => [outside.as_bytes(), behind].concat(),
                        None => path,
                    };
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
        prop_assert_eq!(outside, 3, "the root, its alias and the secret");
        prop_assert_eq!(std::fs::read_to_string(bench.outside("secret")).unwrap(), "secret");
    }
}
