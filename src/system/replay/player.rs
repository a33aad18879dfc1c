//! Player of external messages and of foreign calls' results.

use std::cell::{OnceCell, RefCell};
use std::rc::{Rc, Weak};

use serde::de::DeserializeOwned;

use super::comparison::{Due, SharedComparison};
use super::findings::FindingSink;
use crate::bus::{Endpoint, Inbox, Message, Ticket};
use crate::messages::announced::{Notified, ObserveFlags, RestoreBegun, SystemStarted};
use crate::messages::{console, files, foreign, memory, rpc, sockets};
use crate::system::front_ends::Recorded;
use crate::system::send_recorded::SendRecorded;
use crate::system::{Inner, PendingStart, Vhost};
use crate::trace::{Content, Entry, deserialize, send_reply};

/// Plays a recording to its end or to the first divergence.
pub(super) struct Player {
    comparison: SharedComparison,
    system: OnceCell<Weak<Inner>>,
    findings: FindingSink,
    /// Channels, until they are taken.
    beginning: RefCell<Option<PendingStart>>,
}

impl Player {
    pub(super) fn new(comparison: SharedComparison, findings: FindingSink) -> Self {
        Self {
            comparison,
            findings,
            system: OnceCell::new(),
            beginning: RefCell::new(None),
        }
    }

    /// Plays the whole recording.
    pub(super) fn play(&self, vhost: &Vhost, beginning: PendingStart) {
        // This is the only place that sets it.
        let _ = self.system.set(Rc::downgrade(&vhost.0));
        self.beginning.replace(Some(beginning));
        self.play_until(vhost, None);
    }

    /// Executes a foreign call: plays the recorded re-entrant calls, then returns the recorded result.
    pub(super) fn answer(&self, call: foreign::Inbox) {
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

    /// Executes the foreign call that an elided message asks for; `None` if the recording has no reply.
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
            self.step(vhost, due, call.is_some());
            // The result of the action is the entry itself.
            if self.comparison.is_next(due.frame) {
                self.comparison.missing();
                return;
            }
        }
    }

    fn step(&self, vhost: &Vhost, due: Due, abroad: bool) {
        let bus = &vhost.0.bus;
        if due.tick > bus.now() && !abroad {
            self.comparison.begin_tick(due.tick);
            bus.pass(due.tick - 1);
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
        let name = entry.kind.name.as_str();
        macro_rules! ask {
            ($module:ident, $port:expr) => {
                $module::Inbox::by_name(
                    name,
                    SendRecorded {
                        port: $port,
                        body,
                        awaited,
                        bus: Some(bus),
                    },
                )
            };
        }
        let asked = match entry.kind.to.as_str() {
            "nobody" => return self.emit(vhost, entry, body),
            "memory" => ask!(memory, &ports.memory),
            "rpc" => ask!(rpc, &ports.rpc),
            "files" => ask!(files, &ports.files),
            "console" => ask!(console, &ports.console),
            "foreign" => ask!(foreign, &ports.foreign),
            "sockets" => ask!(sockets, &ports.sockets),
            to => {
                let server = ports.front_ends.get().and_then(|all| all.at(to));
                let sent = Recorded {
                    from: Endpoint::EXTERNAL,
                    body,
                    awaited,
                    bus: Some(bus),
                };
                server.and_then(|server| server.send_recorded(name, sent))
            }
        };
        if let Some(Err(damage)) = asked {
            self.comparison.damaged(entry, damage);
        }
    }

    fn emit(&self, vhost: &Vhost, entry: &Entry, body: &[u8]) {
        let name = entry.kind.name.as_str();
        if name == ObserveFlags::NAME {
            match deserialize(body) {
                Ok(what) => vhost.observe(what),
                Err(damage) => self.comparison.damaged(entry, damage),
            }
        }
        if name == RestoreBegun::NAME {
            match deserialize::<RestoreBegun>(body) {
                Ok(begun) => {
                    self.comparison.begin_tick(begun.tick);
                    vhost.begin_restore(begun);
                }
                Err(damage) => self.comparison.damaged(entry, damage),
            }
        }
        if name == Notified::NAME {
            vhost.notify();
        }
        if name == SystemStarted::NAME {
            vhost.0.outside.emit(|| SystemStarted);
            if let Some(beginning) = self.beginning.take() {
                // Refused inside other calls only, where it is not recorded either.
                let _ = vhost.take_channels(beginning);
            }
        }
    }
}
