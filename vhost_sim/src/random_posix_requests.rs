//! Random operations of protocol 0.3.

use fastrand::Rng;

use crate::scenario::{Fd, Pointer, Posix, Request, Text};
use crate::wire::open;

/// Operation of channel `number`. A channel that violates the protocol may execute it twice, or
/// without a response, so it only gets operations that do not affect others.
pub fn posix(rng: &mut Rng, number: usize, hostile: bool) -> Request {
    let choice = if hostile { 36..40 } else { 0..40 };
    match rng.u32(choice) {
        0..5 => stream(rng),
        5..12 => Request::Posix(Posix::Open {
            path: own(rng, number),
            flags: flags(rng),
            mode: 0o600 | rng.u64(..0o200),
        }),
        12..15 => Request::Posix(Posix::Mkdir {
            path: own(rng, number),
            mode: 0o700 | rng.u64(..0o100),
        }),
        15..19 => Request::Posix(Posix::Rename {
            from: own(rng, number),
            to: own(rng, number),
        }),
        19 | 20 => Request::Posix(Posix::Unlink {
            path: own(rng, number),
        }),
        21 => Request::Posix(Posix::Rmdir {
            path: own(rng, number),
        }),
        22 | 23 => Request::Posix(Posix::Stat {
            path: any(rng, number),
            result: pointer(rng),
        }),
        24 => Request::Posix(Posix::Access {
            path: any(rng, number),
            mode: rng.choice([0, 2, 4, 6, 8, u64::MAX]).unwrap_or(0),
        }),
        25..28 => Request::Posix(Posix::Lseek {
            fd: fd(rng),
            whence: rng.choice([0, 0, 1, 1, 2, 2, 3, u64::MAX]).unwrap_or(0),
            offset: rng
                .choice([0, 1, 2, 40, 5000, -1, -30, i64::MIN, 1 << 33])
                .unwrap_or(0),
            result: Pointer::Work(rng.u64(..0x700)),
        }),
        28 | 29 => Request::Posix(Posix::Fstat {
            fd: fd(rng),
            result: pointer(rng),
        }),
        30..33 => Request::Posix(Posix::Readdir {
            fd: fd(rng),
            to: Pointer::Work(rng.u64(..0x700)),
            len: rng.choice([0, 10, 24, 40, 200]).unwrap_or(200),
        }),
        33 => Request::Posix(Posix::Ftruncate {
            fd: fd(rng),
            len: rng.choice([0, 3, 60, 5000, u64::MAX, 1 << 63]).unwrap_or(0),
        }),
        34 => Request::Posix(Posix::Fsync { fd: fd(rng) }),
        35 => Request::Posix(Posix::Close { fd: fd(rng) }),
        36 => Request::Posix(Posix::Argv {
            to: pointer(rng),
            len: rng.u64(..40),
        }),
        37 => Request::Posix(Posix::Env {
            to: pointer(rng),
            len: rng.u64(..40),
        }),
        38 => Request::Posix(Posix::Time { to: pointer(rng) }),
        _ => Request::Posix(Posix::Random {
            to: pointer(rng),
            len: rng.u64(..100),
        }),
    }
}

/// Request to a standard stream.
fn stream(rng: &mut Rng) -> Request {
    let at = match rng.u32(..8) {
        0 => Pointer::End(i64::from(rng.u8(..60))),
        1 => Pointer::Raw(rng.u64(..)),
        _ => Pointer::Work(rng.u64(..0xe00)),
    };
    match rng.u32(..10) {
        0..4 => Request::Read {
            fd: Fd::Raw(rng.choice([0, 0, 0, 1]).unwrap_or(0)),
            to: at,
            len: rng.choice([0, 1, 7, 50]).unwrap_or(7),
        },
        4..8 => Request::Write {
            fd: Fd::Raw(rng.choice([1, 1, 2, 2, 2, 0]).unwrap_or(1)),
            from: at,
            len: rng.u64(..90),
        },
        8 => Request::Seek {
            fd: Fd::Raw(rng.u64(..3)),
            position: rng.u64(..9),
        },
        _ => Request::Close {
            fd: Fd::Raw(rng.u64(..4)),
        },
    }
}

fn fd(rng: &mut Rng) -> Fd {
    match rng.u32(..10) {
        0 => Fd::Raw(rng.u64(..4)),
        1 => Fd::Raw(rng.choice([9, 1 << 31, u64::MAX]).unwrap_or(9)),
        _ => Fd::Own(rng.u32(..3)),
    }
}

fn flags(rng: &mut Rng) -> u64 {
    let access = rng
        .choice([0, 0, open::WRITE, open::BOTH, open::BOTH, 3])
        .unwrap_or(0);
    // Creating a directory by an open has another error on newer systems.
    let more = rng
        .choice([
            0,
            open::CREATE,
            open::CREATE,
            open::CREATE | open::EXCLUSIVE,
            open::CREATE | open::TRUNCATE,
            open::CREATE | open::APPEND,
            open::TRUNCATE,
            open::DIRECTORY,
        ])
        .unwrap_or(0);
    // Other bits are ignored.
    access | more | rng.choice([0, 0, 0, 4, 1 << 20]).unwrap_or(0)
}

/// Path that only this channel uses.
fn own(rng: &mut Rng, number: usize) -> Text {
    let path = match rng.u32(..16) {
        0..3 => format!("c{number}_{}", rng.u8(..2)),
        3..6 => format!("c{number}_f"),
        6..10 => format!(
            "c{number}_f/{}",
            rng.choice(["a", "b", "long name"]).unwrap_or("a")
        ),
        10 => format!("c{number}_f/a/b"),
        11 => format!("c{number}_g"),
        12 => format!("c{number}_g/a"),
        13 => format!("$SIM/c{number}_0"),
        14 => wrong(rng).to_owned(),
        _ => return invalid(rng),
    };
    Text::Some(path)
}

/// Path that the host does not change.
fn any(rng: &mut Rng, number: usize) -> Text {
    let path = match rng.u32(..8) {
        0 => "small",
        1 => "$SIM/large",
        2 => "$SIM",
        3 => "small/file",
        _ => return own(rng, number),
    };
    Text::Some(path.to_owned())
}

fn wrong(rng: &mut Rng) -> &'static str {
    const PATHS: [&str; 5] = [
        "",
        "../outside",
        "/etc/passwd",
        "missing/file",
        "$UNSET_BY_ALL",
    ];
    rng.choice(PATHS).unwrap_or("")
}

fn invalid(rng: &mut Rng) -> Text {
    match rng.u32(..3) {
        0 => Text::Unterminated("c".into()),
        1 => Text::At(Pointer::Raw(rng.u64(..))),
        _ => Text::At(Pointer::End(0)),
    }
}

fn pointer(rng: &mut Rng) -> Pointer {
    match rng.u32(..12) {
        0 => Pointer::Raw(rng.u64(..)),
        1 => Pointer::End(i64::from(rng.u8(..100))),
        _ => Pointer::Work(rng.u64(..0xe00)),
    }
}
