//! Hostile firmware with a whole system: no content of its memory may crash, hang or exhaust the
//! host.
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

mod attacker;
mod config;
mod heap;
mod misbehaving;
mod subprocess;
mod trace;
mod well_behaved;

use std::env;
use std::ops::AddAssign;
use std::path::Path;
use std::sync::atomic::Ordering;

use attacker::Attacker;
use fastrand::Rng;
use mailbox_rs::CacheLine::{B32, B64, B256, None as NoLine};
use mailbox_rs::PtrWidth::{P4, P8};
use mailbox_rs::mock::Firmware;
use misbehaving::{Misbehaving, Tally};
use subprocess::{REPORT_PREFIX, SEED, in_subprocess};
use test_support::host_fixture::{Backing, HostFixture, Plan};
use test_support::ram::Ram;
use vhost::bus::Observation;
use vhost::mem::clear_static_mems;
use well_behaved::WellBehaved;

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

/// Maximum number of bytes allocated at the same time, with claimed lengths up to 2^64 - 1.
const MAX_ALLOCATED: usize = 64 << 20;

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

const WELL_BEHAVED: Plan = plan("good", "good", 0, P8, B64);
const MISBEHAVING: [Plan; 3] = [
    plan("rude32", "rude", 0, P4, B64),
    plan("rude64", "rude", 1, P8, NoLine),
    plan("rude64_line", "rude", 2, P8, B256),
];
const RANDOM: [Plan; 2] = [
    plan("wild32", "wild", 0, P4, NoLine),
    plan("wild64", "wild", 1, P8, B32),
];

fn plans() -> Vec<Plan> {
    [WELL_BEHAVED]
        .into_iter()
        .chain(MISBEHAVING)
        .chain(RANDOM)
        .collect()
}

/// Maximum number of bytes that stay allocated after the end of a system or a served request.
/// Counted after some systems or ticks, since some allocations are made once.
const MAX_KEPT_BYTES: usize = 16 << 10;
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

/// Channel whose firmware violates all rules.
struct Random {
    firmware: Firmware<Ram>,
    attacker: Attacker,
}

impl Random {
    fn act(&mut self, fixture: &HostFixture) -> u64 {
        let mut sent = 0;
        for _ in 0..self.attacker.rng.u32(..10) {
            if self.attacker.rng.u8(..4) == 0 {
                self.attacker.misbehave(&mut self.firmware);
            } else {
                let entry = self.attacker.entry(&fixture.vhost);
                sent += u64::from(self.firmware.try_send_entry(&entry));
            }
            while self.attacker.rng.bool() && self.firmware.try_receive().is_some() {}
        }
        sent
    }
}

/// Result of one system's run.
#[derive(Debug, Default)]
struct RunResult {
    misbehaving: Tally,
    random: u64,
}

/// Ticks of one system.
const TICKS: u64 = 200;

/// Runs one system under attack, until `ticks` are over or a wrong version ends it.
fn run_system(directory: &Path, backing: Backing, seed: u64, ticks: u64) -> RunResult {
    let mut rng = Rng::with_seed(seed);
    let fixture = HostFixture::start(directory, backing, &plans());
    let mut attacker = |plan: &Plan, spares_mail| Attacker {
        rng: rng.fork(),
        width: plan.width,
        space: plan.space,
        spares_mail,
        given: fixture.given.clone(),
        immortal: ticks > TICKS,
    };
    let mut misbehaving =
        MISBEHAVING.map(|plan| Misbehaving::new(&fixture, &plan, attacker(&plan, true)));
    let mut random = RANDOM.map(|plan| Random {
        firmware: fixture.firmware(&plan),
        attacker: attacker(&plan, false),
    });
    let mut well_behaved = WellBehaved::new(&fixture, &WELL_BEHAVED, seed);
    let mut life = RunResult::default();
    let mut held = 0;
    // Allocations that are made once per format have been made after half of a long run, and few
    // follow.
    let (warm, most_kept) = match ticks / 2 > WARM * TICKS {
        true => (ticks / 2, 4 * MAX_KEPT_BYTES),
        false => (WARM * TICKS, 16 * MAX_KEPT_BYTES),
    };
    for tick in 0..ticks {
        if tick == warm {
            held = heap::held();
        }
        misbehaving
            .iter_mut()
            .for_each(|misbehaving| misbehaving.act(&fixture));
        life.random += random
            .iter_mut()
            .map(|random| random.act(&fixture))
            .sum::<u64>();
        fixture.vhost.notify();
        let ticked = fixture.vhost.tick();
        let reports = fixture.reports.take();
        if let Err(error) = ticked {
            let error = error.to_string();
            assert!(
                error.contains("wild") && error.contains("firmware speaks mailbox protocol"),
                "{error}"
            );
            break;
        }
        misbehaving
            .iter_mut()
            .for_each(|misbehaving| misbehaving.collect(&fixture, &reports));
        fixture.released.store(false, Ordering::Relaxed);
        for plan in MISBEHAVING.iter().chain([&WELL_BEHAVED]) {
            assert_eq!(fixture.breaches(plan.name), None, "{}", plan.name);
        }
        fixture.forget_found();
        let printed = fixture.console.take_text();
        let stray = printed
            .lines()
            .find(|line| !plans().iter().any(|plan| is_of(plan, line)));
        assert_eq!(stray, None, "a line of no channel");
        if tick % 8 == 0 {
            well_behaved.round(&fixture);
            let reports = fixture.reports.take();
            misbehaving
                .iter_mut()
                .for_each(|misbehaving| misbehaving.collect(&fixture, &reports));
        }
        if tick % 64 == 0 {
            well_behaved.check(&fixture);
        }
    }
    well_behaved.check(&fixture);
    misbehaving
        .iter()
        .for_each(|misbehaving| life.misbehaving += misbehaving.tally);
    if ticks > warm {
        let kept = heap::held().saturating_sub(held);
        println!(
            "{REPORT_PREFIX}{kept} bytes kept of {} requests",
            life.misbehaving.sent + life.random
        );
        assert!(kept < most_kept, "{kept} bytes were kept of {ticks} ticks");
    }
    fixture.vhost.shutdown();
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
    let (mut misbehaving, mut random) = (Tally::default(), 0);
    let (mut lives, mut held) = (0, heap::held());
    while misbehaving.sent + random < requests {
        let backing = backings[seed as usize % backings.len()];
        println!("\n{SEED}={seed}");
        let life = run_system(directory, backing, seed, TICKS);
        misbehaving += life.misbehaving;
        random += life.random;
        seed += 1;
        lives += 1;
        if lives == WARM {
            held = heap::held();
        }
    }
    let kept = heap::held().saturating_sub(held);
    let most = heap::peak();
    println!(
        "\n{REPORT_PREFIX}{misbehaving:?}, {random} without rules, at most {most} bytes held, {kept} kept"
    );
    assert!(
        misbehaving.answered > misbehaving.sent / 3 && misbehaving.reported > misbehaving.sent / 8
    );
    // A format causes few reports, whatever it contains.
    assert!(misbehaving.formats < 9 * misbehaving.sent);
    assert!(misbehaving.malformed > 0 && misbehaving.resets > 0);
    // Memory that drops writes contains few formats.
    let has_formats = misbehaving.formats > 0 || !backings.contains(&Backing::Static);
    assert!(has_formats, "{misbehaving:?}");
    assert!(most < MAX_ALLOCATED, "{most} bytes were held");
    assert!(
        kept < MAX_KEPT_BYTES,
        "{kept} bytes were kept of {lives} systems"
    );
}

#[test]
fn memory_in_process() {
    in_subprocess("memory_in_process", |directory| {
        attack(directory, &[Backing::Static], requests())
    });
}

#[test]
fn memory_that_is_nowhere() {
    in_subprocess("memory_that_is_nowhere", |directory| {
        attack(directory, &[Backing::Log, Backing::Mixed], requests() / 5);
    });
}

#[test]
fn a_long_life() {
    in_subprocess("a_long_life", |directory| {
        let ticks = TICKS.max(requests() / 12);
        run_system(directory, Backing::Static, 1, ticks);
    });
}

#[test]
fn a_tap_that_panics_is_left_out() {
    in_subprocess("a_tap_that_panics_is_left_out", |directory| {
        let fixture = HostFixture::start(directory, Backing::Static, &[WELL_BEHAVED]);
        let mut seen = 0;
        let count = move |_: &Observation<'_>| {
            seen += 1;
            assert!(seen < 10, "a tap that has seen enough");
        };
        // Reports of the start.
        fixture.found.take();
        fixture.vhost.attach(count).unwrap();
        let mut well_behaved = WellBehaved::new(&fixture, &WELL_BEHAVED, 0);
        for _ in 0..10 {
            well_behaved.round(&fixture);
        }
        // The tap does not observe them, since they are findings of checkers.
        let reports = fixture.found.take();
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
    in_subprocess("recordings", |directory| {
        let count = setting("VHOST_HOSTILE_RECORDINGS", 1000);
        trace::attack(directory, count, setting(SEED, 0));
        let most = heap::peak();
        assert!(most < MAX_ALLOCATED, "{most} bytes were held");
    });
}

#[test]
fn configuration_and_images() {
    in_subprocess("configuration_and_images", |directory| {
        config::debug_information(directory);
        config::sizes(directory);
        config::texts(directory, requests() / 20);
        let fixture = HostFixture::start(directory, Backing::Mixed, &[WELL_BEHAVED]);
        config::images(&fixture.vhost, directory, requests() / 20);
        config::large_segments(&fixture.vhost, directory);
        WellBehaved::new(&fixture, &WELL_BEHAVED, 0).round(&fixture);
        let most = heap::peak();
        assert!(most < MAX_ALLOCATED, "{most} bytes were held");
    });
}
