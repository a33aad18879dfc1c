//! Client of the memory actor: asks by messages, or makes the calls that they would lead to.

use std::rc::Rc;

use super::Reach;
use crate::bus::{Bus, BusError, Elision, Inbox as _, Party, Port, Unanswered};
use crate::mem::{AccessError, Op, Outcome, Segments, SpaceId, Span};
use crate::messages::foreign;
use crate::messages::memory::{Access, AccessAt, Extent, Inbox, Locate};

/// Foreign call that carries out an access; `true` where nobody waits for its result, so that an error is reported.
pub(crate) type ForeignAccess = dyn Fn(&foreign::Access, bool) -> Result<Outcome, AccessError>;

/// Client of the memory actor, for one party.
#[derive(Clone)]
pub(crate) struct Client {
    party: Party,
    port: Port<Inbox>,
    /// For responses of channels that only foreign calls reach.
    foreign: Port<foreign::Inbox>,
    reach: Rc<Reach>,
    elided: Option<Rc<Elided>>,
}

/// Calls in place of messages.
pub(crate) struct Elided {
    pub(crate) elision: Elision,
    pub(crate) foreign: Rc<ForeignAccess>,
}

impl Client {
    /// Client of the actor at `port`, with its `reach`. Without `elided` it always sends messages, as in a replay.
    pub(crate) fn new(
        port: &Port<Inbox>,
        foreign: &Port<foreign::Inbox>,
        reach: Rc<Reach>,
        elided: Option<Rc<Elided>>,
    ) -> Self {
        Self {
            party: Party::OUTSIDE,
            port: port.clone(),
            foreign: foreign.clone(),
            reach,
            elided,
        }
    }

    /// Client for another party.
    pub(crate) fn sent_by(&self, party: Party) -> Self {
        Self {
            party,
            port: self.port.sent_by(party),
            foreign: self.foreign.sent_by(party),
            ..self.clone()
        }
    }

    /// Carries out an access of an actor's task.
    ///
    /// # Errors
    /// [`Unanswered`] where the access panics.
    pub(crate) async fn access(
        &self,
        space: SpaceId,
        op: Op<Span>,
    ) -> Result<Result<Outcome, AccessError>, Unanswered> {
        match self.elided() {
            Some(elided) => self.carry_out(elided, &elided.elision, space, op),
            None => self.port.ask(Access { space, op }).await,
        }
    }

    /// Carries out an access from outside of the actors.
    ///
    /// # Errors
    /// As [`Bus::ask`].
    pub(crate) fn access_from_outside(
        &self,
        bus: &Bus,
        space: SpaceId,
        op: Op<Span>,
    ) -> Result<Result<Outcome, AccessError>, BusError> {
        if let Some(elided) = &self.elided
            && let Some(ask) = bus.elide()
        {
            return Ok(self.carry_out(elided, ask.elision(), space, op)?);
        }
        bus.ask(&self.port, Access { space, op })
    }

    /// Carries out an access at known places, of an actor's task.
    ///
    /// # Errors
    /// [`Unanswered`] where the access panics.
    pub(crate) async fn access_at(
        &self,
        space: SpaceId,
        op: Op<Segments>,
    ) -> Result<Result<Outcome, AccessError>, Unanswered> {
        self.port.ask(AccessAt { space, op }).await
    }

    /// Carries out an access at known places, of an actor's task that does not wait for it. Its errors are reported.
    pub(crate) fn post_at(&self, space: SpaceId, op: Op<Segments>) {
        match self.reach.foreign(space, op) {
            Err(op) => self.port.post(AccessAt { space, op }),
            Ok(access) => match self.elided() {
                None => self.foreign.post(access),
                Some(Elided { elision, foreign }) => {
                    let ticket = elision.ticket::<foreign::Inbox, foreign::Access>(self.party);
                    // Nobody waits for the answer; the bus keeps a panic.
                    let _ = elision.call(ticket, || foreign(&access, true));
                }
            },
        }
    }

    /// Finds the place of a range.
    ///
    /// # Errors
    /// [`Unanswered`] where the actor is gone.
    pub(crate) async fn locate(
        &self,
        space: SpaceId,
        span: Span,
    ) -> Result<Result<Segments, AccessError>, Unanswered> {
        self.port.ask(Locate { space, span }).await
    }

    /// Length of the part of a range that is in the map, from its first byte on.
    ///
    /// # Errors
    /// [`Unanswered`] where the actor is gone.
    pub(crate) async fn extent(&self, space: SpaceId, span: Span) -> Result<u64, Unanswered> {
        self.port.ask(Extent { space, span }).await
    }

    /// The elision, where it is possible for a task.
    fn elided(&self) -> Option<&Elided> {
        let elided = self.elided.as_deref();
        elided.filter(|elided| elided.elision.is_possible())
    }

    /// Carries out an access as the actor does, and the foreign call that it posts.
    fn carry_out(
        &self,
        elided: &Elided,
        elision: &Elision,
        space: SpaceId,
        op: Op<Span>,
    ) -> Result<Result<Outcome, AccessError>, Unanswered> {
        let asked = elision.ticket::<Inbox, Access>(self.party);
        let op = match self.reach.resolve(space, op) {
            Ok(op) => op,
            Err(error) => return Ok(Err(error.into())),
        };
        match self.reach.foreign(space, op) {
            Err(op) => elision.handle(asked, || self.reach.local.execute(asked, &op)),
            Ok(access) => {
                type Call = foreign::Access;
                let ticket = elision.ticket_under::<foreign::Inbox, Call>(Inbox::PARTY, asked);
                elision.call(ticket, || (elided.foreign)(&access, false))
            }
        }
    }
}
