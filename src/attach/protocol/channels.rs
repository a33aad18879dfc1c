//! Channels with words at addresses: attribution of accesses, events and replies to them.

use std::sync::Arc;

use super::htif::Htif;
use super::rtt::Rtt;
use super::rules::{
    Breach, MemoryWrite, Owner, Pending, Request, Rules, reaches_outside, reads, writes,
};
use super::semihosting::Semihosting;
use crate::bus::{Body, Content, Endpoint, Observation, Topic};
use crate::mem::{MapError, Op, SpaceId, Span};
use crate::messages::events::SystemStarted;
use crate::messages::front_end::Restore;
use crate::messages::memory::{Access, Resolve};
use crate::messages::{ChannelDescriptor, ChannelId, Interface, RttPlace, htif, rtt, semihosting};

/// Channels with words at fixed addresses.
///
/// An access has the name of its server and a space. If several channels of one server share a
/// space, the access belongs to the one with these words or with this memory.
#[derive(Debug)]
pub(super) struct Channels {
    channels: Vec<Channel>,
    /// Messages of servers, whose replies may be errors of the map.
    asked: Pending<MemoryMessage>,
}

/// One channel.
#[derive(Debug)]
struct Channel {
    id: ChannelId,
    name: Arc<str>,
    server: Endpoint,
    space: SpaceId,
    rules: Box<dyn Rules>,
}

/// Message of a server to memory.
#[derive(Debug, Clone, Copy)]
struct MemoryMessage {
    server: Endpoint,
    space: SpaceId,
    /// True for an access of the server itself, such as a search in the configured ranges.
    searches: bool,
}

impl Channels {
    /// Creates the state of those channels that are not mailboxes.
    pub(super) fn new(channels: &[ChannelDescriptor]) -> Self {
        let numbered = (0..).map(ChannelId).zip(channels);
        let channels = numbered.filter_map(|(id, channel)| {
            let (server, rules): (_, Box<dyn Rules>) = match &channel.interface {
                Interface::Mailbox(_) => return None,
                Interface::Htif(place) => (htif::ENDPOINT, Box::new(Htif::new(place))),
                Interface::Rtt(place) => (
                    rtt::ENDPOINT,
                    Box::new(Rtt::new(place, &channel.place, &others(channels, channel))),
                ),
                Interface::Semihosting(place) => {
                    (semihosting::ENDPOINT, Box::new(Semihosting::new(place)))
                }
            };
            Some(Channel {
                id,
                name: channel.name.clone(),
                server,
                space: channel.space,
                rules,
            })
        });
        Self {
            channels: channels.collect(),
            asked: Pending::default(),
        }
    }

    /// Checks one observation, which may be a reply with this error of the memory map. Adds the
    /// findings, with the names of their channels.
    pub(super) fn check(
        &mut self,
        seen: &Observation<'_>,
        outside: Option<&MapError>,
        texts: &mut Vec<String>,
    ) {
        if self.channels.is_empty() {
            return;
        }
        let sequence = seen.ticket.sequence;
        match seen.content {
            Content::Message(body) => self.posted(seen, sequence, body, texts),
            Content::Reply(_) | Content::Dropped => {
                let servers = [seen.ticket.from, seen.ticket.to()];
                let reply = seen.content.body();
                for channel in &mut self.channels {
                    if servers.contains(&channel.server) {
                        let mut breaches = Vec::new();
                        channel.rules.replied(sequence, reply, &mut breaches);
                        channel.tell(breaches, texts);
                    }
                }
                let asked = self.asked.remove(sequence);
                if let (Some(asked), Some(outside)) = (asked, outside) {
                    self.went_outside(asked, outside, texts);
                }
            }
        }
    }

    fn posted(
        &mut self,
        seen: &Observation<'_>,
        sequence: u64,
        body: &dyn Body,
        texts: &mut Vec<String>,
    ) {
        if body.is::<SystemStarted>() {
            self.channels.iter_mut().for_each(|it| it.rules.start());
        } else if let Some(restore) = body.downcast_ref::<Restore>() {
            self.restored(restore);
        } else if let Some(Access { space, op }) = body.downcast_ref() {
            self.accessed(seen.ticket.from, sequence, *space, op, texts);
        } else if let Some(Resolve { space, span }) = body.downcast_ref() {
            let asked = MemoryMessage {
                server: seen.ticket.from,
                space: *space,
                searches: false,
            };
            self.ask(sequence, asked, Request::Locate(*span));
        } else if let Some(Topic::Id(id)) = body.topic() {
            let mut of = self.channels.iter_mut();
            let to = seen.ticket.to();
            let is_of = |it: &&mut Channel| {
                it.id == ChannelId(id) && [Endpoint::EVENT, it.server].contains(&to)
            };
            if let Some(channel) = of.find(is_of) {
                let mut breaches = Vec::new();
                channel.rules.event(sequence, body, &mut breaches);
                channel.tell(breaches, texts);
            }
        }
    }

    fn restored(&mut self, restore: &Restore) {
        for saved in &restore.channels {
            let mut channels = self.channels.iter_mut();
            if let Some(channel) = channels.find(|it| it.id == saved.channel) {
                channel.rules.restore(&saved.front_end);
            }
        }
        self.asked.clear();
    }

    /// Channels that a message of a server may be of.
    fn of(
        &mut self,
        MemoryMessage { server, space, .. }: MemoryMessage,
    ) -> impl Iterator<Item = &mut Channel> {
        let channels = self.channels.iter_mut();
        channels.filter(move |it| it.server == server && it.space == space)
    }

    fn ask(&mut self, sequence: u64, asked: MemoryMessage, request: Request) {
        let mut is_known = false;
        for channel in self.of(asked) {
            is_known = true;
            channel.rules.asks(sequence, request);
        }
        if is_known {
            self.asked.insert(sequence, asked);
        }
    }

    /// Checks an access of a server.
    fn accessed(
        &mut self,
        server: Endpoint,
        sequence: u64,
        space: SpaceId,
        op: &Op<Span>,
        texts: &mut Vec<String>,
    ) {
        let mut asked = MemoryMessage {
            server,
            space,
            searches: matches!(op, Op::Peek(_)),
        };
        if self.of(asked).next().is_none() {
            return;
        }
        for request in reads(op) {
            if let Request::Read(span) = request {
                asked.searches |= self.of(asked).any(|it| it.rules.looks_at(span));
            }
        }
        self.asked.insert(sequence, asked);
        for request in reads(op) {
            self.ask(sequence, asked, request);
        }
        for write in writes(op) {
            self.wrote(asked, write, texts);
        }
    }

    /// Checks a write of a server: it is to a word of a channel, or to memory that a request names.
    fn wrote(&mut self, asked: MemoryMessage, write: MemoryWrite, texts: &mut Vec<String>) {
        let mut is_unknown = false;
        for channel in self.of(asked) {
            let mut breaches = Vec::new();
            let owner = channel.rules.writes(write, &mut breaches);
            channel.tell(breaches, texts);
            match owner {
                Owner::Channel => return,
                Owner::Other => {}
                Owner::Unknown => is_unknown = true,
            }
        }
        if is_unknown {
            return;
        }
        let Span { address, len } = write.at;
        let value = write.value.map(|value| format!(" ({value:#x})"));
        let value = value.unwrap_or_default();
        let breach = format!(
            "the host writes {len:#x} bytes at {address:#x}{value}, which are neither its words nor memory that firmware names"
        );
        self.tell(asked, breach, texts);
    }

    fn went_outside(&mut self, asked: MemoryMessage, outside: &MapError, texts: &mut Vec<String>) {
        let address = match outside {
            MapError::Outside { address, .. } | MapError::Wraps { address, .. } => *address,
            MapError::NoSpace(_) => 0,
        };
        if asked.searches {
            return;
        }
        for channel in self.of(asked) {
            if let Some(what) = channel.rules.names(address) {
                if channel.rules.is_new_outside(address) {
                    channel.tell(vec![reaches_outside(Some(&what), outside)], texts);
                }
                return;
            }
        }
        let first = self.of(asked).next();
        if first.is_none_or(|channel| channel.rules.is_new_outside(address)) {
            self.tell(asked, reaches_outside(None, outside), texts);
        }
    }

    /// Adds a finding about a message that may be of several channels.
    fn tell(&mut self, asked: MemoryMessage, breach: Breach, texts: &mut Vec<String>) {
        let names: Vec<_> = self.of(asked).map(|it| format!("`{}`", it.name)).collect();
        texts.push(format!("channel {}: {breach}", names.join(" or ")));
    }
}

/// Other channels with RTT in the same space.
fn others<'a>(channels: &'a [ChannelDescriptor], one: &ChannelDescriptor) -> Vec<&'a RttPlace> {
    let others = channels
        .iter()
        .filter(|it| it.space == one.space && it.name != one.name);
    let places = others.filter_map(|it| match &it.interface {
        Interface::Rtt(place) => Some(place),
        _ => None,
    });
    places.collect()
}

impl Channel {
    /// Adds findings about the channel.
    fn tell(&self, breaches: Vec<Breach>, texts: &mut Vec<String>) {
        let name = &self.name;
        let breaches = breaches.into_iter();
        texts.extend(breaches.map(|breach| format!("channel `{name}`: {breach}")));
    }
}
