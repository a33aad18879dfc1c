//! Descriptors, and operations on open files.

use std::path::Path;

use bytes::Bytes;
use mailbox_rs::{Errno, FileStatus, OpenFlags, PosixFlags, Whence};

use super::super::descriptors::OPEN_MAX;
use super::super::disk::{Disk, DiskFile, Opened};
use super::fixture::*;
use crate::messages::files::{PathAction, READ_MAX};

#[test]
fn descriptors_start_at_ten_and_none_is_given_twice() {
    let fixture = Fixture::new();
    fixture.put("f", "");
    for fd in 10..14 {
        assert_eq!(fixture.open("f", R), Ok(fd));
    }
    assert_eq!(fixture.close(12), Ok(()));
    assert_eq!(fixture.close(13), Ok(()));
    assert_eq!(fixture.open("f", R), Ok(14));
    // A missing file takes no descriptor.
    assert_eq!(fixture.open("absent", R), Err(Errno::ENOENT));
    assert_eq!(fixture.open_as(B, "f", R), Ok(15));
    fixture.close_all(A);
    fixture.close_all(B);
    assert_eq!(fixture.open("f", R), Ok(16));
}

#[test]
fn a_descriptor_that_is_not_open_is_bad() {
    let fixture = Fixture::new();
    fixture.put("f", "text");
    let fd = fixture.open("f", RW).unwrap();
    fixture.close(fd).unwrap();
    for fd in [fd, 0, 9, 11, u64::MAX] {
        assert_eq!(fixture.close(fd), Err(Errno::EBADF));
        assert_eq!(fixture.read(fd, 1), Err(Errno::EBADF));
        assert_eq!(fixture.write(fd, "x"), Err(Errno::EBADF));
        assert_eq!(fixture.seek(fd, 0), Err(Errno::EBADF));
    }
}

#[test]
fn every_channel_may_use_a_descriptor_and_a_reset_closes_those_of_its_channel() {
    let fixture = Fixture::new();
    fixture.put("a", "of a");
    fixture.put("b", "of b");
    assert_eq!(fixture.open_as(A, "a", R), Ok(10));
    assert_eq!(fixture.open_as(B, "b", RW), Ok(11));
    // The descriptor has one position for all channels.
    assert_eq!(fixture.read_as(B, 10, 3).unwrap(), "of ");
    assert_eq!(fixture.read_as(A, 10, 9).unwrap(), "a");
    assert_eq!(fixture.seek(11, 3), Ok(3));
    assert_eq!(fixture.write(11, "B"), Ok(1));
    assert_eq!(fixture.content("b"), "of B");
    fixture.close_all(A);
    assert_eq!(fixture.read_as(A, 10, 9), Err(Errno::EBADF));
    assert_eq!(fixture.read_as(B, 10, 9), Err(Errno::EBADF));
    assert_eq!(fixture.read_as(A, 11, 9).unwrap(), "");
    assert_eq!(fixture.close(11), Ok(()));
    assert_eq!(fixture.read_as(B, 11, 9), Err(Errno::EBADF));
}

#[test]
fn open_files_are_bounded_for_each_channel() {
    let fixture = Fixture::new();
    fixture.put("f", "");
    for _ in 0..OPEN_MAX {
        fixture.open("f", R).unwrap();
    }
    assert_eq!(fixture.open("f", R), Err(Errno::EMFILE));
    assert_eq!(fixture.open("new", W), Err(Errno::EMFILE));
    assert!(!fixture.path("new").exists());
    assert_eq!(fixture.open("virtual/uart", R), Err(Errno::EMFILE));
    assert!(fixture.host.seen().is_empty());
    // Opens of other channels don't count, failed or not. Any channel may close.
    let others = fixture.open_as(B, "f", R).unwrap();
    assert_eq!(fixture.close(others), Ok(()));
    assert_eq!(fixture.open("f", R), Err(Errno::EMFILE));
    assert_eq!(fixture.close(20), Ok(()));
    assert!(fixture.open("f", R).is_ok());
    assert_eq!(fixture.open("f", R), Err(Errno::EMFILE));
    fixture.close_all(A);
    for _ in 0..OPEN_MAX {
        fixture.open("f", R).unwrap();
    }
    assert_eq!(fixture.open("f", R), Err(Errno::EMFILE));
}

#[test]
fn a_file_that_can_not_be_opened_takes_no_room() {
    let fixture = Fixture::new();
    fixture.put("f", "");
    for _ in 0..=OPEN_MAX {
        assert_eq!(fixture.open("absent", R), Err(Errno::ENOENT));
        assert_eq!(fixture.open("virtual/uart/absent", R), Err(Errno::ENODEV));
    }
    assert_eq!(fixture.open("f", R), Ok(10));
}

#[test]
fn reading_goes_on_and_ends() {
    let fixture = Fixture::new();
    fixture.put("f", "hello");
    let fd = fixture.open("f", R).unwrap();
    assert_eq!(fixture.read(fd, 2).unwrap(), "he");
    assert_eq!(fixture.read(fd, 0).unwrap(), "");
    assert_eq!(fixture.read(fd, 9).unwrap(), "llo");
    assert_eq!(fixture.read(fd, 9).unwrap(), "");
    let other = fixture.open("f", R).unwrap();
    assert_eq!(fixture.read(other, 9).unwrap(), "hello");
}

#[test]
fn one_read_gives_a_bounded_part() {
    let fixture = Fixture::new();
    let all = READ_MAX as usize + 5;
    fixture.put("f", "x".repeat(all));
    let fd = fixture.open("f", R).unwrap();
    assert_eq!(fixture.read(fd, u64::MAX).unwrap().len() as u64, READ_MAX);
    assert_eq!(fixture.read(fd, u64::MAX).unwrap().len(), 5);
    assert_eq!(fixture.read(fd, u64::MAX).unwrap().len(), 0);
}

#[test]
fn seeking_is_from_the_start() {
    let fixture = Fixture::new();
    fixture.put("f", "hello");
    let fd = fixture.open("f", RW).unwrap();
    assert_eq!(fixture.seek(fd, 3), Ok(3));
    assert_eq!(fixture.read(fd, 9).unwrap(), "lo");
    assert_eq!(fixture.seek(fd, 7), Ok(7));
    assert_eq!(fixture.read(fd, 9).unwrap(), "");
    assert_eq!(fixture.write(fd, "!"), Ok(1));
    assert_eq!(fixture.content("f"), "hello\0\0!");
    for position in [u64::MAX, 1 << 63] {
        assert_eq!(fixture.seek(fd, position), Err(Errno::EINVAL));
    }
    assert_eq!(fixture.seek(fd, 1), Ok(1));
    assert_eq!(fixture.read(fd, 4).unwrap(), "ello");
}

#[test]
fn writing_creates_and_overwrites() {
    let fixture = Fixture::new();
    let fd = fixture.open("new", W).unwrap();
    assert_eq!(fixture.write(fd, "hello"), Ok(5));
    assert_eq!(fixture.write(fd, ""), Ok(0));
    assert_eq!(fixture.write(fd, "!"), Ok(1));
    assert_eq!(fixture.read(fd, 1), Err(Errno::EBADF));
    let fd = fixture.open("new", W).unwrap();
    assert_eq!(fixture.write(fd, "J"), Ok(1));
    assert_eq!(fixture.content("new"), "Jello!");
}

#[test]
fn reading_does_not_create() {
    let fixture = Fixture::new();
    assert_eq!(fixture.open("new", R), Err(Errno::ENOENT));
    assert!(!fixture.path("new").exists());
}

#[test]
fn a_file_opened_for_reading_is_not_written() {
    let fixture = Fixture::new();
    fixture.put("f", "text");
    let fd = fixture.open("f", R).unwrap();
    assert_eq!(fixture.write(fd, "x"), Err(Errno::EBADF));
    assert_eq!(fixture.content("f"), "text");
}

#[test]
fn appending_goes_to_the_end_wherever_the_file_stands() {
    let fixture = Fixture::new();
    fixture.put("f", "one");
    let fd = fixture.open("f", APPEND | R).unwrap();
    assert_eq!(fixture.read(fd, 1).unwrap(), "o");
    assert_eq!(fixture.write(fd, "two"), Ok(3));
    assert_eq!(fixture.seek(fd, 0), Ok(0));
    assert_eq!(fixture.write(fd, "three"), Ok(5));
    assert_eq!(fixture.content("f"), "onetwothree");
    let fd = fixture.open("new", APPEND).unwrap();
    assert_eq!(fixture.write(fd, "x"), Ok(1));
    assert_eq!(fixture.read(fd, 1), Err(Errno::EBADF));
}

#[test]
fn truncating_empties_and_creates() {
    let fixture = Fixture::new();
    for (name, flags) in [
        ("a", TRUNCATE),
        ("b", TRUNCATE | RW),
        ("c", TRUNCATE | APPEND),
    ] {
        fixture.put(name, "before");
        let fd = fixture.open(name, flags).unwrap();
        assert_eq!(fixture.content(name), "");
        assert_eq!(fixture.write(fd, "after"), Ok(5));
        assert_eq!(fixture.content(name), "after");
        std::fs::remove_file(fixture.path(name)).unwrap();
        assert!(fixture.open(name, flags).is_ok());
        assert_eq!(fixture.content(name), "");
    }
    // Truncating with read access alone also allows writing.
    fixture.put("d", "before");
    let fd = fixture.open("d", TRUNCATE | R).unwrap();
    assert_eq!(fixture.write(fd, "x"), Ok(1));
}

#[test]
fn flags_without_meaning_are_ignored() {
    let fixture = Fixture::new();
    fixture.put("f", "text");
    let unknown = u32::MAX << 4;
    for flags in [0, 16, unknown] {
        assert_eq!(fixture.open("f", OpenFlags(flags)), Err(Errno::EINVAL));
        assert_eq!(
            fixture.open("virtual/uart", OpenFlags(flags)),
            Err(Errno::EINVAL)
        );
    }
    let fd = fixture.open("f", OpenFlags(1 | unknown)).unwrap();
    assert_eq!(fixture.read(fd, 9).unwrap(), "text");
    assert_eq!(fixture.write(fd, "x"), Err(Errno::EBADF));
    assert_eq!(fixture.open("new", OpenFlags(1 | 16)), Err(Errno::ENOENT));
    for (name, flags) in [("w", 2), ("a", 4), ("t", 8)] {
        let fd = fixture.open(name, OpenFlags(flags | 1 << 31)).unwrap();
        assert_eq!(fixture.write(fd, "x"), Ok(1));
        assert_eq!(fixture.content(name), "x");
    }
    fixture
        .open("virtual/uart", OpenFlags(3 | unknown))
        .unwrap();
    assert_eq!(
        fixture.host.seen(),
        ["open Virtual(\"uart\") virtual/uart 3"]
    );
}

/// A disk whose file operations fail.
struct Failing(Errno);

impl Disk for Failing {
    fn open(&mut self, path: &str, _: OpenFlags) -> Result<Box<dyn DiskFile>, Errno> {
        match path {
            "absent" => Err(self.0),
            _ => Ok(Box::new(Self(self.0))),
        }
    }

    fn posix_open(&mut self, _: &Path, _: PosixFlags, _: u32) -> Result<Opened, Errno> {
        let file = Box::new(Self(self.0));
        Ok(Opened {
            file,
            entries: None,
        })
    }

    fn status(&mut self, _: &Path) -> Result<FileStatus, Errno> {
        Err(self.0)
    }

    fn act(&mut self, _: &Path, _: &PathAction) -> Result<(), Errno> {
        Err(self.0)
    }
}

impl DiskFile for Failing {
    fn read(&mut self, _: u64) -> Result<Bytes, Errno> {
        Err(self.0)
    }

    fn write(&mut self, _: &[u8]) -> Result<u64, Errno> {
        Err(self.0)
    }

    fn seek(&mut self, _: u64) -> Result<u64, Errno> {
        panic!("as requested by the test")
    }

    fn write_some(&mut self, _: &[u8]) -> Result<u64, Errno> {
        Err(self.0)
    }

    fn lseek(&mut self, _: Whence, _: i64) -> Result<u64, Errno> {
        Err(self.0)
    }

    fn status(&mut self) -> Result<FileStatus, Errno> {
        Err(self.0)
    }

    fn set_length(&mut self, _: u64) -> Result<(), Errno> {
        Err(self.0)
    }

    fn sync(&mut self) -> Result<(), Errno> {
        Err(self.0)
    }
}

#[test]
fn errors_of_the_disk_are_those_of_the_request() {
    let fixture = Fixture::on(Failing(Errno::ENOSPC));
    assert_eq!(fixture.open("absent", RW), Err(Errno::ENOSPC));
    let fd = fixture.open("f", RW).unwrap();
    assert_eq!(fd, 10);
    assert_eq!(fixture.read(fd, 1), Err(Errno::ENOSPC));
    assert_eq!(fixture.write(fd, "x"), Err(Errno::ENOSPC));
    assert_eq!(fixture.write_some(fd, "x"), Err(Errno::ENOSPC));
    assert_eq!(fixture.lseek(fd, 0, Whence::End), Err(Errno::ENOSPC));
    assert_eq!(fixture.fstat(fd), Err(Errno::ENOSPC));
    assert_eq!(fixture.truncate(fd, 1), Err(Errno::ENOSPC));
    assert_eq!(fixture.sync(fd), Err(Errno::ENOSPC));
    assert_eq!(fixture.stat("f"), Err(Errno::ENOSPC));
    assert_eq!(fixture.act("f", PathAction::Unlink), Err(Errno::ENOSPC));
    assert_eq!(fixture.close(fd), Ok(()));
}

#[test]
fn the_actor_outlives_a_panic() {
    let fixture = Fixture::on(Failing(Errno::EIO));
    let fd = fixture.open("f", RW).unwrap();
    let seek = crate::messages::files::Seek {
        channel: A,
        fd,
        position: 0,
    };
    let error = fixture.try_ask(seek).unwrap_err();
    assert!(
        error.to_string().contains("as requested by the test"),
        "{error}"
    );
    assert_eq!(fixture.close(fd), Ok(()));
}
