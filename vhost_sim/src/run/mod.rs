//! One run of a scenario.

mod checkpoint;
mod end;
mod outcome;
mod start;
mod tick;

use std::collections::hash_map::DefaultHasher;
use std::path::Path;
use std::sync::{Arc, Mutex};

use vhost::Vhost;
use vhost::attach::{Logger, ProtocolChecker, Statistics};
use vhost::messages::foreign::Severity;
use vhost::trace::Payloads;

pub use self::outcome::{Failed, Passed};
use crate::clients::Clients;
use crate::disk::Files;
use crate::environment::{self, LimitedWriter, Sink};
use crate::event::Log;
use crate::firmware::{Firmware, FirmwareContext};
use crate::scenario::{Scenario, Tap};
use crate::session::{Phase, Session, Shared};
use crate::space::Space;

/// Maximum number of turns in the liveness phase.
const MAX_LIVENESS_TURNS: u32 = 200;

/// Unit of a system: a channel with its memories, firmware and checker.
struct Unit {
    space: Space,
    session: Session,
    firmware: Firmware,
}

/// Reported errors by channel, and the error that ended the service.
#[derive(Debug, Default)]
struct Reports {
    errors: Vec<u32>,
    fatal: u32,
    /// Errors without a channel.
    others: Vec<String>,
}

struct Run<'a> {
    scenario: &'a Scenario,
    folder: &'a Path,
    vhost: Vhost,
    log: Log,
    sink: Sink,
    reports: Arc<Mutex<Reports>>,
    units: Vec<Unit>,
    shared: Shared,
    clients: Option<Clients>,
    hash: DefaultHasher,
    phase: &'static str,
    ticks: u32,
    turns: u32,
    fatal: bool,
}

/// Runs a scenario in a folder of its own.
///
/// # Errors
/// Fails on the first violation.
pub fn run(scenario: &Scenario, folder: &Path) -> Result<Passed, Failed> {
    run_with(scenario, folder, false)
}

/// Runs a scenario twice, the second time with a tap from its start, so that elided messages are
/// shown. Both runs have to be the same.
///
/// # Errors
/// The first violation, or the difference of the runs.
pub fn run_twice(scenario: &Scenario, folder: &Path) -> Result<Passed, Failed> {
    let first = run(scenario, folder)?;
    let second = run_with(scenario, folder, true)?;
    let differ = |property: &str, one: String, other: String| Failed {
        phase: "end",
        tick: 0,
        channel: None,
        text: format!("runs without and with a tap differ in {property}: {one} and {other}"),
    };
    if first.hash != second.hash {
        let [one, other] = [&first, &second].map(|passed| format!("hash {:016x}", passed.hash));
        return Err(differ("events", one, other));
    }
    if scenario.counts_messages() && first.messages != second.messages {
        let [one, other] = [&first, &second].map(|passed| passed.messages.to_string());
        return Err(differ("messages", one, other));
    }
    Ok(second)
}

fn run_with(scenario: &Scenario, folder: &Path, tapped: bool) -> Result<Passed, Failed> {
    environment::count_panics();
    let unexpected_panics = environment::unexpected_panics();
    let mut run = Run::start(scenario, folder, tapped)?;
    let outcome = run.run_phases();
    let (tick, phase) = (run.vhost.now(), run.phase);
    let fail = move |text: String| Failed {
        phase,
        tick,
        channel: None,
        text,
    };
    let outcome = outcome.and_then(|()| {
        if environment::unexpected_panics() == unexpected_panics {
            Ok(())
        } else {
            Err(fail("the host has panicked".to_owned()))
        }
    });
    outcome?;
    run.end()
}

impl Run<'_> {
    fn failed(&self, channel: Option<usize>, text: String) -> Failed {
        Failed {
            phase: self.phase,
            tick: self.vhost.now(),
            channel,
            text,
        }
    }

    fn run_phases(&mut self) -> Result<(), Failed> {
        while self.turns < self.scenario.ticks && !self.is_over() {
            self.turn()?;
        }
        self.phase = "liveness";
        let end = self.turns + MAX_LIVENESS_TURNS;
        while !self.is_over() {
            if self.turns == end {
                let stuck = self.units.iter().position(|unit| !unit.firmware.is_over());
                let status = self.vhost.status().unwrap_or_default();
                return Err(self.failed(
                    stuck,
                    format!("not over after {MAX_LIVENESS_TURNS} turns\n{status}"),
                ));
            }
            self.each_firmware(|firmware, context| firmware.close(context));
            self.turn()?;
        }
        if !self.fatal
            && let Some(clients) = self.clients.take()
        {
            let closed = clients.close(&self.vhost);
            closed.map_err(|text| self.failed(None, text))?;
        }
        Ok(())
    }

    /// True if there is nothing left to do.
    fn is_over(&self) -> bool {
        self.fatal || self.units.iter().all(|unit| unit.firmware.is_over())
    }

    fn each_firmware(&mut self, mut act: impl FnMut(&mut Firmware, &mut FirmwareContext<'_>)) {
        let left: Vec<Option<u64>> = self
            .units
            .iter()
            .map(|unit| last_descriptor(unit, &self.shared.files))
            .collect();
        for (unit, channel) in self.units.iter_mut().zip(&self.scenario.channels) {
            let mut context = FirmwareContext {
                channel,
                space: &mut unit.space,
                session: &mut unit.session,
                shared: &mut self.shared,
                left: &left,
            };
            act(&mut unit.firmware, &mut context);
        }
    }

    /// Executes one turn of all firmware, and the ticks that follow it.
    fn turn(&mut self) -> Result<(), Failed> {
        let turn = self.turns;
        self.turns += 1;
        self.attach(turn)?;
        self.checkpoint(turn)?;
        self.each_firmware(|firmware, context| firmware.turn(context));
        let due = self.scenario.clients.iter().filter(|(at, _)| *at == turn);
        for (_, action) in due {
            if let Some(clients) = &mut self.clients {
                let executed = clients.execute(action, &self.vhost, &mut self.shared.coverage);
                executed.map_err(|text| self.failed(None, text))?;
            }
        }
        let bursts = &self.scenario.bursts;
        let ticks = bursts
            .get(turn as usize % bursts.len().max(1))
            .copied()
            .unwrap_or(1);
        // Liveness must be shown within a bounded number of turns.
        let ticks = if self.phase == "liveness" { 1 } else { ticks };
        if ticks > 1 {
            self.shared.coverage.hit("burst of ticks");
        }
        for _ in 0..ticks {
            if !self.fatal {
                self.tick()?;
            }
        }
        if let Some(clients) = &mut self.clients {
            let passed = clients.move_bytes(&self.vhost);
            passed.map_err(|text| self.failed(None, text))?;
        }
        Ok(())
    }

    fn attach(&mut self, turn: u32) -> Result<(), Failed> {
        for (_, tap) in self.scenario.taps.iter().filter(|(at, _)| *at == turn) {
            let (counter, attached) = match tap {
                Tap::Logger { room } => (
                    "tap logger, full",
                    self.vhost.attach(Logger::writer(LimitedWriter::new(*room))),
                ),
                Tap::Checker => (
                    "tap checker",
                    self.vhost
                        .attach(ProtocolChecker::new().severity(Severity::Info)),
                ),
                Tap::Statistics => ("tap statistics", self.vhost.attach(Statistics::new())),
                Tap::FullDisk => {
                    let refused = self.vhost.record("/dev/full", Payloads::Keep).is_err();
                    self.shared.coverage.hit("tap recorder on a full disk");
                    if !refused {
                        return Err(self
                            .failed(None, "a recording on a full disk is not refused".to_owned()));
                    }
                    continue;
                }
            };
            self.shared.coverage.hit(counter);
            attached.map_err(|error| self.failed(None, error.to_string()))?;
        }
        Ok(())
    }
}

/// Last descriptor of a file on disk, of a channel that has exited.
fn last_descriptor(unit: &Unit, files: &Files) -> Option<u64> {
    let over = matches!(unit.session.phase, Phase::Exited(_)) && !unit.session.may_report_errors;
    let on_disk = |fd: &&u64| files.open.get(fd).is_some_and(|open| !open.is_special());
    unit.firmware
        .fds
        .iter()
        .rfind(on_disk)
        .copied()
        .filter(|_| over)
}
