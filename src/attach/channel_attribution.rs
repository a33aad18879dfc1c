//! Attribution of messages to channels: by the message itself, by the message that it answers, by
//! the mailbox that it accesses, or by a space that only one channel uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::name_of;
use crate::bus::{Body, Content, Endpoint, Observation, Topic};
use crate::mem::{Op, Segment, SpaceId, Span};
use crate::messages::foreign::{self, report_in};
use crate::messages::memory::{Access, AccessSegments, MappedLength, Resolve};
use crate::messages::{ChannelDescriptor, ChannelId, FRONT_ENDS, MailboxPlace};

/// Attribution of messages to channels, in the order of sending.
#[derive(Debug, Clone)]
pub struct ChannelAttribution {
    channels: Arc<[ChannelDescriptor]>,
    /// Owning channel of each unanswered message, by sequence number.
    open: BTreeMap<u64, Arc<str>>,
}

/// Maximum number of unanswered messages. Beyond it, replies are missing, and the oldest entry is
/// dropped.
const MAX_UNANSWERED: usize = 4096;

/// A message or reply, live or recorded.
#[derive(Debug, Clone, Copy)]
pub struct MessageView<'a> {
    /// Sequence number. A reply has the number of its message.
    pub sequence: u64,
    /// Sequence number of the message that was forwarded first.
    pub root: u64,
    /// Name of the sender.
    pub from: &'a str,
    /// Name of the receiver.
    pub to: &'a str,
    /// True for a message, false for a reply.
    pub is_message: bool,
    /// Content, if known.
    pub body: Option<&'a dyn Body>,
}

impl<'a> From<&Observation<'a>> for MessageView<'a> {
    fn from(seen: &Observation<'a>) -> Self {
        Self {
            sequence: seen.ticket.sequence,
            root: seen.ticket.root,
            from: seen.ticket.from.name(),
            to: seen.ticket.to().name(),
            is_message: matches!(seen.content, Content::Message(_)),
            body: seen.content.body(),
        }
    }
}

impl ChannelAttribution {
    /// Attribution among these channels, in the order of their ids.
    pub fn new(channels: Arc<[ChannelDescriptor]>) -> Self {
        Self {
            channels,
            open: BTreeMap::new(),
        }
    }

    /// Channels to attribute messages to, in the order of their ids.
    pub fn channels(&self) -> &Arc<[ChannelDescriptor]> {
        &self.channels
    }

    /// Name of a message's channel; `None` if unknown. Must be called for every message and reply,
    /// in order.
    pub fn channel_of(&mut self, message: MessageView<'_>) -> Option<Arc<str>> {
        if !message.is_message {
            return self.open.remove(&message.sequence);
        }
        let by_body = |body| {
            let own = self.named(body).or_else(|| self.reached(body));
            let serves = FRONT_ENDS
                .iter()
                .any(|server| message.from == server.name());
            own.or_else(|| serves.then(|| self.alone_in_space(body)).flatten())
        };
        let channel = message
            .body
            .and_then(by_body)
            .or_else(|| self.open.get(&message.root).cloned())?;
        // Events have no reply.
        if message.to != Endpoint::EVENT.name() {
            self.open.insert(message.sequence, channel.clone());
            if self.open.len() > MAX_UNANSWERED {
                self.open.pop_first();
            }
        }
        Some(channel)
    }

    fn named(&self, body: &dyn Body) -> Option<Arc<str>> {
        if let Some(report) = report_in(body) {
            // Reports also come from other sources than channels.
            let mut channels = self.channels.iter();
            return channels
                .find(|channel| *channel.name == *report.id)
                .map(|channel| channel.name.clone());
        }
        match body.topic()? {
            Topic::Id(id) => Some(name_of(&self.channels, ChannelId(id))),
            Topic::Name(name) => Some(name.into()),
        }
    }

    /// Channel of an access that touches only this channel's mailbox, or that returns a slot of its
    /// request queue.
    fn reached(&self, body: &dyn Body) -> Option<Arc<str>> {
        if let Some(access) = body.downcast_ref::<Access>() {
            let mut channels = self.channels.iter();
            let advanced = channels.find(|channel| advances(access, channel))?;
            return Some(advanced.name.clone());
        }
        let at = body.downcast_ref::<AccessSegments>().map(|ask| &ask.op);
        let op = at.or_else(|| body.downcast_ref::<foreign::Access>().map(|ask| &ask.op))?;
        let mut channels = self.channels.iter();
        let reached =
            channels.find(|channel| op.all_places(&|place| is_within(place, &channel.place)))?;
        Some(reached.name.clone())
    }

    /// Channel of a memory message, if it is the only one in its space.
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

/// Address space of a memory message.
fn space_of(body: &dyn Body) -> Option<SpaceId> {
    let access = body.downcast_ref().map(|ask: &Access| ask.space);
    let locate = || body.downcast_ref().map(|ask: &Resolve| ask.space);
    let extent = || body.downcast_ref().map(|ask: &MappedLength| ask.space);
    access.or_else(locate).or_else(extent)
}

/// True if an access writes the consumer index of the channel's request queue.
fn advances(access: &Access, channel: &ChannelDescriptor) -> bool {
    let Some(MailboxPlace { address, layout }) = channel.mailbox() else {
        return false;
    };
    let index = Span {
        address: address.wrapping_add(layout.request.idx_c),
        len: 4,
    };
    let mut ops = access.op.each().iter();
    access.space == channel.space && ops.any(|op| matches!(op, Op::Word(at, _) if *at == index))
}

/// True if the first place lies within the second.
fn is_within(one: &[Segment], other: &[Segment]) -> bool {
    let within = |a: &Segment, b: &Segment| {
        let skipped = a.offset.checked_sub(b.offset);
        let left = skipped.and_then(|skipped| b.len.checked_sub(skipped));
        a.memory == b.memory && left.is_some_and(|left| a.len <= left)
    };
    one.iter().all(|a| other.iter().any(|b| within(a, b)))
}
