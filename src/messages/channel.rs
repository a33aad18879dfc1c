//! Channel of a message.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bus::{Topic, TopicField};

/// Name of a channel or method, shared by the messages that contain it.
pub type Name = Arc<str>;

/// Number of a channel: its position among the served channels, in the order of the mailbox configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelId(pub u32);

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
