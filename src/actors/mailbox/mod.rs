//! The mailbox server: takes firmware's requests out of the queues, has them served, and answers.
//!
//! - [`Setup`] and [`Links`]: what a channel is, and whom the server asks.
//! - `channel`: one long-lived task a channel: handshake, requests in order, reset at any time.
//! - `inspect`: the status of channels, with their words in memory.
//! - `journal`: what a channel does and did, for whoever asks why it is stuck.
//! - `queues`: what the host reads and writes of the channel's own words.
//! - `lookout`: what the doorbell has seen; `watch`: which words of a channel tell of work.
//! - `service`: what each request means; `filing`: what each file operation does.
//! - `notes`: what was told of a channel once and is not told again.
//! - `failure`: what can be wrong with one, and the error number that answers it.

mod board;
mod channel;
mod failure;
mod filing;
mod inspect;
mod journal;
mod lookout;
mod notes;
mod queues;
mod service;
#[cfg(test)]
mod tests;
mod watch;

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use actix::{Actor, Handler};
use mailbox_rs::Layout;

pub(crate) use board::Board;
use channel::Channel;
pub(crate) use inspect::statuses;

use crate::actors::memory::MemoryClient;
use crate::actors::rpc::RpcClient;
use crate::bus::{Desk, Doorbell, Port, Spawner};
use crate::mem::{SpaceId, Store};
use crate::messages::mailbox::Inbox;
use crate::messages::{ChannelId, Name};
use crate::messages::{console, files, foreign};

/// One channel to serve.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// Its name.
    pub name: Name,
    /// Its space: pointers of firmware are addresses there.
    pub space: SpaceId,
    /// Address of its first byte.
    pub address: u64,
    /// Where its words are.
    pub layout: Layout,
}

/// Whom the server asks.
#[derive(Clone)]
pub(crate) struct Links {
    /// For all that is in memory.
    pub memory: MemoryClient,
    /// For calls and custom commands.
    pub rpc: RpcClient,
    /// For file operations.
    pub files: Port<files::Inbox>,
    /// For text.
    pub console: Port<console::Inbox>,
    /// For exits and reports.
    pub foreign: Port<foreign::Inbox>,
    /// For looks at the doorbells, which are no messages.
    pub store: Rc<dyn Store>,
    /// True while the testbench observes requests that are served.
    pub served: Rc<Cell<bool>>,
}

/// The mailbox server.
pub(crate) struct MailboxServer {
    desk: Desk,
    spawner: Spawner,
    channels: Rc<[Rc<Channel>]>,
}

impl MailboxServer {
    /// Serves `channels`, each with its doorbell, and shows on `board` how far they are. `own` is the way to itself.
    pub(crate) fn new(
        desk: Desk,
        spawner: Spawner,
        links: Links,
        channels: Vec<(Setup, Doorbell)>,
        board: &Rc<Board>,
        own: &Port<Inbox>,
    ) -> Self {
        let from = desk.party();
        let links = Rc::new(Links {
            memory: links.memory.sent_by(from),
            rpc: links.rpc.sent_by(desk.clone()),
            files: links.files.sent_by(from),
            console: links.console.sent_by(from),
            foreign: links.foreign.sent_by(from),
            store: links.store,
            served: links.served,
        });
        let channels = (0..)
            .map(ChannelId)
            .zip(channels)
            .map(|(id, (setup, bell))| {
                let (desk, links, board) = (desk.clone(), links.clone(), board.clone());
                Rc::new(Channel::new(
                    id,
                    setup,
                    bell,
                    desk,
                    links,
                    board,
                    own.clone(),
                ))
            });
        let channels = channels.collect();
        Self {
            desk,
            spawner,
            channels,
        }
    }
}

impl Actor for MailboxServer {
    type Context = actix::Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        for channel in &*self.channels {
            self.spawner.spawn(channel.clone().run());
        }
    }
}

impl Handler<Inbox> for MailboxServer {
    type Result = ();

    fn handle(&mut self, mail: Inbox, _: &mut Self::Context) {
        self.desk.open(mail, |mail| match mail {
            Inbox::Status(envelope) => {
                let statuses = self.channels.iter().map(|channel| channel.status());
                envelope.reply.send(statuses.collect());
            }
        });
    }
}

impl fmt::Debug for MailboxServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailboxServer")
            .field("channels", &self.channels.len())
            .finish()
    }
}
