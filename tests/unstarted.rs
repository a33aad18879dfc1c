//! Recordings of systems that can't start.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::path::Path;
use std::process::Command;

use test_support::c_build::{compile, shared};
use vhost::messages::foreign::Report;
use vhost::trace::{Payloads, RunIdentity, Trace, decode};
use vhost::{Replay, Severity, Vhost};

const MEMORIES: &str =
    "space:\n  a: [ram: {base: 0, size: 0x1000, path: t, width: 32, backend: static}]\n";

/// Fatal reports of a recording that replays.
fn fatal(file: &Path) -> Vec<(String, String)> {
    Replay::of(file).run().unwrap();
    let entries = Trace::open(file).unwrap().map(|entry| entry.unwrap());
    let reports = entries.filter_map(|entry| {
        let body = decode(&entry).ok()??;
        let Report { severity, id, text } = body.downcast_ref::<Report>()?.clone();
        (severity == Severity::Fatal).then_some((id, text))
    });
    reports.collect()
}

#[test]
fn a_failure_is_recorded_with_the_identity_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.trace");
    fs::write(&file, "an older one").unwrap();
    let builder = Vhost::builder().memories("no.yaml").identify("id", "a");
    let builder = builder.record_with(&file, Payloads::Keep);
    builder.record_failure("test", "no design").unwrap();
    let expected = [("test".to_owned(), "no design".to_owned())];
    assert_eq!(fatal(&file), expected);
    let trace = Trace::open(&file).unwrap();
    assert_eq!(trace.header().run.get(RunIdentity::ID), Some("a"));
    assert!(trace.header().run.get(RunIdentity::STARTED).is_some());

    // Without a recording in the configuration.
    Vhost::builder()
        .record_failure("test", "no design")
        .unwrap();
    // While another run writes the file.
    let running = Vhost::builder().record(&file).start().unwrap();
    let other = Vhost::builder().record(&file);
    assert!(other.record_failure("test", "no design").is_err());
    running.shutdown();
    assert_eq!(fatal(&file), []);
}

#[test]
fn a_system_of_the_c_abi_that_can_not_start_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    let linked = shared();
    let linked = linked.iter().map(String::as_str);
    let arguments: Vec<&str> = ["unstarted.c"].into_iter().chain(linked).collect();
    compile(&program, &arguments);
    fs::write(folder.path().join("mem.yaml"), MEMORIES).unwrap();
    fs::write(folder.path().join("mailbox.yaml"), "{}\n").unwrap();
    let trace = folder.path().join("run.trace");
    for (arguments, failures) in [(&[][..], 1), (&["mem.yaml", "mailbox.yaml", "."], 0)] {
        fs::write(&trace, "an older one").unwrap();
        let mut run = Command::new(&program);
        let run = run.args(arguments).current_dir(folder.path());
        let run = run.env("VHOST_TRACE", &trace).env("VHOST_RUN_ID", "a");
        let ended = run.output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        let reported =
            String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
        assert_eq!(reported.matches("no.yaml").count(), 1, "{reported}");
        // The recording of an earlier system stays.
        let fatal = fatal(&trace);
        assert_eq!(fatal.len(), failures, "{fatal:?}");
        assert!(
            fatal
                .iter()
                .all(|(id, text)| id == "mb_init" && text.contains("no.yaml"))
        );
        let trace = Trace::open(&trace).unwrap();
        assert_eq!(trace.header().run.get(RunIdentity::ID), Some("a"));
    }
}
