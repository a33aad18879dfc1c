//! Descriptors of checkpoints, possible and impossible ones.

use bytes::Bytes;
use mailbox_rs::{Errno, FileType, OpenFlags, PosixFlags};

use super::fixture::*;
use crate::messages::checkpoint::{
    FileChange, FileChangeReport, SavedFile, SavedFileKind, SavedFiles,
};
use crate::messages::files::{Restore, Save};

fn saved(fd: u64, flags: OpenFlags, path: &'static str, kind: SavedFileKind) -> SavedFile {
    SavedFile {
        fd,
        channel: A,
        flags,
        path: Bytes::from_static(path.as_bytes()),
        kind,
    }
}

fn restore(fixture: &Fixture, open: Vec<SavedFile>) -> Vec<FileChangeReport> {
    let files = SavedFiles { next: 20, open };
    fixture.try_ask(Restore { files }).unwrap()
}

const DISK: SavedFileKind = SavedFileKind::Disk {
    position: 2,
    size: 4,
};

/// Descriptors that no run can have are not open, and hold no place.
#[test]
fn impossible_descriptors_are_not_open() {
    let fixture = Fixture::new();
    fixture.put("f", "text");
    std::fs::create_dir(fixture.path("d")).unwrap();
    let entries: Vec<_> = (0..600_000)
        .map(|at| (Bytes::from_static(b"name"), at, FileType::Regular))
        .collect();
    for _ in 0..2 {
        let directory = SavedFileKind::Directory {
            position: 0,
            entries: entries.clone(),
        };
        let mut open = vec![
            saved(3, R, "d", directory),
            saved(12, RW, "f", DISK),
            saved(12, R, "f", DISK),
            saved(20, R, "f", DISK),
            saved(u64::MAX, R, "f", DISK),
        ];
        // More than a channel can have.
        open.extend((0..300).map(|_| saved(13, R, "f", DISK)));
        assert_eq!(restore(&fixture, open), []);
        assert_eq!(fixture.read(12, 10).as_deref(), Ok("xt"));
        assert_eq!(fixture.write_some(12, "!"), Ok(1), "the first one of two");
        assert_eq!(fixture.read(13, 10).as_deref(), Ok("xt!"));
        for fd in [3, 14, 20, u64::MAX] {
            assert_eq!(fixture.read(fd, 1), Err(Errno::EBADF), "{fd}");
        }
        let now = fixture.try_ask(Save).unwrap();
        assert_eq!(now.open.len(), 2);
        fixture.put("f", "text");
    }
    // The entries of the refused directory are not counted.
    let directory = PosixFlags::READ_ONLY | PosixFlags::DIRECTORY;
    assert_eq!(fixture.posix_open("d", directory), Ok(20));
}

#[test]
fn files_that_have_changed_are_lost() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("directory")).unwrap();
    fixture.put("short", "abc");
    fixture.put("file", "text");
    let directory = SavedFileKind::Directory {
        position: 0,
        entries: vec![],
    };
    let open = vec![
        saved(10, R, "gone", DISK),
        saved(11, R, "directory", DISK),
        saved(12, R, "short", DISK),
        saved(13, R, "file", directory),
        saved(14, R, "special.sock", SavedFileKind::Special),
        saved(15, R, "lost", SavedFileKind::Lost),
        saved(16, R, "../secret", DISK),
        saved(
            17,
            R,
            "file",
            SavedFileKind::Disk {
                position: u64::MAX,
                size: 4,
            },
        ),
    ];
    let changes = restore(&fixture, open).into_iter().map(|it| it.change);
    let errno = |change: FileChange| match change {
        FileChange::Gone { errno, .. } => Ok(errno),
        other => Err(other),
    };
    let changes: Vec<_> = changes.map(errno).collect();
    let expected = [
        Ok(Errno::ENOENT),
        Ok(Errno::EISDIR),
        Err(FileChange::Shrunk { from: 4, to: 3 }),
        Ok(Errno::ENOTDIR),
        Err(FileChange::HostProgram),
        Ok(Errno::EIO),
        Ok(Errno::EACCES),
        Ok(Errno::EINVAL),
    ];
    assert_eq!(changes, expected);
    for fd in 10..18 {
        assert_eq!(fixture.read(fd, 1), Err(Errno::EIO), "{fd}");
        assert_eq!(
            fixture.lseek(fd, 0, mailbox_rs::Whence::Set),
            Err(Errno::EIO)
        );
        assert_eq!(fixture.fstat(fd).unwrap_err(), Errno::EIO);
        assert_eq!(fixture.close(fd), Ok(()));
        assert_eq!(fixture.close(fd), Err(Errno::EBADF));
    }
}

#[test]
fn without_a_root_all_files_are_lost() {
    let fixture = Fixture::without_root();
    let found = restore(&fixture, vec![saved(10, R, "f", DISK)]);
    let [FileChangeReport { fd: 10, change, .. }] = &found[..] else {
        panic!("{found:?}");
    };
    let FileChange::Gone {
        errno: Errno::EACCES,
        reason: Some(reason),
    } = change
    else {
        panic!("{change:?}");
    };
    assert!(reason.contains("MAILBOX_FS_ROOT"), "{reason}");
}
