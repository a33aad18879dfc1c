//! Loggers, checkers and collectors on a whole system and on its replay.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod filter;
mod front_ends;
mod logger;
mod protocol;
mod statistics;
mod watcher;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use test_support::two_channels::{builder, session, start};
use vhost::attach::{Finding, Logger, ProtocolChecker, Statistics};
use vhost::trace::{Content, Trace};
use vhost::{Replay, Severity};

/// Records a session with `attach` applied to the builder.
fn record(folder: &Path, attach: impl FnOnce(vhost::Builder) -> vhost::Builder) -> PathBuf {
    let trace = folder.join("run.trace");
    let (builder, _) = builder(folder);
    let vhost = start(attach(builder).record(&trace));
    session(&vhost);
    vhost.shutdown();
    trace
}

#[test]
fn a_recording_is_the_same_with_any_attachment() {
    let folder = tempfile::tempdir().unwrap();
    let bare = std::fs::read(record(folder.path(), |builder| builder)).unwrap();
    let log = folder.path().join("requests.log");
    let attached = record(folder.path(), |builder| {
        builder
            .attach(ProtocolChecker::new().severity(Severity::Warning))
            .attach(Logger::file(&log).json())
            .attach(Statistics::new())
            .attach(watcher::objecting())
    });
    assert_eq!(std::fs::read(attached).unwrap(), bare);
    assert_ne!(std::fs::read(log).unwrap(), b"");
}

/// Messages in a recording: names of the kinds, and bodies as text.
fn messages_in(trace: &Path) -> Vec<(String, String)> {
    let entries = Trace::open(trace).unwrap().map(Result::unwrap);
    let messages = entries.filter_map(|entry| match &entry.content {
        Content::Message { body, .. } => {
            let text = String::from_utf8_lossy(body).into_owned();
            Some((entry.kind.name.to_string(), text))
        }
        _ => None,
    });
    messages.collect()
}

#[test]
fn errors_of_a_checker_are_a_report_at_the_end_of_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let bare = messages_in(&record(folder.path(), |builder| builder));
    let trace = record(folder.path(), |builder| {
        builder.attach(ProtocolChecker::new())
    });
    let mut messages = messages_in(&trace);
    let (name, text) = messages.pop().unwrap();
    let expected =
        "attached checkers have found 2 errors, the first: protocol: tick 8: channel `core0`: ";
    assert!(
        name == "Report" && text.contains(expected),
        "{name}: {text}"
    );
    assert_eq!(messages, bare);
    Replay::of(trace).run().unwrap();
}

#[test]
fn a_replay_shows_the_same_as_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let log = |name: &str| folder.path().join(name);
    let statistics = Statistics::new();
    let (builder, reports) = builder(folder.path());
    let trace = log("run.trace");
    let vhost = start(
        builder
            .attach(ProtocolChecker::new())
            .attach(Logger::file(log("run.log")))
            .attach(statistics.clone())
            .record(&trace),
    );
    session(&vhost);
    vhost.shutdown();
    let found = reports.take_of("protocol");
    assert_eq!(found.len(), 2, "{found:?}");

    let again = Statistics::new();
    let findings = Rc::new(RefCell::new(Vec::new()));
    let kept = findings.clone();
    let replay = Replay::of(&trace)
        .attach(ProtocolChecker::new())
        .attach(Logger::file(log("replay.log")))
        .attach(again.clone())
        .on_finding(move |finding: &Finding| kept.borrow_mut().push(finding.text.clone()));
    replay.run().unwrap();
    assert_eq!(findings.take(), found);
    assert_eq!(again.table(), statistics.table());
    let read = |name| std::fs::read_to_string(log(name)).unwrap();
    assert_eq!(read("replay.log"), read("run.log"));
    assert!(read("run.log").contains("core0: PRINT"));
}
