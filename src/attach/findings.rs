//! Findings of checkers. They are reported to the user by `mb_report`, and hidden from taps, so
//! that a recording does not depend on attachments.

use std::sync::Arc;

use actix::{Actor, Handler};
use parking_lot::Mutex;

use crate::bus::{Endpoint, Port};
use crate::messages::foreign::{Inbox, Report, Severity};

/// A finding of a checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Severity. The runner of the simulation decides the consequence; under UVM, a fatal one ends
    /// it.
    pub severity: Severity,
    /// Name of the checker.
    pub id: String,
    /// Text of the finding.
    pub text: String,
}

impl actix::Message for Finding {
    type Result = ();
}

/// Recipient of findings. Taps are `Send`, so they hold an actor's address instead of a port.
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

    /// Reports a finding before the bus becomes idle. Has no effect after the end of the system.
    pub fn raise(&self, severity: Severity, text: impl Into<String>) {
        self.way.do_send(Finding {
            severity,
            id: self.id.as_ref().to_owned(),
            text: text.into(),
        });
    }
}

/// Name under which a system reports, at its end, that attached checkers have found errors.
const SUMMARY_ID: &str = "attach";

/// First words of that report.
const SUMMARY: &str = "attached checkers have found ";

/// True for the report at the end of a system that attached checkers have found errors. A recording
/// has this report instead of the findings.
pub fn is_summary(report: &Report) -> bool {
    // A channel may have the same name.
    let Report { severity, id, text } = report;
    *severity == Severity::Error && id == SUMMARY_ID && text.starts_with(SUMMARY)
}

/// Errors among the findings of a system.
#[derive(Debug, Default)]
pub(crate) struct FoundErrors(Mutex<Counted>);

/// Number of errors, and the first of them.
#[derive(Debug, Default)]
struct Counted {
    errors: u64,
    first: String,
}

impl FoundErrors {
    /// Number of errors.
    pub(crate) fn count(&self) -> u64 {
        self.0.lock().errors
    }

    /// Report on all errors; `None` if there are none.
    pub(crate) fn summary(&self) -> Option<Report> {
        let Counted { errors, first } = &*self.0.lock();
        let what = match errors {
            0 => return None,
            1 => format!("1 error: {first}"),
            more => format!("{more} errors, the first: {first}"),
        };
        Some(Report {
            severity: Severity::Error,
            id: SUMMARY_ID.to_owned(),
            text: format!("{SUMMARY}{what}"),
        })
    }

    fn add(&self, Finding { severity, id, text }: &Finding) {
        if *severity >= Severity::Error {
            let mut counted = self.0.lock();
            counted.errors += 1;
            if counted.errors == 1 {
                let line = text.lines().next().unwrap_or_default();
                counted.first = format!("{id}: {line}");
            }
        }
    }
}

/// Actor that forwards findings to the testbench or to stderr.
#[derive(Debug)]
pub(crate) struct Reporter {
    foreign: Port<Inbox>,
    found: Arc<FoundErrors>,
}

impl Reporter {
    /// Creates the actor, which reports through `foreign` and counts errors.
    pub(crate) fn new(foreign: &Port<Inbox>, found: Arc<FoundErrors>) -> Self {
        Self {
            foreign: foreign.with_sender(Endpoint::TAP),
            found,
        }
    }
}

impl Actor for Reporter {
    type Context = actix::Context<Self>;
}

impl Handler<Finding> for Reporter {
    type Result = ();

    fn handle(&mut self, finding: Finding, _: &mut Self::Context) {
        self.found.add(&finding);
        let Finding { severity, id, text } = finding;
        self.foreign.post(Report { severity, id, text });
    }
}
