//! Diagnosis of stuck channels: a channel without progress, and a fatal error, are reported with
//! the component that must act next. The reports replay.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use mailbox_rs::mock::{Firmware, Memory, Misbehaviour};
use mailbox_rs::{CacheLine, Layout, PtrWidth, Request, Version};
use vhost::attach::ProtocolChecker;
use vhost::bus::Observation;
use vhost::messages::foreign::Report;
use vhost::trace::Trace;
use vhost::{Builder, Error, Replay, Severity, Vhost};

use test_support::ram::Ram;

const MEMORIES: &str = "\
space:
  core0: [ram: {base: 0, size: 0x4000, path: tb.ram0, width: 32, backend: static, init: {method: all_zero}}]
  core1: [ram: {base: 0, size: 0x4000, path: tb.ram1, width: 32, backend: static, init: {method: all_zero}}]
";

const MAILBOXES: &str = "\
core0: {space: core0, base: 0, ptr: 32, cache_line: 0}
core1: {space: core1, base: 0, ptr: 32, cache_line: 0}
";

/// Address of firmware's texts.
const TEXT: u64 = 0x2000;

/// System with two channels, and a method `wait` that completes on command.
struct Fixture {
    vhost: Vhost,
    cores: [Firmware<Ram>; 2],
    reports: Arc<Mutex<Vec<Report>>>,
    /// True if `wait` completes.
    goes_on: Arc<AtomicBool>,
}

impl Fixture {
    fn new(folder: &Path, build: impl FnOnce(Builder) -> Builder) -> Self {
        let memories = folder.join("mem.yaml");
        std::fs::write(&memories, MEMORIES).unwrap();
        let reports = Arc::new(Mutex::new(Vec::new()));
        let keep = reports.clone();
        let tap = move |seen: &Observation<'_>| {
            keep.lock()
                .unwrap()
                .extend(seen.content.downcast_ref::<Report>().cloned());
        };
        let builder = Vhost::builder()
            .memories(memories)
            .mailboxes_text(MAILBOXES);
        // The checker does not report reads for a status.
        let builder = builder.attach(tap).attach(ProtocolChecker::new());
        let vhost = build(builder).start().unwrap();
        let goes_on = Arc::new(AtomicBool::new(false));
        let notified = goes_on.clone();
        let wait = move |_: &Vhost, _: vhost::HostProgramCall<'_>| {
            Ok(if notified.load(Ordering::Relaxed) {
                Poll::Ready(0)
            } else {
                Poll::Pending
            })
        };
        vhost.register_method("wait", wait).unwrap();
        let cores = ["core0", "core1"].map(|space| {
            let layout = Layout::new(PtrWidth::P4, CacheLine::None);
            let mut firmware = Firmware::new(Ram::of(&vhost, space, "ram"), 0, layout);
            firmware.memory().write(TEXT, b"wait\0");
            firmware.reset();
            firmware
        });
        Self {
            vhost,
            cores,
            reports,
            goes_on,
        }
    }

    fn ticks(&self, ticks: u64) {
        for _ in 0..ticks {
            self.vhost.tick().unwrap();
        }
    }

    fn send(&mut self, core: usize, request: &Request) {
        assert!(self.cores[core].try_send(request));
    }

    /// Calls a method that completes once [`goes_on`](Self::goes_on) is true.
    fn wait(&mut self, core: usize) {
        self.send(
            core,
            &Request::Call {
                method: TEXT,
                args: [].into(),
            },
        );
    }

    fn exit(&mut self, core: usize) {
        self.send(core, &Request::Exit { code: 0 });
    }

    /// Reports since the last call: severity, id, and first line.
    fn reported(&self) -> Vec<(Severity, String, String)> {
        let reports = std::mem::take(&mut *self.reports.lock().unwrap());
        let first = |report: Report| {
            let line = report.text.lines().next().unwrap_or_default().to_owned();
            (report.severity, report.id, line)
        };
        reports.into_iter().map(first).collect()
    }
}

fn barked(severity: Severity, text: &str) -> Vec<(Severity, String, String)> {
    vec![(severity, "watchdog".to_owned(), text.to_owned())]
}

#[test]
fn a_method_that_never_answers_is_reported_once_with_its_channel_and_tick() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), |builder| {
        builder.watchdog(50, Severity::Error)
    });
    fixture.ticks(1);
    fixture.exit(1);
    fixture.ticks(9);
    fixture.wait(0);
    fixture.ticks(50);
    assert_eq!(fixture.reported(), [], "in the 60th tick");
    fixture.ticks(1);
    let text = fixture.reports.lock().unwrap()[0].text.clone();
    let (first, status) = text.split_once('\n').unwrap();
    assert_eq!(first, "no progress for 50 ticks: core0");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/stuck.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains(&format!("```text\n{status}\n```")),
        "the example of the page should be\n{status}"
    );
    let once = barked(Severity::Error, "no progress for 50 ticks: core0");
    assert_eq!(fixture.reported(), once);
    fixture.ticks(500);
    assert_eq!(fixture.reported(), []);

    // The channel makes progress, and is stuck again.
    fixture.goes_on.store(true, Ordering::Relaxed);
    fixture.ticks(20);
    fixture.goes_on.store(false, Ordering::Relaxed);
    assert!(fixture.cores[0].try_receive().is_some());
    fixture.wait(0);
    fixture.ticks(50);
    assert_eq!(fixture.reported(), []);
    fixture.ticks(500);
    assert_eq!(fixture.reported(), once);
}

#[test]
fn progress_in_time_is_no_reason_to_bark() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), |builder| {
        builder.watchdog(50, Severity::Warning)
    });
    for _ in 0..20 {
        fixture.ticks(49);
        let set = Request::MemSet {
            dest: TEXT + 16,
            byte: 1,
            len: 1,
        };
        for core in 0..2 {
            while fixture.cores[core].try_receive().is_some() {}
            fixture.send(core, &set);
        }
        fixture.ticks(1);
    }
    fixture.exit(0);
    fixture.ticks(49);
    fixture.exit(1);
    fixture.ticks(1000);
    assert_eq!(fixture.reported(), [], "nobody is left to be stuck");
}

#[test]
fn channels_are_reported_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), |builder| {
        builder.watchdog(50, Severity::Info)
    });
    fixture.ticks(31);
    fixture.wait(1);
    fixture.ticks(100);
    let expected: Vec<_> = ["core0", "core1"]
        .map(|name| format!("no progress for 50 ticks: {name}"))
        .iter()
        .flat_map(|text| barked(Severity::Info, text))
        .collect();
    assert_eq!(fixture.reported(), expected);
}

#[test]
fn it_counts_from_when_it_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), |builder| builder);
    fixture.ticks(1000);
    assert_eq!(fixture.reported(), [], "there is none unless asked for");
    fixture.vhost.watchdog(50, Severity::Warning);
    fixture.ticks(49);
    assert_eq!(fixture.reported(), []);
    fixture.ticks(1);
    let both = barked(Severity::Warning, "no progress for 50 ticks: core0, core1");
    assert_eq!(fixture.reported(), both);
    // Another call of `watchdog` restarts the count.
    fixture.vhost.watchdog(50, Severity::Warning);
    fixture.ticks(50);
    assert_eq!(fixture.reported(), both);
    fixture.vhost.watchdog(0, Severity::Fatal);
    fixture.ticks(1000);
    fixture.vhost.watchdog(u64::MAX, Severity::Fatal);
    fixture.ticks(1000);
    assert_eq!(fixture.reported(), []);
}

#[test]
fn fatal_ends_service_with_the_status_of_every_channel() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), |builder| {
        builder.watchdog(50, Severity::Fatal)
    });
    fixture.ticks(1);
    fixture.wait(0);
    fixture.ticks(49);
    for _ in 0..3 {
        let error = fixture.vhost.tick().unwrap_err();
        assert!(matches!(error, Error::Fatal(_)), "{error:?}");
        let error = error.to_string();
        for part in [
            "watchdog: no progress for 50 ticks: core1\n",
            "\ncore0: waits for the host program: method `wait` is pending since tick 2",
            "\ncore1: waits for firmware to write a request since tick 1",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
    let fatal = barked(Severity::Fatal, "no progress for 50 ticks: core1");
    assert_eq!(fixture.reported(), fatal);
}

/// A recording with a status and a report replays.
fn assert_replays(trace: &Path) {
    let entries = Trace::open(trace).unwrap().map(Result::unwrap);
    let entries: Vec<_> = entries.collect();
    for name in ["Status", "Report"] {
        assert!(
            entries.iter().any(|entry| entry.kind.name == name),
            "{name} is recorded"
        );
    }
    let replayed = Replay::of(trace).run().map_err(|error| error.to_string());
    let messages = replayed.map(|replayed| replayed.messages);
    assert_eq!(messages, Ok(entries.len() as u64));
}

#[test]
fn reports_of_the_watchdog_are_replayed() {
    for severity in [Severity::Warning, Severity::Fatal] {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("run.trace");
        let mut fixture = Fixture::new(folder.path(), |builder| {
            builder.record(&trace).watchdog(50, severity)
        });
        fixture.ticks(1);
        fixture.wait(0);
        while fixture.reported().is_empty() {
            fixture.vhost.tick().ok();
        }
        // A status on request does not affect the watchdog.
        fixture.vhost.status().unwrap();
        fixture.goes_on.store(true, Ordering::Relaxed);
        for _ in 0..30 {
            fixture.vhost.tick().ok();
        }
        fixture.vhost.shutdown();
        assert_replays(&trace);
    }
}

#[test]
fn a_fatal_error_has_the_status_of_channels_and_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("run.trace");
    let mut fixture = Fixture::new(folder.path(), |builder| builder.record(&trace));
    fixture.ticks(1);
    fixture.wait(1);
    fixture.ticks(1);
    let (major, minor) = (9, 9);
    fixture.cores[0].misbehave(Misbehaviour::Reset);
    fixture.cores[0].misbehave(Misbehaviour::Version(Version { major, minor }));
    let error = fixture.vhost.tick().unwrap_err().to_string();
    for part in [
        "channel core0: firmware speaks mailbox protocol 9.9",
        "\ncore0: service failed in tick 3",
        "\ncore1: waits for the host program: method `wait` is pending since tick 2",
    ] {
        assert!(error.contains(part), "{error}");
    }
    fixture.vhost.shutdown();
    assert_replays(&trace);
}
