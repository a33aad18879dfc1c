//! Ports, by which all messages are sent.

use std::fmt;
use std::rc::{Rc, Weak};

use super::actor_cell::Receiver;
use super::outbox::Outbox;
use super::reply_cell::CellReceiver;
use super::state::BusState;
use super::tap::Content;
use super::ticket::{MessageKind, Ticket};
use super::{Endpoint, Envelope, Inbox, Message, ReplyFuture, ReplySender};

/// Typed handle that sends messages to one endpoint. It is cheap to clone. It belongs to its bus,
/// and is used on the thread that currently runs the bus.
#[derive(Debug)]
pub(crate) struct Port<I: Inbox> {
    from: Endpoint,
    /// True if messages of this port are not shown to taps and not counted.
    untraced: bool,
    state: Rc<BusState>,
    destination: Destination<I>,
}

enum Destination<I: Inbox> {
    /// Actor. Its queue is unbounded, so a sender never blocks. Messages to an actor that has ended
    /// are dropped.
    Actor(Weak<dyn Receiver<I>>),
    /// Endpoint outside of the bus.
    Foreign(Rc<Outbox<I>>),
}

impl<I: Inbox> Port<I> {
    pub(super) fn to_actor(state: &Rc<BusState>, receiver: Weak<dyn Receiver<I>>) -> Self {
        Self {
            from: Endpoint::EXTERNAL,
            untraced: false,
            state: state.clone(),
            destination: Destination::Actor(receiver),
        }
    }

    pub(super) fn to_foreign(state: &Rc<BusState>, outbox: Rc<Outbox<I>>) -> Self {
        Self {
            from: Endpoint::EXTERNAL,
            untraced: false,
            state: state.clone(),
            destination: Destination::Foreign(outbox),
        }
    }

    /// Returns the same port for another sender.
    pub(crate) fn with_sender(&self, from: Endpoint) -> Self {
        Self {
            from,
            untraced: from == Endpoint::TAP,
            ..self.clone()
        }
    }

    /// Sends a message without waiting for its reply.
    pub(crate) fn post<M: Message>(&self, message: M)
    where
        I: From<Envelope<M>>,
    {
        let reply = ReplySender::without_receiver(self.shown_on(), self.ticket::<M>());
        self.deliver(Envelope { message, reply });
    }

    /// Takes the sequence number of a message in whose place a call is made.
    pub(crate) fn skip_number<M: Message>(&self) {
        self.ticket::<M>();
    }

    /// Sends a message and returns the future of its reply.
    pub(crate) fn ask<M: Message>(&self, message: M) -> ReplyFuture<M::Reply>
    where
        I: From<Envelope<M>>,
    {
        let (receiver, ticket) = self.send(message);
        ReplyFuture {
            receiver,
            ticket,
            state: self.state.clone(),
        }
    }

    /// Sends a message. The reply is passed to `then` as soon as it is sent; `None` if it is
    /// dropped.
    pub(crate) fn ask_then<M: Message>(
        &self,
        message: M,
        then: impl FnOnce(Option<M::Reply>) + 'static,
    ) where
        I: From<Envelope<M>>,
    {
        let reply = ReplySender::then(self.shown_on(), self.ticket::<M>(), then);
        self.deliver(Envelope { message, reply });
    }

    /// Sends a message and returns the receiver of its reply.
    pub(super) fn send<M: Message>(&self, message: M) -> (CellReceiver<M::Reply>, Ticket)
    where
        I: From<Envelope<M>>,
    {
        let ticket = self.ticket::<M>();
        let (reply, receiver) = ReplySender::new(self.shown_on(), ticket);
        self.deliver(Envelope { message, reply });
        (receiver, ticket)
    }

    /// Sends a message whose reply goes straight to the asker of `reply`.
    pub(crate) fn forward<M: Message>(&self, message: M, reply: ReplySender<M::Reply>)
    where
        I: From<Envelope<M>>,
    {
        let reply = reply.forwarded(self.shown_on(), self.ticket::<M>());
        self.deliver(Envelope { message, reply });
    }

    fn ticket<M: Message>(&self) -> Ticket {
        let kind = MessageKind::of::<I, M>();
        if self.untraced {
            return Ticket::uncounted(self.from, kind);
        }
        self.state.ticket(self.from, kind)
    }

    /// Bus whose taps observe messages of this port; `None` if no tap does.
    fn shown_on(&self) -> Option<&Rc<BusState>> {
        let shown = self.state.shows() && !self.untraced;
        shown.then_some(&self.state)
    }

    fn deliver<M: Message>(&self, envelope: Envelope<M>)
    where
        I: From<Envelope<M>>,
    {
        if let Some(state) = self.shown_on() {
            let Envelope { message, reply } = &envelope;
            state.show(
                reply.ticket(),
                reply.is_awaited(),
                Content::Message(message),
            );
        }
        self.deliver_shown(envelope);
    }

    /// Delivers a message that was already shown to the taps.
    pub(super) fn deliver_shown<M: Message>(&self, envelope: Envelope<M>)
    where
        I: From<Envelope<M>>,
    {
        match &self.destination {
            Destination::Actor(receiver) => {
                if let Some(receiver) = receiver.upgrade() {
                    receiver.receive(envelope.into());
                }
            }
            Destination::Foreign(outbox) => outbox.push(envelope.into()),
        }
    }
}

// A derived implementation would require `I: Clone`.
impl<I: Inbox> Clone for Port<I> {
    fn clone(&self) -> Self {
        let destination = match &self.destination {
            Destination::Actor(receiver) => Destination::Actor(receiver.clone()),
            Destination::Foreign(outbox) => Destination::Foreign(outbox.clone()),
        };
        Self {
            from: self.from,
            untraced: self.untraced,
            state: self.state.clone(),
            destination,
        }
    }
}

impl<I: Inbox> fmt::Debug for Destination<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Actor(_) => "Actor",
            Self::Foreign(_) => "Foreign",
        })
    }
}
