//! Channels, and how messages refer to them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ChannelServices, Name};
use crate::bus::{Topic, TopicField};
use crate::channel::{Interface, MailboxPlace};
use crate::mem::{Segments, SpaceId};

/// Number of a channel: its position among the served channels, in the order of the mailbox
/// configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelId(pub u32);

/// Description of a served channel. Its [`ChannelId`] is its position in the list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelDescriptor {
    /// Name of the channel.
    pub name: Name,
    /// Address space of the channel's words and of firmware's pointers.
    pub space: SpaceId,
    /// Protocol of the channel, and the addresses of its words.
    pub interface: Interface,
    /// Location of the channel's words in memory.
    pub place: Segments,
    /// Configured services.
    pub services: Arc<ChannelServices>,
    /// Channel whose exit also ends this one: the first channel of the same firmware that has an
    /// exit, or the channel itself.
    pub firmware: ChannelId,
}

impl ChannelDescriptor {
    /// Place of the mailbox, if the channel has one.
    pub fn mailbox(&self) -> Option<MailboxPlace> {
        self.interface.mailbox()
    }
}

impl TopicField for ChannelId {
    fn topic(&self) -> Option<Topic<'_>> {
        Some(Topic::Id(self.0))
    }
}

impl TopicField for Option<ChannelId> {
    fn topic(&self) -> Option<Topic<'_>> {
        self.as_ref()?.topic()
    }
}
