//! Names that messages contain.

use std::sync::Arc;

use crate::bus::{Topic, TopicField};

/// Name of a channel or method, shared by the messages that contain it.
pub type Name = Arc<str>;

impl TopicField for Name {
    fn topic(&self) -> Option<Topic<'_>> {
        Some(Topic::Name(self))
    }
}
