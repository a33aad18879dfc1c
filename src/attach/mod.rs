//! What is attached to a system or to its replay: loggers, checkers, collectors. They see all that is said, and change nothing
//! of it.
//!
//! - [`Attach`]: whatever can be attached: every [`Tap`], and what has to know the system first, its [`Site`].
//! - [`Filter`]: which of all messages a tap is shown.
//! - [`Findings`]: what a checker has to say, to the user and not to the bus.
//! - [`Logger`], [`ProtocolChecker`], [`Statistics`]: ready-made.
//! - [`parse`]: the same by name, for those that come from the environment or from C.
//! - [`Owners`]: which channel a message is of.

mod error;
mod exit;
mod filter;
mod findings;
mod logger;
mod named;
mod owners;
mod protocol;
mod site;
mod statistics;
#[cfg(test)]
mod tests;

pub use error::AttachError;
pub(crate) use exit::{AtExit, end_all, end_at_exit};
pub use filter::{Direction, Filter, Filtered};
pub use findings::{Finding, Findings};
pub(crate) use findings::{Reporter, Way};
pub use logger::Logger;
pub use named::{Named, parse};
pub use owners::{Owners, Passing};
pub use protocol::ProtocolChecker;
pub use site::{Channel, Site, channels};
pub use statistics::{Histogram, Requests, Statistics, Table};

use crate::bus::Tap;

/// Something that can be attached. Every [`Tap`] can, and sees all; [`with`] makes one of what has to know the system.
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
/// let mut said = 0;
/// let count = move |_: &Observation<'_>| said += 1;
/// vhost.attach(Filter::new().channel("core0").to(count))?;
/// # Ok::<(), Error>(())
/// ```
pub trait Attach {
    /// Makes the tap.
    ///
    /// # Errors
    /// Where it has no place in this system, or needs a file that can't be written.
    fn attach(self: Box<Self>, site: &Site) -> Result<Box<dyn Tap>, AttachError>;
}

impl<T: Tap> Attach for T {
    fn attach(self: Box<Self>, _: &Site) -> Result<Box<dyn Tap>, AttachError> {
        Ok(self)
    }
}

/// What has to know the system that it is attached to.
///
/// ```
/// use vhost::Severity;
/// use vhost::attach::{self, Site};
/// use vhost::bus::Observation;
/// use vhost::messages::mailbox::Served;
///
/// // Every request is to be served within a thousand ticks.
/// let deadline = attach::with(|site: &Site| {
///     let findings = site.findings("deadline");
///     move |seen: &Observation<'_>| {
///         if let Some(served) = seen.event.is::<Served>()
///             && seen.tick - served.since > 1000
///         {
///             findings.raise(Severity::Error, format!("late: {served}"));
///         }
///     }
/// });
/// let vhost = vhost::Vhost::builder().attach(deadline).start()?;
/// # Ok::<(), vhost::Error>(())
/// ```
pub fn with<T: Tap>(make: impl FnOnce(&Site) -> T) -> impl Attach {
    With(make)
}

struct With<F>(F);

impl<T: Tap, F: FnOnce(&Site) -> T> Attach for With<F> {
    fn attach(self: Box<Self>, site: &Site) -> Result<Box<dyn Tap>, AttachError> {
        Ok(Box::new((self.0)(site)))
    }
}
