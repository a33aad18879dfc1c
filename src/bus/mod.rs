//! The bus: typed messages between actors, polled by the thread that calls.
//!
//! - [`Message`], `Envelope`, `ReplySender`, `ReplyFuture`: messages, the cells of their replies,
//!   and futures of replies.
//! - `Inbox` and `Port`: all messages of one endpoint as one type, and the sender's handle to that
//!   endpoint.
//! - `Bus`: runs the actors and, between runs, makes the foreign calls that they posted. It is the
//!   only place that waits.
//! - [`Spawner`]: adds tasks and actors.
//! - `Doorbell` and `TickTimer`: memory words polled on every tick, and per-tick callbacks.
//!   `SettledTicks`: ticks without other work.
//! - `Elision`: plain calls in place of messages. `ObservedRequest`: elided messages that taps
//!   observe.
//! - [`Tap`]: observer of every message and reply.
//!
//! The bus depends on no concrete actor and no concrete message.

mod actor_cell;
mod attributes;
mod body;
#[expect(clippy::module_inception, reason = "a file has the name of its type")]
mod bus;
mod context;
mod doorbell;
mod elided_ask;
mod elision;
mod endpoint;
mod error;
mod executor;
mod inbox;
mod message;
mod observed_elision;
mod outbox;
mod panics;
mod port;
mod reply_cell;
mod scheduler;
mod settled_ticks;
mod state;
mod tap;
mod taps;
#[cfg(test)]
mod tests;
mod tick_timer;
mod ticket;

// Bounds of public traits.
#[doc(hidden)]
pub use attributes::{Attributes, Redaction, Topic};
pub(crate) use attributes::{Payload, TopicField};
pub use body::Body;
pub(crate) use bus::Bus;
pub(crate) use context::ActorContext;
pub(crate) use doorbell::{DOORBELL_BYTES, Doorbell, Watch};
pub(crate) use elision::{ElidedForm, Elision};
pub use endpoint::Endpoint;
pub(crate) use endpoint::EndpointName;
pub use error::{BusError, NoReply};
pub use executor::Spawner;
pub(crate) use inbox::inbox;
pub use message::Message;
pub(crate) use message::{Envelope, Inbox, MessageVisitor, ReplyFuture, ReplySender};
pub(crate) use observed_elision::ObservedRequest;
pub(crate) use panics::panic_text;
pub(crate) use port::Port;
pub(crate) use settled_ticks::{PolledWords, SettledTicks, TickWork};
pub(crate) use tap::ActorTap;
pub use tap::{Content, Observation, OwnedContent, OwnedObservation, Tap};
pub(crate) use tick_timer::TickTimer;
pub(crate) use ticket::MessageKindId;
pub use ticket::Ticket;
