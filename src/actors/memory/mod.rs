//! The memory actor: resolves addresses of a space and performs accesses.

mod client;
mod resolver;
#[cfg(test)]
mod tests;

use std::fmt;
use std::rc::Rc;

use actix::{Actor, Handler};

use crate::bus::{ActorContext, Envelope, Port, ReplySender};
use crate::mem::{AccessError, Op, OpOutcome, Segments, SpaceId};
use crate::messages::foreign::{self, Report, Severity};
use crate::messages::memory::{Access, AccessSegments, Inbox, MappedLength, Resolve};

pub(crate) use client::{ElidedAccesses, ForeignAccess, MemoryClient};
pub(crate) use resolver::{LocalMemory, Resolver};

/// Resolves accesses. Executes those that touch only memories of this process. It forwards the
/// others, and all of them while the testbench observes writes, to their backends outside of the
/// bus.
pub(crate) struct Memory {
    context: ActorContext,
    resolver: Rc<Resolver>,
    foreign: Port<foreign::Inbox>,
}

impl Memory {
    /// Creates the actor for the memories of `resolver`.
    pub(crate) fn new(
        context: ActorContext,
        resolver: Rc<Resolver>,
        foreign: &Port<foreign::Inbox>,
    ) -> Self {
        let foreign = foreign.with_sender(context.endpoint());
        Self {
            context,
            resolver,
            foreign,
        }
    }

    fn access(&self, envelope: Envelope<Access>) {
        let Envelope {
            message: Access { space, op },
            reply,
        } = envelope;
        match self.resolver.resolve(space, op) {
            Err(error) => self.send_reply(reply, Err(error.into())),
            Ok(op) => self.carry_out(space, op, reply),
        }
    }

    fn carry_out(
        &self,
        space: SpaceId,
        op: Op<Segments>,
        reply: ReplySender<Result<OpOutcome, AccessError>>,
    ) {
        match self.resolver.foreign(space, op) {
            Ok(access) => self.foreign.forward(access, reply),
            Err(op) => {
                let outcome = self.resolver.local.execute(reply.ticket(), &op);
                self.send_reply(reply, outcome);
            }
        }
    }

    /// Sends the outcome. Reports an error if no reply is awaited.
    fn send_reply(
        &self,
        reply: ReplySender<Result<OpOutcome, AccessError>>,
        outcome: Result<OpOutcome, AccessError>,
    ) {
        if let Err(error) = &outcome
            && !reply.is_awaited()
        {
            self.foreign.post(Report {
                severity: Severity::Error,
                id: self.context.endpoint().to_string(),
                text: error.to_string(),
            });
        }
        reply.send(outcome);
    }
}

impl Actor for Memory {
    type Context = actix::Context<Self>;
}

impl Handler<Inbox> for Memory {
    type Result = ();

    fn handle(&mut self, message: Inbox, _: &mut Self::Context) {
        self.context.handle(message, |message| match message {
            Inbox::Access(envelope) => self.access(envelope),
            Inbox::AccessSegments(Envelope {
                message: AccessSegments { space, op },
                reply,
            }) => self.carry_out(space, op, reply),
            Inbox::Resolve(Envelope {
                message: Resolve { space, span },
                reply,
            }) => {
                let place = self.resolver.locate(space, span);
                reply.send(place.map_err(AccessError::from));
            }
            Inbox::MappedLength(Envelope { message, reply }) => {
                let MappedLength { space, span } = message;
                reply.send(self.resolver.map.clip(space, span.address, span.len));
            }
        });
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("map", &self.resolver.map)
            .finish_non_exhaustive()
    }
}
