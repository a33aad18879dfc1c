//! End of a run: checks of files, open descriptors and reports, and the replay.

use std::hash::{Hash, Hasher};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vhost::bus::Observation;
use vhost::trace::{Content, Entry, Trace};
use vhost::{ActorName, Cut, Replay};

use super::{Failed, Passed, Run};
use crate::environment;
use crate::event::{channel_name, lock};
use crate::session::Phase;

impl Run<'_> {
    /// Ends the system, and checks its final state.
    pub(super) fn end(mut self) -> Result<Passed, Failed> {
        self.phase = "end";
        if !self.fatal {
            for (number, unit) in self.units.iter().enumerate() {
                let exit = self.vhost.exits().get(number).and_then(|exit| exit.code);
                let expected = match unit.session.phase {
                    Phase::Exited(code) => Some(code),
                    _ => None,
                };
                if exit != expected {
                    return Err(self.failed(
                        Some(number),
                        format!("exit code {exit:?}, expected {expected:?}"),
                    ));
                }
            }
            // The host closes files after the last exit. A wrong version that it has not noticed
            // yet prevents an exit.
            let is_ending = self.units.iter().any(|unit| unit.firmware.fatal);
            if self.serving() == 0 || !is_ending {
                self.check_files()?;
            }
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
                format!("an error without a channel was reported: {other}"),
            ));
        }
        let messages = self.count_messages();
        let ticks = self.vhost.now();
        self.vhost.shutdown();
        if self.scenario.disk || self.scenario.record {
            let open = environment::open_below(self.folder);
            if let Some(open) = open.first() {
                return Err(fail("end", format!("{open} is still open")));
            }
        }
        if self.scenario.record {
            let replay = || Replay::of(self.folder.join("run.trace")).on_finding(|_| ());
            let replayed = replay().run();
            replayed.map_err(|error| fail("replay", error.to_string()))?;
            // The run was recorded with calls that taps observe as messages. A single actor sends
            // messages.
            for actor in [ActorName::Mailbox, ActorName::Memory, ActorName::Rpc] {
                let replayed = replay().only(actor).run();
                replayed.map_err(|error| fail("replay", format!("of {actor}: {error}")))?;
            }
            self.shared.coverage.hit("recording replayed");
            let cut = cut(self.folder, ticks / 3..=ticks * 2 / 3);
            if cut.map_err(|text| fail("cut", text))? {
                self.shared
                    .coverage
                    .hit("recording cut where it was wanted");
            }
        }
        Ok(Passed {
            coverage: self.shared.coverage,
            hash: match self.shared.varies {
                true => 0,
                false => self.hash.finish(),
            },
            messages,
        })
    }

    /// Number of messages so far, from the sequence number of a further one.
    fn count_messages(&self) -> u64 {
        let last = Arc::new(AtomicU64::new(0));
        let seen = last.clone();
        let tap = move |it: &Observation<'_>| {
            seen.fetch_max(it.ticket.sequence, Ordering::Relaxed);
        };
        let attached = self.vhost.attach(tap);
        let space = channel_name(0);
        // The result is irrelevant.
        let _ = attached.is_ok() && self.vhost.read_u8(&space, 0).is_ok();
        last.load(Ordering::Relaxed)
    }

    /// Compares files, after all channels have exited.
    fn check_files(&mut self) -> Result<(), Failed> {
        if !self.scenario.disk {
            return Ok(());
        }
        let root = self.folder.join("root");
        let open = environment::open_below(&root);
        if let Some(open) = open.first() {
            return Err(self.failed(None, format!("{open} is open after the last exit")));
        }
        let is_relaxed = self.units.iter().any(|unit| unit.session.may_report_errors);
        let actual =
            environment::files(&root).map_err(|error| self.failed(None, error.to_string()))?;
        actual.hash(&mut self.hash);
        let expected = self.shared.files.tree.all();
        if !is_relaxed && actual != expected {
            let other = actual
                .keys()
                .chain(expected.keys())
                .find(|path| actual.get(*path) != expected.get(*path));
            let path = other.cloned().unwrap_or_default();
            let text = format!(
                "file `{path}` has {:x?}, expected {:x?}",
                actual.get(&path),
                expected.get(&path)
            );
            return Err(self.failed(None, text));
        }
        Ok(())
    }
}

/// Cuts a part out of the run's recording, and replays it. Returns true if the part starts at the
/// requested tick.
fn cut(folder: &Path, ticks: RangeInclusive<u64>) -> Result<bool, String> {
    let (whole, part) = (folder.join("run.trace"), folder.join("cut.trace"));
    let cut = Cut::of(&whole, ticks.clone(), &part).map_err(|error| format!("{error}"))?;
    // A run whose ticks went back has entries behind the part that was cut out.
    let (whole, has_gone_back) = served_requests(&whole, &ticks)?;
    let (part, _) = served_requests(&part, &ticks)?;
    let is_same = match has_gone_back {
        true => whole.starts_with(&part),
        false => whole == part,
    };
    if !is_same {
        let (whole, part) = (whole.len(), part.len());
        return Err(format!(
            "requests of ticks {ticks:?} differ: {part} in place of {whole}"
        ));
    }
    Ok(cut.first == *ticks.start() || *ticks.start() <= 1)
}

/// Tick and content of the requests that were served in these ticks, and true if the recording's
/// ticks go back.
fn served_requests(
    file: &Path,
    ticks: &RangeInclusive<u64>,
) -> Result<(Vec<(u64, Content)>, bool), String> {
    let mut served = Vec::new();
    let (mut last, mut has_gone_back) = (0, false);
    for entry in Trace::open(file).map_err(|error| error.to_string())? {
        let Entry {
            tick,
            kind,
            content,
            ..
        } = entry.map_err(|error| error.to_string())?;
        has_gone_back |= tick < last;
        last = tick;
        if ticks.contains(&tick) && kind.to == "nobody" && kind.name == "Served" {
            served.push((tick, content));
        }
    }
    Ok((served, has_gone_back))
}
