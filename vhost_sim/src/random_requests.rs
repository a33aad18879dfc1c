//! Random requests, valid ones and those of misbehaving firmware.

use fastrand::Rng;

use crate::methods::{COMMANDS, METHODS};
use crate::scenario::{Arg, Fd, Pointer, Request, Text, Value};
use crate::special::KINDS;
use crate::wire::{MOVE, action};

/// Request of channel `number` of `channels`.
pub fn request(
    rng: &mut Rng,
    number: usize,
    channels: usize,
    hostile: bool,
    disk: bool,
) -> Request {
    match rng.u32(..100) {
        ..16 => print(rng),
        16..30 => cprint(rng),
        30..38 => Request::MemMove {
            to: pointer(rng),
            from: pointer(rng),
            len: length(rng),
        },
        38..44 => Request::MemSet {
            to: pointer(rng),
            byte: rng.u64(..0x200),
            len: length(rng),
        },
        44..50 => compare(rng),
        50..66 => call(rng),
        66..73 => custom(rng),
        73..77 => raw(rng),
        _ => file(rng, number, channels, hostile, disk),
    }
}

fn pointer(rng: &mut Rng) -> Pointer {
    match rng.u32(..24) {
        0 => Pointer::Raw(rng.u64(..)),
        1 => Pointer::Raw(u64::MAX - rng.u64(..4)),
        2 => Pointer::End(0),
        3 => Pointer::End(-1 - i64::from(rng.u16(..))),
        4..7 => Pointer::End(i64::from(rng.u8(..80))),
        _ => Pointer::Work(rng.u64(..0xe00)),
    }
}

fn length(rng: &mut Rng) -> u64 {
    match rng.u32(..30) {
        0 => 0,
        1 => rng.u64(..),
        2 => MOVE + rng.u64(..2),
        3 => 0x1000 + rng.u64(..0x500),
        4..7 => rng.u64(..0x400),
        _ => rng.u64(1..70),
    }
}

fn text(rng: &mut Rng) -> String {
    const PIECES: [&str; 9] = [
        "a",
        "line\n",
        "über",
        " ",
        "\n\n",
        "0123456789",
        "\u{1f980}",
        "\t",
        "end",
    ];
    (0..rng.usize(..7))
        .filter_map(|_| rng.choice(PIECES))
        .collect()
}

/// String, or an invalid replacement.
fn string(rng: &mut Rng, text: String) -> Text {
    match rng.u32(..24) {
        0 => Text::Unterminated(text),
        1 => Text::At(Pointer::Raw(rng.u64(..))),
        2 => Text::At(Pointer::End(0)),
        _ => Text::Some(text),
    }
}

fn print(rng: &mut Rng) -> Request {
    let text = text(rng);
    match rng.u32(..10) {
        0 => Request::Print {
            text: Text::At(pointer(rng)),
            len: Some(length(rng)),
        },
        1 => Request::Print {
            text: Text::Unterminated(text),
            len: None,
        },
        _ => Request::Print {
            text: Text::Some(text),
            len: None,
        },
    }
}

fn cprint(rng: &mut Rng) -> Request {
    let (mut format, mut args) = (String::new(), Vec::new());
    for _ in 0..rng.usize(..5) {
        format.push_str(&text(rng).replace('%', ""));
        let flags = rng
            .choice(["", "", "", "-", "0", "+", " ", "#", "-+"])
            .unwrap_or("");
        let width = rng.choice(["", "", "5", "12", "*"]).unwrap_or("");
        let precision = rng.choice(["", "", "", ".3", ".0", ".*"]).unwrap_or("");
        if width == "*" {
            args.push(Arg::Word(rng.u64(..20)));
        }
        if precision == ".*" {
            args.push(Arg::Word(rng.u64(..9)));
        }
        match rng.u32(..12) {
            0..5 => {
                let length = rng
                    .choice(["", "", "l", "ll", "h", "hh", "z"])
                    .unwrap_or("");
                let conversion = rng.choice(["d", "i", "u", "x", "X", "o"]).unwrap_or("d");
                format.push_str(&format!("%{flags}{width}{precision}{length}{conversion}"));
                let any = rng.u64(..);
                args.push(Arg::Word(
                    rng.choice([0, 1, 0xffff_ffff, u64::MAX, 1 << 31, any])
                        .unwrap_or(any),
                ));
                if matches!(length, "ll") {
                    // Second word, if a pointer has 4 bytes.
                    args.push(Arg::Word(rng.u64(..)));
                }
            }
            5..8 => {
                let left = if rng.bool() { "-" } else { "" };
                format.push_str(&format!("%{left}{width}{precision}s"));
                args.push(Arg::Text(text(rng).replace('\n', "")));
            }
            8 => {
                format.push_str("%c");
                args.push(Arg::Word(rng.u64(32..127)));
            }
            9 => {
                format.push_str("%p");
                args.push(Arg::Word(rng.choice([0, 0x1000, 0xdead_beef]).unwrap_or(0)));
            }
            10 => {
                format.push_str(&format!("%{width}{precision}f"));
                let value = rng.f32() * 1000.0 - 500.0;
                args.push(Arg::Word(u64::from(value.to_bits())));
            }
            _ => format.push_str("%%"),
        }
    }
    if rng.u32(..20) == 0 {
        format.push_str("%n");
    }
    if rng.bool() {
        format.push('\n');
    }
    // The string and its arguments must fit into the scratch area.
    let long: usize = args
        .iter()
        .map(|arg| {
            if let Arg::Text(text) = arg {
                text.len() + 1
            } else {
                0
            }
        })
        .sum();
    if args.len() > 17 || format.len() + long > 220 {
        return Request::CPrint {
            format: Text::Some("%d lines\n".into()),
            args: vec![Arg::Word(3)],
            words: None,
        };
    }
    Request::CPrint {
        format: string(rng, format),
        args,
        words: (rng.u32(..12) == 0).then(|| rng.u32(..4)),
    }
}

fn compare(rng: &mut Rng) -> Request {
    let one = pointer(rng);
    let other = if rng.u32(..3) == 0 { one } else { pointer(rng) };
    Request::MemCmp {
        one,
        other,
        len: length(rng),
    }
}

fn value(rng: &mut Rng) -> Value {
    match rng.u32(..4) {
        0 => Value::Word(rng.u64(..)),
        1 => Value::At(pointer(rng)),
        _ => Value::Word(rng.u64(..10)),
    }
}

fn call(rng: &mut Rng) -> Request {
    let name = match rng.u32(..12) {
        0 => "nobody",
        1 => "",
        _ => rng.choice(METHODS.iter().copied()).unwrap_or("echo"),
    };
    let mut args: Vec<Value> = (0..rng.usize(..19)).map(|_| value(rng)).collect();
    if matches!(name, "poke" | "peek" | "deep") {
        // A method that writes to the channel itself would violate the protocol.
        let place = match rng.u32(..4) {
            0 => Pointer::End(i64::from(rng.u8(..8))),
            _ => Pointer::Work(rng.u64(..0xe00)),
        };
        args = vec![Value::At(place), Value::Word(rng.u64(..))];
        if name == "deep" {
            args.insert(0, Value::Word(rng.u64(..)));
        }
    }
    let words = (rng.u32(..16) == 0 && name == "echo").then(|| rng.u32(..30));
    let name = name.to_owned();
    Request::Call {
        method: string(rng, name),
        args,
        words,
    }
}

fn custom(rng: &mut Rng) -> Request {
    let (id, _) = rng.choice(COMMANDS.iter().copied()).unwrap_or((1, ""));
    let any = rng.u64(..);
    Request::Custom {
        action: rng
            .choice([action::OTHER, action::OTHER, 9, u32::MAX])
            .unwrap_or(action::OTHER),
        id: rng.choice([id, id, id, 77, any]).unwrap_or(id),
        args: (0..rng.usize(..19)).map(|_| rng.u64(..10)).collect(),
        words: (rng.bool()).then(|| rng.u32(..25)),
    }
}

/// Malformed or incomplete entry.
fn raw(rng: &mut Rng) -> Request {
    let action = rng.u32(..10);
    let mut words = rng.choice([0, 0, 1, 2, 20, 21, u32::MAX]).unwrap_or(0);
    let mut args: Vec<Value> = (0..rng.usize(..8)).map(|_| value(rng)).collect();
    match action {
        action::EXIT => words = 0,
        action::FILE => {
            // Neither a descriptor of another channel nor a path unknown to the model.
            let fd = rng.choice([0, 9, 1 << 30, u64::MAX]).unwrap_or(9);
            args = vec![
                // Operations of protocol 0.3 have paths.
                Value::Word(rng.u64(1..5)),
                Value::Word(fd),
                value(rng),
                value(rng),
            ];
        }
        action::CALL => args.clear(),
        // Small numbers may be addresses of the channel itself, which the host would overwrite.
        action::MEMMOVE | action::MEMSET => args.insert(0, Value::At(pointer(rng))),
        _ => {}
    }
    Request::Raw {
        action,
        words,
        args,
    }
}

fn file(rng: &mut Rng, number: usize, channels: usize, hostile: bool, disk: bool) -> Request {
    let fd = match rng.u32(..12) {
        0 => Fd::Raw(rng.choice([0, 9, 1 << 31, u64::MAX]).unwrap_or(0)),
        // A channel that violates the protocol may execute a request twice.
        1..3 if channels > 1 && !hostile => Fd::Other(rng.u32(..channels as u32)),
        _ => Fd::Own(rng.u32(..3)),
    };
    match rng.u32(..10) {
        ..4 => open(rng, number, disk),
        4 => match fd {
            Fd::Other(_) => open(rng, number, disk),
            fd => Request::Close { fd },
        },
        5 => Request::Read {
            fd,
            to: pointer(rng),
            len: length(rng),
        },
        6 => Request::Read {
            fd,
            to: Pointer::End(rng.i64(1..30)),
            len: rng.u64(..2) * 40,
        },
        7 | 8 => Request::Write {
            fd,
            from: pointer(rng),
            len: length(rng),
        },
        _ => Request::Seek {
            fd,
            position: match rng.u32(..8) {
                0 => rng.u64(..),
                1 => u64::from(u32::MAX) - rng.u64(..4),
                _ => rng.u64(..200),
            },
        },
    }
}

fn open(rng: &mut Rng, number: usize, disk: bool) -> Request {
    let own = format!("c{number}_{}", rng.u8(..2));
    let path = match rng.u32(..24) {
        0 => String::new(),
        1 => "../outside".to_owned(),
        2 => "/etc/passwd".to_owned(),
        3 => "missing".to_owned(),
        4 => "missing/file".to_owned(),
        5 => "$SIM".to_owned(),
        6 => "$UNSET_BY_ALL/file".to_owned(),
        7 => format!("$SIM/{own}"),
        8 => format!("{own}$$"),
        9 => "small".to_owned(),
        10 => "$SIM/large".to_owned(),
        _ if disk => own,
        _ => return special_open(rng, number),
    };
    // Shared files are neither written nor created.
    let own = path.contains(&format!("c{number}_"));
    let flags = match rng.u32(..12) {
        0 => 0,
        1 => 16,
        _ if own => rng.u64(1..16),
        _ => 1 + 16 * rng.u64(..2),
    };
    Request::Open {
        path: string(rng, path),
        flags,
    }
}

fn special_open(rng: &mut Rng, number: usize) -> Request {
    let kind = rng.choice(KINDS.iter().copied()).unwrap_or("plain");
    Request::Open {
        path: Text::Some(format!("virtual/sim/c{number}/{kind}")),
        flags: rng.choice([1, 2, 3, 3, 3]).unwrap_or(3),
    }
}

/// Request to a special file.
pub fn special(rng: &mut Rng, number: usize) -> Request {
    let fd = Fd::Own(0);
    match rng.u32(..6) {
        0 | 1 => special_open(rng, number),
        2 | 3 => Request::Read {
            fd,
            to: Pointer::Work(rng.u64(..0x800)),
            len: rng.u64(..100),
        },
        4 => Request::Write {
            fd,
            from: Pointer::Work(rng.u64(..0x800)),
            len: rng.u64(1..100),
        },
        _ => Request::Seek {
            fd,
            position: rng.u64(..300),
        },
    }
}
