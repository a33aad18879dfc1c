//! One tick of the host, and the checks after it.

use std::hash::Hash;

use vhost::Error;

use super::{Failed, Run, Unit};
use crate::environment;
use crate::event::{Event, FileOp, Target, channel_number, lock};
use crate::methods;
use crate::session::{Phase, Shared};

impl Run<'_> {
    /// Executes one tick of the host, and checks its results.
    pub(super) fn tick(&mut self) -> Result<(), Failed> {
        if self.scenario.notify.contains(&self.ticks) {
            self.shared.coverage.hit("notify");
            self.vhost.notify();
        }
        self.ticks += 1;
        let tick = self.vhost.now() + 1;
        for unit in &mut self.units {
            unit.session.begin_tick(tick);
        }
        let ticked = self.vhost.tick();
        let text = self.sink.take();
        text.hash(&mut self.hash);
        self.check_text(&text)?;
        let events = self.log.take();
        for event in &events {
            let channel = event.channel();
            self.count_event(event);
            let Some(unit) = self.units.get_mut(channel) else {
                return Err(self.failed(None, format!("{event:?} of an unknown channel")));
            };
            let seen = unit
                .session
                .check_event(event, &mut unit.space, &mut self.shared);
            event.hash(&mut self.hash);
            seen.map_err(|text| self.failed(Some(channel), text))?;
        }
        match ticked {
            Ok(serving) => {
                serving.hash(&mut self.hash);
                self.check_channels()?;
                let expected = self.serving();
                if serving != expected {
                    return Err(self.failed(
                        None,
                        format!("{serving} channels are served, expected {expected}"),
                    ));
                }
                if lock(&self.reports).fatal > 0 {
                    return Err(self.failed(
                        None,
                        "a fatal error was reported, and service continues".to_owned(),
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

    /// Number of channels that have not exited.
    pub(super) fn serving(&self) -> usize {
        let over = |unit: &&Unit| matches!(unit.session.phase, Phase::Exited(_));
        self.units.len() - self.units.iter().filter(over).count()
    }

    fn check_channels(&mut self) -> Result<(), Failed> {
        let errors = lock(&self.reports).errors.clone();
        self.each_session(|_, unit, shared| unit.session.check_memory(&mut unit.space, shared))?;
        if self.units.iter().any(|unit| unit.session.is_unchecked()) {
            self.adopt_files()?;
        }
        self.check_exits()?;
        if self.serving() == 0 {
            self.shared.files.open.clear();
        }
        self.each_session(|number, unit, shared| {
            let stale = unit.firmware.is_stale();
            unit.session
                .end_tick(&mut unit.space, shared, errors[number], stale)
        })
    }

    /// Takes over the files on disk, which requests may have changed that were not checked.
    fn adopt_files(&mut self) -> Result<(), Failed> {
        if self.scenario.disk {
            let actual = environment::files(&self.folder.join("root"));
            let actual = actual.map_err(|error| self.failed(None, error.to_string()))?;
            self.shared.files.tree.adopt(actual);
        }
        Ok(())
    }

    pub(super) fn each_session(
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

    fn count_event(&mut self, event: &Event) {
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
            && !matches!(op, FileOp::Open(_) | FileOp::Drop)
        {
            self.shared.coverage.hit("panic of a special file");
        }
    }

    /// Checks printed lines.
    fn check_text(&mut self, text: &[u8]) -> Result<(), Failed> {
        let text = String::from_utf8_lossy(text).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(self.failed(None, format!("text without an end of line: {text:?}")));
        }
        for line in text.split_terminator('\n') {
            let parts = line
                .strip_prefix('[')
                .and_then(|line| line.split_once("] "));
            let channel = parts.and_then(|(channel, text)| Some((channel_number(channel)?, text)));
            match channel {
                Some((channel, text)) if channel < self.units.len() => {
                    self.units[channel].session.console.add_output(text);
                }
                _ => return Err(self.failed(None, format!("line of an unknown channel: {line:?}"))),
            }
        }
        Ok(())
    }

    /// Checks channels that have exited.
    fn check_exits(&mut self) -> Result<(), Failed> {
        for (number, exit) in self.vhost.exits().iter().enumerate() {
            let Some(unit) = self.units.get_mut(number) else {
                continue;
            };
            let session = &mut unit.session;
            match (exit.code, session.phase) {
                // Result of an entry of an earlier session.
                (Some(code), _) if session.is_relaxed => session.phase = Phase::Exited(code),
                (code, Phase::Exited(expected)) if code != Some(expected) => {
                    let text = format!("exit code {code:?}, expected {expected}");
                    return Err(self.failed(Some(number), text));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
