//! Equality of observations and recorded entries.

use std::sync::Arc;

use crate::bus::{Content, Endpoint, Observation, Ticket};
use crate::trace::{ContentRef, Encoding, EntryRef, Kind, KindMap, OpenMessages};

/// Relation of numbers and kinds in the replay to those of the recording.
#[derive(Default)]
pub(super) struct Matching {
    /// Recorded numbers of unanswered messages, by their numbers in the replay.
    pub(super) open: OpenMessages<u64>,
    known: KindMap<ObservedKind>,
    /// Recorded number of the last message to which the player gave the recorded reply. That reply
    /// is not compared.
    pub(super) given: Option<u64>,
    /// Serialization buffer, reused.
    bytes: Vec<u8>,
}

/// Kind of message that has been observed.
struct ObservedKind {
    encoding: Encoding,
    /// True if the message has no reply.
    is_event: bool,
    /// Recorded kind that is equal.
    recorded: Option<Arc<Kind>>,
}

impl Matching {
    /// Compares an observation with a recorded entry. The message of one that is equal is open, or
    /// answered.
    pub(super) fn matches(&mut self, entry: EntryRef<'_>, seen: &Observation<'_>) -> bool {
        let ticket = &seen.ticket;
        let id = ticket.kind_id();
        let known = match self.known.get(id) {
            Some(known) => known,
            None => self.known.insert(id, ObservedKind::of(ticket)),
        };
        if entry.tick != seen.tick || !known.is(entry.kind, ticket) {
            return false;
        }
        let bytes = &mut self.bytes;
        let mut is_encoded = |encoded: &[u8]| {
            bytes.clear();
            known.encoding.encode(seen, bytes).is_ok() && *bytes == encoded
        };
        match (entry.content, seen.content) {
            (ContentRef::Message { body, awaited }, Content::Message(_)) => {
                let root = if ticket.root == ticket.sequence {
                    Some(entry.sequence)
                } else {
                    self.open.get(ticket.root).copied()
                };
                let matches =
                    awaited == seen.awaited && root == Some(entry.root) && is_encoded(body);
                if matches && !known.is_event {
                    self.open.insert(ticket.sequence, entry.sequence);
                }
                matches
            }
            (ContentRef::Reply { body }, Content::Reply(_)) => {
                self.open.remove(ticket.sequence) == Some(entry.sequence)
                    && (self.given == Some(entry.sequence) || is_encoded(body))
            }
            (ContentRef::Dropped, Content::Dropped) => {
                self.open.remove(ticket.sequence) == Some(entry.sequence)
            }
            _ => false,
        }
    }
}

impl ObservedKind {
    fn of(ticket: &Ticket) -> Self {
        Self {
            encoding: Encoding::of(ticket.to().name(), ticket.name()),
            is_event: ticket.to() == Endpoint::EVENT,
            recorded: None,
        }
    }

    /// True if a recorded kind is that of the ticket.
    fn is(&mut self, kind: &Arc<Kind>, ticket: &Ticket) -> bool {
        if let Some(recorded) = &self.recorded
            && Arc::ptr_eq(recorded, kind)
        {
            return true;
        }
        let same = (kind.from.as_str(), kind.to.as_str(), kind.name.as_str())
            == (ticket.from.name(), ticket.to().name(), ticket.name());
        if same {
            self.recorded = Some(kind.clone());
        }
        same
    }
}
