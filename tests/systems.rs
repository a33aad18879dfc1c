//! Several systems in one process: in the C ABI by handles and by DPI scopes, and one in each
//! thread of a Rust program.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Barrier;
use std::task::Poll;
use std::thread;

use mailbox_rs::mock::{Firmware, Memory};
use mailbox_rs::{CacheLine, Layout, PtrWidth, Request};
use tempfile::TempDir;
use test_support::c_build::{clear_environment, compile, shared};
use vhost::{ActorName, Replay, Vhost};

const MEMORY: &str = "space:\n  cpu:\n    - ram: {base: 0x80000000, size: 0x40000, backend: api}\n";
const MAILBOX: &str = "cpu: {space: cpu, base: 0x80001000, ptr: 32, cache_line: 0}\n";

/// Program of `tests/c` with its folder.
struct Program {
    folder: TempDir,
}

impl Program {
    fn build(sources: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let linked = shared();
        let linked = linked.iter().map(String::as_str);
        let arguments: Vec<&str> = sources.iter().copied().chain(linked).collect();
        compile(&folder.path().join("program"), &arguments);
        let program = Self { folder };
        fs::write(program.path("memory.yaml"), MEMORY).unwrap();
        fs::write(program.path("mailbox.yaml"), MAILBOX).unwrap();
        program
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a case with these file names, and returns its reports.
    fn run_with(
        &self,
        case: &str,
        status: i32,
        [memory, mailbox, root]: [&str; 3],
        environment: &[(&str, &str)],
    ) -> String {
        let paths = [memory, mailbox, root].map(|name| self.path(name));
        let mut program = Command::new(self.path("program"));
        let program =
            clear_environment(program.arg(case).args(paths)).envs(environment.iter().copied());
        let output = program.current_dir(&self.folder).output().unwrap();
        let reported = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{case}: {reported}");
        reported
    }

    fn run(&self, case: &str, status: i32, environment: &[(&str, &str)]) -> String {
        let root = format!("root-{case}");
        fs::create_dir_all(self.path(&root)).unwrap();
        self.run_with(
            case,
            status,
            ["memory.yaml", "mailbox.yaml", &root],
            environment,
        )
    }

    /// Names of the recordings, sorted.
    fn recordings(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(".trace")).collect();
        names.sort();
        names
    }

    /// Replays each recording, as a whole and for each actor, and removes it. Returns the number of
    /// recordings.
    fn replay_all(&self) -> usize {
        let names = self.recordings();
        for name in &names {
            replay(&self.path(name));
            fs::remove_file(self.path(name)).unwrap();
        }
        names.len()
    }
}

fn replay(trace: &Path) {
    let refused = Replay::of(trace).run().err().map(|error| error.to_string());
    assert_eq!(refused, None, "{trace:?}");
    for actor in ActorName::ALL {
        let refused = Replay::of(trace).only(actor).run().err();
        let refused = refused.map(|error| error.to_string());
        assert_eq!(refused, None, "{trace:?}, {actor}");
    }
}

const RECORDED: [(&str, &str); 1] = [("VHOST_TRACE", "run.trace")];

#[test]
fn systems_are_used_in_turn() {
    let program = Program::build(&["systems.c", "firmware.c"]);
    let untapped = program.run("interleaved", 0, &[]);
    assert_eq!(program.run("interleaved", 0, &RECORDED), untapped);
    let recordings = ["run.left.trace", "run.right.trace", "run.trace"];
    assert_eq!(program.recordings(), recordings);
    program.replay_all();
    for (system, text) in [("main", "one"), ("left", "two"), ("right", "thr")] {
        let file = program.path("root-interleaved").join(system).join("file");
        assert_eq!(fs::read_to_string(file).unwrap(), text);
    }

    for case in ["nested", "overlap", "failed", "handles", "served"] {
        program.run(case, 0, &[]);
        program.run(case, 0, &RECORDED);
        assert!(program.replay_all() > 0, "{case}");
    }
    // Measured foreign calls are messages.
    let measured = [RECORDED[0], ("VHOST_CALL_TIMEOUT", "600")];
    program.run("interleaved", 0, &measured);
    assert_eq!(program.replay_all(), 3);
    program.run("sockets", 0, &[]);
}

#[test]
fn a_thousand_systems_leave_nothing_behind() {
    Program::build(&["systems.c", "firmware.c"]).run("many", 0, &[]);
}

#[test]
fn systems_go_on_in_copies_of_the_process() {
    let program = Program::build(&["systems.c", "firmware.c"]);
    program.run("runs", 0, &[]);
    program.run("runs", 0, &RECORDED);
    // Recordings of the process, two runs and a fork.
    assert_eq!(program.replay_all(), 3 * 4);
    program.run("snapshots", 0, &[]);
    program.run("snapshots", 0, &RECORDED);
    assert_eq!(program.replay_all(), 3 * 2);
}

#[test]
fn the_end_of_the_process_is_that_of_each_system() {
    let program = Program::build(&["systems.c", "firmware.c"]);
    for case in ["ends_by_quit", "ends_by_exit"] {
        let environment = [
            RECORDED[0],
            ("VHOST_ATTACH", "statistics=%s.txt,log=log.txt"),
        ];
        program.run(case, 33, &environment);
        assert_eq!(program.replay_all(), 3, "{case}");
        for name in [
            "main.txt",
            "left.txt",
            "right.txt",
            "log.txt",
            "log.left.txt",
        ] {
            let text = fs::read_to_string(program.path(name)).unwrap();
            assert!(text.contains("PRINT"), "{case}, {name}: {text}");
        }
    }
}

#[test]
fn configurations_and_files_are_found_by_name() {
    let program = Program::build(&["systems.c", "firmware.c"]);
    for system in ["main", "left", "right"] {
        fs::write(program.path(&format!("{system}.mem.yaml")), MEMORY).unwrap();
        fs::write(program.path(&format!("{system}.mailbox.yaml")), MAILBOX).unwrap();
        fs::create_dir(program.path(system)).unwrap();
    }
    let paths = [
        "${VHOST_SYSTEM}.mem.yaml",
        "${VHOST_SYSTEM}.mailbox.yaml",
        "$VHOST_SYSTEM",
    ];
    let environment = [("VHOST_TRACE", "run-%s.trace")];
    program.run_with("by_name", 0, paths, &environment);
    let recordings = ["run-left.trace", "run-main.trace", "run-right.trace"];
    assert_eq!(program.recordings(), recordings);
    program.replay_all();
    for system in ["main", "left", "right"] {
        let file = program.path(system).join(format!("{system}.txt"));
        assert!(file.is_file(), "{file:?}");
    }
}

#[test]
fn each_scope_has_a_system_where_it_is_asked_for() {
    let program = Program::build(&["scopes.c", "firmware.c"]);
    let memory = MEMORY.replace("api", "vpi");
    fs::write(program.path("memory.yaml"), memory).unwrap();
    let by_scope = ("VHOST_SYSTEMS", "scope");
    program.run("by_environment", 0, &[by_scope]);
    program.run("by_environment", 0, &[by_scope, RECORDED[0]]);
    let recordings = [
        "run.top.left-2.trace",
        "run.top.left.trace",
        "run.top.right.trace",
    ];
    assert_eq!(program.recordings(), recordings);
    program.replay_all();
    program.run("by_call", 0, &[]);
    program.run("by_call", 0, &[("VHOST_SYSTEMS", "one")]);
    program.run("wrong_variable", 0, &[("VHOST_SYSTEMS", "many")]);
    program.run("come_and_go", 0, &[by_scope]);
}

/// Memory of a system, accessed as by firmware.
struct Chip(Rc<Vhost>);

impl Memory for Chip {
    fn read(&self, address: u64, buf: &mut [u8]) {
        buf.copy_from_slice(&self.0.read("cpu", address, buf.len() as u64).unwrap());
    }

    fn write(&self, address: u64, data: &[u8]) {
        self.0.write("cpu", address, data.to_vec()).unwrap();
    }
}

/// Runs calls of a system's firmware. Each tick waits for those of the other systems.
fn serve_in_turn(number: u64, trace: &Path, turn: &Barrier) {
    const NAME: u64 = 0x8000_8000;
    let vhost = Vhost::builder()
        .memories_text(MEMORY.replace("backend: api", "path: tb.ram, width: 32, backend: static"))
        .mailboxes_text(MAILBOX)
        .method("which", move |_, call| {
            Ok(Poll::Ready(number + call.args[0]))
        })
        .record(trace)
        .start()
        .unwrap();
    let vhost = Rc::new(vhost);
    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    let mut firmware = Firmware::new(Chip(vhost.clone()), 0x8000_1000, layout);
    firmware.reset();
    turn.wait();
    assert_eq!(vhost.tick().unwrap(), 1);
    vhost.write_string("cpu", NAME, b"which").unwrap();
    for call in 0..50 {
        let args = [call][..].try_into().unwrap();
        assert!(firmware.try_send(&Request::Call { method: NAME, args }));
        turn.wait();
        assert_eq!(vhost.tick().unwrap(), 1);
        assert_eq!(firmware.try_receive().unwrap().rets, number + call);
    }
    drop(firmware);
    Rc::into_inner(vhost).unwrap().shutdown();
}

#[test]
fn each_thread_of_a_rust_program_has_a_system() {
    let folder = TempDir::new().unwrap();
    let turn = Barrier::new(2);
    let traces = [100, 200].map(|number| (number, folder.path().join(format!("{number}.trace"))));
    thread::scope(|scope| {
        for (number, trace) in &traces {
            scope.spawn(|| serve_in_turn(*number, trace, &turn));
        }
    });
    for (_, trace) in &traces {
        replay(trace);
    }
}
