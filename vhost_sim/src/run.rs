//! One run of a scenario.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use vhost::attach::{Logger, ProtocolChecker, Statistics};
use vhost::bus::Observation;
use vhost::messages::foreign::{Report, Severity};
use vhost::trace::Payloads;
use vhost::{Error, Replay, Vhost};

use crate::clients::Clients;
use crate::coverage::Coverage;
use crate::disk::{Files, VARIABLE};
use crate::event::{Event, Log, Target, lock, name, number};
use crate::firmware::{Board, Firmware};
use crate::methods;
use crate::scenario::{Scenario, Tap};
use crate::session::{Phase, Session, Shared};
use crate::space::Space;
use crate::stage::{self, Sink, Small};
use crate::wire::Layout;

/// Turns of the liveness phase, at most.
const LIVENESS: u32 = 200;

/// Result of a run without a violation.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Counters of the run.
    pub coverage: Coverage,
    /// Hash of everything that was observed.
    pub hash: u64,
    /// Number of messages of the run, including elided ones.
    pub messages: u64,
}

/// Violation found in a run.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Phase of the run: `start`, `safety`, `liveness`, `end`, `replay`.
    pub phase: &'static str,
    /// Tick of the host.
    pub tick: u64,
    /// Channel of the violation, if it concerns one.
    pub channel: Option<usize>,
    /// Description of the violation.
    pub text: String,
}

impl Failed {
    /// Tests for the same kind of violation, by the words of both.
    pub fn resembles(&self, other: &Self) -> bool {
        let words = |text: &str| -> Vec<String> {
            let words = text
                .split(' ')
                .filter(|word| word.chars().all(char::is_alphabetic));
            words.take(5).map(str::to_owned).collect()
        };
        self.phase == other.phase && words(&self.text) == words(&other.text)
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, tick {}", self.phase, self.tick)?;
        if let Some(channel) = self.channel {
            write!(f, ", channel {}", name(channel))?;
        }
        write!(f, ": {}", self.text)
    }
}

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
/// The first violation.
pub fn run(scenario: &Scenario, folder: &Path) -> Result<Passed, Failed> {
    run_with(scenario, folder, false)
}

/// Runs a scenario with a tap from its start, so that no message is elided. The run must be the
/// same as without.
///
/// # Errors
/// The first violation.
pub fn run_tapped(scenario: &Scenario, folder: &Path) -> Result<Passed, Failed> {
    run_with(scenario, folder, true)
}

fn run_with(scenario: &Scenario, folder: &Path, tapped: bool) -> Result<Passed, Failed> {
    stage::install_hook();
    let panics = stage::panics();
    let mut run = Run::start(scenario, folder, tapped)?;
    let outcome = run.play();
    let (tick, phase) = (run.vhost.now(), run.phase);
    let fail = move |text: String| Failed {
        phase,
        tick,
        channel: None,
        text,
    };
    let outcome = outcome.and_then(|()| {
        if stage::panics() == panics {
            Ok(())
        } else {
            Err(fail("the host has panicked".to_owned()))
        }
    });
    outcome?;
    run.end()
}

impl<'a> Run<'a> {
    fn start(scenario: &'a Scenario, folder: &'a Path, tapped: bool) -> Result<Self, Failed> {
        let fail = |text: String| Failed {
            phase: "start",
            tick: 0,
            channel: None,
            text,
        };
        let log = Log::default();
        let mut rng = fastrand::Rng::with_seed(scenario.channels.len() as u64);
        let mut spaces: Vec<Space> = (0..)
            .zip(&scenario.channels)
            .map(|(number, channel)| Space::new(number, channel, &log, || rng.u8(..)))
            .collect();
        stage::prepare(folder, scenario, &spaces).map_err(|error| fail(error.to_string()))?;
        let sink = Sink::default();
        let reports = Arc::new(Mutex::new(Reports {
            errors: vec![0; scenario.channels.len()],
            ..Reports::default()
        }));
        let opener = log.clone();
        let mut builder = Vhost::builder()
            .memories(folder.join("mem.yaml"))
            .mailboxes_text(stage::mailboxes(scenario))
            .variable(VARIABLE.0, VARIABLE.1)
            .virtual_file("sim", move |path: &str, _flags| {
                crate::special::open(&opener, path)
            })
            .console(sink.clone())
            .on_report(note(&reports));
        if tapped {
            builder = builder.attach(|_: &Observation<'_>| ());
        }
        if scenario.disk {
            builder = builder.files(folder.join("root"));
        }
        if scenario.record {
            builder = builder.record(folder.join("run.trace"));
        }
        for space in &spaces {
            for (name, model) in space.models() {
                builder = builder.memory_model(name, model);
            }
        }
        builder = methods::register(builder, &log);
        let vhost = builder.start().map_err(|error| fail(error.to_string()))?;
        let mut shared = Shared::default();
        if scenario.disk {
            shared.files.root = true;
            shared.files.disk = stage::initial_files();
        }
        let mut units = Vec::new();
        for (number, channel) in scenario.channels.iter().enumerate() {
            let mut space = spaces.remove(0);
            space.attach(&vhost);
            let layout = Layout::new(channel.pointer, channel.line);
            let at = channel.base + channel.mailbox;
            let session = Session::new(number, layout, at, &space);
            for queue in [layout.request, layout.response] {
                space.want(
                    at + queue.start,
                    &vec![0; (queue.end - queue.start) as usize],
                );
            }
            if let Some((address, there, wanted)) = space.difference() {
                return Err(Failed {
                    channel: Some(number),
                    ..fail(format!(
                        "byte {address:#x} is {there:#x} at the start, where {wanted:#x} is wanted"
                    ))
                });
            }
            shared.coverage.describe(channel);
            units.push(Unit {
                space,
                session,
                firmware: Firmware::new(number, &channel.steps),
            });
        }
        match units.len() {
            1 => shared.coverage.hit("channels 1"),
            9.. => shared.coverage.hit("channels more than 8"),
            _ => {}
        }
        log.take();
        let clients = (!scenario.clients.is_empty()).then(|| Clients::open(&vhost));
        let clients = clients.transpose().map_err(fail)?;
        Ok(Self {
            scenario,
            folder,
            vhost,
            log,
            sink,
            reports,
            units,
            shared,
            clients,
            hash: DefaultHasher::new(),
            phase: "safety",
            ticks: 0,
            turns: 0,
            fatal: false,
        })
    }

    fn failed(&self, channel: Option<usize>, text: String) -> Failed {
        Failed {
            phase: self.phase,
            tick: self.vhost.now(),
            channel,
            text,
        }
    }

    fn play(&mut self) -> Result<(), Failed> {
        while self.turns < self.scenario.ticks && !self.is_over() {
            self.turn()?;
        }
        self.phase = "liveness";
        let end = self.turns + LIVENESS;
        while !self.is_over() {
            if self.turns == end {
                let stuck = self.units.iter().position(|unit| !unit.firmware.is_over());
                let status = self.vhost.status().unwrap_or_default();
                return Err(
                    self.failed(stuck, format!("not over after {LIVENESS} turns\n{status}"))
                );
            }
            self.each(|firmware, board| firmware.close(board));
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

    /// Tests for a run with nothing left to do.
    fn is_over(&self) -> bool {
        self.fatal || self.units.iter().all(|unit| unit.firmware.is_over())
    }

    fn each(&mut self, mut act: impl FnMut(&mut Firmware, &mut Board<'_>)) {
        let left: Vec<Option<u64>> = self
            .units
            .iter()
            .map(|unit| last_descriptor(unit, &self.shared.files))
            .collect();
        for (unit, channel) in self.units.iter_mut().zip(&self.scenario.channels) {
            let mut board = Board {
                channel,
                space: &mut unit.space,
                session: &mut unit.session,
                shared: &mut self.shared,
                left: &left,
            };
            act(&mut unit.firmware, &mut board);
        }
    }

    /// One turn of all firmware, and the ticks that follow it.
    fn turn(&mut self) -> Result<(), Failed> {
        let turn = self.turns;
        self.turns += 1;
        self.attach(turn)?;
        self.each(|firmware, board| firmware.turn(board));
        let due = self.scenario.clients.iter().filter(|(at, _)| *at == turn);
        for (_, action) in due {
            if let Some(clients) = &mut self.clients {
                let acted = clients.act(action, &self.vhost, &mut self.shared.coverage);
                acted.map_err(|text| self.failed(None, text))?;
            }
        }
        let bursts = &self.scenario.bursts;
        let ticks = bursts
            .get(turn as usize % bursts.len().max(1))
            .copied()
            .unwrap_or(1);
        // Liveness has to be seen within a bounded number of turns.
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
            let passed = clients.pass(&self.vhost);
            passed.map_err(|text| self.failed(None, text))?;
        }
        Ok(())
    }

    fn attach(&mut self, turn: u32) -> Result<(), Failed> {
        for (_, tap) in self.scenario.taps.iter().filter(|(at, _)| *at == turn) {
            let (what, attached) = match tap {
                Tap::Logger { room } => (
                    "tap logger, full",
                    self.vhost.attach(Logger::writer(Small::new(*room))),
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
            self.shared.coverage.hit(what);
            attached.map_err(|error| self.failed(None, error.to_string()))?;
        }
        Ok(())
    }

    /// One tick of the host, and the checks after it.
    fn tick(&mut self) -> Result<(), Failed> {
        if self.scenario.notify.contains(&self.ticks) {
            self.shared.coverage.hit("notify");
            self.vhost.notify();
        }
        self.ticks += 1;
        for unit in &mut self.units {
            unit.session.begin();
        }
        let ticked = self.vhost.tick();
        let text = self.sink.take();
        text.hash(&mut self.hash);
        self.text(&text)?;
        let events = self.log.take();
        events.hash(&mut self.hash);
        for event in &events {
            let channel = event.channel();
            self.count(event);
            let Some(unit) = self.units.get_mut(channel) else {
                return Err(self.failed(None, format!("{event:?} of no channel")));
            };
            let seen = unit.session.see(event, &mut unit.space, &mut self.shared);
            seen.map_err(|text| self.failed(Some(channel), text))?;
        }
        match ticked {
            Ok(serving) => {
                serving.hash(&mut self.hash);
                self.check_end()?;
                let wanted = self.serving();
                if serving != wanted {
                    return Err(
                        self.failed(None, format!("{serving} channels are served, not {wanted}"))
                    );
                }
                if lock(&self.reports).fatal > 0 {
                    return Err(self.failed(
                        None,
                        "a fatal error without an end of the service".to_owned(),
                    ));
                }
                Ok(())
            }
            Err(Error::Fatal(text)) => {
                self.fatal = true;
                let allowed = self.units.iter().any(|unit| unit.firmware.fatal);
                if !allowed {
                    return Err(self.failed(None, format!("the service has ended: {text}")));
                }
                self.shared.coverage.hit("bad version ends the service");
                Ok(())
            }
            Err(error) => Err(self.failed(None, error.to_string())),
        }
    }

    /// Channels that have not exited.
    fn serving(&self) -> usize {
        let over = |unit: &&Unit| matches!(unit.session.phase, Phase::Exited(_));
        self.units.len() - self.units.iter().filter(over).count()
    }

    fn check_end(&mut self) -> Result<(), Failed> {
        let errors = lock(&self.reports).errors.clone();
        self.each_session(|_, unit, shared| unit.session.look(&mut unit.space, shared))?;
        self.exits()?;
        if self.serving() == 0 {
            self.shared.files.open.clear();
        }
        self.each_session(|number, unit, shared| {
            let stale = unit.firmware.is_stale();
            unit.session
                .end(&mut unit.space, shared, errors[number], stale)
        })
    }

    fn each_session(
        &mut self,
        check: impl Fn(usize, &mut Unit, &mut Shared) -> Result<(), String>,
    ) -> Result<(), Failed> {
        let shared = &mut self.shared;
        let mut units = self.units.iter_mut().enumerate();
        let checked = units.try_for_each(|(number, unit)| {
            check(number, unit, shared).map_err(|text| (number, text))
        });
        checked.map_err(|(number, text)| self.failed(Some(number), text))
    }

    fn count(&mut self, event: &Event) {
        if let Event::Call {
            target: Target::Method(method),
            args,
            ..
        } = event
        {
            let coverage = &mut self.shared.coverage;
            match (method.as_str(), methods::depth(args)) {
                ("panic", _) => coverage.hit("panic of a method"),
                ("deep", 1) => coverage.hit("re-entry depth 1"),
                ("deep", 2) => coverage.hit("re-entry depth 2"),
                ("deep", _) => coverage.hit("re-entry depth 3"),
                _ => {}
            }
        }
        if let Event::File { path, op, .. } = event
            && path.ends_with("/panic")
            && !matches!(
                op,
                crate::event::FileOp::Open(_) | crate::event::FileOp::Drop
            )
        {
            self.shared.coverage.hit("panic of a special file");
        }
    }

    /// Lines that were put out.
    fn text(&mut self, text: &[u8]) -> Result<(), Failed> {
        let text = String::from_utf8_lossy(text).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(self.failed(None, format!("text without an end of line: {text:?}")));
        }
        for line in text.split_terminator('\n') {
            let parts = line
                .strip_prefix('[')
                .and_then(|line| line.split_once("] "));
            let channel = parts.and_then(|(channel, text)| Some((number(channel)?, text)));
            match channel {
                Some((channel, text)) if channel < self.units.len() => {
                    self.units[channel].session.console.put_out(text);
                }
                _ => return Err(self.failed(None, format!("a line of no channel: {line:?}"))),
            }
        }
        Ok(())
    }

    /// Channels that have exited.
    fn exits(&mut self) -> Result<(), Failed> {
        for (number, exit) in self.vhost.exits().iter().enumerate() {
            let Some(unit) = self.units.get_mut(number) else {
                continue;
            };
            let session = &mut unit.session;
            match (exit.code, session.phase) {
                // An entry of an earlier session.
                (Some(code), _) if session.loose => session.phase = Phase::Exited(code),
                (code, Phase::Exited(wanted)) if code != Some(wanted) => {
                    let text = format!("exit code {code:?}, not {wanted}");
                    return Err(self.failed(Some(number), text));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends the system, and checks its remains.
    fn end(mut self) -> Result<Passed, Failed> {
        self.phase = "end";
        if !self.fatal {
            for (number, unit) in self.units.iter().enumerate() {
                let exit = self.vhost.exits().get(number).and_then(|exit| exit.code);
                let wanted = match unit.session.phase {
                    Phase::Exited(code) => Some(code),
                    _ => None,
                };
                if exit != wanted {
                    return Err(
                        self.failed(Some(number), format!("exit code {exit:?}, not {wanted:?}"))
                    );
                }
            }
            self.files()?;
        }
        for unit in &self.units {
            unit.space.set_fault(None);
        }
        let tick = self.vhost.now();
        let fail = |phase, text: String| Failed {
            phase,
            tick,
            channel: None,
            text,
        };
        if let Some(other) = lock(&self.reports).others.first() {
            return Err(fail(
                "end",
                format!("an error of nobody's was reported: {other}"),
            ));
        }
        let messages = self.messages();
        self.vhost.shutdown();
        if self.scenario.disk || self.scenario.record {
            let open = stage::open_below(self.folder);
            if let Some(open) = open.first() {
                return Err(fail("end", format!("{open} is still open")));
            }
        }
        if self.scenario.record {
            let replayed = Replay::of(self.folder.join("run.trace"))
                .on_finding(|_| ())
                .run();
            replayed.map_err(|error| fail("replay", error.to_string()))?;
            self.shared.coverage.hit("recording replayed");
        }
        Ok(Passed {
            coverage: self.shared.coverage,
            hash: self.hash.finish(),
            messages,
        })
    }

    /// Number of messages so far, from the sequence number of one more.
    fn messages(&self) -> u64 {
        let last = Arc::new(AtomicU64::new(0));
        let seen = last.clone();
        let tap = move |it: &Observation<'_>| {
            seen.fetch_max(it.ticket.sequence, Ordering::Relaxed);
        };
        let attached = self.vhost.attach(tap);
        let space = name(0);
        // Its result does not matter.
        let _ = attached.is_ok() && self.vhost.read_u8(&space, 0).is_ok();
        last.load(Ordering::Relaxed)
    }

    /// Compares files, after all channels have exited.
    fn files(&mut self) -> Result<(), Failed> {
        if !self.scenario.disk {
            return Ok(());
        }
        let root = self.folder.join("root");
        let open = stage::open_below(&root);
        if let Some(open) = open.first() {
            return Err(self.failed(None, format!("{open} is open after the last exit")));
        }
        let loose = self.units.iter().any(|unit| unit.session.excused);
        let there = stage::files(&root).map_err(|error| self.failed(None, error.to_string()))?;
        there.hash(&mut self.hash);
        if !loose && there != self.shared.files.disk {
            let wanted = &self.shared.files.disk;
            let other = there
                .keys()
                .chain(wanted.keys())
                .find(|path| there.get(*path) != wanted.get(*path));
            let path = other.cloned().unwrap_or_default();
            let text = format!(
                "file `{path}` has {:x?}, where {:x?} is wanted",
                there.get(&path),
                wanted.get(&path)
            );
            return Err(self.failed(None, text));
        }
        Ok(())
    }
}

/// Last descriptor of a file on disk of a channel that has exited.
fn last_descriptor(unit: &Unit, files: &Files) -> Option<u64> {
    let over = matches!(unit.session.phase, Phase::Exited(_)) && !unit.session.excused;
    let on_disk = |fd: &&u64| files.open.get(fd).is_some_and(|open| !open.is_special());
    unit.firmware
        .fds
        .iter()
        .rfind(on_disk)
        .copied()
        .filter(|_| over)
}

/// Counts reports by channel.
fn note(reports: &Arc<Mutex<Reports>>) -> impl FnMut(&Report) + Send + 'static {
    let reports = reports.clone();
    move |report| {
        let mut reports = lock(&reports);
        match (report.severity, number(&report.id)) {
            (Severity::Fatal, _) => reports.fatal += 1,
            (Severity::Error, Some(channel)) => {
                if let Some(errors) = reports.errors.get_mut(channel) {
                    *errors += 1;
                }
            }
            (Severity::Error, None)
                if !matches!(report.id.as_str(), "host program" | "memory" | "sockets") =>
            {
                reports
                    .others
                    .push(format!("{}: {}", report.id, report.text));
            }
            _ => {}
        }
    }
}
