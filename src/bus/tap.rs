//! Taps: observers of every message and reply, such as loggers, recorders and checkers.

use std::sync::Arc;

use super::{Body, Ticket};

/// Observer of all messages and replies, at the moment of sending.
///
/// A tap is called between posting and delivery, so it can't wait for a reply. It may post
/// messages. Taps don't observe these messages and their replies. A tap that panics is detached,
/// and the panic is reported.
pub trait Tap: Send + 'static {
    /// Observes one message or reply.
    fn observe(&mut self, seen: &Observation<'_>);

    /// Writes buffered data. Called repeatedly during a run, so that a killed process loses little.
    fn flush(&mut self) {}

    /// Called once after the last observation.
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

/// One message or reply, at the moment of sending.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// Identity of the message. For a reply it is the identity of the answered message.
    pub ticket: Ticket,
    /// Time in ticks.
    pub tick: u64,
    /// True if the sender waits, or waited, for the reply.
    pub awaited: bool,
    /// Message, reply or loss of a reply.
    pub content: Content<'a>,
}

/// Content of an observation.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// A message was posted.
    Message(&'a dyn Body),
    /// A message was answered.
    Reply(&'a dyn Body),
    /// A reply was dropped: the receiver panicked or was reset.
    Dropped,
}

impl<'a> Content<'a> {
    /// The message or the reply; `None` for a dropped reply.
    pub fn body(&self) -> Option<&'a dyn Body> {
        match self {
            Content::Message(body) | Content::Reply(body) => Some(*body),
            Content::Dropped => None,
        }
    }

    /// The message or reply, if it is a `T`.
    pub fn downcast_ref<T: 'static>(&self) -> Option<&'a T> {
        self.body()?.downcast_ref()
    }
}

/// Owned copy of an observation, for actors that are attached as taps.
#[derive(Debug, Clone)]
pub struct OwnedObservation {
    /// Identity of the message.
    pub ticket: Ticket,
    /// Time in ticks.
    pub tick: u64,
    /// Message, reply or loss of a reply.
    pub content: OwnedContent,
}

/// Owned copy of a [`Content`].
#[derive(Debug, Clone)]
pub enum OwnedContent {
    /// A message was posted.
    Message(Arc<dyn Body>),
    /// A message was answered.
    Reply(Arc<dyn Body>),
    /// A reply was dropped.
    Dropped,
}

impl OwnedContent {
    /// The message or reply, if it is a `T`.
    pub fn downcast_ref<T: 'static>(&self) -> Option<&T> {
        match self {
            Self::Message(body) | Self::Reply(body) => body.downcast_ref(),
            Self::Dropped => None,
        }
    }
}

impl actix::Message for OwnedObservation {
    type Result = ();
}

/// Tap that sends copies of all observations to an actor.
#[derive(Debug)]
pub(crate) struct ActorTap(actix::Recipient<OwnedObservation>);

impl ActorTap {
    /// Creates a tap for this actor.
    pub(crate) fn new<A>(actor: &actix::Addr<A>) -> Self
    where
        A: actix::Actor<Context = actix::Context<A>> + actix::Handler<OwnedObservation>,
    {
        Self(actor.clone().recipient())
    }
}

impl Tap for ActorTap {
    fn observe(&mut self, seen: &Observation<'_>) {
        self.finish();
        self.0.do_send(OwnedObservation {
            ticket: seen.ticket,
            tick: seen.tick,
            content: match seen.content {
                Content::Message(body) => OwnedContent::Message(body.to_arc()),
                Content::Reply(body) => OwnedContent::Reply(body.to_arc()),
                Content::Dropped => OwnedContent::Dropped,
            },
        });
    }

    /// Panics if the actor has ended. actix ends an actor that panics without notice. A checker
    /// that has ended must not count as passed.
    fn finish(&mut self) {
        if !self.0.connected() {
            std::panic::resume_unwind(Box::new("the attached actor has ended"));
        }
    }
}
