//! Player of external messages and of foreign calls' results.

use std::cell::{OnceCell, RefCell};
use std::rc::{Rc, Weak};

use serde::de::DeserializeOwned;

use super::comparison::{Due, SharedComparison};
use super::findings::FindingSink;
use super::recorded::RecordedDoorbells;
use crate::bus::{Endpoint, Inbox, Message, Ticket};
use crate::messages::events::{Notified, ObserveFlags, RestoreBegun, Resumed, SystemStarted};
use crate::messages::{console, files, foreign, memory, rpc, sockets};
use crate::system::Error;
use crate::system::assembly::PendingStart;
use crate::system::recorded_messages::{RecordedMessage, SendRecorded};
use crate::system::running::{Inner, Vhost};
use crate::trace::{Content, Entry, FrameError, deserialize, send_reply};

/// Plays a recording to its end or to the first divergence.
pub(super) struct Player {
    comparison: SharedComparison,
    system: OnceCell<Weak<Inner>>,
    findings: FindingSink,
    doorbells: OnceCell<Rc<RecordedDoorbells>>,
    /// Channels, until they are taken.
    pending_start: RefCell<Option<PendingStart>>,
}

impl Player {
    pub(super) fn new(comparison: SharedComparison, findings: FindingSink) -> Self {
        Self {
            comparison,
            findings,
            system: OnceCell::new(),
            doorbells: OnceCell::new(),
            pending_start: RefCell::new(None),
        }
    }

    /// Sets the doorbells of the system.
    pub(super) fn set_doorbells(&self, doorbells: Rc<RecordedDoorbells>) {
        // There is one system.
        let _ = self.doorbells.set(doorbells);
    }

    /// Plays the whole recording.
    pub(super) fn play(&self, vhost: &Vhost, pending_start: PendingStart) {
        self.begin(vhost, pending_start);
        self.play_until(vhost, None);
        self.end();
    }

    fn begin(&self, vhost: &Vhost, pending_start: PendingStart) {
        // This is the only place that sets it.
        let _ = self.system.set(Rc::downgrade(&vhost.0));
        self.pending_start.replace(Some(pending_start));
    }

    /// Plays the recording up to the first entry of a tick or of a later one. Returns the frame of
    /// that entry, and the state before the entry.
    ///
    /// # Errors
    /// A state that can't be saved.
    pub(super) fn play_to(
        &self,
        vhost: &Vhost,
        pending_start: PendingStart,
        tick: u64,
    ) -> Result<Option<(u64, Resumed)>, Error> {
        self.begin(vhost, pending_start);
        let reached = self.reach(vhost, tick);
        let state = reached.map(|frame| Ok((frame, self.state(vhost)?)));
        self.end();
        state.transpose()
    }

    /// Plays the recording up to the first entry of a tick, or of a later one. Returns the frame of
    /// that entry.
    fn reach(&self, vhost: &Vhost, tick: u64) -> Option<u64> {
        while let Some(due) = self.comparison.due() {
            if due.tick >= tick {
                return Some(due.frame);
            }
            if !self.advance(vhost, due, false) {
                break;
            }
        }
        None
    }

    /// Drops channels that were not taken, since the replay has ended before: they refer to the
    /// player.
    fn end(&self) {
        drop(self.pending_start.take());
    }

    /// State between two ticks.
    fn state(&self, vhost: &Vhost) -> Result<Resumed, Error> {
        let Inner { bus, observed, .. } = &*vhost.0;
        let (tick, is_notified) = (bus.now(), bus.is_notified());
        let state = self.comparison.suspended(|| vhost.resumption())?;
        let doorbells = self.doorbells.get();
        Ok(Resumed {
            tick,
            state,
            words: doorbells.map(|it| it.words()).unwrap_or_default(),
            is_notified,
            observed: observed.flags(),
            open: Vec::new(),
        })
    }

    /// Continues from a state.
    fn resume(&self, vhost: &Vhost, resumed: &Resumed) -> Result<(), Error> {
        let Inner { bus, observed, .. } = &*vhost.0;
        self.comparison.begin_tick(resumed.tick);
        if let Some(doorbells) = self.doorbells.get() {
            doorbells.set_words(&resumed.words);
        }
        observed.add(resumed.observed);
        self.comparison
            .suspended(|| vhost.resume(resumed.tick, resumed.state.clone(), &resumed.open))?;
        self.comparison.match_open(resumed.open.len());
        // The begin of the run may have ended with a notification.
        bus.set_notified(resumed.is_notified);
        Ok(())
    }

    /// Executes a foreign call: plays the recorded re-entrant calls, then returns the recorded
    /// result.
    pub(super) fn send_reply(&self, call: foreign::Inbox) {
        if call.ticket().from == Endpoint::TAP {
            return self.findings.report(call);
        }
        let Some(system) = self.system.get().and_then(Weak::upgrade) else {
            return;
        };
        let Some(recorded) = self.comparison.recorded(call.ticket().sequence) else {
            return;
        };
        self.play_until(&Vhost(system), Some(recorded));
        if let Some(entry) = self.comparison.next()
            && let Content::Reply { body } = &entry.content
            && let Err(damage) = send_reply(call, body)
        {
            self.comparison.damaged(&entry, damage);
        }
    }

    /// Executes the foreign call of an elided message; `None` if the recording has no reply.
    pub(super) fn reply<T: DeserializeOwned>(&self, of: Ticket) -> Option<T> {
        let system = self.system.get().and_then(Weak::upgrade)?;
        let recorded = self.comparison.recorded(of.sequence)?;
        self.play_until(&Vhost(system), Some(recorded));
        self.comparison.next_reply()
    }

    /// Plays up to the reply to the foreign call of this number, or to the end.
    fn play_until(&self, vhost: &Vhost, call: Option<u64>) {
        while let Some(due) = self.comparison.due() {
            if !due.is_message && call == Some(due.sequence) {
                return;
            }
            if !self.advance(vhost, due, call.is_some()) {
                return;
            }
        }
    }

    /// Plays the next entry. Returns false if there is none.
    fn advance(&self, vhost: &Vhost, due: Due, in_foreign_call: bool) -> bool {
        self.step(vhost, due, in_foreign_call);
        // The result of the action is the entry itself.
        let is_missing = self.comparison.is_next(due.frame);
        if is_missing {
            self.comparison.missing();
        }
        !is_missing
    }

    fn step(&self, vhost: &Vhost, due: Due, in_foreign_call: bool) {
        let bus = &vhost.0.bus;
        if due.tick > bus.now() && !in_foreign_call {
            self.comparison.begin_tick(due.tick);
            bus.advance_to(due.tick - 1);
            // Refused inside other calls only.
            let _ = bus.tick();
            if !self.comparison.is_next(due.frame) {
                return;
            }
        }
        if !due.is_external {
            // A posted message that runs by itself.
            drop(bus.run_until_idle());
        } else if let Some(entry) = self.comparison.next()
            && let Content::Message { body, awaited } = &entry.content
        {
            self.ask(vhost, &entry, body, *awaited);
        }
    }

    /// Sends an external message.
    fn ask(&self, vhost: &Vhost, entry: &Entry, body: &[u8], awaited: bool) {
        let Inner { bus, ports, .. } = &*vhost.0;
        let (to, name) = (entry.kind.to.as_str(), entry.kind.name.as_str());
        if to == Endpoint::EVENT.name() {
            return self.emit(vhost, entry, body);
        }
        macro_rules! ask {
            ($($module:ident),+) => {
                match to {
                    $(to if to == $module::Inbox::ENDPOINT.name() => {
                        let port = &ports.$module;
                        let bus = Some(bus);
                        $module::Inbox::by_name(name, SendRecorded { port, body, awaited, bus })
                    })+
                    to => {
                        let server = ports.front_ends.get().and_then(|all| all.at(to));
                        let sent = RecordedMessage {
                            from: Endpoint::EXTERNAL,
                            body,
                            awaited,
                            bus: Some(bus),
                        };
                        server.and_then(|server| server.send_recorded(name, sent))
                    }
                }
            };
        }
        let asked = ask!(memory, rpc, files, console, foreign, sockets);
        if let Some(Err(damage)) = asked {
            self.comparison.damaged(entry, damage);
        }
    }

    /// Plays an external event.
    fn emit(&self, vhost: &Vhost, entry: &Entry, body: &[u8]) {
        if let Err(damage) = self.emit_decoded(vhost, entry.kind.name.as_str(), body) {
            self.comparison.damaged(entry, damage);
        }
    }

    fn emit_decoded(&self, vhost: &Vhost, name: &str, body: &[u8]) -> Result<(), FrameError> {
        match name {
            ObserveFlags::NAME => vhost.observe(deserialize(body)?),
            RestoreBegun::NAME => {
                let begun: RestoreBegun = deserialize(body)?;
                self.comparison.begin_tick(begun.tick);
                vhost.begin_restore(begun);
            }
            Resumed::NAME => {
                let resumed: Resumed = deserialize(body)?;
                vhost.0.external.emit(|| resumed.clone());
                self.resume(vhost, &resumed)
                    .map_err(|error| FrameError::Content(error.to_string()))?;
            }
            Notified::NAME => vhost.notify(),
            SystemStarted::NAME => {
                vhost.0.external.emit(|| SystemStarted);
                if let Some(pending_start) = self.pending_start.take() {
                    // Refused inside other calls only, where it is not recorded either.
                    let _ = vhost.start_front_ends(pending_start);
                }
            }
            _ => {}
        }
        Ok(())
    }
}
