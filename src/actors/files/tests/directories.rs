//! Open directories and their entries.

use bytes::Bytes;
use mailbox_rs::{DirectoryRecord, Errno, FileType, PosixFlags, Whence};

use super::fixture::*;
use crate::messages::files::{PathAction, READ_MAX};

const RO: PosixFlags = PosixFlags::READ_ONLY;

/// Names and types in records.
fn names(mut records: &[u8]) -> Vec<(Vec<u8>, FileType)> {
    let mut names = Vec::new();
    while !records.is_empty() {
        let (record, size) = DirectoryRecord::parse(records).unwrap();
        names.push((record.name.to_vec(), record.file_type));
        records = &records[size..];
    }
    names
}

/// All names of an open directory, in reads of `len` bytes.
fn all(fixture: &Fixture, fd: u64, len: u64) -> Vec<(Vec<u8>, FileType)> {
    let mut found = Vec::new();
    loop {
        let records = fixture.read_directory(fd, len).unwrap();
        if records.is_empty() {
            return found;
        }
        assert!(records.len() as u64 <= len);
        found.extend(names(&records));
    }
}

#[test]
fn entries_come_in_the_order_of_their_names_with_any_buffer() {
    use std::os::unix::ffi::OsStrExt as _;

    let fixture = Fixture::new();
    fixture.put("b", "");
    std::fs::create_dir(fixture.path("a")).unwrap();
    std::os::unix::fs::symlink("b", fixture.path("c")).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"\xff\n");
    std::fs::write(fixture.path("").join(odd), "").unwrap();
    let long = "x".repeat(255);
    fixture.put(&long, "");
    let expected = [
        (b"a".to_vec(), FileType::Directory),
        (b"b".to_vec(), FileType::Regular),
        (b"c".to_vec(), FileType::Link),
        (long.into_bytes(), FileType::Regular),
        (b"\xff\n".to_vec(), FileType::Regular),
    ];
    for len in [
        DirectoryRecord::MAX_SIZE as u64,
        300,
        1000,
        READ_MAX,
        u64::MAX,
    ] {
        for path in [".", "./", "/.."] {
            let opened = fixture.posix_open(path, RO | PosixFlags::DIRECTORY);
            if path == "/.." {
                assert_eq!(opened, Err(Errno::EACCES));
                continue;
            }
            assert_eq!(
                all(&fixture, opened.unwrap(), len),
                expected,
                "{path} {len}"
            );
        }
    }
    // A buffer without room for the next record leaves the position unchanged.
    let fd = fixture.posix_open(".", RO).unwrap();
    for len in [0, 1, 15] {
        assert_eq!(fixture.read_directory(fd, len), Err(Errno::EINVAL));
    }
    assert_eq!(all(&fixture, fd, 272), expected);
}

#[test]
fn entries_that_are_no_files_have_their_types() {
    let fixture = Fixture::new();
    let made = std::process::Command::new("mkfifo")
        .arg(fixture.path("fifo"))
        .status();
    assert!(made.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(fixture.path("socket")).unwrap();
    let fd = fixture.posix_open(".", RO | PosixFlags::DIRECTORY).unwrap();
    let expected = [
        (b"fifo".to_vec(), FileType::Fifo),
        (b"socket".to_vec(), FileType::Socket),
    ];
    assert_eq!(all(&fixture, fd, READ_MAX), expected);
}

#[test]
fn a_directory_that_changes_while_it_is_read_is_read_as_it_was() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("d")).unwrap();
    for name in ["d/1", "d/2", "d/3"] {
        fixture.put(name, "");
    }
    let fd = fixture.posix_open("d", RO).unwrap();
    let first = fixture.read_directory(fd, 16).unwrap();
    assert_eq!(names(&first), [(b"1".to_vec(), FileType::Regular)]);
    let to = Bytes::from_static(b"moved");
    fixture.act("d", PathAction::Rename { to }).unwrap();
    fixture.act("moved/2", PathAction::Unlink).unwrap();
    fixture.put("moved/4", "");
    let rest = all(&fixture, fd, 272);
    let rest: Vec<_> = rest.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(rest, [b"2", b"3"]);
    assert_eq!(fixture.fstat(fd).unwrap().file_type(), FileType::Directory);
}

#[test]
fn a_hundred_thousand_entries_are_read_and_none_is_lost() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("d")).unwrap();
    std::fs::write(fixture.path("f"), "").unwrap();
    for number in 0..100_000 {
        // Links are created faster than files.
        std::fs::hard_link(fixture.path("f"), fixture.path(&format!("d/{number:05}")))
            .or_else(|_| std::fs::write(fixture.path(&format!("d/{number:05}")), ""))
            .unwrap();
    }
    let fd = fixture.posix_open("d", RO).unwrap();
    let found = all(&fixture, fd, READ_MAX);
    assert_eq!(found.len(), 100_000);
    for (number, (name, _)) in found.iter().enumerate() {
        assert_eq!(*name, format!("{number:05}").into_bytes());
    }
    assert_eq!(fixture.close(fd), Ok(()));
}

#[test]
fn a_directory_is_rewound_and_is_no_file() {
    let fixture = Fixture::new();
    fixture.put("a", "");
    fixture.put("b", "");
    let fd = fixture.posix_open(".", RO).unwrap();
    assert_eq!(all(&fixture, fd, 272).len(), 2);
    assert_eq!(fixture.lseek(fd, 0, Whence::Current), Ok(2));
    assert_eq!(fixture.lseek(fd, 1, Whence::Set), Ok(1));
    assert_eq!(all(&fixture, fd, 272).len(), 1);
    assert_eq!(fixture.lseek(fd, 0, Whence::Set), Ok(0));
    assert_eq!(all(&fixture, fd, 272).len(), 2);
    assert_eq!(fixture.lseek(fd, 1 << 40, Whence::Set), Ok(1 << 40));
    assert_eq!(fixture.read_directory(fd, 272).unwrap(), Bytes::new());
    assert_eq!(fixture.lseek(fd, 0, Whence::End), Err(Errno::EINVAL));

    assert_eq!(fixture.read(fd, 1), Err(Errno::EISDIR));
    assert_eq!(fixture.write(fd, "x"), Err(Errno::EBADF));
    assert_eq!(fixture.write_some(fd, "x"), Err(Errno::EBADF));
    assert_eq!(fixture.truncate(fd, 0), Err(Errno::EINVAL));
    assert_eq!(fixture.sync(fd), Ok(()));
    assert_eq!(fixture.seek(fd, 0), Ok(0));
    let file = fixture.posix_open("a", RO).unwrap();
    assert_eq!(fixture.read_directory(file, 272), Err(Errno::ENOTDIR));
    assert_eq!(fixture.read_directory(99, 272), Err(Errno::EBADF));
    // An open of protocol 0.2 refuses directories.
    assert_eq!(fixture.open(".", R), Err(Errno::EISDIR));
}
