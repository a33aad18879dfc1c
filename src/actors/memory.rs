//! The memory actor: from addresses of a space to bytes of memories.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use actix::{Actor, Handler};

use crate::bus::{Desk, Envelope, Port, Reply, Ticket};
use crate::mem::{
    AccessError, MapError, MemoryMap, Op, Outcome, Segments, SpaceId, Span, Store, execute,
};
use crate::messages::foreign::{self, Report, Severity};
use crate::messages::memory::{Access, AccessAt, Extent, Inbox, Locate};

/// Carries out accesses to memories of this process. What it reads is no function of the messages before, where somebody
/// else writes there too: a replay answers itself.
pub(crate) trait Local {
    /// Carries out what the message of this ticket asks for.
    fn execute(&self, of: Ticket, op: &Op<Segments>) -> Result<Outcome, AccessError>;
}

impl<S: Store> Local for S {
    fn execute(&self, _: Ticket, op: &Op<Segments>) -> Result<Outcome, AccessError> {
        execute(self, op)
    }
}

/// Resolves accesses. Those that touch only memories of this process it carries out itself; the others
/// it hands on to the outside, with the place for the reply. So it does with all of them while the testbench observes
/// what is written.
pub(crate) struct Memory {
    desk: Desk,
    map: Rc<MemoryMap>,
    local: Rc<dyn Local>,
    foreign: Port<foreign::Inbox>,
    observed: Rc<Cell<bool>>,
}

impl Memory {
    /// Knows `map`; reaches what is in this process by `local` and all else by `foreign`; `observed` says whether the
    /// testbench wants to be told of writes.
    pub(crate) fn new(
        desk: Desk,
        map: Rc<MemoryMap>,
        local: Rc<dyn Local>,
        foreign: &Port<foreign::Inbox>,
        observed: Rc<Cell<bool>>,
    ) -> Self {
        let foreign = foreign.sent_by(desk.party());
        Self {
            desk,
            map,
            local,
            foreign,
            observed,
        }
    }

    fn access(&self, envelope: Envelope<Access>) {
        let Envelope {
            message: Access { space, op },
            reply,
        } = envelope;
        match resolve(op, &mut |span, text| self.locate(space, span, text)) {
            Err(error) => self.answer(reply, Err(error.into())),
            Ok(op) => self.carry_out(space, op, reply),
        }
    }

    fn carry_out(
        &self,
        space: SpaceId,
        op: Op<Segments>,
        reply: Reply<Result<Outcome, AccessError>>,
    ) {
        let observed = self.observed.get();
        if !observed && op.all_places(&|place| self.map.is_local(place)) {
            let outcome = self.local.execute(reply.ticket(), &op);
            self.answer(reply, outcome);
        } else {
            let access = foreign::Access {
                space,
                op,
                observed,
            };
            self.foreign.forward(access, reply);
        }
    }

    /// An error that nobody waits to hear of is reported.
    fn answer(
        &self,
        reply: Reply<Result<Outcome, AccessError>>,
        outcome: Result<Outcome, AccessError>,
    ) {
        if let Err(error) = &outcome
            && !reply.is_awaited()
        {
            self.foreign.post(Report {
                severity: Severity::Error,
                id: self.desk.party().to_string(),
                text: error.to_string(),
            });
        }
        reply.send(outcome);
    }

    /// A text may end before the map does: its place is what is mapped of the range.
    fn locate(&self, space: SpaceId, span: Span, text: bool) -> Result<Segments, MapError> {
        let Span { address, mut len } = span;
        if text && len > 0 {
            len = self.map.clip(space, address, len).max(1);
        }
        self.map.resolve(space, address, len)
    }
}

/// Replaces each range of an access by its place. `place` is told whether it is that of a text.
fn resolve(
    op: Op<Span>,
    place: &mut dyn FnMut(Span, bool) -> Result<Segments, MapError>,
) -> Result<Op<Segments>, MapError> {
    Ok(match op {
        Op::Read(span) => Op::Read(place(span, false)?),
        Op::Write(span, data) => Op::Write(place(span, false)?, data),
        Op::Word(span, word) => Op::Word(place(span, false)?, word),
        Op::Fill(span, byte) => Op::Fill(place(span, false)?, byte),
        Op::Copy { to, from } => Op::Copy {
            to: place(to, false)?,
            from: place(from, false)?,
        },
        Op::Compare(one, other) => Op::Compare(place(one, false)?, place(other, false)?),
        Op::Text(span) => Op::Text(place(span, true)?),
        Op::Batch(ops) => {
            let ops = ops.into_iter().map(|op| resolve(op, place));
            Op::Batch(ops.collect::<Result<_, _>>()?)
        }
    })
}

impl Actor for Memory {
    type Context = actix::Context<Self>;
}

impl Handler<Inbox> for Memory {
    type Result = ();

    fn handle(&mut self, mail: Inbox, _: &mut Self::Context) {
        self.desk.open(mail, |mail| match mail {
            Inbox::Access(envelope) => self.access(envelope),
            Inbox::AccessAt(Envelope {
                message: AccessAt { space, op },
                reply,
            }) => self.carry_out(space, op, reply),
            Inbox::Locate(Envelope {
                message: Locate { space, span },
                reply,
            }) => {
                let place = self.locate(space, span, false);
                reply.send(place.map_err(AccessError::from));
            }
            Inbox::Extent(Envelope { message, reply }) => {
                let Extent { space, span } = message;
                reply.send(self.map.clip(space, span.address, span.len));
            }
        });
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("map", &self.map)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
