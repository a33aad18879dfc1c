//! The socket manager: TCP for a testbench while simulated time advances. It never blocks: data
//! that can't be sent yet is queued, and a read returns only data that has arrived.
//!
//! - [`hub`]: all sockets and their clients; [`client`]: one client, with its buffers.
//! - [`network`]: their interface to TCP; [`tcp`]: its implementation; [`traced_network`]: its
//!   results, for recordings.

mod client;
mod hub;
mod network;
mod tcp;
#[cfg(test)]
mod tests;
mod traced_network;

use std::cell::RefCell;
use std::rc::Rc;

use actix::{Actor, Context, Handler};

use crate::bus::{ActorContext, Body, Envelope, Port, ReplySender, TickTimer};
use crate::messages::foreign::{self, Report, Severity};
use crate::messages::sockets::Inbox;

pub(crate) use self::hub::Hub;
pub(crate) use self::network::{Connection, Listener, Network};
pub(crate) use self::tcp::Tcp;

/// Serves the sockets of a hub.
pub(crate) struct Sockets {
    context: ActorContext,
    foreign: Port<foreign::Inbox>,
    hub: Rc<RefCell<Hub>>,
    /// Enabled while data is queued.
    timer: TickTimer,
}

impl Sockets {
    /// Serves `hub`. `timer` sends it a [`Flush`](crate::messages::sockets::Flush).
    pub(crate) fn new(
        context: ActorContext,
        foreign: &Port<foreign::Inbox>,
        hub: Rc<RefCell<Hub>>,
        timer: TickTimer,
    ) -> Self {
        timer.set_enabled(hub.borrow().has_unsent());
        Self {
            foreign: foreign.with_sender(context.endpoint()),
            context,
            hub,
            timer,
        }
    }

    fn serve(&self, message: Inbox) {
        let hub = &mut *self.hub.borrow_mut();
        hub.results().set_enabled(self.context.has_taps());
        // Queued data is sent before any request. After a fork, only the parent sends it.
        if !matches!(message, Inbox::Abandon(_)) {
            hub.pump();
        }
        match message {
            Inbox::Open(Envelope { message, reply }) => {
                let opened = hub.open(message.name, message.port);
                self.send_reply(hub, reply, opened);
            }
            Inbox::LocalPort(Envelope { message, reply }) => {
                self.send_reply(hub, reply, hub.port(message.socket));
            }
            Inbox::Greet(Envelope { message, reply }) => {
                let greets = hub.greet(message.socket, message.text);
                self.send_reply(hub, reply, greets);
            }
            Inbox::Accept(Envelope { message, reply }) => {
                let accepted = hub.accept(message.socket);
                self.send_reply(hub, reply, accepted);
            }
            Inbox::Write(Envelope { message, reply }) => {
                let written = hub.write(message.socket, message.client, &message.data);
                self.send_reply(hub, reply, written);
            }
            Inbox::Read(Envelope { message, reply }) => {
                let read = hub.read(message.socket, message.client, message.want);
                self.send_reply(hub, reply, read);
            }
            Inbox::Disconnect(Envelope { message, reply }) => {
                let disconnected = hub.disconnect(message.socket, message.client);
                self.send_reply(hub, reply, disconnected);
            }
            Inbox::Close(Envelope { message, reply }) => {
                let closed = hub.close(message.socket);
                self.send_reply(hub, reply, closed);
            }
            Inbox::CloseAll(Envelope { reply, .. }) => {
                hub.close_all();
                self.send_reply(hub, reply, ());
            }
            Inbox::Abandon(Envelope { reply, .. }) => {
                hub.abandon();
                self.send_reply(hub, reply, ());
            }
            Inbox::Save(Envelope { reply, .. }) => {
                self.send_reply(hub, reply, hub.saved());
            }
            Inbox::Restore(Envelope { message, reply }) => {
                let errors = hub.restore(message.sockets);
                self.send_reply(hub, reply, errors);
            }
            Inbox::Flush(Envelope { reply, .. }) => self.send_reply(hub, reply, ()),
        }
        for note in hub.take_notes() {
            self.foreign.post(Report {
                severity: Severity::Warning,
                id: "sockets".to_owned(),
                text: note.to_string(),
            });
        }
        self.timer.set_enabled(hub.has_unsent());
    }
}

impl Sockets {
    /// Emits the network's results as events, then replies.
    fn send_reply<R: Body>(&self, hub: &Hub, sender: ReplySender<R>, reply: R) {
        for result in hub.results().take() {
            self.context.emit(|| result);
        }
        sender.send(reply);
    }
}

impl Actor for Sockets {
    type Context = Context<Self>;
}

impl Handler<Inbox> for Sockets {
    type Result = ();

    fn handle(&mut self, message: Inbox, _: &mut Self::Context) {
        self.context.handle(message, |message| self.serve(message));
    }
}
