//! Entries of a recording.

use std::sync::Arc;

use bytes::Bytes;

use super::format::Kind;
use crate::attach::MessageView;
use crate::bus::Body;

/// Message or reply of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Frame number; the header is number 0.
    pub frame: u64,
    /// Sequence number of the message, in the order of posting. A reply has the number of its
    /// message.
    pub sequence: u64,
    /// Sequence number of the original message, if this one was forwarded; see
    /// [`Ticket::root`](crate::bus::Ticket::root).
    pub root: u64,
    /// Tick of the entry.
    pub tick: u64,
    /// Sender, receiver and name of the message.
    pub kind: Arc<Kind>,
    /// Content of the entry.
    pub content: Content,
}

impl Entry {
    /// The entry with borrowed parts.
    pub(crate) fn borrowed(&self) -> EntryRef<'_> {
        EntryRef {
            frame: self.frame,
            sequence: self.sequence,
            root: self.root,
            tick: self.tick,
            kind: &self.kind,
            content: match &self.content {
                Content::Message { body, awaited } => ContentRef::Message {
                    body,
                    awaited: *awaited,
                },
                Content::Reply { body } => ContentRef::Reply { body },
                Content::Dropped => ContentRef::Dropped,
            },
        }
    }

    /// Converts the entry for the attribution to channels. `body` is its [decoded](super::decode)
    /// content.
    pub fn passing<'a>(&'a self, body: Option<&'a dyn Body>) -> MessageView<'a> {
        MessageView {
            sequence: self.sequence,
            root: self.root,
            from: &self.kind.from,
            to: &self.kind.to,
            is_message: matches!(self.content, Content::Message { .. }),
            body,
        }
    }
}

/// Entry whose kind and bytes are borrowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryRef<'a> {
    pub(crate) frame: u64,
    pub(crate) sequence: u64,
    pub(crate) root: u64,
    pub(crate) tick: u64,
    pub(crate) kind: &'a Arc<Kind>,
    pub(crate) content: ContentRef<'a>,
}

/// Content of an [`EntryRef`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum ContentRef<'a> {
    Message { body: &'a [u8], awaited: bool },
    Reply { body: &'a [u8] },
    Dropped,
}

/// Content of an [`Entry`]. [`decode`](super::decode) deserializes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Posted message.
    Message {
        /// Serialized message.
        body: Bytes,
        /// True if the sender awaits the reply.
        awaited: bool,
    },
    /// Reply to a message.
    Reply {
        /// Serialized reply.
        body: Bytes,
    },
    /// Message that was dropped without a reply.
    Dropped,
}
