//! Filter of the messages that a tap sees.

use std::sync::Arc;

use super::{Attach, AttachContext, AttachError, ChannelAttribution};
use crate::bus::{Content, Endpoint, Message, Observation, Spawner, Tap};

/// Filter of observations. A new one passes everything. An observation passes if it meets a
/// condition of each given kind; several conditions of one kind are alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "a filter does nothing unless it leads to a tap"]
pub struct Filter {
    kinds: Vec<&'static str>,
    endpoints: Vec<Endpoint>,
    channels: Vec<String>,
    direction: Option<Direction>,
}

/// Direction of an observation: message or reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Messages and events.
    Messages,
    /// Replies, and losses of replies.
    Replies,
}

impl Filter {
    /// Passes everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes messages of this type and replies to them.
    pub fn kind<M: Message>(mut self) -> Self {
        self.kinds.push(M::NAME);
        self
    }

    /// Passes messages from or to this endpoint, such as
    /// [`memory::ENDPOINT`](crate::messages::memory::ENDPOINT).
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Passes messages of the channel of this name, as attributed by [`ChannelAttribution`].
    pub fn channel(mut self, name: impl Into<String>) -> Self {
        self.channels.push(name.into());
        self
    }

    /// Passes only one direction.
    pub fn only(mut self, direction: Direction) -> Self {
        self.direction = Some(direction);
        self
    }

    /// Applies the filter to the tap `whom`.
    pub fn to<A: Attach>(self, whom: A) -> Filtered<A> {
        Filtered { filter: self, whom }
    }

    fn takes(&self, seen: &Observation<'_>) -> bool {
        let ticket = &seen.ticket;
        let is_message = matches!(seen.content, Content::Message(_));
        let (kinds, endpoints) = (&self.kinds, &self.endpoints);
        (kinds.is_empty() || kinds.contains(&ticket.name()))
            && (endpoints.is_empty()
                || endpoints.contains(&ticket.from)
                || endpoints.contains(&ticket.to()))
            && self
                .direction
                .is_none_or(|direction| (direction == Direction::Messages) == is_message)
    }
}

/// A tap behind a filter.
#[derive(Debug)]
pub struct Filtered<A> {
    filter: Filter,
    whom: A,
}

impl<A: Attach> Attach for Filtered<A> {
    fn attach(
        self: Box<Self>,
        context: &AttachContext,
        spawner: &Spawner,
    ) -> Result<Box<dyn Tap>, AttachError> {
        let Self { filter, whom } = *self;
        let channels = context.channels();
        let known = |name: &String| channels.iter().any(|channel| *channel.name == **name);
        if let Some(name) = filter.channels.iter().find(|name| !known(name)) {
            let served: Vec<&str> = channels.iter().map(|channel| &*channel.name).collect();
            return Err(AttachError::NoChannel {
                name: name.clone(),
                served: served.join(", "),
            });
        }
        let attribution =
            (!filter.channels.is_empty()).then(|| ChannelAttribution::new(channels.clone()));
        Ok(Box::new(FilterTap {
            filter,
            attribution,
            tap: Box::new(whom).attach(context, spawner)?,
        }))
    }
}

struct FilterTap {
    filter: Filter,
    /// Attribution to channels, if the filter has channels.
    attribution: Option<ChannelAttribution>,
    tap: Box<dyn Tap>,
}

impl Tap for FilterTap {
    fn observe(&mut self, seen: &Observation<'_>) {
        // Called for every observation, because replies are attributed by earlier messages.
        let is_theirs = self.attribution.as_mut().is_none_or(|attribution| {
            let channel: Option<Arc<str>> = attribution.channel_of(seen.into());
            channel
                .is_some_and(|channel| self.filter.channels.iter().any(|name| **name == *channel))
        });
        if is_theirs && self.filter.takes(seen) {
            self.tap.observe(seen);
        }
    }

    fn flush(&mut self) {
        self.tap.flush();
    }

    fn finish(&mut self) {
        self.tap.finish();
    }
}
