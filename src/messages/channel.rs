//! Channels, and how messages refer to them.

use std::sync::Arc;

use mailbox_rs::Layout;
use serde::{Deserialize, Serialize};

use super::ChannelServices;
use crate::bus::{Topic, TopicField};
use crate::mem::{Segments, SpaceId};

/// Name of a channel or method, shared by the messages that contain it.
pub type Name = Arc<str>;

/// Number of a channel: its position among the served channels, in the order of the mailbox configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelId(pub u32);

/// Description of a served channel. Its [`ChannelId`] is its position in the list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelDescriptor {
    /// Name of the channel.
    pub name: Name,
    /// Address space of the channel's words and of firmware's pointers.
    pub space: SpaceId,
    /// Base address of the channel.
    pub address: u64,
    /// Offsets of the channel's words.
    pub layout: Layout,
    /// Location of the channel in memory.
    pub place: Segments,
    /// Configured services.
    pub services: Arc<ChannelServices>,
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

impl TopicField for Name {
    fn topic(&self) -> Option<Topic<'_>> {
        Some(Topic::Name(self))
    }
}
