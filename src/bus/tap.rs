//! Taps: loggers, recorders and checkers see every message and every reply.

use std::sync::Arc;

use super::{Body, Ticket};

/// Sees all that is said on the bus, at the moment it is said.
///
/// A tap is called between posting and delivery, so it must not ask; it may post, and what it
/// posts is shown to no tap. It has its own state and nothing of the bus's.
pub trait Tap: Send + 'static {
    /// One message or reply.
    fn observe(&mut self, seen: &Observation<'_>);
}

impl<F: FnMut(&Observation<'_>) + Send + 'static> Tap for F {
    fn observe(&mut self, seen: &Observation<'_>) {
        self(seen);
    }
}

impl std::fmt::Debug for dyn Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

/// One message or reply, as it passes.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// Which message; a reply has the ticket of the message that it answers.
    pub ticket: Ticket,
    /// When, in ticks.
    pub tick: u64,
    /// What.
    pub event: Event<'a>,
}

/// What is said.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A message was posted.
    Message(&'a dyn Body),
    /// A message was answered.
    Reply(&'a dyn Body),
}

impl<'a> Event<'a> {
    /// What is said, whether message or reply.
    pub fn body(&self) -> &'a dyn Body {
        match self {
            Event::Message(body) | Event::Reply(body) => *body,
        }
    }

    /// The message or reply, if it is a `T`.
    pub fn is<T: 'static>(&self) -> Option<&'a T> {
        self.body().as_any().downcast_ref()
    }
}

/// An observation that outlives its moment: what actors that are attached as taps receive.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Which message.
    pub ticket: Ticket,
    /// When, in ticks.
    pub tick: u64,
    /// Whether this is the reply to the message.
    pub reply: bool,
    /// The message or the reply.
    pub body: Arc<dyn Body>,
}

impl actix::Message for Kept {
    type Result = ();
}

/// Makes a tap of an actor.
pub(super) struct ActorTap(pub(super) actix::Recipient<Kept>);

impl Tap for ActorTap {
    fn observe(&mut self, seen: &Observation<'_>) {
        self.0.do_send(Kept {
            ticket: seen.ticket,
            tick: seen.tick,
            reply: matches!(seen.event, Event::Reply(_)),
            body: seen.event.body().keep(),
        });
    }
}
