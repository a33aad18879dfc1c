//! The bus: typed messages between actors, polled by the thread that calls.
//!
//! - [`Message`], `Envelope`, `ReplySender`, `ReplyFuture`: messages, the slots of their replies, and futures of replies.
//! - `Inbox` and `Port`: all messages of one endpoint as one type, and the sender's handle to that endpoint.
//! - `Bus`: runs the actors and, between runs, the foreign calls that they posted. The only place that waits.
//! - [`Spawner`]: adds tasks and actors.
//! - `Doorbell` and `TickTimer`: memory words polled on every tick, and per-tick callbacks; `SettledTicks`: ticks with nothing else to do.
//! - `Elision`: plain calls in place of messages; `ShownRequest`: those that taps see.
//! - [`Tap`]: observer of every message and reply.
//!
//! The bus depends on no concrete actor and no concrete message.

mod actor_cell;
mod attributes;
mod context;
mod doorbell;
mod elision;
mod error;
mod executor;
mod host;
mod inbox;
mod message;
mod outbox;
mod port;
mod scheduler;
mod settled_ticks;
mod shown;
mod slot;
mod state;
mod tap;
#[cfg(test)]
mod tests;
mod tick_timer;
mod ticket;

pub use attributes::{Attributes, Redaction, Topic};
pub(crate) use attributes::{Payload, TopicField};
pub(crate) use context::ActorContext;
pub(crate) use doorbell::{DOORBELL_BYTES, Doorbell, Watch};
pub(crate) use elision::{ElidedForm, Elision};
pub use error::{BusError, NoReply};
pub use executor::Spawner;
pub(crate) use host::Bus;
pub(crate) use inbox::inbox;
pub use message::{Body, Message};
pub(crate) use message::{Envelope, Inbox, MessageVisitor, ReplyFuture, ReplySender};
pub(crate) use port::Port;
pub(crate) use settled_ticks::{PolledWords, SettledTicks, TickWork};
pub(crate) use shown::ShownRequest;
pub(crate) use state::panic_text;
pub use tap::{ActorTap, Event, Observation, OwnedEvent, OwnedObservation, Tap};
pub(crate) use tick_timer::TickTimer;
pub use ticket::{KindId, Ticket};

/// Name of an actor or of another endpoint of the bus. One thin pointer, since every message carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Endpoint(pub &'static &'static str);

impl Endpoint {
    /// Callers outside of the bus: the C ABI or a Rust user.
    pub const EXTERNAL: Self = Self(&"outside");

    /// Attached taps. Their messages are shown to no tap and not counted, so all other messages and their sequence numbers are the same
    /// with and without taps.
    pub const TAP: Self = Self(&"a tap");

    /// Addressee of announcements, which only taps see.
    pub const EVENT: Self = Self(&"nobody");
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
