//! Snapshots and runs in a Rust program. It forks, so it has one thread and no test harness.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::path::Path;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use mailbox_rs::mock::{Firmware, Memory as _};
use mailbox_rs::{CacheLine, Layout, PtrWidth, Request};
use test_support::ram::Ram;
use vhost::{Error, Progress, Replay, Rerun, Runs, Snapshots, Vhost};

const MEMORIES: &str =
    "space: {core: [{ram: {base: 0, size: 0x4000, path: ram, width: 32, backend: static}}]}";
const MAILBOXES: &str = "core0: {space: core, base: 0x2000, ptr: 32, cache_line: 0}";

/// Address of the firmware's text.
const TEXT: u64 = 0x1000;

/// Tick of the failure.
const FAILURE: u64 = 57;

/// Exit status of the rerun.
const STATUS: i32 = 7;

fn start(folder: &Path) -> Vhost {
    let memories = folder.join("memory.yaml");
    fs::write(&memories, MEMORIES).unwrap();
    let builder = Vhost::builder().memories(memories);
    builder
        .mailboxes_text(MAILBOXES)
        .console(std::io::sink())
        .record(folder.join("run.trace"))
        .start()
        .unwrap()
}

/// Runs until the failure. Firmware prints at every fifth tick.
fn run(vhost: &Vhost, snapshots: &mut Snapshots) -> Vec<u64> {
    let ram = Ram::of(vhost, "core", "ram");
    ram.write(TEXT, b"five\n");
    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    let mut firmware = Firmware::new(ram, 0x2000, layout);
    firmware.reset();
    let mut woken = Vec::new();
    while vhost.now() < FAILURE {
        if vhost.now() % 5 == 4 {
            assert!(firmware.try_send(&Request::Print { ptr: TEXT, len: 5 }));
        }
        assert_eq!(vhost.tick().unwrap(), 1);
        if snapshots.take_due(vhost).unwrap() {
            woken.push(vhost.now());
        }
        while firmware.try_receive().is_some() {}
    }
    woken
}

/// Recordings, each of which must replay.
fn recordings(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let traces = files.filter(|file| file.extension().is_some_and(|name| name == "trace"));
    let read = |file: std::path::PathBuf| {
        assert!(Replay::of(&file).run().unwrap().messages > 0);
        fs::read(file).unwrap()
    };
    traces.map(read).collect()
}

fn a_failure_runs_again_from_the_newest_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let vhost = start(folder.path());
    let mut snapshots = Snapshots::new(&vhost, 10, 2);
    let woken = run(&vhost, &mut snapshots);
    if snapshots.is_rerun() {
        assert_eq!(woken, [50]);
        assert_eq!(snapshots.rerun(&vhost).unwrap(), None);
        vhost.shutdown();
        std::process::exit(STATUS);
    }
    assert!(woken.is_empty());
    let rerun = snapshots.rerun(&vhost).unwrap();
    let expected = Rerun {
        tick: 50,
        status: Some(STATUS),
    };
    assert_eq!(rerun, Some(expected));
    assert_eq!(
        snapshots.rerun(&vhost).unwrap(),
        None,
        "the others have ended"
    );
    vhost.shutdown();
    let recordings = recordings(folder.path());
    assert_eq!(recordings.len(), 2);
    assert_eq!(recordings[0], recordings[1], "a rerun is the same run");
}

/// Ids of the children of this process, zombies included.
fn children() -> String {
    let process = std::process::id();
    fs::read_to_string(format!("/proc/self/task/{process}/children")).unwrap()
}

/// Number of other processes of this program, including those of other parents.
fn copies() -> usize {
    let program = fs::read_link("/proc/self/exe").unwrap();
    let processes = fs::read_dir("/proc").unwrap();
    let programs = processes.filter_map(|entry| fs::read_link(entry.ok()?.path().join("exe")).ok());
    // This process is counted three times: `/proc/self` and `/proc/thread-self` are links to it.
    programs.filter(|other| *other == program).count() - 3
}

fn snapshots_are_taken_on_request_and_end_with_their_owner() {
    let folder = tempfile::tempdir().unwrap();
    let vhost = start(folder.path());
    let mut none = Snapshots::new(&vhost, 1, 0);
    assert!(!none.take(&vhost).unwrap());
    assert_eq!(none.rerun(&vhost).unwrap(), None);
    let mut asked = Snapshots::new(&vhost, 0, 1);
    vhost.tick().unwrap();
    assert!(!asked.take_due(&vhost).unwrap());
    if asked.take(&vhost).unwrap() {
        std::process::exit(0);
    }
    assert_eq!(copies(), 1);
    assert_eq!(children(), "", "`wait` is the program's");
    drop(asked);
    assert_eq!(copies(), 0);
}

fn a_process_of_several_threads_takes_none() {
    let folder = tempfile::tempdir().unwrap();
    let vhost = start(folder.path());
    let mut snapshots = Snapshots::new(&vhost, 1, 1);
    let other = thread::spawn(|| thread::sleep(Duration::from_secs(1)));
    vhost.tick().unwrap();
    let refused = snapshots.take_due(&vhost).unwrap_err();
    assert!(matches!(refused, Error::Fork(_)), "{refused:?}");
    assert!(refused.to_string().contains("the process has 2 threads"));
    vhost.tick().unwrap();
    assert!(!snapshots.take_due(&vhost).unwrap(), "refused once");
    other.join().unwrap();
}

fn many_runs_begin_where_one_has_booted() {
    let folder = tempfile::tempdir().unwrap();
    let vhost = start(folder.path());
    vhost.write_u32("core", TEXT, 1).unwrap();
    match vhost.fork_runs(4, 2).unwrap() {
        Runs::Run(number) => {
            let booted = vhost.read_u32("core", TEXT).unwrap();
            vhost.write_u32("core", TEXT, booted + number).unwrap();
            vhost.tick().unwrap();
            let payload = vhost.read_u32("core", TEXT).unwrap();
            vhost.shutdown();
            std::process::exit(payload.try_into().unwrap());
        }
        Runs::Over(statuses) => {
            assert_eq!(statuses, [1, 2, 3, 4].map(Some));
            assert_eq!(vhost.read_u32("core", TEXT).unwrap(), 1);
        }
    }
    vhost.shutdown();
    assert_eq!(recordings(folder.path()).len(), 5);
}

fn a_callback_forks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let vhost = start(folder.path());
    vhost
        .register_method("fork", |vhost, _| {
            let refused = vhost.fork_runs(1, 1).unwrap_err();
            assert!(matches!(refused, Error::ForkInCall), "{refused:?}");
            let refused = Snapshots::new(vhost, 1, 1).take(vhost).unwrap_err();
            assert!(matches!(refused, Error::ForkInCall), "{refused:?}");
            Ok(Poll::Ready(7))
        })
        .unwrap();
    let polled = vhost.poll_call("core0", "fork", &[]).unwrap();
    assert_eq!(polled, Progress::Ready(7));
}

#[expect(clippy::print_stdout, reason = "a count, as a harness prints it")]
fn main() {
    // A test runner lists the tests of a program before it runs them: this one is a single test.
    if std::env::args().any(|argument| argument == "--list") {
        if !std::env::args().any(|argument| argument == "--ignored") {
            println!("all: test");
        }
        return;
    }
    a_failure_runs_again_from_the_newest_snapshot();
    snapshots_are_taken_on_request_and_end_with_their_owner();
    a_process_of_several_threads_takes_none();
    many_runs_begin_where_one_has_booted();
    a_callback_forks_nothing();
    println!("test result: ok. 5 passed; 0 failed");
}
