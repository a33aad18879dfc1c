//! Test fixture with one actor on a bus.

use std::rc::Rc;

use actix::{Actor, Handler};

use super::mock_foreign::MockForeign;
use super::ram::Ram;
use crate::bus::{ActorContext, Bus, BusError, Envelope, Inbox, Message, Port};
use crate::foreign::Callbacks;
use crate::messages::foreign;

/// One actor on a bus of its own, with a mock of the foreign calls.
///
/// The tests of an actor add methods in an `impl ActorFixture<Inbox, State>`.
pub(crate) struct ActorFixture<I: Inbox, S = ()> {
    pub(crate) bus: Bus,
    pub(crate) outside: Rc<MockForeign>,
    pub(crate) actor: Port<I>,
    /// State for the tests of this actor.
    pub(crate) state: S,
}

/// Peers of an actor that starts.
pub(crate) struct ActorPeers<'a, I: Inbox> {
    pub(crate) bus: &'a Bus,
    pub(crate) context: ActorContext,
    pub(crate) foreign: &'a Port<foreign::Inbox>,
    /// Port of the actor itself.
    pub(crate) own: Port<I>,
}

impl<I: Inbox, S> ActorFixture<I, S> {
    /// Starts the actor that `make` returns. Foreign accesses reach `ram`.
    pub(crate) fn start<A>(
        ram: &Rc<Ram>,
        state: S,
        make: impl FnOnce(ActorPeers<'_, I>) -> A,
    ) -> Self
    where
        A: Actor<Context = actix::Context<A>> + Handler<I, Result = ()>,
    {
        Self::start_among(ram, state, |_, _| (), |peers, ()| make(peers))
    }

    /// Starts the actor that `make` returns, after other actors that `start_peers` starts.
    pub(crate) fn start_among<A, P>(
        ram: &Rc<Ram>,
        state: S,
        start_peers: impl FnOnce(&Bus, &Port<foreign::Inbox>) -> P,
        make: impl FnOnce(ActorPeers<'_, I>, P) -> A,
    ) -> Self
    where
        A: Actor<Context = actix::Context<A>> + Handler<I, Result = ()>,
    {
        let (bus, outside, foreign) = MockForeign::bus(ram, Callbacks::default());
        let others = start_peers(&bus, &foreign);
        let actor = bus.start(|own| {
            let peers = ActorPeers {
                bus: &bus,
                context: bus.context(I::ENDPOINT),
                foreign: &foreign,
                own,
            };
            make(peers, others)
        });
        Self {
            actor: actor.unwrap(),
            bus,
            outside,
            state,
        }
    }

    /// Sends a message from the outside, and waits for its reply.
    pub(crate) fn try_ask<M: Message>(&self, message: M) -> Result<M::Reply, BusError>
    where
        I: From<Envelope<M>>,
    {
        self.bus.ask(&self.actor, message)
    }

    /// Sends a message from the outside, and runs the bus until it is idle.
    pub(crate) fn ask<M: Message>(&self, message: M) -> M::Reply
    where
        I: From<Envelope<M>>,
    {
        let reply = self.try_ask(message).unwrap();
        self.bus.run_until_idle().unwrap();
        reply
    }

    /// Runs a tick. Returns false if there was no work.
    pub(crate) fn tick(&self) -> bool {
        self.bus.tick().unwrap()
    }
}
