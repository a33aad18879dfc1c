//! Taps and actors of a user's own.

use std::sync::{Arc, Mutex};

use actix::{Actor, Context, Handler};
use vhost::Severity;
use vhost::attach::{self, Attach, Filter, Findings, Site};
use vhost::bus::{Kept, Observation};
use vhost::messages::foreign::Report;
use vhost::messages::mailbox::Served;

use crate::bench::{builder, session, start};

/// Raises a finding for each request that took ticks.
pub(crate) fn objecting() -> impl Attach {
    attach::with(|site: &Site| {
        let findings = site.findings("late");
        move |seen: &Observation<'_>| {
            if let Some(served) = seen.event.is::<Served>()
                && seen.tick > served.since
            {
                findings.raise(Severity::Warning, served.to_string());
            }
        }
    })
}

#[test]
fn a_finding_is_reported_and_no_tap_sees_that() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let seen = Arc::new(Mutex::new(0));
    let count = seen.clone();
    let watch = move |seen: &Observation<'_>| {
        if seen
            .event
            .is::<Report>()
            .is_some_and(|report| report.id == "late")
        {
            *count.lock().unwrap() += 1;
        }
    };
    let vhost = start(builder.attach(objecting()).attach(watch));
    session(&vhost);
    let reports = reports.take();
    let late: Vec<_> = reports
        .iter()
        .filter(|report| report.id == "late")
        .collect();
    assert_eq!(late.len(), 2, "{reports:?}");
    for report in late {
        assert_eq!(report.severity, Severity::Warning);
        assert!(
            report.text.starts_with("CALL ") && report.text.contains("; gives 0xc"),
            "{report:?}"
        );
    }
    assert_eq!(*seen.lock().unwrap(), 0);
}

/// An actor that counts requests, and gives up at the fifth.
struct Weary {
    findings: Findings,
    served: usize,
}

impl Actor for Weary {
    type Context = Context<Self>;
}

impl Handler<Kept> for Weary {
    type Result = ();

    fn handle(&mut self, seen: Kept, _: &mut Context<Self>) {
        let served = seen.event.is::<Served>().unwrap();
        self.served += 1;
        let text = format!("{} is number {}", served.kind(), self.served);
        self.findings.raise(Severity::Info, text);
        assert!(self.served < 5, "enough");
    }
}

#[test]
fn an_actor_is_attached_and_missed_where_it_panics() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let weary = attach::actor(|site: &Site| Weary {
        findings: site.findings("weary"),
        served: 0,
    });
    let vhost = start(builder.attach(Filter::new().kind::<Served>().to(weary)));
    session(&vhost);
    let all = reports.take();
    let texts = |id: &str| -> Vec<&str> {
        let of = all.iter().filter(|report| report.id == id);
        of.map(|report| &*report.text).collect()
    };
    assert_eq!(
        texts("weary"),
        [
            "PRINT is number 1",
            "MEMMOVE is number 2",
            "CALL is number 3",
            "MEMSET is number 4",
            "PRINT is number 5"
        ]
    );
    let lost = texts("vhost");
    assert_eq!(lost.len(), 1, "{all:?}");
    assert!(lost[0].contains("the attached actor has ended"), "{lost:?}");
}

#[test]
fn an_actor_is_attached_to_a_replay() {
    let folder = tempfile::tempdir().unwrap();
    let trace = crate::record(folder.path(), |builder| builder);
    let weary = attach::actor(|site: &Site| Weary {
        findings: site.findings("weary"),
        served: 0,
    });
    let heard = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = heard.clone();
    let replay = vhost::Replay::of(trace)
        .attach(Filter::new().kind::<Served>().to(weary))
        .on_finding(move |_| count.set(count.get() + 1));
    replay.run().unwrap();
    assert_eq!(heard.get(), 5);
}

#[test]
fn what_is_said_at_the_very_end_is_heard() {
    struct Last(Findings);
    impl vhost::bus::Tap for Last {
        fn observe(&mut self, _: &Observation<'_>) {}
    }
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.raise(Severity::Error, "never seen an EXIT");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let vhost = start(builder.attach(attach::with(|site: &Site| Last(site.findings("last")))));
    vhost.shutdown();
    assert_eq!(reports.take_of("last"), ["never seen an EXIT"]);
}
