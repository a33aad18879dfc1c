//! Identity of a message: its sequence number, its sender, receiver and name.

use std::hash::{Hash, Hasher};
use std::ptr;

use super::Endpoint;
use super::endpoint::{EndpointName, fnv1a};

/// Identity of one message on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Position in the order of posting, from 1. It is 0 for a message of a tap.
    pub sequence: u64,
    /// Sequence number of the first message that the reply answers: an earlier one for a forwarded
    /// message, else this one.
    pub root: u64,
    /// Endpoint that posted the message.
    pub from: Endpoint,
    kind: &'static MessageKind,
}

/// Key of a sender, receiver and message name, valid within the process. Equal keys have equal
/// names; equal names may have several keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageKindId {
    from: &'static EndpointName,
    kind: &'static MessageKind,
}

impl MessageKindId {
    /// Key of a new kind of these names.
    #[cfg(test)]
    pub(crate) fn of_names(from: &'static str, name: &'static str) -> Self {
        Self {
            from: Box::leak(Box::new(EndpointName::new(from))),
            kind: Box::leak(Box::new(MessageKind::new(Endpoint::EVENT, name))),
        }
    }

    /// Hash for a table of kinds, the same in every build.
    #[inline]
    pub(crate) fn table_hash(self) -> usize {
        self.from.hash.wrapping_mul(5) ^ self.kind.hash
    }
}

impl PartialEq for MessageKindId {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.kind, other.kind) && ptr::eq(self.from, other.from)
    }
}

impl Eq for MessageKindId {}

impl Hash for MessageKindId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.table_hash().hash(state);
    }
}

/// Properties shared by all messages of one type to one endpoint. Separate from [`Ticket`], which
/// every message carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MessageKind {
    pub(super) to: Endpoint,
    pub(super) name: &'static str,
    /// FNV-1a hash of the name, the same in every build.
    hash: usize,
}

impl MessageKind {
    /// Kind of messages of this name to an endpoint.
    pub(crate) const fn new(to: Endpoint, name: &'static str) -> Self {
        Self {
            to,
            name,
            hash: fnv1a(name, to.0.hash),
        }
    }
}

impl Ticket {
    /// Ticket of a counted message that is not forwarded.
    pub(super) fn new(sequence: u64, from: Endpoint, kind: &'static MessageKind) -> Self {
        Self {
            sequence,
            root: sequence,
            from,
            kind,
        }
    }

    /// Endpoint that receives the message.
    pub fn to(&self) -> Endpoint {
        self.kind.to
    }

    /// Key of the message's kind, cheap to compare.
    pub(crate) fn kind_id(&self) -> MessageKindId {
        MessageKindId {
            from: self.from.0,
            kind: self.kind,
        }
    }

    /// Name of the message.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }

    /// Same ticket for a forwarded message, whose reply goes to the asker of the message `root`.
    pub(super) fn forwarded(self, root: u64) -> Self {
        Self { root, ..self }
    }

    /// Ticket of a message that is not counted.
    pub(super) fn uncounted(from: Endpoint, kind: &'static MessageKind) -> Self {
        Self {
            sequence: 0,
            root: 0,
            from,
            kind,
        }
    }

    /// Ticket of a panic in a tap. Such a panic does not answer the observed message.
    pub(super) fn of_tap() -> Self {
        const KIND: &MessageKind = &MessageKind::new(Endpoint::TAP, "Observation");
        Self::uncounted(Endpoint::TAP, KIND)
    }
}
