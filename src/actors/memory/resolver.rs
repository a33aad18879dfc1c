//! Resolution of accesses, shared by the actor and by elided calls.

use std::cell::Cell;
use std::rc::Rc;

use crate::bus::Ticket;
use crate::mem::{
    AccessError, MapError, MemoryMap, Op, OpOutcome, Segments, SpaceId, Span, Store, execute,
};
use crate::messages::foreign;

/// Executes accesses to static memories. If other code of the process writes there too, reads do
/// not follow from earlier messages, and a replay takes their results from the recording.
pub(crate) trait LocalMemory {
    /// Executes the access of the message with this ticket.
    fn execute(&self, of: Ticket, op: &Op<Segments>) -> Result<OpOutcome, AccessError>;
}

impl<S: Store> LocalMemory for S {
    fn execute(&self, _: Ticket, op: &Op<Segments>) -> Result<OpOutcome, AccessError> {
        execute(self, op)
    }
}

/// Resolver of addresses to segments in the memories of a system.
pub(crate) struct Resolver {
    /// Memories and spaces.
    pub(crate) map: Rc<MemoryMap>,
    /// Memories of this process.
    pub(crate) local: Rc<dyn LocalMemory>,
    /// True while the testbench observes writes. Then all accesses are foreign calls.
    pub(crate) observed: Rc<Cell<bool>>,
}

impl Resolver {
    /// Replaces each range of an access by its segments.
    ///
    /// # Errors
    /// A range that is not in the map.
    pub(crate) fn resolve(&self, space: SpaceId, op: Op<Span>) -> Result<Op<Segments>, MapError> {
        let place = |span: Span| self.locate(space, span);
        Ok(match op {
            Op::Read(span) => Op::Read(place(span)?),
            Op::Peek(span) => Op::Peek(place(span)?),
            Op::Write(span, data) => Op::Write(place(span)?, data),
            Op::Word(span, word) => Op::Word(place(span)?, word),
            Op::Fill(span, byte) => Op::Fill(place(span)?, byte),
            Op::Copy { to, from } => Op::Copy {
                to: place(to)?,
                from: place(from)?,
            },
            Op::Compare(one, other) => Op::Compare(place(one)?, place(other)?),
            Op::Text(Span { address, mut len }) => {
                // The text may end before the map does, so only the mapped part is resolved.
                if len > 0 {
                    len = self.map.clip(space, address, len).max(1);
                }
                Op::Text(place(Span { address, len })?)
            }
            Op::Batch(ops) => {
                let mut resolved = Vec::with_capacity(ops.len());
                for op in ops {
                    resolved.push(self.resolve(space, op)?);
                }
                Op::Batch(resolved)
            }
        })
    }

    /// Segments of a range, which must be mapped as a whole.
    pub(super) fn locate(
        &self,
        space: SpaceId,
        Span { address, len }: Span,
    ) -> Result<Segments, MapError> {
        self.map.resolve(space, address, len)
    }

    /// True if an access is executed in this process, without a foreign call.
    pub(super) fn is_local(&self, op: &Op<Segments>) -> bool {
        op.all_places(&|place| self.map.is_local(place))
    }

    /// Foreign call of an access. An access that is executed in this process is returned as the
    /// error.
    pub(super) fn foreign(
        &self,
        space: SpaceId,
        op: Op<Segments>,
    ) -> Result<foreign::Access, Op<Segments>> {
        let observed = self.observed.get();
        if !observed && self.is_local(&op) {
            return Err(op);
        }
        Ok(foreign::Access {
            space,
            op,
            observed,
        })
    }
}
