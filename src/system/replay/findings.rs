//! Findings of checkers attached to a replay.

use std::cell::RefCell;

use crate::attach::Finding;
use crate::bus::Envelope;
use crate::messages::foreign::{Inbox, Report};

/// Callback for findings.
pub(super) type OnFinding = Box<dyn FnMut(&Finding)>;

/// Receiver of findings.
pub(super) struct FindingSink(RefCell<OnFinding>);

impl FindingSink {
    pub(super) fn new(on_finding: OnFinding) -> Self {
        Self(RefCell::new(on_finding))
    }

    /// Passes a report on that is not recorded.
    pub(super) fn report(&self, call: Inbox) {
        if let Inbox::Report(Envelope { message, reply }) = call {
            let Report { severity, id, text } = message;
            // A finding caused by the callback itself is dropped.
            if let Ok(mut on_finding) = self.0.try_borrow_mut() {
                on_finding(&Finding { severity, id, text });
            }
            reply.send(());
        }
    }
}
