//! Scope of a replay.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::bus::{Endpoint, Event, Inbox, Observation};
use crate::messages::{console, files, htif, mailbox, memory, rpc, rtt, semihosting, sockets};
use crate::trace::{ContentRef, EntryRef};

/// Actor, by its name in recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorName {
    /// Mailbox server.
    Mailbox,
    /// HTIF server.
    Htif,
    /// RTT server.
    Rtt,
    /// Semihosting server.
    Semihosting,
    /// Memory actor.
    Memory,
    /// RPC dispatcher.
    Rpc,
    /// Files of firmware.
    Files,
    /// Console of firmware.
    Console,
    /// Socket manager.
    Sockets,
}

/// Unknown actor name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no actor `{name}`; there are {}", ActorName::ALL.map(ActorName::name).join(", "))]
pub struct NoSuchActor {
    /// Given name.
    pub name: String,
}

impl ActorName {
    /// All actors.
    pub const ALL: [Self; 9] = [
        Self::Mailbox,
        Self::Htif,
        Self::Rtt,
        Self::Semihosting,
        Self::Memory,
        Self::Rpc,
        Self::Files,
        Self::Console,
        Self::Sockets,
    ];

    /// Name in recordings.
    pub fn name(self) -> &'static str {
        self.endpoint().name()
    }

    /// Endpoint on the bus.
    pub(super) fn endpoint(self) -> Endpoint {
        match self {
            Self::Mailbox => mailbox::Inbox::ENDPOINT,
            Self::Htif => htif::Inbox::ENDPOINT,
            Self::Rtt => rtt::Inbox::ENDPOINT,
            Self::Semihosting => semihosting::Inbox::ENDPOINT,
            Self::Memory => memory::Inbox::ENDPOINT,
            Self::Rpc => rpc::Inbox::ENDPOINT,
            Self::Files => files::Inbox::ENDPOINT,
            Self::Console => console::Inbox::ENDPOINT,
            Self::Sockets => sockets::Inbox::ENDPOINT,
        }
    }
}

impl fmt::Display for ActorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ActorName {
    type Err = NoSuchActor;

    fn from_str(name: &str) -> Result<Self, NoSuchActor> {
        let found = Self::ALL.into_iter().find(|actor| actor.name() == name);
        found.ok_or_else(|| NoSuchActor {
            name: name.to_owned(),
        })
    }
}

/// Scope of a replay.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope {
    /// All actors: every message is compared.
    All,
    /// One actor: its output is compared, its input sent.
    One(ActorName),
}

impl Scope {
    /// True if an entry is in scope. External events may concern any actor.
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
        let by = match seen.event {
            Event::Message(_) => seen.ticket.from,
            Event::Reply(_) | Event::Dropped => seen.ticket.to(),
        };
        by == actor.endpoint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_has_the_name_that_it_has_on_the_bus() {
        for actor in ActorName::ALL {
            assert_eq!(actor.to_string().parse(), Ok(actor));
            assert_eq!(actor.endpoint().name(), actor.name());
        }
        let error = "mailman".parse::<ActorName>().unwrap_err().to_string();
        for actor in ActorName::ALL {
            assert!(error.contains(actor.name()), "{error}");
        }
    }
}
