//! Hears of what checkers find that are attached to a replay.

use std::cell::RefCell;

use crate::attach::Finding;
use crate::bus::Envelope;
use crate::messages::foreign::{Inbox, Report};

/// Takes what checkers find.
pub(super) type OnFinding = Box<dyn FnMut(&Finding)>;

/// Whoever is told.
pub(super) struct Told(RefCell<OnFinding>);

impl Told {
    pub(super) fn new(on_finding: OnFinding) -> Self {
        Self(RefCell::new(on_finding))
    }

    /// Tells of a report that nobody has recorded.
    pub(super) fn tell(&self, call: Inbox) {
        if let Inbox::Report(Envelope { message, reply }) = call {
            let Report { severity, id, text } = message;
            // A callback that brings about another finding does not hear of it.
            if let Ok(mut told) = self.0.try_borrow_mut() {
                told(&Finding { severity, id, text });
            }
            reply.send(());
        }
    }
}
