//! Ports of absent actors, whose messages wait for their recorded replies.

use std::rc::Rc;

use crate::bus::{Bus, Inbox, Port};
use crate::trace::{FrameError, send_reply};

/// Message to an absent actor, without a reply so far.
pub(in crate::system) struct UnansweredMessage {
    /// Sequence number.
    pub(in crate::system) sequence: u64,
    pub(in crate::system) send_reply: SendReply,
}

/// Function that sends a recorded reply.
pub(in crate::system) type SendReply = Box<dyn FnOnce(&[u8]) -> Result<(), FrameError>>;

/// Receiver of the messages.
pub(in crate::system) type OnMessage = Rc<dyn Fn(UnansweredMessage)>;

/// Port of an absent actor.
pub(in crate::system) fn absent_port<I: Inbox>(bus: &Bus, on_message: OnMessage) -> Port<I> {
    bus.foreign(Rc::new(move |call: I| {
        on_message(UnansweredMessage {
            sequence: call.ticket().sequence,
            send_reply: Box::new(move |reply| send_reply(call, reply)),
        });
    }))
}
