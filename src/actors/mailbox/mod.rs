//! The mailbox server: takes firmware's requests out of the queues, serves them and puts the responses.
//!
//! - `channel`: one long-lived task per channel: handshake, requests in order, reset at any time.
//! - `inspect`: status of channels, with their words in memory.
//! - `status_tracker`: present step and recent requests of a channel, for the status.
//! - `queues`: accesses to the channel's own words.
//! - `poller`: words last read by the doorbell; `watch`: selection of the words to poll.
//! - `requests`: handlers of the requests. Services that other front ends offer, too, are in [`service`](super::service).
//! - `notes`: warnings already given for a channel.

mod channel;
mod inspect;
mod notes;
mod poller;
mod queues;
mod requests;
mod status_tracker;
#[cfg(test)]
mod tests;
mod watched_words;

use std::fmt;
use std::rc::Rc;

use actix::{Actor, Handler};

use channel::Channel;
pub(crate) use inspect::statuses;

use crate::actors::service::{ChannelProgress, Peers};
use crate::bus::{ActorContext, Doorbell, Port, Spawner};
use crate::messages::mailbox::{Inbox, OutputFailed, StdinError, StdinWrite};
use crate::messages::{ChannelDescriptor, ChannelId, Interface};

/// The mailbox server.
pub(crate) struct MailboxServer {
    context: ActorContext,
    spawner: Spawner,
    channels: Vec<(ChannelId, Rc<Channel>)>,
}

impl MailboxServer {
    /// Serves those of `channels` with a mailbox, each with its doorbell, and keeps their progress in `progress`. `own` is the server's
    /// own port.
    pub(crate) fn new(
        context: ActorContext,
        spawner: Spawner,
        links: Peers,
        channels: Vec<(ChannelDescriptor, Doorbell)>,
        progress: &Rc<ChannelProgress>,
        own: &Port<Inbox>,
    ) -> Self {
        let links = Rc::new(links.with_sender(&context));
        let channels = (0..).map(ChannelId).zip(channels);
        let channels = channels.filter_map(|(id, (descriptor, bell))| {
            let Interface::Mailbox(place) = descriptor.interface else {
                return None;
            };
            let (context, links, progress) = (context.clone(), links.clone(), progress.clone());
            let channel = Channel::new(
                id,
                (&descriptor, place),
                bell,
                context,
                links,
                progress,
                own.clone(),
            );
            Some((id, Rc::new(channel)))
        });
        let channels: Vec<_> = channels.collect();
        progress.set_mailboxes(channels.iter().map(|(id, _)| *id).collect());
        Self {
            context,
            spawner,
            channels,
        }
    }

    fn channel(&self, wanted: ChannelId) -> Result<&Rc<Channel>, StdinError> {
        let mut channels = self.channels.iter();
        let found = channels.find(|(id, _)| *id == wanted);
        found
            .map(|(_, channel)| channel)
            .ok_or(StdinError::NoChannel)
    }
}

impl Actor for MailboxServer {
    type Context = actix::Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        for (_, channel) in &self.channels {
            self.spawner.spawn(channel.clone().run());
        }
    }
}

impl Handler<Inbox> for MailboxServer {
    type Result = ();

    fn handle(&mut self, mail: Inbox, _: &mut Self::Context) {
        self.context.handle(mail, |mail| match mail {
            Inbox::Status(envelope) => {
                let statuses = self.channels.iter().map(|(_, channel)| channel.status());
                envelope.reply.send(statuses.collect());
            }
            Inbox::StdinWrite(envelope) => {
                let StdinWrite { channel, data } = &envelope.message;
                let taken = self.channel(*channel);
                let taken = taken.and_then(|channel| channel.service().write_input(data));
                envelope.reply.send(taken);
            }
            Inbox::StdinClose(envelope) => {
                let ended = self.channel(envelope.message.channel);
                let ended = ended.and_then(|channel| channel.service().end_input());
                envelope.reply.send(ended);
            }
            Inbox::OutputFailed(envelope) => {
                let OutputFailed {
                    channel,
                    is_error,
                    errno,
                } = envelope.message;
                if let Ok(channel) = self.channel(channel) {
                    channel.service().output_failed(is_error, errno);
                }
                envelope.reply.send(());
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
