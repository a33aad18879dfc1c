//! The mailbox server: takes firmware's requests out of the queues, serves them and puts the responses.
//!
//! - [`Peers`]: the server's peers.
//! - `channel`: one long-lived task per channel: handshake, requests in order, reset at any time.
//! - `inspect`: status of channels, with their words in memory.
//! - `status_tracker`: present step and recent requests of a channel, for the status.
//! - `queues`: accesses to the channel's own words.
//! - `poller`: words last read by the doorbell; `watch`: selection of the words to poll.
//! - `requests`: handlers of the requests; `filing`: those of file operations; `posix`: those of protocol 0.3; `stdio`: standard streams.
//! - `session`: protocol version, input and random bytes of a channel.
//! - `severity`: severity of reports on failed requests.
//! - `progress`: state of the channels that ticks read without a message.
//! - `notes`: warnings already given for a channel.
//! - `failure`: errors of requests, and their error numbers.

mod channel;
mod failure;
mod file_requests;
mod inspect;
mod notes;
mod poller;
mod posix;
mod progress;
mod queues;
mod requests;
mod session;
mod severity;
mod status_tracker;
mod stdio;
#[cfg(test)]
mod tests;
mod watched_words;

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use actix::{Actor, Handler};

use channel::Channel;
pub(crate) use inspect::statuses;
pub(crate) use progress::ChannelProgress;

use crate::actors::console::ConsoleClient;
use crate::actors::memory::MemoryClient;
use crate::actors::rpc::RpcClient;
use crate::bus::{ActorContext, Doorbell, Port, Spawner};
use crate::mem::Store;
use crate::messages::mailbox::{Inbox, StdinError, StdinWrite};
use crate::messages::{ChannelDescriptor, ChannelId, files, foreign};

/// Peers of the server.
#[derive(Clone)]
pub(crate) struct Peers {
    /// All accesses to memory.
    pub memory: MemoryClient,
    /// Method calls and custom commands.
    pub rpc: RpcClient,
    /// File operations.
    pub files: Port<files::Inbox>,
    /// Printed text.
    pub console: ConsoleClient,
    /// Exits and reports.
    pub foreign: Port<foreign::Inbox>,
    /// Reads of the doorbells, which send no messages.
    pub store: Rc<dyn Store>,
    /// True while the testbench observes served requests.
    pub served: Rc<Cell<bool>>,
}

/// The mailbox server.
pub(crate) struct MailboxServer {
    context: ActorContext,
    spawner: Spawner,
    channels: Rc<[Rc<Channel>]>,
}

impl MailboxServer {
    /// Serves `channels`, each with its doorbell, and keeps their progress in `progress`. `own` is the server's own port.
    pub(crate) fn new(
        context: ActorContext,
        spawner: Spawner,
        links: Peers,
        channels: Vec<(ChannelDescriptor, Doorbell)>,
        progress: &Rc<ChannelProgress>,
        own: &Port<Inbox>,
    ) -> Self {
        let from = context.endpoint();
        let links = Rc::new(Peers {
            memory: links.memory.with_sender(from),
            rpc: links.rpc.with_sender(context.clone()),
            files: links.files.with_sender(from),
            console: links.console.with_sender(from),
            foreign: links.foreign.with_sender(from),
            store: links.store,
            served: links.served,
        });
        let channels = (0..)
            .map(ChannelId)
            .zip(channels)
            .map(|(id, (descriptor, bell))| {
                let (context, links, progress) = (context.clone(), links.clone(), progress.clone());
                Rc::new(Channel::new(
                    id,
                    descriptor,
                    bell,
                    context,
                    links,
                    progress,
                    own.clone(),
                ))
            });
        let channels = channels.collect();
        Self {
            context,
            spawner,
            channels,
        }
    }
}

impl MailboxServer {
    fn channel(&self, ChannelId(number): ChannelId) -> Result<&Rc<Channel>, StdinError> {
        let at = usize::try_from(number).ok();
        at.and_then(|at| self.channels.get(at))
            .ok_or(StdinError::NoChannel)
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
        self.context.handle(mail, |mail| match mail {
            Inbox::Status(envelope) => {
                let statuses = self.channels.iter().map(|channel| channel.status());
                envelope.reply.send(statuses.collect());
            }
            Inbox::StdinWrite(envelope) => {
                let StdinWrite { channel, data } = &envelope.message;
                let taken = self.channel(*channel);
                let taken = taken.and_then(|channel| channel.write_input(data));
                envelope.reply.send(taken);
            }
            Inbox::StdinClose(envelope) => {
                let ended = self.channel(envelope.message.channel);
                let ended = ended.and_then(|channel| channel.end_input());
                envelope.reply.send(ended);
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
