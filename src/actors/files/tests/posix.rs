//! Files as in POSIX.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use bytes::Bytes;
use mailbox_rs::{AccessMode, Errno, FileType, PosixFlags, Whence};
use proptest::prelude::*;

use super::fixture::*;
use crate::messages::files::PathAction;

const RO: PosixFlags = PosixFlags::READ_ONLY;
const WO: PosixFlags = PosixFlags::WRITE_ONLY;
const RW: PosixFlags = PosixFlags::READ_WRITE;

fn creating(flags: PosixFlags) -> PosixFlags {
    flags | PosixFlags::CREATE
}

fn rename(to: &str) -> PathAction {
    PathAction::Rename {
        to: Bytes::copy_from_slice(to.as_bytes()),
    }
}

#[test]
fn every_sum_of_posix_flags_opens_as_on_linux() {
    const BITS: [PosixFlags; 4] = [
        PosixFlags::CREATE,
        PosixFlags::EXCLUSIVE,
        PosixFlags::TRUNCATE,
        PosixFlags::APPEND,
    ];
    for mode in [RO, WO, RW] {
        for sum in 0..1 << BITS.len() {
            let set = (0..BITS.len()).filter(|bit| sum >> bit & 1 == 1);
            let flags = set.fold(mode, |flags, bit| flags | BITS[bit]);
            let creates = flags.has(PosixFlags::CREATE);
            let fixture = Fixture::new();
            fixture.put("there", "text");

            let opened = fixture.posix_open("new", flags);
            assert_eq!(opened.is_ok(), creates, "{flags:?}");
            assert_eq!(fixture.path("new").exists(), creates, "{flags:?}");

            let opened = fixture.posix_open("there", flags);
            if creates && flags.has(PosixFlags::EXCLUSIVE) {
                assert_eq!(opened, Err(Errno::EEXIST), "{flags:?}");
                continue;
            }
            let fd = opened.unwrap();
            let truncated = mode != RO && flags.has(PosixFlags::TRUNCATE);
            let left = if truncated { "" } else { "text" };
            assert_eq!(fixture.content("there"), left, "{flags:?}");
            let read = fixture.read(fd, 9);
            match mode {
                WO => assert_eq!(read, Err(Errno::EBADF)),
                _ => assert_eq!(read.unwrap(), left),
            }
            fixture.lseek(fd, 0, Whence::Set).unwrap();
            let written = fixture.write_some(fd, "X");
            let content = fixture.content("there");
            match (mode, truncated, flags.has(PosixFlags::APPEND)) {
                (RO, ..) => assert_eq!(written, Err(Errno::EBADF)),
                (_, true, _) => assert_eq!(content, "X"),
                (_, false, false) => assert_eq!(content, "Xext"),
                (_, false, true) => assert_eq!(content, "textX"),
            }
        }
    }
    let fixture = Fixture::new();
    fixture.put("there", "text");
    assert_eq!(
        fixture.posix_open("there", PosixFlags(3)),
        Err(Errno::EINVAL)
    );
    // Other bits are ignored.
    assert!(fixture.posix_open("there", PosixFlags(1 << 31)).is_ok());
}

#[test]
fn created_files_have_the_permissions_of_the_mode() {
    let fixture = Fixture::new();
    fixture.posix_open("new", creating(WO)).unwrap();
    let mode = std::fs::metadata(fixture.path("new"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o133, 0);
    fixture
        .act("sub", PathAction::MakeDirectory { mode: 0o7700 })
        .unwrap();
    let mode = std::fs::metadata(fixture.path("sub"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o7777, 0o700);
}

#[test]
fn positions_move_from_the_start_the_position_and_the_end() {
    let fixture = Fixture::new();
    fixture.put("f", "0123456789");
    let fd = fixture.posix_open("f", RW).unwrap();
    assert_eq!(fixture.lseek(fd, -3, Whence::End), Ok(7));
    assert_eq!(fixture.read(fd, 2).unwrap(), "78");
    assert_eq!(fixture.lseek(fd, -4, Whence::Current), Ok(5));
    assert_eq!(fixture.lseek(fd, -6, Whence::Current), Err(Errno::EINVAL));
    assert_eq!(fixture.lseek(fd, 0, Whence::Current), Ok(5));
    assert_eq!(fixture.lseek(fd, -1, Whence::Set), Err(Errno::EINVAL));
    assert_eq!(fixture.lseek(fd, 0, Whence::Other(3)), Err(Errno::EINVAL));
    assert_eq!(
        fixture.lseek(fd, i64::MAX, Whence::Set),
        Ok(i64::MAX as u64)
    );
    assert_eq!(fixture.lseek(fd, 1, Whence::Current), Err(Errno::EOVERFLOW));
    // Behind the end of 4 GiB, a hole appears.
    assert_eq!(fixture.lseek(fd, 1 << 32, Whence::End), Ok((1 << 32) + 10));
    assert_eq!(fixture.write_some(fd, "x"), Ok(1));
    assert_eq!(fixture.fstat(fd).unwrap().size, (1 << 32) + 11);
    assert_eq!(fixture.lseek(99, 0, Whence::Set), Err(Errno::EBADF));
}

#[test]
fn a_status_has_the_numbers_of_the_file() {
    use std::os::unix::fs::MetadataExt as _;

    let fixture = Fixture::new();
    fixture.put("f", "text");
    let fd = fixture.posix_open("f", RO).unwrap();
    let status = fixture.stat("f").unwrap();
    assert_eq!(fixture.fstat(fd), Ok(status));
    let metadata = std::fs::metadata(fixture.path("f")).unwrap();
    assert_eq!((status.size, status.links), (4, 1));
    assert_eq!(
        (status.mode, status.inode),
        (metadata.mode(), metadata.ino())
    );
    assert_eq!(status.modified.seconds, metadata.mtime());
    assert_eq!(status.file_type(), FileType::Regular);
    assert_eq!(fixture.stat(".").unwrap().file_type(), FileType::Directory);
    assert_eq!(fixture.stat("absent"), Err(Errno::ENOENT));
    assert_eq!(fixture.stat("f/x"), Err(Errno::ENOTDIR));
    assert_eq!(fixture.fstat(9), Err(Errno::EBADF));
}

#[test]
fn files_are_removed_renamed_and_cut() {
    let fixture = Fixture::new();
    fixture.put("f", "text");
    fixture.put("g", "other");
    let fd = fixture.posix_open("f", RW).unwrap();
    fixture.act("f", rename("g")).unwrap();
    assert_eq!(fixture.content("g"), "text");
    // The descriptor still refers to the same file.
    fixture.truncate(fd, 2).unwrap();
    assert_eq!(fixture.content("g"), "te");
    fixture.truncate(fd, 1 << 33).unwrap();
    assert_eq!(fixture.stat("g").unwrap().size, 1 << 33);
    assert_eq!(fixture.truncate(fd, 1 << 63), Err(Errno::EINVAL));
    fixture.sync(fd).unwrap();
    fixture.act("g", PathAction::Unlink).unwrap();
    assert_eq!(fixture.fstat(fd).unwrap().links, 0);
    assert_eq!(fixture.act("g", PathAction::Unlink), Err(Errno::ENOENT));
    fixture.put("r", "");
    let read = fixture.posix_open("r", RO).unwrap();
    assert_eq!(fixture.truncate(read, 0), Err(Errno::EINVAL));
    assert_eq!(fixture.truncate(99, 0), Err(Errno::EBADF));
    fixture.sync(read).unwrap();
    assert_eq!(fixture.sync(99), Err(Errno::EBADF));
}

#[test]
fn no_operation_leads_out_of_the_root() {
    let fixture = Fixture::new();
    let secret = fixture.outside("secret");
    symlink(&secret, fixture.path("absolute")).unwrap();
    symlink("../secret", fixture.path("relative")).unwrap();
    symlink("..", fixture.path("up")).unwrap();
    let secret_path = secret.to_str().unwrap().to_owned();
    for path in [
        "absolute",
        "relative",
        "up/secret",
        "../secret",
        &secret_path,
    ] {
        assert_eq!(fixture.posix_open(path, RO), Err(Errno::EACCES), "{path}");
        assert_eq!(
            fixture.posix_open(path, creating(RW)),
            Err(Errno::EACCES),
            "{path}"
        );
        assert_eq!(fixture.stat(path), Err(Errno::EACCES), "{path}");
        let access = PathAction::Access(AccessMode::READ);
        assert_eq!(fixture.act(path, access), Err(Errno::EACCES), "{path}");
    }
    for path in ["up/secret", "../secret", &secret_path] {
        for action in [
            PathAction::Unlink,
            PathAction::RemoveDirectory,
            PathAction::MakeDirectory { mode: 0o755 },
            rename("inside"),
        ] {
            assert_eq!(
                fixture.act(path, action.clone()),
                Err(Errno::EACCES),
                "{path} {action:?}"
            );
        }
        fixture.put("f", "inside");
        assert_eq!(fixture.act("f", rename(path)), Err(Errno::EACCES), "{path}");
    }
    // A link itself is in the root: it is removed, and its target stays.
    fixture.act("absolute", PathAction::Unlink).unwrap();
    fixture.act("relative", rename("moved")).unwrap();
    assert!(fixture.path("moved").is_symlink());
    assert_eq!(std::fs::read_to_string(secret).unwrap(), "secret");
}

#[test]
fn absolute_paths_and_links_into_the_root_are_followed() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("sub")).unwrap();
    fixture.put("sub/f", "text");
    symlink(fixture.path("sub"), fixture.path("link")).unwrap();
    symlink(fixture.path("sub/f"), fixture.path("file")).unwrap();
    let absolute = |name: &str| fixture.path(name).to_str().unwrap().to_owned();
    for path in [absolute("sub/f"), "link/f".into(), "file".into()] {
        assert_eq!(fixture.stat(&path).unwrap().size, 4, "{path}");
        let fd = fixture.posix_open(&path, RO).unwrap();
        assert_eq!(fixture.read(fd, 9).unwrap(), "text");
        let access = PathAction::Access(AccessMode::READ | AccessMode::WRITE);
        assert_eq!(fixture.act(&path, access), Ok(()), "{path}");
    }
    // The link at the end is not followed where a name is created or removed.
    let exclusive = creating(WO) | PosixFlags::EXCLUSIVE;
    assert_eq!(fixture.posix_open("file", exclusive), Err(Errno::EEXIST));
    fixture
        .act("link/new", PathAction::MakeDirectory { mode: 0o755 })
        .unwrap();
    assert!(fixture.path("sub/new").is_dir());
    fixture
        .act("link/new", PathAction::RemoveDirectory)
        .unwrap();
    fixture.act(absolute("sub/f"), rename("link/g")).unwrap();
    assert_eq!(fixture.content("sub/g"), "text");
    fixture.act("file", PathAction::Unlink).unwrap();
    assert!(!fixture.path("file").is_symlink());
}

#[test]
fn names_of_any_bytes_are_names_of_files() {
    let fixture = Fixture::new();
    let name = b"\xff\xfe \n$";
    let fd = fixture.posix_open(name, creating(RW)).unwrap();
    fixture.write_some(fd, "text").unwrap();
    assert_eq!(fixture.stat(name).unwrap().size, 4);
    fixture.act(name, PathAction::Unlink).unwrap();
    assert_eq!(fixture.stat(name), Err(Errno::ENOENT));
}

#[test]
fn paths_that_linux_does_not_take_are_refused() {
    let fixture = Fixture::new();
    let long = "d/".repeat(5000);
    let component = "x".repeat(256);
    for (path, errno) in [
        ("", Errno::ENOENT),
        ("a\0b", Errno::EINVAL),
        (long.as_str(), Errno::ENAMETOOLONG),
        (component.as_str(), Errno::ENAMETOOLONG),
    ] {
        let short = &path[..path.len().min(9)];
        assert_eq!(fixture.posix_open(path, RO), Err(errno), "{short}");
        assert_eq!(
            fixture.posix_open(path, creating(RW)),
            Err(errno),
            "{short}"
        );
        assert_eq!(fixture.stat(path), Err(errno), "{short}");
        for action in [
            PathAction::Access(AccessMode::EXISTS),
            PathAction::Unlink,
            PathAction::RemoveDirectory,
            PathAction::MakeDirectory { mode: 0o755 },
            rename("new"),
        ] {
            assert_eq!(
                fixture.act(path, action.clone()),
                Err(errno),
                "{short} {action:?}"
            );
        }
        fixture.put("f", "");
        assert_eq!(fixture.act("f", rename(path)), Err(errno), "{short}");
    }
}

#[test]
fn files_of_the_host_program_are_character_devices() {
    let fixture = Fixture::new();
    let fd = fixture.posix_open("virtual/uart", RW).unwrap();
    assert_eq!(
        fixture.host.seen(),
        ["open Virtual(\"uart\") virtual/uart 3"]
    );
    for status in [fixture.fstat(fd), fixture.stat("a.sock")] {
        assert_eq!(status.unwrap().file_type(), FileType::CharacterDevice);
    }
    assert_eq!(fixture.write_some(fd, "x"), Ok(1));
    assert_eq!(fixture.lseek(fd, 0, Whence::Set), Ok(0));
    assert_eq!(fixture.lseek(fd, 0, Whence::End), Err(Errno::ESPIPE));
    assert_eq!(fixture.truncate(fd, 0), Err(Errno::EINVAL));
    assert_eq!(fixture.sync(fd), Ok(()));
    assert_eq!(fixture.read_directory(fd, 100), Err(Errno::ENOTDIR));
    let access = |mode| fixture.act("virtual/uart", PathAction::Access(mode));
    assert_eq!(access(AccessMode::READ | AccessMode::WRITE), Ok(()));
    assert_eq!(access(AccessMode::EXECUTE), Err(Errno::EACCES));
    assert_eq!(access(AccessMode(8)), Err(Errno::EINVAL));
    assert_eq!(fixture.act("a.sock", PathAction::Unlink), Err(Errno::EPERM));
    assert_eq!(fixture.act("f", rename("a.sock")), Err(Errno::EPERM));
}

#[test]
fn fifos_and_devices_are_not_opened() {
    let fixture = Fixture::new();
    let made = std::process::Command::new("mkfifo")
        .arg(fixture.path("fifo"))
        .status();
    assert!(made.unwrap().success());
    for flags in [RO, WO, RW] {
        assert_eq!(fixture.posix_open("fifo", flags), Err(Errno::EACCES));
    }
    assert_eq!(fixture.stat("fifo").unwrap().file_type(), FileType::Fifo);
    fixture.act("fifo", PathAction::Unlink).unwrap();
}

#[test]
fn operations_without_a_root_are_refused() {
    let fixture = Fixture::without_root();
    assert_eq!(fixture.posix_open("f", creating(RW)), Err(Errno::EACCES));
    assert!(fixture.explain(A).unwrap().contains("MAILBOX_FS_ROOT"));
    assert_eq!(fixture.stat("f"), Err(Errno::EACCES));
    assert_eq!(fixture.act("f", PathAction::Unlink), Err(Errno::EACCES));
    assert!(fixture.explain(A).unwrap().contains("MAILBOX_FS_ROOT"));
    // A failed open leaves no reservation.
    for _ in 0..300 {
        assert_eq!(fixture.posix_open("f", RO), Err(Errno::EACCES));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Seeks, reads, writes and truncations, compared with a model of bytes and a position.
    #[test]
    fn a_file_is_bytes_and_a_position(
        operations in proptest::collection::vec((0..5_u8, -20..20_i64, 0..3_u64), 1..40),
    ) {
        let fixture = Fixture::new();
        let fd = fixture.posix_open("f", creating(RW)).unwrap();
        let (mut bytes, mut position) = (Vec::<u8>::new(), 0_i64);
        for (operation, number, whence) in operations {
            let size = number.unsigned_abs();
            match operation {
                0 => {
                    let from = [0, position, bytes.len() as i64][whence as usize];
                    let moved = fixture.lseek(fd, number, Whence::of(whence));
                    if from + number < 0 {
                        prop_assert_eq!(moved, Err(Errno::EINVAL));
                    } else {
                        position = from + number;
                        prop_assert_eq!(moved, Ok(position as u64));
                    }
                }
                1 => {
                    let start = (position as usize).min(bytes.len());
                    let end = (start + size as usize).min(bytes.len());
                    let read = fixture.read(fd, size).unwrap();
                    prop_assert_eq!(read.as_bytes(), &bytes[start..end]);
                    position += (end - start) as i64;
                }
                2 => {
                    let data = "x".repeat(size as usize);
                    prop_assert_eq!(fixture.write_some(fd, &data), Ok(size));
                    let end = position as usize + data.len();
                    if !data.is_empty() {
                        bytes.resize(bytes.len().max(end), 0);
                        bytes[position as usize..end].fill(b'x');
                    }
                    position = end as i64;
                }
                3 => {
                    fixture.truncate(fd, size).unwrap();
                    bytes.resize(size as usize, 0);
                }
                _ => {
                    let status = fixture.fstat(fd).unwrap();
                    prop_assert_eq!(status.size, bytes.len() as u64);
                }
            }
        }
        prop_assert_eq!(std::fs::read(fixture.path("f")).unwrap(), bytes);
    }
}
