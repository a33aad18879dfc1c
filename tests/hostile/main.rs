//! Hostile firmware against a whole system: nothing that it writes into memory may crash, hang or
//! exhaust its host.
//!
//! `VHOST_HOSTILE_REQUESTS` sets the number of requests, `VHOST_HOSTILE_RECORDINGS` the number of
//! damaged recordings, `VHOST_HOSTILE_SEED` the first seed.

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
mod config;
#[path = "../elf/mod.rs"]
mod elf;
#[path = "../frames/mod.rs"]
mod frames;
mod good;
mod heap;
#[path = "../ram/mod.rs"]
mod ram;
mod rude;
mod stage;
mod trace;

use std::env;
use std::ops::AddAssign;
use std::path::Path;
use std::sync::atomic::Ordering;

use apart::{SEED, TOLD, apart};
use attacker::Attacker;
use fastrand::Rng;
use good::Good;
use mailbox_rs::CacheLine::{B32, B64, B256, None as NoLine};
use mailbox_rs::PtrWidth::{P4, P8};
use mailbox_rs::mock::Firmware;
use rude::{Rude, Tally};
use stage::{Backing, Chip, Plan, Stage};
use vhost::bus::Observation;
use vhost::mem::clear_static_mems;

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

/// Most bytes that may be allocated at a time, while lengths up to 2^64 - 1 are claimed.
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

/// Most bytes that may stay allocated of systems that have ended or requests that were served. The
/// count begins after some systems or ticks, since some allocations are made once.
const MOST_KEPT: usize = 16 << 10;
const WARM: u64 = 3;

/// Number from an environment variable.
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

/// Channel whose firmware keeps no rule.
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

/// Result of one system's run.
#[derive(Debug, Default)]
struct Life {
    rude: Tally,
    wild: u64,
}

/// Ticks of one system.
const TICKS: u64 = 200;

/// Runs one system under attack, until `ticks` are over or a wrong version ends it.
fn live(directory: &Path, backing: Backing, seed: u64, ticks: u64) -> Life {
    let mut rng = Rng::with_seed(seed);
    let stage = Stage::start(directory, backing, &plans());
    let mut attacker = |plan: &Plan, spares_mail| Attacker {
        rng: rng.fork(),
        width: plan.width,
        space: plan.space,
        spares_mail,
        given: stage.given.clone(),
        immortal: ticks > TICKS,
    };
    let mut rude = RUDE.map(|plan| Rude::new(&stage, &plan, attacker(&plan, true)));
    let mut wild = WILD.map(|plan| Wild {
        firmware: stage.firmware(&plan),
        attacker: attacker(&plan, false),
    });
    let mut good = Good::new(&stage, &GOOD, seed);
    let mut life = Life::default();
    let mut held = 0;
    for tick in 0..ticks {
        if tick == WARM * TICKS {
            held = heap::held();
        }
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
        stage.released.store(false, Ordering::Relaxed);
        for plan in RUDE.iter().chain([&GOOD]) {
            assert_eq!(stage.breaches(plan.name), None, "{}", plan.name);
        }
        stage.forget_found();
        let printed = stage.console.take();
        let stray = printed
            .lines()
            .find(|line| !plans().iter().any(|plan| is_of(plan, line)));
        assert_eq!(stray, None, "a line of no channel");
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
    if ticks > WARM * TICKS {
        let kept = heap::held().saturating_sub(held);
        println!(
            "{TOLD}{kept} bytes kept of {} requests",
            life.rude.sent + life.wild
        );
        assert!(
            kept < 16 * MOST_KEPT,
            "{kept} bytes were kept of {ticks} ticks"
        );
    }
    stage.vhost.shutdown();
    // They would be kept for a flush after the run.
    clear_static_mems();
    life
}

/// True if a line belongs to the channel.
fn is_of(plan: &Plan, line: &str) -> bool {
    let rest = line
        .strip_prefix('[')
        .and_then(|line| line.strip_prefix(plan.name));
    rest.is_some_and(|rest| rest.starts_with("] "))
}

/// Runs systems until this number of requests was sent.
fn attack(directory: &Path, backings: &[Backing], requests: u64) {
    let mut seed = setting(SEED, 0);
    let (mut rude, mut wild) = (Tally::default(), 0);
    let (mut lives, mut held) = (0, heap::held());
    while rude.sent + wild < requests {
        let backing = backings[seed as usize % backings.len()];
        println!("\n{SEED}={seed}");
        let life = live(directory, backing, seed, TICKS);
        rude += life.rude;
        wild += life.wild;
        seed += 1;
        lives += 1;
        if lives == WARM {
            held = heap::held();
        }
    }
    let kept = heap::held().saturating_sub(held);
    let most = heap::peak();
    println!("\n{TOLD}{rude:?}, {wild} without rules, at most {most} bytes held, {kept} kept");
    assert!(rude.answered > rude.sent / 3 && rude.reported > rude.sent / 8);
    // A format causes few reports, whatever it contains.
    assert!(rude.formats < 9 * rude.sent);
    assert!(rude.malformed > 0 && rude.formats > 0 && rude.resets > 0);
    assert!(most < MOST_HELD, "{most} bytes were held");
    assert!(
        kept < MOST_KEPT,
        "{kept} bytes were kept of {lives} systems"
    );
}

#[test]
fn memory_in_process() {
    apart("memory_in_process", |directory| {
        attack(directory, &[Backing::Static], requests())
    });
}

#[test]
fn memory_that_is_nowhere() {
    apart("memory_that_is_nowhere", |directory| {
        attack(directory, &[Backing::Log, Backing::Mixed], requests() / 5);
    });
}

#[test]
fn a_long_life() {
    apart("a_long_life", |directory| {
        let ticks = TICKS.max(requests() / 12);
        live(directory, Backing::Static, 1, ticks);
    });
}

#[test]
fn a_tap_that_panics_is_left_out() {
    apart("a_tap_that_panics_is_left_out", |directory| {
        let stage = Stage::start(directory, Backing::Static, &[GOOD]);
        let mut seen = 0;
        let count = move |_: &Observation<'_>| {
            seen += 1;
            assert!(seen < 10, "a tap that has seen enough");
        };
        // Reports of the start.
        stage.found.lock().unwrap().clear();
        stage.vhost.attach(count).unwrap();
        let mut good = Good::new(&stage, &GOOD, 0);
        for _ in 0..10 {
            good.round(&stage);
        }
        // As findings of checkers: the tap does not see them.
        let reports = std::mem::take(&mut *stage.found.lock().unwrap());
        let [report] = &reports[..] else {
            panic!("{reports:?}");
        };
        assert!(report.text.starts_with("a tap panicked at "), "{report:?}");
        assert!(
            report.text.contains(": a tap that has seen enough"),
            "{report:?}"
        );
    });
}

#[test]
fn recordings() {
    apart("recordings", |directory| {
        let count = setting("VHOST_HOSTILE_RECORDINGS", 1000);
        trace::attack(directory, count, setting(SEED, 0));
        let most = heap::peak();
        assert!(most < MOST_HELD, "{most} bytes were held");
    });
}

#[test]
fn configuration_and_images() {
    apart("configuration_and_images", |directory| {
        config::debug_information(directory);
        config::sizes(directory);
        config::texts(directory, requests() / 20);
        let stage = Stage::start(directory, Backing::Mixed, &[GOOD]);
        config::images(&stage.vhost, directory, requests() / 20);
        config::large_segments(&stage.vhost, directory);
        Good::new(&stage, &GOOD, 0).round(&stage);
        let most = heap::peak();
        assert!(most < MOST_HELD, "{most} bytes were held");
    });
}
