//! Messages that were sent while the comparison was suspended.

use crate::bus::{Content, Endpoint, Observation};
use crate::trace::{ContentRef, Encoding, EntryRef, Kind};

/// Messages sent during the suspension, without a reply so far.
#[derive(Debug, Default)]
pub(super) struct PostedMessages(Vec<Posted>);

#[derive(Debug)]
struct Posted {
    sequence: u64,
    kind: Kind,
    body: Vec<u8>,
}

impl PostedMessages {
    /// Stores a message, or the reply to one.
    pub(super) fn note(&mut self, seen: &Observation<'_>) {
        let ticket = &seen.ticket;
        if !matches!(seen.content, Content::Message(_)) {
            self.0.retain(|it| it.sequence != ticket.sequence);
        } else if ticket.to() != Endpoint::EVENT {
            let mut body = Vec::new();
            let encoding = Encoding::of(ticket.to().name(), ticket.name());
            // A message that can't be encoded does not equal a recorded one.
            let _ = encoding.encode(seen, &mut body);
            self.0.push(Posted {
                sequence: ticket.sequence,
                kind: Kind {
                    from: ticket.from.to_string(),
                    to: ticket.to().to_string(),
                    name: ticket.name().to_owned(),
                },
                body,
            });
        }
    }

    /// Removes the message that equals a recorded one. Returns its sequence number.
    pub(super) fn take(&mut self, recorded: &EntryRef<'_>) -> Option<u64> {
        let ContentRef::Message { body, .. } = recorded.content else {
            return None;
        };
        let mut posted = self.0.iter();
        let at = posted.position(|it| it.kind == **recorded.kind && it.body == body)?;
        Some(self.0.remove(at).sequence)
    }
}
