//! Generation of a scenario from a seed.

use fastrand::Rng;

use crate::random_posix_requests::posix;
use crate::random_requests::{request, special};
use crate::scenario::{
    Backing, Channel, Client, Fd, Misbehaviour, Pointer, Posix, Request, Scenario, Step, Tap, Text,
};
use crate::wire::{NEWEST, open};

/// Generates the scenario of a seed.
pub fn generate(seed: u64) -> Scenario {
    let rng = &mut Rng::with_seed(seed);
    let count = match rng.u32(..100) {
        ..45 => 1,
        45..80 => rng.usize(2..5),
        80..92 => rng.usize(5..9),
        _ => rng.usize(9..17),
    };
    let disk = rng.u32(..6) == 0;
    let steps = (36 / count).max(3);
    let mut channels: Vec<Channel> = (0..count)
        .map(|number| channel(rng, number, count, steps, disk))
        .collect();
    if disk && rng.u32(..30) == 0 {
        open_too_many_files(&mut channels[0]);
    } else if disk && count > 1 && rng.u32(..3) == 0 {
        use_descriptor_of_exited_channel(rng, &mut channels);
    }
    if rng.u32(..150) == 0 {
        let at = rng.usize(..=channels[0].steps.len());
        let version = rng.choice([0x1_0000, 1, 3, u32::MAX]).unwrap_or(3);
        channels[0]
            .steps
            .insert(at, Step::Misbehave(Misbehaviour::Version(version)));
    }
    let taps = if rng.u32(..8) == 0 {
        (0..rng.usize(1..3))
            .map(|_| (rng.u32(..20), tap(rng)))
            .collect()
    } else {
        Vec::new()
    };
    Scenario {
        ticks: 60 + rng.u32(..60),
        disk,
        record: rng.u32(..8) == 0,
        taps,
        clients: if rng.u32(..20) == 0 {
            clients(rng)
        } else {
            Vec::new()
        },
        bursts: match rng.u32(..4) {
            0 => (0..rng.usize(1..6))
                .map(|_| rng.u32(..5))
                .chain([1])
                .collect(),
            _ => Vec::new(),
        },
        notify: match rng.u32(..4) {
            0 => (0..rng.usize(1..5)).map(|_| rng.u32(..60)).collect(),
            _ => Vec::new(),
        },
        checkpoints: match rng.u32(..4) {
            0 => (0..rng.usize(1..5)).map(|_| rng.u32(..40)).collect(),
            _ => Vec::new(),
        },
        channels,
    }
}

fn channel(rng: &mut Rng, number: usize, channels: usize, steps: usize, disk: bool) -> Channel {
    let pointer = if rng.bool() { 4 } else { 8 };
    let line = rng.choice([0, 0, 0, 32, 64, 128, 256]).unwrap_or(0);
    let base = match rng.u32(..8) {
        0 => 0,
        1 if pointer == 4 => 0xffff_c000,
        1 => 0xffff_ffff_0000_0000 + u64::from(rng.u16(..)) * 0x1000,
        2 if pointer == 8 => u64::from(rng.u32(..)) << 20,
        _ => u64::from(rng.u16(..)) << 12,
    };
    let all_models = rng.u32(..2) == 0;
    let backing = if all_models {
        Backing::Model
    } else {
        backing(rng)
    };
    let other = |rng: &mut Rng, odds| {
        let is_present = rng.u32(..odds) == 0;
        is_present.then(|| {
            if all_models {
                Backing::Model
            } else {
                self::backing(rng)
            }
        })
    };
    let device = other(rng, 6);
    let next = other(rng, 3);
    let mut channel = Channel {
        pointer,
        line,
        base,
        mailbox: rng.u64(..6) * 0x100,
        offer: match rng.u32(..6) {
            0 | 1 => NEWEST,
            2 => rng.choice([1, 2, NEWEST + 1, 0xffff]).unwrap_or(NEWEST),
            _ => 0,
        },
        input: (rng.u32(..3) == 0).then(|| "bytes of the input\n".repeat(rng.usize(..12))),
        backing,
        device,
        next,
        pace: rng.choice([1, 1, 2, 4, 12]).unwrap_or(1),
        steps: Vec::new(),
    };
    let hostile = rng.u32(..5) == 0;
    if hostile {
        // The model does not know how much of its input a channel that violates the protocol has
        // read.
        channel.input = None;
    } else if disk && channel.offer > 0 && rng.u32(..2) == 0 {
        channel.steps = directory(number);
    }
    for _ in 0..rng.usize(1..=steps) {
        let step = step(rng, number, channels, hostile, disk, &channel);
        channel.steps.push(step);
    }
    if rng.u32(..4) == 0 {
        let code = rng.choice([0, 1, 42, u32::MAX]).unwrap_or(0);
        channel.steps.push(Step::Request(Request::Exit { code }));
    }
    channel
}

/// Backing of 0x100, 0x400 and 0x3000 bytes.
fn backing(rng: &mut Rng) -> Backing {
    match rng.u32(..5) {
        0 => Backing::Model,
        1 | 2 => Backing::Direct {
            width: rng.choice([1, 2, 4, 8, 16, 32]).unwrap_or(4),
            rows: rng.choice([1, 1, 2, 4]).unwrap_or(1),
        },
        _ => {
            let (width, bank) = rng
                .choice([(4, 4), (8, 4), (16, 4), (8, 8), (16, 2), (32, 8), (4, 1)])
                .unwrap_or((8, 4));
            Backing::Banked {
                width,
                bank,
                rows: rng.choice([1, 2, 4]).unwrap_or(2),
            }
        }
    }
}

fn step(
    rng: &mut Rng,
    number: usize,
    channels: usize,
    hostile: bool,
    disk: bool,
    channel: &Channel,
) -> Step {
    let ask = |rng: &mut Rng| {
        if channel.offer > 0 && rng.u32(..2) == 0 {
            posix(rng, number, hostile)
        } else if rng.u32(..12) == 0 {
            special(rng, number)
        } else {
            request(rng, number, channels, hostile, disk)
        }
    };
    match rng.u32(..100) {
        ..4 => Step::Pause(rng.u32(..5)),
        4..6 => Step::Drain,
        6..9 => Step::Deaf(rng.u32(1..20)),
        9..12 => Step::Late(rng.u32(..5)),
        12..14 => Step::Stale(rng.u32(1..5)),
        14..17 => Step::Flip {
            at: rng.u32(..0x1000),
            bit: rng.u8(..8),
        },
        17..20 => Step::Reset(rng.choice([0, 0, 1, 2]).unwrap_or(0)),
        20..26 if hostile => Step::Misbehave(misbehaviour(rng)),
        26..31 if channel.can_fail() => Step::Faulty {
            request: faulty(rng),
            skip: rng.u32(..3),
            tear: rng.bool(),
        },
        _ => Step::Request(ask(rng)),
    }
}

/// Request with known effects if its memory fails.
fn faulty(rng: &mut Rng) -> Request {
    loop {
        let request = request(rng, 0, 1, false, false);
        if matches!(
            request,
            Request::MemMove { .. }
                | Request::MemSet { .. }
                | Request::MemCmp { .. }
                | Request::Print { .. }
        ) {
            return request;
        }
    }
}

fn misbehaviour(rng: &mut Rng) -> Misbehaviour {
    let any = |rng: &mut Rng| {
        if rng.bool() {
            rng.u32(1..20)
        } else {
            rng.u32(1..)
        }
    };
    match rng.u32(..40) {
        0 | 39 => Misbehaviour::Broken(rng.u32(..4)),
        1..10 => Misbehaviour::Jump(any(rng)),
        10..18 => Misbehaviour::Skip(any(rng)),
        18..25 => Misbehaviour::Consumer(any(rng)),
        25..32 => Misbehaviour::Producer(any(rng)),
        _ => {
            let any = rng.u32(..);
            Misbehaviour::Scribble {
                word: any,
                value: rng.choice([0, 1, 2, 8, 9, any]).unwrap_or(any),
            }
        }
    }
}

/// Opens more files than a channel may have.
fn open_too_many_files(channel: &mut Channel) {
    channel.pace = 12;
    channel.steps = (0..258)
        .map(|_| {
            Step::Request(Request::Open {
                path: Text::Some("small".into()),
                flags: 1,
            })
        })
        .collect();
}

/// The first channel exits with an open file, which the second one then uses.
fn use_descriptor_of_exited_channel(rng: &mut Rng, channels: &mut [Channel]) {
    let [first, second, ..] = channels else {
        return;
    };
    let open = Request::Open {
        path: Text::Some("$SIM/c0_left".into()),
        flags: 3,
    };
    first.steps = vec![
        Step::Request(open),
        Step::Drain,
        Step::Request(Request::Exit { code: 3 }),
    ];
    second.steps.insert(0, Step::Pause(12));
    for at in 1..4 {
        let fd = Fd::Other(0);
        let request = match rng.u32(..3) {
            0 => Request::Read {
                fd,
                to: Pointer::End(rng.i64(1..40)),
                len: 100,
            },
            1 => Request::Seek {
                fd,
                position: rng.u64(..50),
            },
            _ => Request::Write {
                fd,
                from: Pointer::Work(0),
                len: rng.u64(..100),
            },
        };
        second.steps.insert(at, Step::Request(request));
    }
}

fn tap(rng: &mut Rng) -> Tap {
    match rng.u32(..4) {
        0 => Tap::Logger {
            room: rng.u32(..300),
        },
        1 => Tap::Checker,
        2 => Tap::Statistics,
        _ => Tap::FullDisk,
    }
}

fn clients(rng: &mut Rng) -> Vec<(u32, Client)> {
    let mut actions = vec![(0, Client::Connect)];
    for _ in 0..rng.usize(2..12) {
        let client = rng.u32(..2);
        let action = match rng.u32(..10) {
            0 => Client::Connect,
            1..5 => Client::Send {
                client,
                bytes: rng.u32(..300),
                piece: rng.u32(1..100),
            },
            5..8 => Client::Answer {
                client,
                bytes: rng.u32(..300),
            },
            8 => Client::Vanish(client),
            _ => Client::Disconnect(client),
        };
        actions.push((rng.u32(..12), action));
    }
    actions.sort_by_key(|(at, _)| *at);
    actions
}

/// Creates a directory, with a file and a directory in it, and reads it.
fn directory(number: usize) -> Vec<Step> {
    let path = |name: &str| Text::Some(format!("c{number}_f{name}"));
    let mode = 0o700;
    let steps = [
        Posix::Mkdir {
            path: path(""),
            mode,
        },
        Posix::Open {
            path: path("/long name"),
            flags: open::CREATE | open::WRITE,
            mode,
        },
        Posix::Mkdir {
            path: path("/b"),
            mode,
        },
        Posix::Open {
            path: path(""),
            flags: open::DIRECTORY,
            mode,
        },
        Posix::Readdir {
            fd: Fd::Own(0),
            to: Pointer::Work(0),
            len: 24,
        },
        Posix::Rmdir { path: path("") },
    ];
    steps.map(|step| Step::Request(Request::Posix(step))).into()
}
