//! Recorded messages that are sent again.

use crate::bus::{Bus, Endpoint, Envelope, Inbox, Message, MessageVisitor, Port};
use crate::trace::{FrameError, deserialize};

/// Recorded message to an actor.
pub(in crate::system) struct RecordedMessage<'a> {
    pub(in crate::system) from: Endpoint,
    /// Serialized message.
    pub(in crate::system) body: &'a [u8],
    /// True if the sender waited for the reply.
    pub(in crate::system) awaited: bool,
    /// Bus that runs until the reply of an awaited message; `None` if it runs later.
    pub(in crate::system) bus: Option<&'a Bus>,
}

/// Visitor that sends a recorded message by its type.
pub(in crate::system) struct SendRecorded<'a, I: Inbox> {
    pub(in crate::system) port: &'a Port<I>,
    /// Serialized message.
    pub(in crate::system) body: &'a [u8],
    /// True if the sender waited for the reply. A tap compares it.
    pub(in crate::system) awaited: bool,
    /// Bus that runs until the reply of an awaited message; `None` if it runs later.
    pub(in crate::system) bus: Option<&'a Bus>,
}

impl<I: Inbox> MessageVisitor<I> for SendRecorded<'_, I> {
    type Output = Result<(), FrameError>;

    fn visit<M: Message>(self) -> Self::Output
    where
        I: From<Envelope<M>>,
    {
        let message: M = deserialize(self.body)?;
        match self.bus {
            _ if !self.awaited => self.port.post(message),
            Some(bus) => drop(bus.ask(self.port, message)),
            None => self.port.ask_then(message, drop),
        }
        Ok(())
    }
}
