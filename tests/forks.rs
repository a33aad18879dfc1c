//! Forked C programs: snapshots, and many runs of one program.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::thread::{self, sleep};
use std::time::Duration;

use tempfile::TempDir;
use test_support::c_build::{clear_environment, compile, shared, without_counts};
use vhost::Replay;

const MEMORY: &str = "\
space:
  core0:
    - ram0: {base: 0x80000000, size: 0x40000, backend: api}
";

/// Run of `tests/c/forks.c`, and its output.
struct Run {
    folder: TempDir,
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Path of the program, which is built once.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("forks");
    let [library, beside] = shared();
    let sources = ["forks.c", "chip.c", "firmware.c"];
    compile(&program, &[&sources[..], &[&library, &beside]].concat());
    program
});

fn run(case: &str) -> Run {
    run_with(TempDir::new().unwrap(), case, |_| ())
}

/// Runs a case in which no process can write files.
fn run_on_full_disk(case: &str) -> Run {
    run_with(TempDir::new().unwrap(), case, |program| {
        without_counts(program);
    })
}

/// Runs a case in a folder, which may have files of another run, with a modified command.
fn run_with(folder: TempDir, case: &str, change: impl FnOnce(&mut Command)) -> Run {
    let [memory, mailbox, root] =
        ["memory.yaml", "mailbox.yaml", "root"].map(|name| folder.path().join(name));
    fs::write(&memory, MEMORY).unwrap();
    fs::write(
        &mailbox,
        "core0: {space: core0, base: 0x80001000, ptr: 32, cache_line: 0}\n",
    )
    .unwrap();
    fs::create_dir_all(&root).unwrap();
    let mut command = Command::new(&*PROGRAM);
    clear_environment(&mut command)
        .arg(case)
        .args([&memory, &mailbox, &root])
        .env("VHOST_TRACE", folder.path().join("run.trace"))
        .env(
            "VHOST_ATTACH",
            format!("log={}", folder.path().join("run.log").display()),
        );
    change(&mut command);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Run {
        folder,
        status: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// True if a file's bytes contain this text.
fn has(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

impl Run {
    fn ended_with(&self, status: i32) -> &Self {
        assert_eq!(self.status, Some(status), "{}{}", self.stdout, self.stderr);
        self
    }

    /// Files with this extension, beginning with the parent's.
    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|found| found == extension));
        files.sort_by_key(|file| file.to_str().map(str::len));
        files
    }

    /// Recordings, beginning with the parent's. Each must replay.
    fn recordings(&self) -> Vec<Vec<u8>> {
        let replayed = |file: PathBuf| {
            let refused = Replay::of(&file).run().err().map(|error| error.to_string());
            assert_eq!(refused, None, "{}", file.display());
            fs::read(file).unwrap()
        };
        self.files("trace").into_iter().map(replayed).collect()
    }

    fn logs(&self) -> Vec<String> {
        let logs = self.files("log").into_iter();
        logs.map(|file| fs::read_to_string(file).unwrap()).collect()
    }
}

/// Length of the common prefix.
fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter()
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

#[test]
fn both_sides_of_a_fork_go_on_by_themselves() {
    for case in ["both", "untold"] {
        let run = run(case);
        run.ended_with(0);
        let recordings = run.recordings();
        assert_eq!(recordings.len(), 2, "{case}: {}", run.stderr);
        let logs = run.logs();
        assert_eq!(logs.len(), 2);
        let has = |log: &str, parts: &[&str]| {
            parts
                .iter()
                .map(|part| log.contains(part))
                .collect::<Vec<_>>()
        };
        let parts = ["before", "parent", "child"];
        assert_eq!(has(&logs[0], &parts), [true, true, false], "{case}");
        assert_eq!(has(&logs[1], &parts), [true, false, true], "{case}");
        // The recordings are equal up to the fork.
        assert!(common(&recordings[0], &recordings[1]) > 500, "{case}");
        assert_eq!(run.stdout.matches("before").count(), 1, "{}", run.stdout);
    }
}

#[test]
fn a_child_that_calls_nothing_leaves_nothing() {
    let run = run("idle_children");
    run.ended_with(0);
    assert_eq!(run.recordings().len(), 1);
    assert_eq!(run.stdout, "[core0] before\n[core0] parent\n");
}

#[test]
fn forks_in_the_wrong_place_are_refused() {
    run("misuse").ended_with(0);
    for case in ["inside_call", "while_inside"] {
        let run = run(case);
        run.ended_with(0);
        assert_eq!(run.recordings().len(), 1, "{case}");
    }
}

#[test]
fn a_failure_is_run_again_from_the_newest_snapshot() {
    let run = run("snapshots");
    run.ended_with(6);
    let recordings = run.recordings();
    assert_eq!(recordings.len(), 2, "{}", run.stderr);
    let logs = run.logs();
    assert!(logs[0].contains("failure") && !logs[0].contains("again"));
    assert!(logs[1].contains("again") && !logs[1].contains("failure"));
    let lines = run.stdout.lines().collect::<Vec<_>>();
    assert_eq!(
        lines.iter().filter(|line| line.contains("five")).count(),
        7,
        "{lines:?}"
    );
    assert!(common(&recordings[0], &recordings[1]) > recordings[1].len() / 2);
}

#[test]
fn a_snapshot_is_taken_on_request_of_the_testbench() {
    let run = run("snapshots_on_request");
    run.ended_with(0);
    assert_eq!(run.recordings().len(), 2);
    assert_eq!(
        run.stdout,
        "[core0] booted\n[core0] failure\n[core0] again\n"
    );
}

#[test]
fn a_failure_inside_a_call_runs_again_and_forks_nothing() {
    let run = run("failure_in_call");
    run.ended_with(0);
    assert_eq!(run.recordings().len(), 2);
    assert_eq!(run.stdout, "[core0] again\n[core0] parent\n");
}

#[test]
fn snapshots_end_with_their_process() {
    let run_of = run("forgotten_snapshots");
    run_of.ended_with(0);
    assert_eq!(run_of.recordings().len(), 1);
    let quits = run("quits");
    quits.ended_with(9);
    assert_eq!(quits.stdout, "[core0] first\n[core0] again\n");
    assert!(
        quits.stderr.contains("has ended with 9"),
        "{}",
        quits.stderr
    );
    run("snapshots_of_threads").ended_with(0);
}

#[test]
fn many_runs_begin_where_one_has_booted() {
    let run = run("runs");
    run.ended_with(0);
    assert_eq!(run.recordings().len(), 6);
    for number in 0..5 {
        let file = run.folder.path().join(format!("root/run{number}/out.txt"));
        assert_eq!(
            fs::read_to_string(file).unwrap(),
            format!("payload {number}\n")
        );
    }
    assert_eq!(run.stdout.matches("booted").count(), 1);
}

/// `mb_server_run` takes snapshots, too.
#[test]
fn snapshots_are_taken_in_mb_server_run() {
    let run = run("server_run");
    run.ended_with(8);
    assert_eq!(run.recordings().len(), 2);
    assert!(run.stderr.contains("has ended with 8"), "{}", run.stderr);
}

#[test]
fn a_full_disk_ends_the_recording_of_the_child_alone() {
    let run = run_on_full_disk("full_disk");
    run.ended_with(0);
    let logs = run.logs();
    assert!(logs[0].contains("parent"), "{logs:?}");
    let branch = "the process was forked, and can't continue in";
    // One in the recording, one in the log.
    assert_eq!(run.stderr.matches(branch).count(), 2, "{}", run.stderr);
    let parents = run.folder.path().join("run.trace");
    let refused = Replay::of(parents)
        .run()
        .err()
        .map(|error| error.to_string());
    assert_eq!(refused, None);
}

#[test]
fn sockets_stay_with_the_parent() {
    let run = run("sockets");
    run.ended_with(0);
    // The recordings of the children replay, too.
    assert_eq!(run.recordings().len(), 5);
}

#[test]
fn sockets_that_are_closed_are_so_for_all() {
    run("closed_sockets").ended_with(0);
}

#[test]
fn output_before_a_fork_is_on_the_disk() {
    for case in [
        "filled_by_child",
        "filled_by_runs",
        "filled_by_snapshot",
        "filled_by_rerun",
    ] {
        let run = run_on_full_disk(case);
        run.ended_with(0);
        assert!(has(&run.recordings()[0], "before"), "{case}");
        assert!(run.logs()[0].contains("before"), "{case}");
    }
}

#[test]
fn a_child_that_calls_nothing_holds_nothing() {
    run("helper_lives").ended_with(0);
}

/// Ids of the processes of a run.
fn processes(run: &Run) -> Vec<String> {
    let folder = run.folder.path().to_str().unwrap();
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap());
    let of_run = entries.filter(|entry| {
        let arguments = fs::read(entry.path().join("cmdline"));
        entry.file_name() != "self" && arguments.is_ok_and(|bytes| has(&bytes, folder))
    });
    let ids = of_run.map(|entry| entry.file_name().into_string().unwrap());
    ids.filter(|id| id.parse::<u32>().is_ok()).collect()
}

#[test]
fn snapshots_and_locks_end_with_a_process_that_is_killed() {
    let first = run("helper_survives");
    assert_eq!(first.status, None);
    let helper = first.stdout.trim();
    let ended = (0..100).any(|_| {
        sleep(Duration::from_millis(20));
        processes(&first) == [helper]
    });
    assert!(ended, "{helper}: {:?}", processes(&first));
    let next = run_with(first.folder, "printed_by_c", |_| ());
    next.ended_with(0);
    let killed = Command::new("kill").args(["-9", helper]).status().unwrap();
    assert!(killed.success(), "the helper has lived so long");
}

#[test]
fn children_begin_systems_of_their_own_by_the_same_names() {
    let run = run("systems_of_children");
    run.ended_with(0);
    let recordings = run.recordings();
    assert_eq!(recordings.len(), 4, "{}", run.stderr);
    let count = |text| recordings.iter().filter(|bytes| has(bytes, text)).count();
    assert_eq!(count("system of the snapshot"), 1);
    assert_eq!(count("system of a run"), 2);
}

#[test]
fn an_older_snapshot_wakes_for_one_that_was_killed() {
    run("killed_snapshots").ended_with(0);
}

#[test]
fn children_and_signals_of_the_simulator_are_its_own() {
    for case in [
        "children_ignored",
        "children_waited_for",
        "signals_of_the_group",
    ] {
        run(case).ended_with(0);
    }
}

#[test]
fn files_of_a_child_are_beside_those_of_its_parent() {
    let run = run_with(TempDir::new().unwrap(), "other_directory", |command| {
        let folder = command.get_args().nth(1).map(Path::new).unwrap();
        let folder = folder.parent().unwrap().to_owned();
        command.current_dir(folder).env("VHOST_TRACE", "run.trace");
    });
    run.ended_with(0);
    assert_eq!(run.recordings().len(), 2, "{}", run.stderr);
}

#[test]
fn a_pipe_stays_with_the_parent() {
    let folder = TempDir::new().unwrap();
    let fifo = folder.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let reader = {
        let fifo = fifo.clone();
        thread::spawn(move || fs::read(fifo).unwrap())
    };
    let run = run_with(folder, "both", |command| {
        command.env("VHOST_TRACE", &fifo);
    });
    run.ended_with(0);
    let recording = reader.join().unwrap();
    assert!(has(&recording, "parent") && !has(&recording, "child"));
    fs::write(run.folder.path().join("read.trace"), recording).unwrap();
    assert_eq!(run.recordings().len(), 1);
    let ended = "the pipe stays with the parent process";
    assert!(run.stderr.contains(ended), "{}", run.stderr);
}

#[test]
fn buffers_of_c_are_printed_once() {
    let run = run("printed_by_c");
    run.ended_with(0);
    for part in ["a snapshot", "a rerun", "runs", "a fork"] {
        let line = format!("buffered at {part}\n");
        assert_eq!(run.stdout.matches(&line).count(), 1, "{}", run.stdout);
    }
}
