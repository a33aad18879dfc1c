//! Ports: the only way to send a message.

use std::fmt;
use std::rc::{Rc, Weak};

use super::line::{Kind, Line, Ticket};
use super::outbox::Outbox;
use super::seat::Receiver;
use super::slot;
use super::tap::Event;
use super::{Answer, Envelope, Inbox, Message, Party, Reply};

/// Typed handle for sending messages to one endpoint. Cheap to clone. It belongs to its bus, on whichever thread that runs.
#[derive(Debug)]
pub struct Port<I: Inbox> {
    from: Party,
    /// True if messages sent here are shown to no tap and not counted.
    apart: bool,
    line: Rc<Line>,
    way: Way<I>,
}

enum Way<I: Inbox> {
    /// To an actor. Its queue is unbounded, so no sender ever blocks. Messages to an actor that has ended are dropped.
    Actor(Weak<dyn Receiver<I>>),
    /// To an endpoint outside of the bus.
    Foreign(Rc<Outbox<I>>),
}

impl<I: Inbox> Port<I> {
    pub(super) fn to_actor(line: &Rc<Line>, receiver: Weak<dyn Receiver<I>>) -> Self {
        Self {
            from: Party::OUTSIDE,
            apart: false,
            line: line.clone(),
            way: Way::Actor(receiver),
        }
    }

    pub(super) fn to_foreign(line: &Rc<Line>, outbox: Rc<Outbox<I>>) -> Self {
        Self {
            from: Party::OUTSIDE,
            apart: false,
            line: line.clone(),
            way: Way::Foreign(outbox),
        }
    }

    /// The same port, for another sender.
    pub fn sent_by(&self, from: Party) -> Self {
        Self {
            from,
            apart: from == Party::TAP,
            ..self.clone()
        }
    }

    /// Sends a message without waiting for its reply.
    pub fn post<M: Message>(&self, message: M)
    where
        I: From<Envelope<M>>,
    {
        let reply = Reply::unheard(self.shown_on(), self.ticket::<M>());
        self.deliver(Envelope { message, reply });
    }

    /// Takes the sequence number of a message that is replaced by a call.
    pub(crate) fn elide<M: Message>(&self) {
        self.ticket::<M>();
    }

    /// Sends a message and returns the future of its reply.
    pub fn ask<M: Message>(&self, message: M) -> Answer<M::Reply>
    where
        I: From<Envelope<M>>,
    {
        let (receiver, ticket) = self.send(message);
        Answer {
            receiver,
            ticket,
            line: self.line.clone(),
        }
    }

    /// Sends a message. The reply is passed to `then` as soon as it is sent; `None` if it is dropped.
    pub(crate) fn ask_then<M: Message>(
        &self,
        message: M,
        then: impl FnOnce(Option<M::Reply>) + 'static,
    ) where
        I: From<Envelope<M>>,
    {
        let reply = Reply::then(self.shown_on(), self.ticket::<M>(), then);
        self.deliver(Envelope { message, reply });
    }

    /// Sends a message and returns the receiver of its reply.
    pub(super) fn send<M: Message>(&self, message: M) -> (slot::Receiver<M::Reply>, Ticket)
    where
        I: From<Envelope<M>>,
    {
        let ticket = self.ticket::<M>();
        let (reply, receiver) = Reply::new(self.shown_on(), ticket);
        self.deliver(Envelope { message, reply });
        (receiver, ticket)
    }

    /// Sends a message whose reply goes straight to the asker of `reply`.
    pub fn forward<M: Message>(&self, message: M, reply: Reply<M::Reply>)
    where
        I: From<Envelope<M>>,
    {
        let reply = reply.under(self.shown_on(), self.ticket::<M>());
        self.deliver(Envelope { message, reply });
    }

    fn ticket<M: Message>(&self) -> Ticket {
        let kind = Kind::of::<I, M>();
        if self.apart {
            return Ticket::uncounted(self.from, kind);
        }
        self.line.ticket(self.from, kind)
    }

    /// Bus whose taps see messages sent here; `None` if no tap does.
    fn shown_on(&self) -> Option<&Rc<Line>> {
        let shown = self.line.shows() && !self.apart;
        shown.then_some(&self.line)
    }

    fn deliver<M: Message>(&self, envelope: Envelope<M>)
    where
        I: From<Envelope<M>>,
    {
        if let Some(line) = self.shown_on() {
            let Envelope { message, reply } = &envelope;
            line.show(reply.ticket(), reply.is_awaited(), Event::Message(message));
        }
        match &self.way {
            Way::Actor(receiver) => {
                if let Some(receiver) = receiver.upgrade() {
                    receiver.receive(envelope.into());
                }
            }
            Way::Foreign(outbox) => outbox.push(envelope.into()),
        }
    }
}

// A derived implementation would require `I: Clone`.
impl<I: Inbox> Clone for Port<I> {
    fn clone(&self) -> Self {
        let way = match &self.way {
            Way::Actor(receiver) => Way::Actor(receiver.clone()),
            Way::Foreign(outbox) => Way::Foreign(outbox.clone()),
        };
        Self {
            from: self.from,
            apart: self.apart,
            line: self.line.clone(),
            way,
        }
    }
}

impl<I: Inbox> fmt::Debug for Way<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Actor(_) => "Actor",
            Self::Foreign(_) => "Foreign",
        })
    }
}
