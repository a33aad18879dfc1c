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
fn refused(fixture: &Fixture, path: impl AsRef<[u8]>, errno: Errno) {
    for flags in WAYS {
        let opened = fixture.open(&path, flags);
        let path = String::from_utf8_lossy(path.as_ref());
        assert_eq!(opened, Err(errno), "{path}, flags {}", flags.0);
    }
    assert_eq!(
        std::fs::read_to_string(fixture.outside("secret")).unwrap(),
        "secret"
    );
}

#[test]
fn parents_do_not_lead_out() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("dir")).unwrap();
    for path in [
        "../secret",
        "dir/../../secret",
        "./.././secret",
        "..",
        "../root/../secret",
    ] {
        refused(&fixture, path, Errno::EACCES);
    }
}

#[test]
fn parents_inside_are_fine() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("dir")).unwrap();
    fixture.put("f", "text");
    let fd = fixture.open("dir/../f", R).unwrap();
    assert_eq!(fixture.read(fd, 9).unwrap(), "text");
    assert!(fixture.open("./dir/.././f", R).is_ok());
}

#[test]
fn absolute_paths_lead_below_the_root_alone() {
    let fixture = Fixture::new();
    fixture.put("f", "text");
    std::fs::create_dir(fixture.path("dir")).unwrap();
    let (root, outside) = (fixture.path(""), fixture.outside(""));
    let (root, outside) = (root.display(), outside.display());
    for path in ["/", "/etc/passwd", "//", "/.."] {
        refused(&fixture, path, Errno::EACCES);
    }
    for path in [
        "",
        "secret",
        "rootless/f",
        "root/../secret",
        "root/dir/../../secret",
        "absent/f",
    ] {
        refused(&fixture, format!("{outside}/{path}"), Errno::EACCES);
    }
    refused(&fixture, format!("{root}"), Errno::EISDIR);
    refused(&fixture, format!("{root}/absent/f"), Errno::ENOENT);
    for path in ["f", "dir/../f", "../root/f", "./f"] {
        let fd = fixture.open(format!("{root}/{path}"), R).unwrap();
        assert_eq!(fixture.read(fd, 9).unwrap(), "text", "{path}");
    }
    let fd = fixture.open(format!("{root}/dir/new"), W).unwrap();
    fixture.write(fd, "n").unwrap();
    assert_eq!(fixture.content("dir/new"), "n");
}

/// Checks that a name which begins like the root's is compared by components, not as text.
#[test]
fn a_directory_with_the_root_s_name_as_prefix_is_outside() {
    let fixture = Fixture::new();
    // Cutting off the root's name as text would leave a path inside.
    for folder in ["rootx", "root/x", "root.d", "root/.d"] {
        std::fs::create_dir(fixture.outside(folder)).unwrap();
        std::fs::write(fixture.outside(&format!("{folder}/f")), "text").unwrap();
    }
    for folder in ["rootx", "root.d"] {
        let link = format!("to_{folder}");
        symlink(fixture.outside(folder), fixture.path(&link)).unwrap();
        let beside = fixture.outside(folder).display().to_string();
        for path in [&beside, &link] {
            refused(&fixture, path, Errno::EACCES);
            for name in ["f", "new", "absent/f", "../root/../rootx/f"] {
                refused(&fixture, format!("{path}/{name}"), Errno::EACCES);
            }
        }
        assert!(!fixture.outside(&format!("{folder}/new")).exists());
    }
    assert_eq!(fixture.content("x/f"), "text");
    assert!(!fixture.path("x/new").exists());
}

#[test]
fn absolute_links_into_the_root_are_followed() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("dir")).unwrap();
    fixture.put("dir/f", "text");
    symlink(fixture.path("dir"), fixture.path("folder")).unwrap();
    symlink(fixture.path("folder/f"), fixture.path("file")).unwrap();
    symlink("../file", fixture.path("dir/chained")).unwrap();
    symlink(fixture.path(""), fixture.path("top")).unwrap();
    // Another name of the root.
    symlink(fixture.path(""), fixture.outside("alias")).unwrap();
    symlink(fixture.outside("alias/dir/f"), fixture.path("by_alias")).unwrap();
    for path in [
        "folder/f",
        "file",
        "dir/chained",
        "top/file",
        "top/top/dir/../file",
        "by_alias",
    ] {
        let fd = fixture
            .open(path, R)
            .unwrap_or_else(|errno| panic!("{path}: {errno}"));
        assert_eq!(fixture.read(fd, 9).unwrap(), "text", "{path}");
    }
    symlink(fixture.path("dir/new"), fixture.path("dangling")).unwrap();
    assert_eq!(fixture.open("dangling", R), Err(Errno::ENOENT));
    fixture.open("dangling", W).unwrap();
    assert_eq!(fixture.content("dir/new"), "");
    std::fs::remove_file(fixture.outside("alias")).unwrap();
    symlink(fixture.path("loop"), fixture.path("loop")).unwrap();
    refused(&fixture, "loop", Errno::ELOOP);
    for (target, path) in [
        (fixture.path("../secret"), "up"),
        (fixture.path("dir/../../secret"), "further"),
        (fixture.path("relative"), "by_relative"),
    ] {
        symlink(target, fixture.path(path)).unwrap();
    }
    symlink("../secret", fixture.path("relative")).unwrap();
    for path in [
        "up",
        "further",
        "by_relative",
        "top/up",
        "folder/../../secret",
        "top/../secret",
    ] {
        refused(&fixture, path, Errno::EACCES);
    }
}

#[test]
fn links_do_not_lead_out() {
    let fixture = Fixture::new();
    symlink(fixture.outside("secret"), fixture.path("absolute")).unwrap();
    symlink("../secret", fixture.path("relative")).unwrap();
    symlink("relative", fixture.path("chained")).unwrap();
    symlink("../new", fixture.path("dangling")).unwrap();
    symlink(fixture.outside(""), fixture.path("dir")).unwrap();
    symlink("..", fixture.path("up")).unwrap();
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
        refused(&fixture, path, Errno::EACCES);
    }
    assert!(!fixture.outside("new").exists());
}

#[test]
fn links_inside_are_followed() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("dir")).unwrap();
    fixture.put("dir/f", "text");
    symlink("dir", fixture.path("link")).unwrap();
    symlink("link/f", fixture.path("file")).unwrap();
    for path in ["link/f", "file", "link/../file"] {
        let fd = fixture.open(path, R).unwrap();
        assert_eq!(fixture.read(fd, 9).unwrap(), "text", "{path}");
    }
    symlink("dir/new", fixture.path("dangling")).unwrap();
    assert!(fixture.open("dangling", W).is_ok());
    assert_eq!(fixture.content("dir/new"), "");
    symlink("loop", fixture.path("loop")).unwrap();
    refused(&fixture, "loop", Errno::ELOOP);
}

#[test]
fn directories_are_no_files() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("dir")).unwrap();
    fixture.put("f", "text");
    for path in ["dir", "dir/", ".", "dir/.."] {
        refused(&fixture, path, Errno::EISDIR);
    }
    refused(&fixture, "f/x", Errno::ENOTDIR);
    refused(&fixture, "absent/x", Errno::ENOENT);
    assert_eq!(fixture.content("f"), "text");
}

/// Checks that a trailing slash means a directory, in relative and absolute paths.
#[test]
fn a_path_with_a_slash_at_its_end_opens_no_file() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("dir")).unwrap();
    fixture.put("f", "text");
    symlink("f", fixture.path("link")).unwrap();
    let root = fixture.path("").display().to_string();
    for start in ["", &root, &format!("{root}../root/")] {
        for (path, errno) in [
            ("dir/", Errno::EISDIR),
            ("f/", Errno::ENOTDIR),
            ("link//", Errno::ENOTDIR),
            ("f/x/", Errno::ENOTDIR),
        ] {
            refused(&fixture, format!("{start}{path}"), errno);
        }
        assert_eq!(fixture.open(format!("{start}new/"), R), Err(Errno::ENOENT));
        for flags in [W, RW, APPEND, TRUNCATE] {
            assert_eq!(
                fixture.open(format!("{start}new/"), flags),
                Err(Errno::EISDIR)
            );
        }
        assert!(!fixture.path("new").exists());
    }
    refused(&fixture, "../secret/", Errno::EACCES);
    refused(
        &fixture,
        format!("{}/", fixture.outside("secret").display()),
        Errno::EACCES,
    );
    assert_eq!(fixture.content("f"), "text");
}

#[test]
fn paths_that_are_no_paths() {
    let fixture = Fixture::new();
    refused(&fixture, "", Errno::ENOENT);
    refused(&fixture, b"a\0b", Errno::EINVAL);
    refused(&fixture, b"\xff\xfe", Errno::EINVAL);
    refused(&fixture, "x".repeat(256), Errno::ENAMETOOLONG);
    refused(&fixture, "x/".repeat(4096), Errno::ENAMETOOLONG);
}

#[test]
fn files_that_could_block_are_refused() {
    let fixture = Fixture::new();
    let made = Command::new("mkfifo")
        .arg(fixture.path("fifo"))
        .status()
        .unwrap();
    assert!(made.success());
    refused(&fixture, "fifo", Errno::EACCES);
    let _listener = UnixListener::bind(fixture.path("socket")).unwrap();
    refused(&fixture, "socket", Errno::EACCES);
}

#[test]
fn without_a_root_there_are_only_special_files() {
    let fixture = Fixture::without_root();
    refused(&fixture, "f", Errno::EACCES);
    assert_eq!(fixture.open("virtual/uart", R), Ok(10));
}

/// A failing operation and its reason.
type Refused<'a> = (&'a dyn Fn() -> Result<(), Errno>, String);

/// Checks that a reason is returned once, to the channel of the operation.
#[test]
fn a_refusal_has_its_reason() {
    let fixture = Fixture::new();
    fixture.put("f", "text");
    symlink("../secret", fixture.path("link")).unwrap();
    let root = fixture.path("");
    let out = format!(
        "the path, or a symbolic link in it, leads out of the root {}",
        root.display()
    );
    for path in ["../secret", "link", "/etc/passwd"] {
        assert_eq!(fixture.open(path, R), Err(Errno::EACCES));
        assert_eq!(fixture.explain(A), Some(out.clone()), "{path}");
        assert_eq!(fixture.explain(A), None);
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
        fixture.open(path, *flags).unwrap_err();
        assert_eq!(fixture.explain(A).as_deref(), *reason, "{path}");
    }
    let _listener = UnixListener::bind(fixture.path("socket")).unwrap();
    fixture.open("socket", R).unwrap_err();
    let special = "it is a FIFO, a socket or a device, and only regular files are opened";
    assert_eq!(fixture.explain(A).unwrap(), special);

    let (reads, writes) = (fixture.open("f", R).unwrap(), fixture.open("f", W).unwrap());
    fixture.close(writes).unwrap();
    let writes = fixture.open("f", W).unwrap();
    let refused: [Refused<'_>; 5] = [
        (
            &|| fixture.write(reads, "x").map(drop),
            "the file was opened for reading only".to_owned(),
        ),
        (
            &|| fixture.read(writes, 1).map(drop),
            "the file was opened for writing only".to_owned(),
        ),
        (
            &|| fixture.seek(writes - 1, 0).map(drop),
            format!("descriptor {} is closed", writes - 1),
        ),
        (
            &|| fixture.close(99),
            "descriptor 99 was never opened".to_owned(),
        ),
        (
            &|| fixture.close(1),
            "descriptor 1 was never opened: those of files start at 10".to_owned(),
        ),
    ];
    for (operation, reason) in refused {
        assert_eq!(operation(), Err(Errno::EBADF));
        assert_eq!(fixture.explain(B), None);
        assert_eq!(fixture.explain(A), Some(reason));
    }
    // Errors of the operating system and the host program name the file.
    let special = fixture.open("virtual/uart", W).unwrap();
    assert_eq!(fixture.write(special, ""), Err(Errno::EPIPE));
    assert_eq!(fixture.explain(A).unwrap(), "file `virtual/uart`");
    fixture.seek(writes, i64::MAX as u64).unwrap();
    assert_eq!(fixture.write(writes, "x"), Err(Errno::EINVAL));
    assert_eq!(fixture.explain(A).unwrap(), "file `f`");
    // Another operation does not return the reason.
    fixture.read(writes, 1).unwrap_err();
    fixture.open("absent", R).unwrap_err();
    assert_eq!(fixture.explain(A), None);

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
        let fixture = Fixture::new();
        symlink("..", fixture.path("out")).unwrap();
        symlink(fixture.path("a"), fixture.path("in")).unwrap();
        symlink(fixture.outside("root"), fixture.path("back")).unwrap();
        symlink("root", fixture.outside("alias")).unwrap();
        let outside = fixture.outside("").display().to_string();
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
                    let opened = fixture.try_ask(Open { channel, path, flags }).unwrap();
                    prop_assert!(opened.is_err() || opened.is_ok_and(|fd| fd >= 10));
                }
                Step::Close(fd) => {
                    let _ = fixture.try_ask(Close { channel, fd }).unwrap();
                }
                Step::Read(fd, len) => {
                    let read = fixture.try_ask(Read { channel, fd, len }).unwrap();
                    prop_assert!(read.is_err() || read.is_ok_and(|bytes| bytes.len() as u64 <= len));
                }
                Step::Write(fd, data) => {
                    let data = Bytes::from(data);
                    let _ = fixture.try_ask(Write { channel, fd, data }).unwrap();
                }
                Step::Seek(fd, position) => {
                    let _ = fixture.try_ask(Seek { channel, fd, position }).unwrap();
                }
            }
        }
        let outside = std::fs::read_dir(fixture.outside("")).unwrap().count();
        prop_assert_eq!(outside, 3, "the root, its alias and the secret");
        prop_assert_eq!(std::fs::read_to_string(fixture.outside("secret")).unwrap(), "secret");
    }
}
