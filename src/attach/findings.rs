//! What a checker has to say. The user hears of it as of everything else that is reported, by `mb_report`; taps do not: a
//! recording is the same, whoever was attached.

use std::sync::Arc;

use actix::{Actor, Handler};

use crate::bus::{Party, Port};
use crate::messages::foreign::{Inbox, Report, Severity};

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is. Whatever runs the simulation decides what follows; under UVM, a fatal one ends it.
    pub severity: Severity,
    /// Who found it.
    pub id: String,
    /// What.
    pub text: String,
}

impl actix::Message for Finding {
    type Result = ();
}

/// Where findings go. Taps must be fit to be sent to other threads, which ports are not; the address of an actor is.
pub(crate) type Way = actix::Recipient<Finding>;

/// Takes findings, under one name. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Findings {
    id: Arc<str>,
    way: Way,
}

impl Findings {
    pub(super) fn new(id: &str, way: &Way) -> Self {
        Self {
            id: id.into(),
            way: way.clone(),
        }
    }

    /// Reports something, before the bus comes to rest. Where the system has ended meanwhile, nobody hears of it.
    pub fn raise(&self, severity: Severity, text: impl Into<String>) {
        self.way.do_send(Finding {
            severity,
            id: self.id.as_ref().to_owned(),
            text: text.into(),
        });
    }
}

/// Hands findings on to the outside.
#[derive(Debug)]
pub(crate) struct Reporter {
    foreign: Port<Inbox>,
}

impl Reporter {
    /// Reports by `foreign`.
    pub(crate) fn new(foreign: &Port<Inbox>) -> Self {
        Self {
            foreign: foreign.sent_by(Party::TAP),
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
