//! Whose a message is. It says so itself; or it answers one that does; or it is an access to a channel's mailbox, or one of the
//! mailbox server's to a space that no other channel has.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Channel;
use super::site::name_of;
use crate::bus::{Body, Event, Inbox as _, Observation, Party};
use crate::mem::{Segment, SpaceId};
use crate::messages::foreign::{self, Report};
use crate::messages::mailbox;
use crate::messages::memory::{Access, AccessAt, Extent, Locate};
use crate::messages::{ChannelRef, channel_of};

/// Tells of messages, in the order in which they are said, whose they are.
#[derive(Debug, Clone)]
pub struct Owners {
    channels: Arc<[Channel]>,
    /// Whose messages are that are not answered yet, by their numbers.
    open: BTreeMap<u64, Arc<str>>,
}

/// So many messages may wait for an answer. Where more do, answers are kept from whoever asks, and the oldest are forgotten.
const MOST_OPEN: usize = 4096;

/// A message or reply, live or of a recording.
#[derive(Debug, Clone, Copy)]
pub struct Passing<'a> {
    /// Number of the message; a reply has its message's.
    pub sequence: u64,
    /// The message that the answer is for in the end.
    pub root: u64,
    /// Who sent the message.
    pub from: &'a str,
    /// Whom it is for.
    pub to: &'a str,
    /// Whether this is the message, or how it was answered.
    pub is_message: bool,
    /// What is said, as far as it is known.
    pub body: Option<&'a dyn Body>,
}

impl<'a> From<&Observation<'a>> for Passing<'a> {
    fn from(seen: &Observation<'a>) -> Self {
        Self {
            sequence: seen.ticket.sequence,
            root: seen.ticket.root,
            from: seen.ticket.from.0,
            to: seen.ticket.to().0,
            is_message: matches!(seen.event, Event::Message(_)),
            body: seen.event.body(),
        }
    }
}

impl Owners {
    /// Among these channels, in the order of their ids.
    pub fn new(channels: Arc<[Channel]>) -> Self {
        Self {
            channels,
            open: BTreeMap::new(),
        }
    }

    /// The channels.
    pub fn channels(&self) -> &Arc<[Channel]> {
        &self.channels
    }

    /// The channel's name; none where it can't be told.
    pub fn whose(&mut self, said: Passing<'_>) -> Option<Arc<str>> {
        if !said.is_message {
            return self.open.remove(&said.sequence);
        }
        let by_body = |body| {
            let own = self.named(body).or_else(|| self.reached(body));
            let serves = said.from == *mailbox::Inbox::PARTY.0;
            own.or_else(|| serves.then(|| self.alone_in_space(body)).flatten())
        };
        let whose = said
            .body
            .and_then(by_body)
            .or_else(|| self.open.get(&said.root).cloned())?;
        // What is announced has no answer.
        if said.to != *Party::NOBODY.0 {
            self.open.insert(said.sequence, whose.clone());
            if self.open.len() > MOST_OPEN {
                self.open.pop_first();
            }
        }
        Some(whose)
    }

    fn named(&self, body: &dyn Body) -> Option<Arc<str>> {
        if let Some(report) = body.as_any().downcast_ref::<Report>() {
            // Others than channels report, too.
            let mut channels = self.channels.iter();
            return channels
                .find(|channel| *channel.name == *report.id)
                .map(|channel| channel.name.clone());
        }
        match channel_of(body)? {
            ChannelRef::Id(id) => Some(name_of(&self.channels, id)),
            ChannelRef::Name(name) => Some(name.into()),
        }
    }

    /// The channel whose mailbox an access is to, and nothing else.
    fn reached(&self, body: &dyn Body) -> Option<Arc<str>> {
        let any = body.as_any();
        let at = any.downcast_ref::<AccessAt>().map(|ask| &ask.op);
        let op = at.or_else(|| any.downcast_ref::<foreign::Access>().map(|ask| &ask.op))?;
        let mut channels = self.channels.iter();
        let reached =
            channels.find(|channel| op.all_places(&|place| is_within(place, &channel.place)))?;
        Some(reached.name.clone())
    }

    /// The one channel of the space that a message to memory is about.
    fn alone_in_space(&self, body: &dyn Body) -> Option<Arc<str>> {
        let space = space_of(body)?;
        let mut there = self
            .channels
            .iter()
            .filter(|channel| channel.space == space);
        let channel = there.next()?;
        there.next().is_none().then(|| channel.name.clone())
    }
}

/// The space that a message to memory is about.
fn space_of(body: &dyn Body) -> Option<SpaceId> {
    let any = body.as_any();
    let access = any.downcast_ref().map(|ask: &Access| ask.space);
    let locate = || any.downcast_ref().map(|ask: &Locate| ask.space);
    let extent = || any.downcast_ref().map(|ask: &Extent| ask.space);
    access.or_else(locate).or_else(extent)
}

/// Whether all bytes of one place are bytes of the other.
fn is_within(one: &[Segment], other: &[Segment]) -> bool {
    let within = |a: &Segment, b: &Segment| {
        let skipped = a.offset.checked_sub(b.offset);
        let left = skipped.and_then(|skipped| b.len.checked_sub(skipped));
        a.memory == b.memory && left.is_some_and(|left| a.len <= left)
    };
    one.iter().all(|a| other.iter().any(|b| within(a, b)))
}
