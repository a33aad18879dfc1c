//! Findings of checkers. They are reported to the user by `mb_report`, and hidden from taps: a recording is independent of
//! attachments.

use std::sync::Arc;

use actix::{Actor, Handler};

use crate::bus::{Endpoint, Port};
use crate::messages::foreign::{Inbox, Report, Severity};

/// A finding of a checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Severity. The simulation's runner decides the consequence; under UVM, fatal ends it.
    pub severity: Severity,
    /// Name of the checker.
    pub id: String,
    /// Text of the finding.
    pub text: String,
}

impl actix::Message for Finding {
    type Result = ();
}

/// Recipient of findings. Taps are `Send`, which ports are not; an actor's address is.
pub(crate) type FindingRecipient = actix::Recipient<Finding>;

/// Sink of findings under one name. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Findings {
    id: Arc<str>,
    way: FindingRecipient,
}

impl Findings {
    pub(super) fn new(id: &str, way: &FindingRecipient) -> Self {
        Self {
            id: id.into(),
            way: way.clone(),
        }
    }

    /// Reports a finding before the bus becomes idle. No effect after the system's end.
    pub fn raise(&self, severity: Severity, text: impl Into<String>) {
        self.way.do_send(Finding {
            severity,
            id: self.id.as_ref().to_owned(),
            text: text.into(),
        });
    }
}

/// Actor that forwards findings to the outside.
#[derive(Debug)]
pub(crate) struct Reporter {
    foreign: Port<Inbox>,
}

impl Reporter {
    /// Reports through `foreign`.
    pub(crate) fn new(foreign: &Port<Inbox>) -> Self {
        Self {
            foreign: foreign.with_sender(Endpoint::TAP),
        }
    }
}

impl Actor for Reporter {
    type Context = actix::Context<Self>;
}

impl Handler<Finding> for Reporter {
    type Result = ();

    fn handle(&mut self, finding: Finding, _: &mut Self::Context) {
        let Finding { severity, id, text } = finding;
        self.foreign.post(Report { severity, id, text });
    }
}
