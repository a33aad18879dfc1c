//! Requests of firmware that have no response so far, by protocol.

mod htif;
mod lists;
mod mailbox;
mod rtt;
mod semihosting;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use vhost::messages::ChannelId;
use vhost::messages::checkpoint::{SavedChannel, SavedFrontEnd};
use vhost::messages::events::RestoreBegun;
use vhost::messages::foreign::Exit;
use vhost::messages::front_end::Restore;
use vhost::trace::Content;

use self::htif::{Commands, OpenCommand};
use self::lists::Lists;
use self::mailbox::OpenEntry;
use self::rtt::OpenTransfer;
use self::semihosting::{OpenOperation, Operations};
use super::channels::Channels;
use super::entry_reader::DecodedEntry;

/// Request without a response so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenRequest {
    /// Tick in which the host observed it, or took it before a checkpoint.
    pub(crate) seen: u64,
    request: ProtocolRequest,
}

/// Request, in the terms of its protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ProtocolRequest {
    Mailbox(OpenEntry),
    Htif(OpenCommand),
    Semihosting(OpenOperation),
    Rtt(OpenTransfer),
}

/// Requests of each channel, oldest first.
#[derive(Debug)]
pub(crate) struct OpenRequests {
    /// Names of the served channels, by number, each with the channel whose exit is that of its
    /// firmware.
    channels: Vec<(Arc<str>, ChannelId)>,
    lists: Lists,
    commands: Commands,
    operations: Operations,
}

impl OpenRequest {
    /// Kind of the request, as in its event.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.request {
            ProtocolRequest::Mailbox(asked) => asked.kind(),
            ProtocolRequest::Htif(asked) => asked.kind(),
            ProtocolRequest::Semihosting(asked) => asked.kind(),
            ProtocolRequest::Rtt(_) => OpenTransfer::KIND,
        }
    }

    /// Request in the terms of the protocol.
    pub(crate) fn text(&self) -> String {
        match &self.request {
            ProtocolRequest::Mailbox(asked) => asked.text(),
            ProtocolRequest::Htif(asked) => asked.text(),
            ProtocolRequest::Semihosting(asked) => asked.text(),
            ProtocolRequest::Rtt(asked) => asked.text(),
        }
    }

    /// Words of the request, as in its event.
    #[cfg(feature = "parquet")]
    pub(crate) fn args(&self) -> &[u64] {
        match &self.request {
            ProtocolRequest::Mailbox(asked) => asked.args(),
            ProtocolRequest::Htif(asked) => asked.args(),
            ProtocolRequest::Semihosting(asked) => asked.args(),
            ProtocolRequest::Rtt(asked) => asked.args(),
        }
    }
}

impl OpenRequests {
    /// Requests of the channels of a recording.
    pub(crate) fn of(channels: &Channels) -> Self {
        let all = channels.descriptors().iter();
        Self {
            channels: all.map(|it| (it.name.clone(), it.firmware)).collect(),
            lists: Lists::default(),
            commands: Commands::of(channels),
            operations: Operations::of(channels),
        }
    }

    /// Processes an entry. A restore drops all requests, which are returned, since they get no
    /// response; then the requests in service at the checkpoint are restored.
    pub(crate) fn follow(&mut self, decoded: &DecodedEntry) -> Vec<(Arc<str>, OpenRequest)> {
        if !matches!(decoded.entry.content, Content::Message { .. }) {
            self.commands.replied(decoded, &mut self.lists);
            self.operations.replied(decoded, &mut self.lists);
            return Vec::new();
        }
        if decoded.body.is_err() {
            // It may be the event of any of these.
            self.take();
            return Vec::new();
        }
        if decoded.is::<RestoreBegun>().is_some() {
            self.operations.restart();
            return self.take();
        }
        if let Some(Restore { channels }) = decoded.is() {
            channels.iter().for_each(|saved| self.resume(saved));
            let exited = channels.iter().filter(|saved| saved.exit.is_some());
            exited.for_each(|saved| self.end_firmware_of(saved.channel));
        }
        if decoded.is::<Exit>().is_some() {
            self.exited(decoded);
        }
        mailbox::follow(decoded, &mut self.lists);
        self.commands.follow(decoded, &mut self.lists);
        self.operations.follow(decoded, &mut self.lists);
        rtt::follow(decoded, &mut self.lists);
        Vec::new()
    }

    /// Oldest request of a channel.
    pub(crate) fn oldest(&self, channel: &str) -> Option<&OpenRequest> {
        self.lists.get(channel)?.front()
    }

    /// Removes and returns all requests, by channel, oldest first.
    pub(crate) fn take(&mut self) -> Vec<(Arc<str>, OpenRequest)> {
        self.commands.forget_reads();
        self.operations.forget_replies();
        self.lists.take()
    }

    fn exited(&mut self, decoded: &DecodedEntry) {
        let Some(exited) = &decoded.channel else {
            return;
        };
        let mut all = (0..).map(ChannelId).zip(&self.channels);
        if let Some((channel, _)) = all.find(|(_, (name, _))| name == exited) {
            self.end_firmware_of(channel);
        }
    }

    /// Drops commands and operations that wait for input when their firmware exits, since it does
    /// not wait for them. Harts that continue request their operations again.
    fn end_firmware_of(&mut self, channel: ChannelId) {
        let number = usize::try_from(channel.0).ok();
        let Some(&(_, firmware)) = number.and_then(|number| self.channels.get(number)) else {
            return;
        };
        let same = self.channels.iter().filter(|(_, of)| *of == firmware);
        for (name, _) in same {
            if let Some(open) = self.lists.get_mut(name) {
                open.retain(|it| {
                    !matches!(
                        it.request,
                        ProtocolRequest::Htif(_) | ProtocolRequest::Semihosting(_)
                    )
                });
            }
            self.operations.end(name);
        }
    }

    /// Restores requests in service at a checkpoint, as far as the state of their channel contains
    /// them.
    fn resume(&mut self, saved: &SavedChannel) {
        let number = usize::try_from(saved.channel.0).ok();
        let Some((name, _)) = number.and_then(|number| self.channels.get(number)) else {
            return;
        };
        match &saved.front_end {
            // Requests in the queue are found when the host reads it again.
            SavedFrontEnd::Mailbox(Some(session)) => {
                mailbox::resume(session, name, &mut self.lists);
            }
            SavedFrontEnd::Mailbox(None) => {}
            SavedFrontEnd::Htif(state) => {
                htif::resume(state, saved.channel, name, &mut self.lists);
            }
            // The state has a delayed result, and no waiting operation: the testbench requests it
            // again, or the host reads the words of its hart again. It begins there.
            SavedFrontEnd::Semihosting(_) => {}
            // The state has an offset, and neither the bytes of the call nor its tick: the call is
            // repeated, and begins there.
            SavedFrontEnd::Rtt(_) => {}
        }
    }
}
