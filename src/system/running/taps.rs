//! Taps of a bus: attaching, detaching, and panics of handlers.

use std::sync::Arc;

use crate::attach::{Attach, AttachContext, FoundErrors, Reporter};
use crate::bus::{Bus, Endpoint, Port};
use crate::messages::foreign::{Report, Severity};
use crate::messages::{ChannelDescriptor, foreign};
use crate::sim::strand;
use crate::system::Error;

/// Attaches taps to `bus`; their findings go to `foreign`.
pub(in crate::system) fn attach_all(
    bus: &Bus,
    attached: Vec<Box<dyn Attach>>,
    served: Arc<[ChannelDescriptor]>,
    foreign: &Port<foreign::Inbox>,
) -> Result<AttachContext, Error> {
    let found = Arc::<FoundErrors>::default();
    let counting = found.clone();
    let reporter = bus.spawn(|spawner| spawner.start(|_| Reporter::new(foreign, counting)))?;
    let (recipient, moves) = (reporter.recipient(), strand::is_entered());
    let context = AttachContext::new(served, recipient, found, moves);
    for what in attached {
        attach(bus, what, &context)?;
    }
    Ok(context)
}

/// Attaches a tap to `bus`.
pub(in crate::system) fn attach(
    bus: &Bus,
    what: Box<dyn Attach>,
    context: &AttachContext,
) -> Result<(), Error> {
    let tap = bus.spawn(|spawner| what.attach(context, spawner))??;
    bus.attach_boxed(tap);
    Ok(())
}

/// Detaches all taps. Last findings and panics go to `foreign`.
pub(in crate::system) fn detach_all(bus: &Bus, foreign: &Port<foreign::Inbox>) {
    bus.detach();
    // No recipient is left for other panics.
    let _ = report_panics_of_taps(bus, foreign);
    let _ = bus.run_until_idle();
}

/// Reports panics of taps like findings, outside of recordings. Returns the reports on other
/// panics.
#[cold]
pub(in crate::system) fn report_panics_of_taps(
    bus: &Bus,
    foreign: &Port<foreign::Inbox>,
) -> Vec<Report> {
    let mut others = Vec::new();
    for (ticket, text) in bus.take_panics() {
        let report = Report {
            severity: Severity::Error,
            id: "vhost".to_owned(),
            text: format!("{} panicked at {}: {text}", ticket.to(), ticket.name()),
        };
        if ticket.to() == Endpoint::TAP {
            foreign.with_sender(Endpoint::TAP).post(report);
        } else {
            others.push(report);
        }
    }
    others
}
