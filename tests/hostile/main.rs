//! Hostile firmware against a whole system: nothing that it writes into memory may crash, hang or fill up its host.
//!
//! `VHOST_HOSTILE_REQUESTS` says how many requests are sent in all, `VHOST_HOSTILE_SEED` with which seed to begin.

#![allow(unsafe_code, reason = "an allocator that counts is unsafe to write")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what it expects"
)]

mod apart;
mod attacker;
mod good;
mod heap;
mod rude;
mod stage;

use std::env;
use std::ops::AddAssign;
use std::path::Path;

use apart::apart;
use attacker::Attacker;
use fastrand::Rng;
use good::Good;
use mailbox_rs::CacheLine::{B32, B64, B256, None as NoLine};
use mailbox_rs::PtrWidth::{P4, P8};
use mailbox_rs::mock::Firmware;
use rude::{Rude, Tally};
use stage::{Backing, Chip, Plan, Stage};

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

/// The most that may be allocated at a time, while lengths up to 2^64 - 1 are claimed.
const MOST_HELD: usize = 64 << 20;

const fn plan(
    name: &'static str,
    space: &'static str,
    place: u64,
    width: mailbox_rs::PtrWidth,
    line: mailbox_rs::CacheLine,
) -> Plan {
    Plan {
        name,
        space,
        place,
        width,
        line,
    }
}

const GOOD: Plan = plan("good", "good", 0, P8, B64);
const RUDE: [Plan; 3] = [
    plan("rude32", "rude", 0, P4, B64),
    plan("rude64", "rude", 1, P8, NoLine),
    plan("rude64_line", "rude", 2, P8, B256),
];
const WILD: [Plan; 2] = [
    plan("wild32", "wild", 0, P4, NoLine),
    plan("wild64", "wild", 1, P8, B32),
];

fn plans() -> Vec<Plan> {
    [GOOD].into_iter().chain(RUDE).chain(WILD).collect()
}

/// A number that the environment may set.
fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |value| value.parse().expect(name))
}

fn requests() -> u64 {
    setting("VHOST_HOSTILE_REQUESTS", 10_000)
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.reported += other.reported;
        self.malformed += other.malformed;
        self.formats += other.formats;
        self.resets += other.resets;
    }
}

/// A channel whose firmware keeps to no rule at all.
struct Wild {
    firmware: Firmware<Chip>,
    attacker: Attacker,
}

impl Wild {
    fn act(&mut self, stage: &Stage) -> u64 {
        let mut sent = 0;
        for _ in 0..self.attacker.rng.u32(..10) {
            if self.attacker.rng.u8(..4) == 0 {
                self.attacker.misbehave(&mut self.firmware);
            } else {
                let entry = self.attacker.entry(&stage.vhost);
                sent += u64::from(self.firmware.try_send_entry(&entry));
            }
            while self.attacker.rng.bool() && self.firmware.try_receive().is_some() {}
        }
        sent
    }
}

/// What came of one system's life.
#[derive(Debug, Default)]
struct Life {
    rude: Tally,
    wild: u64,
    printed: usize,
}

/// Ticks of one system.
const TICKS: u64 = 200;

/// One system under attack, until `ticks` are over or a wrong version ends it.
fn live(directory: &Path, backing: Backing, seed: u64, ticks: u64) -> Life {
    let mut rng = Rng::with_seed(seed);
    let stage = Stage::start(directory, backing, &plans());
    let mut attacker = |plan: &Plan, spares_mail| Attacker {
        rng: rng.fork(),
        width: plan.width,
        space: plan.space,
        spares_mail,
    };
    let mut rude = RUDE.map(|plan| Rude::new(&stage, &plan, attacker(&plan, true)));
    let mut wild = WILD.map(|plan| Wild {
        firmware: stage.firmware(&plan),
        attacker: attacker(&plan, false),
    });
    let mut good = Good::new(&stage, &GOOD, seed);
    let mut life = Life::default();
    for tick in 0..ticks {
        rude.iter_mut().for_each(|rude| rude.act(&stage));
        life.wild += wild.iter_mut().map(|wild| wild.act(&stage)).sum::<u64>();
        stage.vhost.notify();
        let ticked = stage.vhost.tick();
        let reports = stage.reports.take();
        if let Err(error) = ticked {
            let error = error.to_string();
            assert!(
                error.contains("wild") && error.contains("firmware speaks mailbox protocol"),
                "{error}"
            );
            break;
        }
        rude.iter_mut()
            .for_each(|rude| rude.collect(&stage, &reports));
        stage.released.set(false);
        if tick % 8 == 0 {
            good.round(&stage);
            let reports = stage.reports.take();
            rude.iter_mut()
                .for_each(|rude| rude.collect(&stage, &reports));
        }
        if tick % 64 == 0 {
            good.check(&stage);
        }
    }
    good.check(&stage);
    rude.iter().for_each(|rude| life.rude += rude.tally);
    life.printed = good.printed;
    stage.vhost.shutdown();
    life
}

/// Systems one after the other, until so many requests were sent.
fn attack(directory: &Path, backings: &[Backing], requests: u64) {
    let mut seed = setting("VHOST_HOSTILE_SEED", 0);
    let (mut rude, mut wild, mut printed) = (Tally::default(), 0, 0);
    let mut held = Vec::new();
    while rude.sent + wild < requests {
        let backing = backings[seed as usize % backings.len()];
        eprintln!("backing {backing:?}, VHOST_HOSTILE_SEED={seed}");
        let life = live(directory, backing, seed, TICKS);
        rude += life.rude;
        wild += life.wild;
        printed += life.printed;
        seed += 1;
        held.push(heap::held());
    }
    let most = heap::peak();
    println!("\n{TOLD}{rude:?}, {wild} without rules, at most {most} bytes held");
    println!("{}", lines_told(printed));
    println!("{TOLD}{held:?}");
    assert!(rude.answered > rude.sent / 3 && rude.reported > rude.sent / 8);
    // Whatever a format has in it, it is told in a few reports.
    assert!(rude.formats < 9 * rude.sent);
    assert!(rude.malformed > 0 && rude.formats > 0 && rude.resets > 0);
    assert!(most < MOST_HELD, "{most} bytes were held");
}

/// Runs the attack apart, and looks at what was put out there.
fn attacked(test: &str, backings: &[Backing], requests: u64) {
    let printed = apart(test, |directory| attack(directory, backings, requests));
    let Some(printed) = printed else { return };
    let (told, lines): (Vec<_>, Vec<_>) = printed.iter().partition(|line| line.starts_with(TOLD));
    told.iter().for_each(|line| println!("{line}"));
    let channels: Vec<String> = plans()
        .iter()
        .map(|plan| format!("[{}] ", plan.name))
        .collect();
    let stray = lines
        .iter()
        .find(|line| !channels.iter().any(|channel| line.starts_with(channel)));
    assert_eq!(stray, None, "a line of no channel");
    let good = format!("[{}] {}", GOOD.name, good::TEXT);
    let lines = lines.iter().filter(|line| **line == &good).count();
    assert!(
        told.contains(&&lines_told(lines)),
        "{lines} lines of {good} were put out: {told:?}"
    );
}

/// How the process apart begins what it says itself.
const TOLD: &str = "test: ";

fn lines_told(lines: usize) -> String {
    format!("{TOLD}{lines} lines of {}", good::TEXT)
}

#[test]
fn memory_in_process() {
    attacked("memory_in_process", &[Backing::Static], requests());
}

#[test]
fn memory_that_is_nowhere() {
    attacked(
        "memory_that_is_nowhere",
        &[Backing::Log, Backing::Mixed],
        requests() / 5,
    );
}
