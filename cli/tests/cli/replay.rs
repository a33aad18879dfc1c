use vhost::trace::Payloads;

use crate::run::{Run, entries, frames, seal};
use crate::vhost_on;

#[test]
fn a_recorded_run_is_replayed_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::default();
    let trace = run.record(folder.path());
    let count = entries(&trace).len();
    let told = vhost_on("replay", &trace).with(0);
    assert!(
        told.starts_with(&format!("replayed: {count} messages in ")),
        "{told}"
    );
    let printed = vhost_on("replay --print", &trace).with(0);
    let lines = printed.matches("] a line, and some\n").count() as u64;
    assert_eq!(lines, 2 * run.prints, "{printed}");
}

#[test]
fn a_byte_that_was_changed_is_told_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let mut bytes = std::fs::read(&trace).unwrap();
    // In what the console is sent: memory is answered from the recording, and what comes of it is compared.
    let shown = entries(&trace);
    let print = shown
        .iter()
        .find(|entry| entry["message"] == "Print")
        .unwrap();
    let number = print["frame"].as_u64().unwrap();
    let frame = frames(&bytes)[usize::try_from(number).unwrap()];
    let last = frame.0 + 8 + frame.1 - 2;
    bytes[last] ^= 1;
    seal(&mut bytes, frame);
    std::fs::write(&trace, bytes).unwrap();
    let told = vhost_on("replay", &trace).with(1);
    assert!(
        told.starts_with(&format!("different: frame {number} differs")),
        "{told}"
    );
}

#[test]
fn one_actor_is_replayed_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::default();
    let trace = run.record(folder.path());
    let shown = entries(&trace);
    for actor in ["mailbox", "memory", "rpc", "files", "console", "sockets"] {
        let said = shown.iter().filter(|entry| {
            let by = if entry["event"] == "message" {
                "from"
            } else {
                "to"
            };
            entry[by] == actor
        });
        let told = vhost_on(&format!("replay --only {actor}"), &trace).with(0);
        let count = said.count();
        assert!(
            told.starts_with(&format!("replayed: {count} messages of {actor} in ")),
            "{told}"
        );
    }
    let printed = vhost_on("replay --print --only console", &trace).with(0);
    let lines = printed.matches("] a line, and some\n").count() as u64;
    assert_eq!(lines, 2 * run.prints, "{printed}");
    let told = vhost_on("replay --only mailman", &trace).told(2);
    assert!(
        told.contains("mailbox, memory, rpc, files, console, sockets"),
        "{told}"
    );
}

#[test]
fn what_was_recorded_without_payloads_is_not_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        payloads: Payloads::Hash,
        ..Run::default()
    };
    let trace = run.record(folder.path());
    let told = vhost_on("replay", &trace).told(2);
    assert!(told.contains("without payloads"), "{told}");
}
