//! The HTIF server: takes firmware's commands out of `tohost`, serves them and puts the responses into `fromhost`.
//!
//! - `channel`: one task per channel: commands in order, responses, exit.
//! - `poller`: words last read by the doorbell, and halves of commands.
//! - `status_tracker`: present step and recent commands of a channel, for the status.
//! - `system_calls`: system calls on descriptors; `paths`: those on paths; `open_files`: descriptors and their paths.
//! - `linux`: structures and numbers of Linux on RISC-V.
//! - `main_vars`: arguments of `main`; `signature`: memory written to a file at the exit.

mod channel;
mod linux;
mod main_vars;
mod open_files;
mod paths;
mod poller;
mod signature;
mod status_tracker;
mod system_calls;
#[cfg(test)]
mod tests;

use std::fmt;
use std::rc::Rc;

use actix::{Actor, Handler};

use channel::Channel;
pub(crate) use poller::HtifBell;

use crate::actors::service::{ChannelProgress, Peers};
use crate::bus::{ActorContext, Spawner};
use crate::messages::htif::{Inbox, OutputFailed, StdinWrite};
use crate::messages::mailbox::StdinError;
use crate::messages::{ChannelDescriptor, ChannelId, Interface};

/// The HTIF server.
pub(crate) struct HtifServer {
    context: ActorContext,
    spawner: Spawner,
    channels: Vec<(ChannelId, Rc<Channel>)>,
}

impl HtifServer {
    /// Serves those of `channels` with HTIF, each with its doorbell, and keeps their progress in `progress`.
    pub(crate) fn new(
        context: ActorContext,
        spawner: Spawner,
        links: Peers,
        channels: Vec<(ChannelDescriptor, HtifBell)>,
        progress: &Rc<ChannelProgress>,
    ) -> Self {
        let links = Rc::new(links.with_sender(&context));
        let channels = (0..).map(ChannelId).zip(channels);
        let channels = channels.filter_map(|(id, (descriptor, bell))| {
            let Interface::Htif(place) = &descriptor.interface else {
                return None;
            };
            let (context, links, progress) = (context.clone(), links.clone(), progress.clone());
            let channel = Channel::new(id, &descriptor, place, bell, context, links, progress);
            Some((id, Rc::new(channel)))
        });
        Self {
            channels: channels.collect(),
            context,
            spawner,
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

impl Actor for HtifServer {
    type Context = actix::Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        for (_, channel) in &self.channels {
            self.spawner.spawn(channel.clone().run());
        }
    }
}

impl Handler<Inbox> for HtifServer {
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

impl fmt::Debug for HtifServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HtifServer")
            .field("channels", &self.channels.len())
            .finish()
    }
}
