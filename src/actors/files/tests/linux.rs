//! Error numbers of operations on paths, compared with those of Linux on a copy of the directory.

use std::ffi::CString;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::Path;

use bytes::Bytes;
use mailbox_rs::{AccessMode, Errno, PosixFlags};
use tempfile::TempDir;

use super::fixture::*;
use crate::messages::files::PathAction;

/// Names, from the root. Paths that leave the root are EACCES here, and are not compared.
const PATHS: [&str; 22] = [
    "f", "f/", "f/x", "d", "d/", "d/g", "d/.", "d/..", ".", "absent", "absent/", "absent/x",
    "dangling", "link", "link/", "dlink", "dlink/", "dlink/g", "loop", "loop/x", "empty", "empty/",
];

/// A directory with files, directories and links.
fn fill(root: &Path) {
    let write = |name: &str| std::fs::write(root.join(name), "text").unwrap();
    for directory in ["d", "empty"] {
        std::fs::create_dir(root.join(directory)).unwrap();
    }
    write("f");
    write("d/g");
    for (target, name) in [
        ("f", "link"),
        ("d", "dlink"),
        ("absent", "dangling"),
        ("loop", "loop"),
    ] {
        symlink(target, root.join(name)).unwrap();
    }
}

fn errno<T>(result: io::Result<T>) -> Result<(), Errno> {
    result
        .map(drop)
        .map_err(|error| Errno(error.raw_os_error().unwrap()))
}

/// Names and types below a directory.
fn tree(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let file_type = entry.file_type().unwrap();
            let name = entry.path().strip_prefix(root).unwrap().to_owned();
            found.push(format!("{} {file_type:?}", name.display()));
            if file_type.is_dir() {
                open.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Compares an operation of the actor with the same one of Linux, and the trees after both.
fn compare(
    what: &str,
    ours: impl FnOnce(&Fixture) -> Result<(), Errno>,
    of_linux: impl FnOnce(&Path) -> io::Result<()>,
) {
    let fixture = Fixture::new();
    fill(&fixture.path(""));
    let copy = TempDir::new().unwrap();
    fill(copy.path());
    let ours = ours(&fixture);
    let linux = errno(of_linux(copy.path()));
    assert_eq!(ours, linux, "{what}");
    assert_eq!(tree(&fixture.path("")), tree(copy.path()), "{what}");
}

#[test]
fn errors_of_paths_are_those_of_linux() {
    for path in PATHS {
        compare(
            &format!("stat {path}"),
            |fixture| fixture.stat(path).map(drop),
            |root| root.join(path).metadata().map(drop),
        );
        compare(
            &format!("unlink {path}"),
            |fixture| fixture.act(path, PathAction::Unlink),
            |root| std::fs::remove_file(root.join(path)),
        );
        // Linux calls its own directory `.` invalid, and a name that ends with `..` not empty.
        compare(
            &format!("rmdir {path}"),
            |fixture| fixture.act(path, PathAction::RemoveDirectory),
            |root| {
                let path = CString::new(root.join(path).to_str().unwrap()).unwrap();
                std::fs::remove_dir(Path::new(path.to_str().unwrap()))
            },
        );
        compare(
            &format!("mkdir {path}"),
            |fixture| fixture.act(path, PathAction::MakeDirectory { mode: 0o755 }),
            |root| {
                std::fs::DirBuilder::new()
                    .mode(0o755)
                    .create(root.join(path))
            },
        );
    }
}

#[test]
fn errors_of_opens_are_those_of_linux() {
    let flags = [
        PosixFlags::READ_ONLY,
        PosixFlags::READ_ONLY | PosixFlags::DIRECTORY,
        PosixFlags::WRITE_ONLY,
        PosixFlags::READ_WRITE | PosixFlags::APPEND,
        PosixFlags::READ_ONLY | PosixFlags::CREATE,
        PosixFlags::WRITE_ONLY | PosixFlags::CREATE,
        PosixFlags::READ_WRITE | PosixFlags::CREATE | PosixFlags::EXCLUSIVE,
        PosixFlags::READ_ONLY | PosixFlags::CREATE | PosixFlags::EXCLUSIVE,
    ];
    for path in PATHS {
        for flags in flags {
            compare(
                &format!("open {path} {:#o}", flags.0),
                |fixture| fixture.posix_open(path, flags).map(drop),
                |root| {
                    let mut options = std::fs::OpenOptions::new();
                    options.read(flags.reads()).write(flags.writes());
                    let custom = flags.0 & !3;
                    options.custom_flags(custom.cast_signed()).mode(0o644);
                    options.open(root.join(path)).map(drop)
                },
            );
        }
    }
}

#[test]
fn errors_of_renames_are_those_of_linux() {
    for from in PATHS {
        for to in PATHS {
            compare(
                &format!("rename {from} to {to}"),
                |fixture| {
                    let to = Bytes::from_static(to.as_bytes());
                    fixture.act(from, PathAction::Rename { to })
                },
                |root| std::fs::rename(root.join(from), root.join(to)),
            );
        }
    }
}

#[test]
fn permissions_are_checked_as_by_linux() {
    use std::os::unix::fs::PermissionsExt as _;

    let fixture = Fixture::new();
    fixture.put("f", "");
    std::fs::create_dir(fixture.path("d")).unwrap();
    for name in ["f", "d"] {
        let path = fixture.path(name);
        for bits in [0o000, 0o100, 0o200, 0o400, 0o555, 0o777] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(bits)).unwrap();
            let script = "test -r \"$0\" && printf 4; test -w \"$0\" && printf 2; test -x \"$0\" && printf 1";
            let allowed = std::process::Command::new("sh")
                .args(["-c", script])
                .arg(&path)
                .output()
                .unwrap();
            let allowed: u32 = allowed
                .stdout
                .iter()
                .map(|digit| u32::from(digit - b'0'))
                .sum();
            for mode in 0..8 {
                let expected = match mode & !allowed {
                    0 => Ok(()),
                    _ => Err(Errno::EACCES),
                };
                let checked = fixture.act(name, PathAction::Access(AccessMode(mode)));
                assert_eq!(checked, expected, "{name} {bits:o} {mode}");
            }
        }
    }
    assert_eq!(
        fixture.act("f", PathAction::Access(AccessMode(8))),
        Err(Errno::EINVAL)
    );
}
