//! Messages to absent actors, stored until their recorded replies.

use std::rc::Rc;

use crate::bus::{Bus, Inbox, Port};
use crate::trace::{FrameError, send_reply};

/// Message to an absent actor.
pub(in crate::system) struct HeldMessage {
    /// Sequence number.
    pub(in crate::system) sequence: u64,
    pub(in crate::system) answer: GiveAnswer,
}

/// Function that sends a recorded reply.
pub(in crate::system) type GiveAnswer = Box<dyn FnOnce(&[u8]) -> Result<(), FrameError>>;

/// Function that stores a message.
pub(in crate::system) type HoldMessage = Rc<dyn Fn(HeldMessage)>;

/// Port of an absent actor.
pub(in crate::system) fn absent_port<I: Inbox>(bus: &Bus, hold: HoldMessage) -> Port<I> {
    bus.foreign(Rc::new(move |call: I| {
        hold(HeldMessage {
            sequence: call.ticket().sequence,
            answer: Box::new(move |reply| send_reply(call, reply)),
        });
    }))
}
