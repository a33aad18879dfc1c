//! Taps: loggers, recorders and checkers see every message and every reply.

use std::sync::Arc;

use super::{Body, Ticket};

/// Sees all that is said on the bus, at the moment it is said.
///
/// A tap is called between posting and delivery, so it can't ask; it may post, and what it posts, and
/// the answer, is shown to no tap. One that panics is detached; the panic is among those that
/// [`Bus::take_panics`](super::Bus::take_panics) gives.
pub trait Tap: Send + 'static {
    /// One message or reply.
    fn observe(&mut self, seen: &Observation<'_>);

    /// Writes out what is buffered. Called now and then, so that a process that is killed loses little.
    fn flush(&mut self) {}

    /// There is nothing more to see.
    fn finish(&mut self) {}
}

impl<F: FnMut(&Observation<'_>) + Send + 'static> Tap for F {
    fn observe(&mut self, seen: &Observation<'_>) {
        self(seen);
    }
}

impl Tap for Box<dyn Tap> {
    fn observe(&mut self, seen: &Observation<'_>) {
        (**self).observe(seen);
    }

    fn flush(&mut self) {
        (**self).flush();
    }

    fn finish(&mut self) {
        (**self).finish();
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
    /// Whether somebody waits, or waited, for the answer.
    pub awaited: bool,
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
    /// A message will have no answer: whoever was to give it panicked, or was told to forget it.
    Dropped,
}

impl<'a> Event<'a> {
    /// What is said, whether message or reply.
    pub fn body(&self) -> Option<&'a dyn Body> {
        match self {
            Event::Message(body) | Event::Reply(body) => Some(*body),
            Event::Dropped => None,
        }
    }

    /// The message or reply, if it is a `T`.
    pub fn is<T: 'static>(&self) -> Option<&'a T> {
        self.body()?.as_any().downcast_ref()
    }
}

/// An observation that outlives its moment: what actors that are attached as taps receive.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Which message.
    pub ticket: Ticket,
    /// When, in ticks.
    pub tick: u64,
    /// What.
    pub event: KeptEvent,
}

/// An [`Event`] that outlives its moment.
#[derive(Debug, Clone)]
pub enum KeptEvent {
    /// A message was posted.
    Message(Arc<dyn Body>),
    /// A message was answered.
    Reply(Arc<dyn Body>),
    /// A message will have no answer.
    Dropped,
}

impl KeptEvent {
    /// The message or reply, if it is a `T`.
    pub fn is<T: 'static>(&self) -> Option<&T> {
        match self {
            // Through the reference: an `Arc` is a `Body` too.
            Self::Message(body) | Self::Reply(body) => (**body).as_any().downcast_ref(),
            Self::Dropped => None,
        }
    }
}

impl actix::Message for Kept {
    type Result = ();
}

/// Makes a tap of an actor, which is sent copies.
#[derive(Debug)]
pub struct ActorTap(actix::Recipient<Kept>);

impl ActorTap {
    /// Of this one.
    pub fn new<A>(actor: &actix::Addr<A>) -> Self
    where
        A: actix::Actor<Context = actix::Context<A>> + actix::Handler<Kept>,
    {
        Self(actor.clone().recipient())
    }
}

impl Tap for ActorTap {
    fn observe(&mut self, seen: &Observation<'_>) {
        self.finish();
        self.0.do_send(Kept {
            ticket: seen.ticket,
            tick: seen.tick,
            event: match seen.event {
                Event::Message(body) => KeptEvent::Message(body.keep()),
                Event::Reply(body) => KeptEvent::Reply(body.keep()),
                Event::Dropped => KeptEvent::Dropped,
            },
        });
    }

    /// actix ends an actor that panics, and tells nobody: a checker that is gone must not look like one that is content.
    fn finish(&mut self) {
        if !self.0.connected() {
            std::panic::resume_unwind(Box::new("the attached actor has ended"));
        }
    }
}
