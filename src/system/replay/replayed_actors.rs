//! Actors that a replay runs: all or one.

use crate::bus::{Content, Endpoint, Observation};
use crate::messages::ActorName;
use crate::trace::{ContentRef, EntryRef};

/// Actors that a replay runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReplayedActors {
    /// All actors: every message is compared.
    All,
    /// One actor: its output is compared, its input sent.
    One(ActorName),
}

impl ReplayedActors {
    /// True if an entry concerns the replayed actors. External events may concern any actor.
    pub(super) fn has(self, entry: &EntryRef<'_>) -> bool {
        let Self::One(actor) = self else {
            return true;
        };
        let (from, to) = (entry.kind.from.as_str(), entry.kind.to.as_str());
        let name = actor.name();
        let announced = from == Endpoint::EXTERNAL.name() && to == Endpoint::EVENT.name();
        from == name || to == name || announced
    }

    /// True if an entry is output of the replayed actors: their message, or their reply.
    pub(super) fn is_output(self, entry: &EntryRef<'_>) -> bool {
        let Self::One(actor) = self else {
            return true;
        };
        let kind = &entry.kind;
        match entry.content {
            ContentRef::Message { .. } => kind.from == actor.name(),
            ContentRef::Reply { .. } | ContentRef::Dropped => kind.to == actor.name(),
        }
    }

    /// True if an observation is output of the replayed actors.
    pub(super) fn is_observed_output(self, seen: &Observation<'_>) -> bool {
        let Self::One(actor) = self else {
            return true;
        };
        let by = match seen.content {
            Content::Message(_) => seen.ticket.from,
            Content::Reply(_) | Content::Dropped => seen.ticket.to(),
        };
        by == actor.endpoint()
    }
}
