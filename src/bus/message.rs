//! Messages and their envelopes, each with a cell for the reply.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::reply_cell::{CellReceiver, CellSender, reply_cell};
use super::state::BusState;
use super::tap::Content;
use super::ticket::{MessageKind, Ticket};
use super::{Body, Endpoint, NoReply};
use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize};

/// A message of one endpoint: plain data with a reply type.
pub trait Message: Body + Clone + Serialize + DeserializeOwned {
    /// Type of the reply; `()` for a message without a reply.
    type Reply: Body + Clone + Serialize + DeserializeOwned;
    /// Name of the message in traces and reports.
    const NAME: &'static str;
}

/// All messages of one endpoint, as one type.
pub(crate) trait Inbox: actix::Message<Result = ()> + 'static {
    /// The endpoint.
    const ENDPOINT: Endpoint;
    /// Identity of the message in the envelope.
    fn ticket(&self) -> Ticket;
    /// Deserializes a recorded reply and sends it.
    ///
    /// # Errors
    /// Fails if the data is not a reply to this message, and drops the reply.
    fn send_recorded_reply<'de, D: Deserializer<'de>>(self, reply: D) -> Result<(), D::Error>;
    /// Calls `visitor` with the type of the named message; `None` for an unknown name.
    fn by_name<V: MessageVisitor<Self>>(name: &str, visitor: V) -> Option<V::Output>
    where
        Self: Sized;
}

impl MessageKind {
    /// Kind of messages `M` to the endpoint of `I`.
    pub(super) fn of<I: Inbox, M: Message>() -> &'static Self {
        const { &Self::new(I::ENDPOINT, M::NAME) }
    }
}

#[cfg(test)]
impl Ticket {
    /// Ticket of a message to the endpoint of `I`.
    pub(crate) fn of<I: Inbox, M: Message>(sequence: u64, from: Endpoint) -> Self {
        Self::new(sequence, from, MessageKind::of::<I, M>())
    }
}

/// An operation on a message type that is known by name.
pub(crate) trait MessageVisitor<I> {
    /// Result of the operation.
    type Output;
    /// Performs the operation for the type `M`.
    fn visit<M: Message>(self) -> Self::Output
    where
        I: From<Envelope<M>>;
}

/// A message and its reply cell.
#[derive(Debug)]
pub(crate) struct Envelope<M: Message> {
    /// The message.
    pub message: M,
    /// Cell of the reply.
    pub reply: ReplySender<M::Reply>,
}

/// Sending side of a reply. A receiver may forward it to another endpoint. If it is dropped, the
/// asker gets [`NoReply`].
#[derive(Debug)]
pub(crate) struct ReplySender<R> {
    cell: Option<CellSender<R>>,
    ticket: Ticket,
    /// Bus whose taps observe the reply or its loss. `None` if no tap observes it.
    shown: Option<Rc<BusState>>,
    /// Earlier messages answered by the same reply, if it was forwarded while taps were attached.
    earlier: Option<Box<Earlier>>,
}

/// Forwarded messages, and the bus whose taps observe their reply.
#[derive(Debug)]
struct Earlier {
    state: Rc<BusState>,
    tickets: Vec<Ticket>,
}

impl<R> ReplySender<R> {
    /// Creates a reply cell and its receiver. Taps on `state` observe the reply.
    pub(super) fn new(state: Option<&Rc<BusState>>, ticket: Ticket) -> (Self, CellReceiver<R>) {
        let (sender, receiver) = reply_cell();
        let mut reply = Self::without_receiver(state, ticket);
        reply.cell = Some(sender);
        (reply, receiver)
    }

    /// Creates a reply cell that passes the reply to `then` at once; `None` if the reply is
    /// dropped.
    pub(super) fn then(
        state: Option<&Rc<BusState>>,
        ticket: Ticket,
        then: impl FnOnce(Option<R>) + 'static,
    ) -> Self {
        let mut reply = Self::without_receiver(state, ticket);
        reply.cell = Some(CellSender::Then(Box::new(then)));
        reply
    }

    /// Creates a reply cell without a receiver.
    pub(super) fn without_receiver(state: Option<&Rc<BusState>>, ticket: Ticket) -> Self {
        Self {
            cell: None,
            ticket,
            shown: state.cloned(),
            earlier: None,
        }
    }

    /// Returns the same cell, for the reply to a further message.
    pub(super) fn forwarded(mut self, state: Option<&Rc<BusState>>, ticket: Ticket) -> Self {
        if let Some(state) = self.shown.take() {
            let tickets = Vec::new();
            let earlier = self
                .earlier
                .get_or_insert_with(|| Box::new(Earlier { state, tickets }));
            earlier.tickets.push(self.ticket);
        }
        self.ticket = ticket.forwarded(self.ticket.root);
        self.shown = state.cloned();
        self
    }

    /// Shows the reply, or its loss, to taps once.
    fn close(&mut self, content: Content<'_>) {
        let awaited = self.is_awaited();
        if let Some(state) = self.shown.take() {
            state.show(self.ticket, awaited, content);
        }
        if let Some(earlier) = self.earlier.take() {
            for ticket in earlier.tickets.iter().rev() {
                earlier.state.show(*ticket, awaited, content);
            }
        }
    }

    /// True if the message was sent for its reply. Otherwise the receiver of the message must
    /// report errors itself.
    ///
    /// It stays true if the asker has dropped its future. An actor gets no message of this, so a
    /// replay of that actor alone would diverge otherwise.
    pub(crate) fn is_awaited(&self) -> bool {
        self.cell.is_some()
    }

    /// True if the asker waited and has dropped its future.
    pub(crate) fn is_receiver_dropped(&self) -> bool {
        self.cell.as_ref().is_some_and(|cell| !cell.has_receiver())
    }

    /// Identity of the answered message.
    pub(crate) fn ticket(&self) -> Ticket {
        self.ticket
    }
}

impl<R: Body> ReplySender<R> {
    /// Sends the reply.
    pub(crate) fn send(mut self, reply: R) {
        self.close(Content::Reply(&reply));
        if let Some(cell) = self.cell.take() {
            // The asker may have dropped its future, as a channel does on a reset.
            cell.close(Some(reply));
        }
    }
}

impl<R> Drop for ReplySender<R> {
    fn drop(&mut self) {
        self.close(Content::Dropped);
        if let Some(cell) = self.cell.take() {
            cell.close(None);
        }
    }
}

/// Future of the reply to an asked message.
#[derive(Debug)]
#[must_use = "a reply future does nothing unless awaited"]
pub(crate) struct ReplyFuture<R> {
    pub(super) receiver: CellReceiver<R>,
    pub(super) ticket: Ticket,
    pub(super) state: Rc<BusState>,
}

impl<R> Future for ReplyFuture<R> {
    type Output = Result<R, NoReply>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = self.receiver.poll(cx);
        reply.map(|reply| reply.ok_or_else(|| self.state.unanswered(self.ticket)))
    }
}
