//! Client of the memory actor: sends messages, or makes the calls that they would cause.

use std::rc::Rc;

use bytes::Bytes;

use super::Resolver;
use crate::bus::{
    Bus, BusError, ElidedForm, Elision, Endpoint, Inbox as _, NoReply, ObservedRequest, Port,
    ReplyFuture, Ticket,
};
use crate::mem::{
    AccessError, Op, OpOutcome, Segment, Segments, SpaceId, Span, Store, execute, write,
};
use crate::messages::foreign;
use crate::messages::memory::{Access, AccessSegments, Inbox, MappedLength, Resolve};

/// Client of the memory actor, for one endpoint.
#[derive(Clone)]
pub(crate) struct MemoryClient {
    endpoint: Endpoint,
    port: Port<Inbox>,
    /// Port for responses of channels in memories behind foreign calls.
    foreign: Port<foreign::Inbox>,
    resolver: Rc<Resolver>,
    elided: Option<Rc<ElidedAccesses>>,
}

/// Calls in place of messages.
pub(crate) struct ElidedAccesses {
    pub(crate) elision: Elision,
    /// Memories behind foreign calls.
    pub(crate) store: Rc<dyn Store>,
    /// Makes the foreign call of a message that is shown to taps.
    pub(crate) access: Box<ForeignAccess>,
    /// Reports the error of an access whose result is not awaited.
    pub(crate) report: Box<dyn Fn(&AccessError)>,
}

/// Executes an access as the foreign call of the message with this ticket; `None` if the call has
/// no result.
pub(crate) type ForeignAccess = dyn Fn(Ticket, &Op<Segments>) -> Option<AccessReply>;

type AccessReply = Result<OpOutcome, AccessError>;

impl MemoryClient {
    /// Creates a client of the actor at `port`, with its `resolver`. Without `elided`, as in a
    /// replay of one actor, it always sends messages.
    pub(crate) fn new(
        port: &Port<Inbox>,
        foreign: &Port<foreign::Inbox>,
        resolver: Rc<Resolver>,
        elided: Option<Rc<ElidedAccesses>>,
    ) -> Self {
        Self {
            endpoint: Endpoint::EXTERNAL,
            port: port.clone(),
            foreign: foreign.clone(),
            resolver,
            elided,
        }
    }

    /// Client for another endpoint.
    pub(crate) fn with_sender(&self, endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            port: self.port.with_sender(endpoint),
            foreign: self.foreign.with_sender(endpoint),
            ..self.clone()
        }
    }

    /// Executes an access of an actor's task, after the write of a word if one is given.
    ///
    /// # Errors
    /// [`NoReply`] if the access panics.
    pub(crate) async fn access(
        &self,
        space: SpaceId,
        word: Option<(Span, u32)>,
        op: Op<Span>,
    ) -> Result<AccessReply, NoReply> {
        let elided = self.elided();
        if let Some((elided, ElidedForm::Silent)) = elided {
            return self.carry_out(elided, space, word, op);
        }
        let op = match word {
            None => op,
            Some((at, word)) => Op::Batch(vec![Op::Word(at, word.into()), op]),
        };
        let access = Access { space, op };
        let reply = match elided {
            None => self.port.ask(access),
            Some((elided, _)) => match self.carry_out_shown(elided, access) {
                Ok(reply) => return reply,
                Err(reply) => reply,
            },
        };
        reply.await
    }

    /// Executes an access from outside of the actors.
    ///
    /// # Errors
    /// As [`Bus::ask`].
    pub(crate) fn access_from_outside(
        &self,
        bus: &Bus,
        space: SpaceId,
        op: Op<Span>,
    ) -> Result<AccessReply, BusError> {
        if let Some(elided) = self.unobserved()
            && let Some(_ask) = bus.begin_elided_ask()
        {
            return Ok(self.carry_out(elided, space, None, op)?);
        }
        bus.ask(&self.port, Access { space, op })
    }

    /// Reads bytes from outside of the actors, without an allocation if possible.
    ///
    /// # Errors
    /// As [`Bus::ask`].
    pub(crate) fn read_from_outside(
        &self,
        bus: &Bus,
        space: SpaceId,
        address: u64,
        to: &mut [u8],
    ) -> Result<Result<(), AccessError>, BusError> {
        let len = to.len() as u64;
        if let Some((elided, at)) = self.at_once(bus, space, address, len) {
            let read = || elided.store.read(&at, to);
            return Ok(self.call_from_outside(bus, elided, &at, read)?);
        }
        let op = Op::Read(Span { address, len });
        let read = self.access_from_outside(bus, space, op)?;
        Ok(read.map(|outcome| to.copy_from_slice(&outcome.into_bytes())))
    }

    /// Writes bytes from outside of the actors. `owned` makes the copy for a message.
    ///
    /// # Errors
    /// As [`Bus::ask`].
    pub(crate) fn write_from_outside(
        &self,
        bus: &Bus,
        space: SpaceId,
        address: u64,
        data: &[u8],
        owned: impl FnOnce() -> Bytes,
    ) -> Result<Result<(), AccessError>, BusError> {
        let len = data.len() as u64;
        if let Some((elided, at)) = self.at_once(bus, space, address, len) {
            let write = || elided.store.write(&at, data);
            return Ok(self.call_from_outside(bus, elided, &at, write)?);
        }
        let op = Op::Write(Span { address, len }, owned());
        let written = self.access_from_outside(bus, space, op)?;
        Ok(written.map(drop))
    }

    /// Location of an access from outside that is within one memory, if its messages can be elided.
    #[inline]
    fn at_once(
        &self,
        bus: &Bus,
        space: SpaceId,
        address: u64,
        len: u64,
    ) -> Option<(&ElidedAccesses, Segment)> {
        let elided = self.unobserved().filter(|_| bus.can_elide_ask())?;
        let at = self.resolver.map.within_one(space, address, len)?;
        Some((elided, at))
    }

    /// Makes the call of an access from outside.
    #[inline]
    fn call_from_outside<T>(
        &self,
        bus: &Bus,
        ElidedAccesses { elision, .. }: &ElidedAccesses,
        at: &Segment,
        access: impl FnOnce() -> T,
    ) -> Result<T, NoReply> {
        let mut of = elision.ticket::<Inbox, Access>(self.endpoint);
        if !self.resolver.map.has_local(at.memory) {
            of = elision.ticket_under::<foreign::Inbox, foreign::Access>(Inbox::ENDPOINT, of);
        }
        bus.call_from_outside(of, access)
    }

    /// Executes an access of an actor's task on known segments.
    ///
    /// # Errors
    /// [`NoReply`] if the access panics.
    pub(crate) async fn access_at(
        &self,
        space: SpaceId,
        op: Op<Segments>,
    ) -> Result<AccessReply, NoReply> {
        let elided = self.elided();
        if let Some((elided, ElidedForm::Silent)) = elided {
            let asked = elided
                .elision
                .ticket::<Inbox, AccessSegments>(self.endpoint);
            let is_local = self.resolver.is_local(&op);
            return self.call(elided, asked, is_local, |store| execute(store, &op));
        }
        let access = AccessSegments { space, op };
        let reply = match elided {
            None => self.port.ask(access),
            Some((elided, _)) => {
                let request = elided.elision.show::<Inbox, _>(self.endpoint, &access);
                let reply = match request.is_undisturbed() {
                    true => self.access_shown(elided, request, access.space, access.op),
                    false => Err(request.deliver(&self.port, access)),
                };
                match reply {
                    Ok(reply) => return reply,
                    Err(reply) => reply,
                }
            }
        };
        reply.await
    }

    /// Writes bytes and then a word on known segments, for an actor's task that does not wait.
    /// Reports errors.
    pub(crate) fn post_writes(
        &self,
        space: SpaceId,
        (at, data): (Segments, &[u8]),
        (word_at, word): (Segments, u32),
    ) {
        let is_local = self.resolver.map.is_local(&at) && self.resolver.map.is_local(&word_at);
        let elided = self.elided().filter(|_| !is_local);
        if let Some((
            ElidedAccesses {
                elision,
                store,
                report,
                ..
            },
            ElidedForm::Silent,
        )) = elided
        {
            let ticket = elision.ticket::<foreign::Inbox, foreign::Access>(self.endpoint);
            let write = || {
                let written = write(&**store, &at, 0, data);
                let word = word.to_le_bytes();
                let written = written.and_then(|()| write(&**store, &word_at, 0, &word));
                if let Err(error) = written {
                    report(&error);
                }
            };
            elision.call_post(ticket, write);
            return;
        }
        let op = Op::Batch(vec![
            Op::Write(at, Bytes::copy_from_slice(data)),
            Op::Word(word_at, word.into()),
        ]);
        if let Some((elided, _)) = elided {
            let observed = false;
            let access = foreign::Access {
                space,
                op,
                observed,
            };
            return self.call_shown(elided, access);
        }
        match self.resolver.foreign(space, op) {
            Ok(access) => self.foreign.post(access),
            Err(op) => self.port.post(AccessSegments { space, op }),
        }
    }

    /// Makes a foreign call whose message is shown to taps. Reports an error.
    fn call_shown(&self, elided: &ElidedAccesses, access: foreign::Access) {
        let ElidedAccesses {
            elision,
            access: make,
            report,
            ..
        } = elided;
        let request = elision.show_post::<foreign::Inbox, _>(self.endpoint, &access);
        if !request.is_undisturbed() {
            return request.deliver_post(&self.foreign, access);
        }
        let of = request.ticket();
        request.call_post(|| {
            let outcome = make(of, &access.op);
            if let Some(Err(error)) = &outcome {
                report(error);
            }
            outcome
        });
    }

    /// Resolves a range to segments.
    ///
    /// # Errors
    /// [`NoReply`] if the actor has ended.
    pub(crate) async fn locate(
        &self,
        space: SpaceId,
        span: Span,
    ) -> Result<Result<Segments, AccessError>, NoReply> {
        self.port.ask(Resolve { space, span }).await
    }

    /// Length of the mapped part of a range, from its first byte.
    ///
    /// # Errors
    /// [`NoReply`] if the actor has ended.
    pub(crate) async fn extent(&self, space: SpaceId, span: Span) -> Result<u64, NoReply> {
        self.port.ask(MappedLength { space, span }).await
    }

    /// Elision, while the testbench does not observe writes.
    #[inline]
    fn unobserved(&self) -> Option<&ElidedAccesses> {
        let elided = self.elided.as_deref();
        elided.filter(|_| !self.resolver.observed.get())
    }

    /// Elision and its form, if a task may elide messages now.
    #[inline]
    fn elided(&self) -> Option<(&ElidedAccesses, ElidedForm)> {
        let elided = self.unobserved()?;
        Some((elided, elided.elision.form()?))
    }

    /// Executes an access whose messages are shown to taps. Returns the future of its reply if a
    /// tap has posted a message that must be delivered first.
    fn carry_out_shown(
        &self,
        elided: &ElidedAccesses,
        access: Access,
    ) -> Result<Result<AccessReply, NoReply>, ReplyFuture<AccessReply>> {
        let request = elided.elision.show::<Inbox, _>(self.endpoint, &access);
        if !request.is_undisturbed() {
            return Err(request.deliver(&self.port, access));
        }
        let Access { space, op } = access;
        match self.resolver.resolve(space, op) {
            Ok(op) => self.access_shown(elided, request, space, op),
            Err(error) => Ok(request.handle(|| Err(error.into()))),
        }
    }

    /// Executes the access of a shown message, in this process or by a foreign call whose message
    /// is shown, too.
    fn access_shown(
        &self,
        ElidedAccesses { access: make, .. }: &ElidedAccesses,
        request: ObservedRequest<'_>,
        space: SpaceId,
        op: Op<Segments>,
    ) -> Result<Result<AccessReply, NoReply>, ReplyFuture<AccessReply>> {
        match self.resolver.foreign(space, op) {
            Err(op) => {
                let (local, of) = (&self.resolver.local, request.ticket());
                Ok(request.handle(|| local.execute(of, &op)))
            }
            Ok(access) => {
                request.forward_call(&self.foreign, access, |of, access| make(of, &access.op))
            }
        }
    }

    /// Executes an access as the actor does, or as the foreign call that the actor posts.
    fn carry_out(
        &self,
        elided: &ElidedAccesses,
        space: SpaceId,
        word: Option<(Span, u32)>,
        op: Op<Span>,
    ) -> Result<AccessReply, NoReply> {
        let asked = elided.elision.ticket::<Inbox, Access>(self.endpoint);
        let word = word.map(|(at, word)| self.resolver.resolve(space, Op::Word(at, word.into())));
        let resolved = word.transpose();
        let resolved = resolved.and_then(|word| Ok((word, self.resolver.resolve(space, op)?)));
        let (word, op) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => return Ok(Err(error.into())),
        };
        let is_local = |op: &_| self.resolver.is_local(op);
        let is_local = is_local(&op) && word.as_ref().is_none_or(is_local);
        self.call(elided, asked, is_local, |store| {
            if let Some(word) = &word {
                execute(store, word)?;
            }
            execute(store, &op)
        })
    }

    /// Makes the foreign call for an access that was requested by a message.
    fn call<T>(
        &self,
        ElidedAccesses { elision, store, .. }: &ElidedAccesses,
        asked: Ticket,
        is_local: bool,
        access: impl FnOnce(&dyn Store) -> T,
    ) -> Result<T, NoReply> {
        let access = || access(&**store);
        if is_local {
            return elision.handle(asked, access);
        }
        type Call = foreign::Access;
        let handed_on = elision.ticket_under::<foreign::Inbox, Call>(Inbox::ENDPOINT, asked);
        elision.call(handed_on, || Some(access()))
    }
}
