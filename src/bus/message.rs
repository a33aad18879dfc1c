//! Messages, and what carries them: an envelope with a place for the reply.

use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::line::{Line, Ticket};
use super::slot::{Receiver, Sender, slot};
use super::tap::Event;
use super::{Party, Unanswered};
use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize};

/// What a party may be sent: plain data with a reply type.
pub trait Message: Body + Clone + Serialize + DeserializeOwned {
    /// What the receiver answers. A message that needs no answer has `()`.
    type Reply: Body + Clone + Serialize + DeserializeOwned;
    /// The message's name in traces and reports.
    const NAME: &'static str;
}

/// Anything that travels on the bus, as taps see it.
pub trait Body: Any + Debug + Send + Sync + erased_serde::Serialize {
    /// For a downcast to the concrete message or reply.
    fn as_any(&self) -> &dyn Any;
    /// A copy that outlives the observation.
    fn keep(&self) -> Arc<dyn Body>;
}

impl<T: Any + Debug + Send + Sync + Clone + Serialize> Body for T {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn keep(&self) -> Arc<dyn Body> {
        Arc::new(self.clone())
    }
}

/// All that one party may be sent, as one type.
pub trait Inbox: actix::Message<Result = ()> + 'static {
    /// The party that owns it.
    const PARTY: Party;
    /// The identity of the envelope inside.
    fn ticket(&self) -> Ticket;
    /// Answers the message inside with what a recording says: its reply, as it was serialized.
    ///
    /// # Errors
    /// Where that is no reply to this message, which then has none.
    fn answer<'de, D: Deserializer<'de>>(self, reply: D) -> Result<(), D::Error>;
    /// Shows `visitor` the type of the message of this name; `None` where there is none.
    fn by_name<V: MessageVisitor<Self>>(name: &str, visitor: V) -> Option<V::Output>
    where
        Self: Sized;
}

/// What is done with a type of message that is known by its name only.
pub trait MessageVisitor<I> {
    /// What comes of it.
    type Output;
    /// It is `M`.
    fn visit<M: Message>(self) -> Self::Output
    where
        I: From<Envelope<M>>;
}

/// A message and the place for its reply.
#[derive(Debug)]
pub struct Envelope<M: Message> {
    /// The message.
    pub message: M,
    /// Where the answer goes.
    pub reply: Reply<M::Reply>,
}

/// The place for a reply. It may be handed on to another party; dropping it tells whoever waits
/// that there will be no answer.
#[derive(Debug)]
pub struct Reply<R> {
    slot: Option<Sender<R>>,
    ticket: Ticket,
    /// Where taps are to see how it ends.
    shown: Option<Rc<Line>>,
    /// Messages that end with it too, where it was handed on, and taps are to see that.
    earlier: Option<Box<Earlier>>,
}

/// Messages before the present one, and where taps see them.
#[derive(Debug)]
struct Earlier {
    line: Rc<Line>,
    tickets: Vec<Ticket>,
}

impl<R> Reply<R> {
    /// The place for the answer to a message that taps see on `line`.
    pub(super) fn new(line: Option<&Rc<Line>>, ticket: Ticket) -> (Self, Receiver<R>) {
        let (sender, receiver) = slot();
        let mut reply = Self::unheard(line, ticket);
        reply.slot = Some(sender);
        (reply, receiver)
    }

    /// A reply that `then` is given; nothing where there is none.
    pub(super) fn then(
        line: Option<&Rc<Line>>,
        ticket: Ticket,
        then: impl FnOnce(Option<R>) + 'static,
    ) -> Self {
        let mut reply = Self::unheard(line, ticket);
        reply.slot = Some(Sender::Then(Box::new(then)));
        reply
    }

    /// A reply that nobody waits for.
    pub(super) fn unheard(line: Option<&Rc<Line>>, ticket: Ticket) -> Self {
        Self {
            slot: None,
            ticket,
            shown: line.cloned(),
            earlier: None,
        }
    }

    /// The same place, under a further message.
    pub(super) fn under(mut self, line: Option<&Rc<Line>>, ticket: Ticket) -> Self {
        if let Some(line) = self.shown.take() {
            let tickets = Vec::new();
            let earlier = self
                .earlier
                .get_or_insert_with(|| Box::new(Earlier { line, tickets }));
            earlier.tickets.push(self.ticket);
        }
        self.ticket = self.ticket.handed_on(ticket);
        self.shown = line.cloned();
        self
    }

    /// Shows to taps how the reply ends, once.
    fn close(&mut self, event: Event<'_>) {
        let awaited = self.slot.is_some();
        if let Some(line) = self.shown.take() {
            line.show(self.ticket, awaited, event);
        }
        if let Some(earlier) = self.earlier.take() {
            for ticket in earlier.tickets.iter().rev() {
                earlier.line.show(*ticket, awaited, event);
            }
        }
    }

    /// Whether somebody waits for it. Where nobody does, an error in it is the answerer's to report.
    pub fn is_awaited(&self) -> bool {
        self.slot.as_ref().is_some_and(Sender::has_receiver)
    }

    /// Whether somebody waited for it, and has gone away.
    pub fn is_abandoned(&self) -> bool {
        self.slot.as_ref().is_some_and(|slot| !slot.has_receiver())
    }

    /// The identity of the message that this answers.
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }
}

impl<R: Body> Reply<R> {
    /// Gives the answer.
    pub fn send(mut self, answer: R) {
        self.close(Event::Reply(&answer));
        if let Some(slot) = self.slot.take() {
            // Whoever asked may have gone away, as a channel does that was reset.
            slot.close(Some(answer));
        }
    }
}

impl<R> Drop for Reply<R> {
    fn drop(&mut self) {
        self.close(Event::Dropped);
        if let Some(slot) = self.slot.take() {
            slot.close(None);
        }
    }
}

/// The answer to come of a message that was asked.
#[derive(Debug)]
#[must_use = "an answer does nothing unless awaited"]
pub struct Answer<R> {
    pub(super) receiver: Receiver<R>,
    pub(super) ticket: Ticket,
    pub(super) line: Rc<Line>,
}

impl<R> Future for Answer<R> {
    type Output = Result<R, Unanswered>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = self.receiver.poll(cx);
        answer.map(|answer| answer.ok_or_else(|| self.line.unanswered(self.ticket)))
    }
}
