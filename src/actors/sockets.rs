//! The socket manager: lets a testbench talk over TCP while simulated time goes on. It never waits: what can't be sent
//! now is queued, and what has not arrived is not there.
//!
//! - [`hub`]: all sockets and their clients; [`client`]: one client, with its buffers.
//! - [`network`]: what they see of TCP; [`tcp`]: the real one.

mod client;
mod hub;
mod network;
mod tcp;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;

use actix::{Actor, Context, Handler};

use crate::bus::{Alarm, Desk, Port};
use crate::messages::foreign::{self, Report, Severity};
use crate::messages::sockets::Inbox;

pub(crate) use self::hub::Hub;
pub(crate) use self::tcp::Tcp;

/// Serves the sockets of a hub.
pub(crate) struct Sockets {
    desk: Desk,
    foreign: Port<foreign::Inbox>,
    hub: Rc<RefCell<Hub>>,
    /// Rings while something is queued.
    alarm: Alarm,
}

impl Sockets {
    /// Serves `hub`; `alarm` brings a [`Flush`](crate::messages::sockets::Flush).
    pub(crate) fn new(
        desk: Desk,
        foreign: &Port<foreign::Inbox>,
        hub: Rc<RefCell<Hub>>,
        alarm: Alarm,
    ) -> Self {
        alarm.want(hub.borrow().is_behind());
        Self {
            foreign: foreign.sent_by(desk.party()),
            desk,
            hub,
            alarm,
        }
    }

    fn serve(&self, mail: Inbox) {
        let hub = &mut *self.hub.borrow_mut();
        // Whatever the call is: what was queued before goes out first.
        hub.pump();
        match mail {
            Inbox::Open(mail) => {
                let open = mail.message;
                mail.reply.send(hub.open(open.name, open.port));
            }
            Inbox::PortOf(mail) => mail.reply.send(hub.port(mail.message.socket)),
            Inbox::Greet(mail) => {
                let greet = mail.message;
                mail.reply.send(hub.greet(greet.socket, greet.text));
            }
            Inbox::Accept(mail) => mail.reply.send(hub.accept(mail.message.socket)),
            Inbox::Write(mail) => {
                let write = mail.message;
                let written = hub.write(write.socket, write.client, &write.data);
                mail.reply.send(written);
            }
            Inbox::Read(mail) => {
                let read = mail.message;
                mail.reply
                    .send(hub.read(read.socket, read.client, read.want));
            }
            Inbox::Disconnect(mail) => {
                let disconnect = mail.message;
                mail.reply
                    .send(hub.disconnect(disconnect.socket, disconnect.client));
            }
            Inbox::Close(mail) => mail.reply.send(hub.close(mail.message.socket)),
            Inbox::CloseAll(mail) => {
                hub.close_all();
                mail.reply.send(());
            }
            Inbox::Flush(mail) => mail.reply.send(()),
        }
        for note in hub.take_notes() {
            self.foreign.post(Report {
                severity: Severity::Warning,
                id: "sockets".to_owned(),
                text: note.to_string(),
            });
        }
        self.alarm.want(hub.is_behind());
    }
}

impl Actor for Sockets {
    type Context = Context<Self>;
}

impl Handler<Inbox> for Sockets {
    type Result = ();

    fn handle(&mut self, mail: Inbox, _: &mut Self::Context) {
        self.desk.open(mail, |mail| self.serve(mail));
    }
}
