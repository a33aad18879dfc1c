//! Taps and actors of a user.

use std::sync::{Arc, Mutex};

use actix::{Actor, Context, Handler};
use vhost::Severity;
use vhost::attach::{self, Attach, AttachContext, Filter, Findings};
use vhost::bus::{Observation, OwnedObservation};
use vhost::messages::foreign::Report;
use vhost::messages::mailbox::Served;

use test_support::two_channels::{builder, session, start};

/// Reports a finding for each request that took longer than a tick.
pub(crate) fn objecting() -> impl Attach {
    attach::with(|context: &AttachContext| {
        let findings = context.findings("late");
        move |seen: &Observation<'_>| {
            if let Some(served) = seen.content.downcast_ref::<Served>()
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
            .content
            .downcast_ref::<Report>()
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

/// Actor that counts requests and panics at the fifth.
struct Weary {
    findings: Findings,
    served: usize,
}

impl Actor for Weary {
    type Context = Context<Self>;
}

impl Handler<OwnedObservation> for Weary {
    type Result = ();

    fn handle(&mut self, seen: OwnedObservation, _: &mut Context<Self>) {
        let served = seen.content.downcast_ref::<Served>().unwrap();
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
    let weary = attach::actor(|context: &AttachContext| Weary {
        findings: context.findings("weary"),
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
    let weary = attach::actor(|context: &AttachContext| Weary {
        findings: context.findings("weary"),
        served: 0,
    });
    let heard = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let kept = heard.clone();
    let replay = vhost::Replay::of(trace)
        .attach(Filter::new().kind::<Served>().to(weary))
        .on_finding(move |finding| kept.borrow_mut().push(finding.id.clone()));
    replay.run().unwrap();
    // The end of the actor is reported, too.
    assert_eq!(
        heard.take(),
        ["weary", "weary", "weary", "weary", "weary", "vhost"]
    );
}

#[test]
fn findings_of_a_dropped_tap_are_reported() {
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
    let vhost = start(builder.attach(attach::with(|context: &AttachContext| {
        Last(context.findings("last"))
    })));
    vhost.shutdown();
    assert_eq!(reports.take_of("last"), ["never seen an EXIT"]);
}

/// Tap that panics at its tenth observation.
fn brittle() -> impl Attach {
    let mut seen = 0;
    move |_: &Observation<'_>| {
        seen += 1;
        assert!(seen < 10, "ten");
    }
}

#[test]
fn a_tap_that_panics_is_reported_and_is_in_no_recording() {
    let folder = tempfile::tempdir().unwrap();
    let bare = std::fs::read(crate::record(folder.path(), |builder| builder)).unwrap();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let notified = kept.clone();
    let trace = crate::record(folder.path(), |builder| {
        builder
            .attach(brittle())
            .on_report(move |report: &Report| notified.lock().unwrap().push(report.text.clone()))
    });
    assert_eq!(std::fs::read(&trace).unwrap(), bare);
    let lost = "a tap panicked at Observation: ten (it is detached)";
    assert!(std::mem::take(&mut *kept.lock().unwrap()).contains(&lost.to_owned()));
    for only in [None, Some(vhost::ActorName::Mailbox)] {
        let notified = kept.clone();
        let mut replay = vhost::Replay::of(&trace).attach(brittle());
        if let Some(only) = only {
            replay = replay.only(only);
        }
        let replay =
            replay.on_finding(move |found| notified.lock().unwrap().push(found.text.clone()));
        replay.run().unwrap();
        assert_eq!(
            std::mem::take(&mut *kept.lock().unwrap()),
            [lost],
            "{only:?}"
        );
    }
}

#[test]
fn an_attachment_may_not_run_the_bus() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, _) = builder(folder.path());
    let vhost = std::rc::Rc::new(start(builder));
    let within = vhost.clone();
    let asks = attach::with(move |_: &AttachContext| {
        let refused = within.status().unwrap_err().to_string();
        assert!(refused.contains("refused inside of"), "{refused}");
        |_: &Observation<'_>| ()
    });
    vhost.attach(asks).unwrap();
    session(&vhost);
}
