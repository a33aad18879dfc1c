//! Attachments of a system or its replay: loggers, checkers, statistics. They observe every message
//! and change none.
//!
//! - [`Attach`]: trait of attachments: every [`Tap`], every [`actor`], and functions of an
//!   [`AttachContext`].
//! - [`Filter`]: selection of the messages that a tap sees.
//! - [`Findings`]: reports of a checker to the user. They do not go through the bus.
//! - [`Logger`], [`ProtocolChecker`], [`Statistics`]: ready-made attachments.
//! - [`parse`]: ready-made attachments by name, from the environment or C.
//! - [`ChannelAttribution`]: channel of a message.

mod by_name;
mod channel_attribution;
mod context;
mod error;
mod exit;
mod filter;
mod findings;
mod logger;
mod protocol;
mod statistics;

pub use by_name::{Builtin, parse};
pub use channel_attribution::{ChannelAttribution, MessageView};
pub use context::AttachContext;
use context::Counts;
#[doc(hidden)]
pub use context::channels;
pub use error::AttachError;
pub(crate) use exit::{AtExit, end_all, end_at_exit, follow_fork};
pub use filter::{Direction, Filter, Filtered};
#[doc(hidden)]
pub use findings::is_summary;
pub use findings::{Finding, Findings};
pub(crate) use findings::{FoundErrors, Reporter};
pub use logger::Logger;
pub use protocol::ProtocolChecker;
pub use statistics::{Histogram, Requests, Statistics, Table};

use actix::{Actor, Context, Handler};

use crate::bus::{ActorTap, OwnedObservation, Spawner, Tap};

/// Attachment to a system. Every [`Tap`] is one, and observes all messages. [`with`] makes one from
/// a function of the [`AttachContext`].
///
/// ```no_run
/// use vhost::attach::{Filter, Logger, ProtocolChecker};
/// use vhost::bus::Observation;
/// use vhost::{Error, Vhost};
///
/// let vhost = Vhost::builder()
///     .memories("mem.yaml")
///     .mailboxes("mailbox.yaml")
///     .attach(ProtocolChecker::new())
///     .attach(Logger::file("requests.log"))
///     .start()?;
/// let mut count = 0;
/// let counter = move |_: &Observation<'_>| count += 1;
/// vhost.attach(Filter::new().channel("core0").to(counter))?;
/// # Ok::<(), Error>(())
/// ```
pub trait Attach: 'static {
    /// Creates the tap. `spawner` starts actors for it.
    ///
    /// # Errors
    /// Fails if the attachment is unsuitable for this system, or if a file can't be written.
    fn attach(
        self: Box<Self>,
        context: &AttachContext,
        spawner: &Spawner,
    ) -> Result<Box<dyn Tap>, AttachError>;
}

impl<T: Tap> Attach for T {
    fn attach(
        self: Box<Self>,
        _: &AttachContext,
        _: &Spawner,
    ) -> Result<Box<dyn Tap>, AttachError> {
        Ok(self)
    }
}

/// Attachment of a function that gets the [`AttachContext`].
///
/// ```
/// use vhost::Severity;
/// use vhost::attach::{self, AttachContext};
/// use vhost::bus::Observation;
/// use vhost::messages::mailbox::Served;
///
/// // Every request is to be served within a thousand ticks.
/// let deadline = attach::with(|context: &AttachContext| {
///     let findings = context.findings("deadline");
///     move |seen: &Observation<'_>| {
///         if let Some(served) = seen.content.downcast_ref::<Served>()
///             && seen.tick - served.since > 1000
///         {
///             findings.raise(Severity::Error, format!("late: {served}"));
///         }
///     }
/// });
/// let vhost = vhost::Vhost::builder().attach(deadline).start()?;
/// # Ok::<(), vhost::Error>(())
/// ```
pub fn with<T: Tap>(make: impl FnOnce(&AttachContext) -> T + 'static) -> impl Attach {
    With(make)
}

/// Attachment of an actor, which is sent a copy of every observation. It is started on attachment,
/// and may ask and post.
///
/// The system of the C ABI rejects it with [`AttachError::ActorMoves`], because that system moves
/// between threads and an actor can't. Attach a tap there that sends to an actor with a thread of
/// its own.
///
/// ```
/// use actix::{Actor, Context, Handler};
/// use vhost::attach::{self, Filter};
/// use vhost::bus::OwnedObservation;
/// use vhost::messages::console::Print;
///
/// struct Reader(String);
///
/// impl Actor for Reader {
///     type Context = Context<Self>;
/// }
///
/// impl Handler<OwnedObservation> for Reader {
///     type Result = ();
///
///     fn handle(&mut self, seen: OwnedObservation, _: &mut Context<Self>) {
///         if let Some(print) = seen.content.downcast_ref::<Print>() {
///             self.0 += &String::from_utf8_lossy(&print.text);
///         }
///     }
/// }
///
/// let reader = attach::actor(|_| Reader(String::new()));
/// let vhost = vhost::Vhost::builder().attach(Filter::new().kind::<Print>().to(reader)).start()?;
/// # Ok::<(), vhost::Error>(())
/// ```
pub fn actor<A>(make: impl FnOnce(&AttachContext) -> A + 'static) -> impl Attach
where
    A: Actor<Context = Context<A>> + Handler<OwnedObservation>,
{
    WithActor(make)
}

struct WithActor<F>(F);

impl<A, F> Attach for WithActor<F>
where
    A: Actor<Context = Context<A>> + Handler<OwnedObservation>,
    F: FnOnce(&AttachContext) -> A + 'static,
{
    fn attach(
        self: Box<Self>,
        context: &AttachContext,
        spawner: &Spawner,
    ) -> Result<Box<dyn Tap>, AttachError> {
        // The actor may hold and spawn values that are not `Send`.
        if context.moves() {
            return Err(AttachError::ActorMoves);
        }
        let address = spawner.start(|_| (self.0)(context));
        Ok(Box::new(ActorTap::new(&address)))
    }
}

struct With<F>(F);

impl<T: Tap, F: FnOnce(&AttachContext) -> T + 'static> Attach for With<F> {
    fn attach(
        self: Box<Self>,
        context: &AttachContext,
        _: &Spawner,
    ) -> Result<Box<dyn Tap>, AttachError> {
        Ok(Box::new((self.0)(context)))
    }
}
