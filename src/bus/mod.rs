//! The bus: typed messages between actors, polled by the thread that calls.
//!
//! - [`Message`], [`Envelope`], [`Reply`], [`Answer`]: what travels.
//! - [`Inbox`] and [`Port`]: all that a party may be sent, and the way to it.
//! - [`Bus`]: runs the actors and, between runs, the foreign calls that they posted. The only place
//!   that waits.
//! - [`Spawner`]: adds tasks and actors.
//! - [`Doorbell`] and [`Alarm`]: what a tick looks at, and who hears of it.
//! - `Elision`: calls in place of messages that no tap sees.
//! - [`Tap`]: sees everything.
//!
//! The bus knows no concrete actor and no concrete message.

mod clock;
mod desk;
mod doorbell;
mod elision;
mod error;
mod executor;
mod host;
mod inbox;
mod line;
mod message;
mod outbox;
mod port;
mod scheduler;
mod seat;
mod slot;
mod tap;
#[cfg(test)]
mod tests;

pub use clock::Alarm;
pub use desk::Desk;
pub use doorbell::{DOORBELL_BYTES, Doorbell, Look, Ring, Watch};
pub(crate) use elision::Elision;
pub use error::{BusError, Unanswered};
pub use executor::Spawner;
pub use host::Bus;
pub(crate) use inbox::inbox;
pub(crate) use line::panic_text;
pub use line::{KindId, Ticket};
pub use message::{Answer, Body, Envelope, Inbox, Message, MessageVisitor, Reply};
pub use port::Port;
pub use tap::{ActorTap, Event, Kept, KeptEvent, Observation, Tap};

/// The name of an actor, or of another end of the bus. Thin, since it goes along with every message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Party(pub &'static &'static str);

impl Party {
    /// Whoever calls from outside of the bus: the C ABI or a Rust user.
    pub const OUTSIDE: Self = Self(&"outside");

    /// Whatever is attached and sees all. What it says is shown to no tap and not counted: attached or not, the others say the
    /// same, under the same numbers.
    pub const TAP: Self = Self(&"a tap");

    /// Whom an announcement is for: only taps see it.
    pub const NOBODY: Self = Self(&"nobody");
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
