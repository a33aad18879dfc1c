//! C programs that use only the C ABI and the wire layout, linked with the shared library and with
//! the archive.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use object::{Object, ObjectSymbol};
use tempfile::TempDir;
use test_support::c_build::{built, clear_environment, compile, shared};
use vhost::messages::console::Print;
use vhost::trace::{Content, Entry, Trace, decode};
use vhost::{ActorName, Replay, ReplayError};

/// Status of a program that was ended by `SIGINT`.
const INTERRUPTED: i32 = -2;
const ABORTED: i32 = -6;
const KILLED: i32 = -9;
const CRASHED: i32 = -11;
const TERMINATED: i32 = -15;

/// Linkage of a program with the library.
#[derive(Debug, Clone, Copy)]
enum Linkage {
    Shared,
    Archive,
    /// Loaded at run time with `dlopen`.
    Loaded,
}

/// Compiled C program, and a directory for its runs.
struct Program {
    folder: TempDir,
    linkage: Linkage,
}

impl Program {
    /// Builds a program from files in `tests/c`; flags of the compiler may be among them.
    fn build(linkage: Linkage, sources: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let linked = match linkage {
            Linkage::Shared => shared().to_vec(),
            Linkage::Archive => {
                let archive = built("libvhost.a");
                let archive = archive.to_str().unwrap();
                [archive, "-ldl", "-lm"].map(str::to_owned).to_vec()
            }
            Linkage::Loaded => vec!["-ldl".to_owned()],
        };
        let linked = linked.iter().map(String::as_str);
        let arguments: Vec<&str> = sources.iter().copied().chain(linked).collect();
        compile(&folder.path().join("program"), &arguments);
        Self { folder, linkage }
    }

    fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(file);
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs the program in an otherwise empty environment, with a recording, and returns its
    /// output.
    ///
    /// Fails unless it ends with `status`, or by signal `-status` if that is negative, and unless
    /// its recording replays as a whole and for each actor. The latter is tested with the shared
    /// library.
    fn run(&self, args: &[&str], status: i32) -> Run {
        let trace = self.folder.path().join("run.trace");
        fs::remove_file(&trace).ok();
        let run = self.run_with(args, status, &[("VHOST_TRACE", &trace)]);
        if trace.is_file() && self.is_thorough() {
            self.replay(args, &trace);
        }
        run
    }

    /// True if runs are repeated by messages, and recordings replayed. The archive has the same
    /// code as the shared library, so that one of them is enough.
    fn is_thorough(&self) -> bool {
        !matches!(self.linkage, Linkage::Archive)
    }

    /// Runs the program with nothing attached, so that elided messages are not built. The program
    /// checks the results itself.
    fn run_untapped(&self, args: &[&str], status: i32) -> Run {
        self.run_with(args, status, &[])
    }

    /// Runs the program with nothing attached, then recorded.
    fn run_both(&self, args: &[&str], status: i32) -> Run {
        let untapped = self.run_untapped(args, status);
        let run = self.run(args, status);
        assert_eq!(untapped.stdout, run.stdout, "{args:?}");
        assert_eq!(untapped.stderr, run.stderr, "{args:?}");
        run
    }

    /// Runs the program with nothing attached, then recorded, by calls and by messages.
    fn run_each(&self, args: &[&str], status: i32) -> Run {
        let run = self.run_both(args, status);
        if self.is_thorough() {
            self.run_by_messages(args, status);
        }
        run
    }

    /// Repeats a recorded run without elision: measured foreign calls are messages. The recording
    /// must be the same.
    fn run_by_messages(&self, args: &[&str], status: i32) {
        let [by_calls, by_messages] =
            ["run.trace", "messages.trace"].map(|name| self.folder.path().join(name));
        fs::remove_file(&by_messages).ok();
        let environment = [
            ("VHOST_TRACE", &*by_messages),
            ("VHOST_CALL_TIMEOUT", Path::new("600")),
        ];
        self.run_with(args, status, &environment);
        assert_eq!(by_calls.is_file(), by_messages.is_file(), "{args:?}");
        if !by_calls.is_file() {
            return;
        }
        let [by_calls, by_messages] = [&by_calls, &by_messages]
            .map(|trace| Trace::open(trace).unwrap().map(|entry| entry.unwrap()));
        let mut by_calls = by_calls.into_iter();
        for expected in by_messages {
            assert_eq!(by_calls.next(), Some(expected), "{args:?}");
        }
        assert_eq!(by_calls.next(), None, "{args:?}");
    }

    fn run_with(&self, args: &[&str], status: i32, environment: &[(&str, &Path)]) -> Run {
        let mut program = Command::new(self.folder.path().join("program"));
        let program = clear_environment(program.args(args)).envs(environment.iter().copied());
        let Output {
            status: ended,
            stdout,
            stderr,
        } = program.output().unwrap();
        let run = Run {
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        };
        let Self { linkage, .. } = self;
        assert_eq!(
            ended.code().or(ended.signal().map(|signal| -signal)),
            Some(status),
            "{linkage:?} {args:?}: {ended}\n{}",
            run.stderr
        );
        run
    }

    /// Replays the recording of a run.
    fn replay(&self, args: &[&str], trace: &Path) {
        let Self { linkage, .. } = self;
        let refused = Replay::of(trace).run().err();
        // The history of sockets that were opened before the system is not recorded.
        let had_sockets = matches!(refused, Some(ReplayError::NotWhole { .. }));
        if had_sockets && args[0].contains("socket") {
            return;
        }
        let refused = refused.map(|error| error.to_string());
        assert_eq!(refused, None, "{linkage:?} {args:?}");
        for actor in ActorName::ALL {
            let refused = Replay::of(trace).only(actor).run().err();
            let refused = refused.map(|error| error.to_string());
            assert_eq!(refused, None, "{linkage:?} {args:?}, {actor}");
        }
    }
}

/// Output of a program.
struct Run {
    stdout: String,
    stderr: String,
}

const MEMORY: &str = "\
space:
  core0:
    - ram0: {base: 0x80000000, size: 0x40000, backend: api}
  core1:
    - ram1: {base: 0x90000000, size: 0x40000, backend: api, init: {method: all_zero}}
";

/// Pointer width and cache line, in bytes.
#[derive(Debug, Clone, Copy)]
struct Wire(u32, u32);

/// Layout of most cases, which test calls rather than wire formats.
const ANY: Wire = Wire(4, 0);

const EVERY: [Wire; 10] = [
    Wire(4, 0),
    Wire(4, 32),
    Wire(4, 64),
    Wire(4, 128),
    Wire(4, 256),
    Wire(8, 0),
    Wire(8, 32),
    Wire(8, 64),
    Wire(8, 128),
    Wire(8, 256),
];

/// Runs a case of the driver.
fn drive(driver: &Program, case: &str, Wire(word, line): Wire, status: i32) -> Run {
    let memory = driver.write("memory.yaml", MEMORY);
    let (ptr, other) = (8 * word, 96 - 8 * word);
    let mailbox = driver.write(
        "mailbox.yaml",
        &format!(
            "core0: {{space: core0, base: 0x80001000, ptr: {ptr}, cache_line: {line}, stdio: {{stdin: testbench}}}}\n\
             core1: {{space: core1, base: 0x90001000, ptr: {other}, cache_line: 0}}\n"
        ),
    );
    let root = driver.folder.path().join("root");
    let empty_root = || {
        fs::remove_dir_all(&root).ok();
        fs::create_dir(&root).unwrap();
    };
    let args = [
        case,
        memory.to_str().unwrap(),
        mailbox.to_str().unwrap(),
        root.to_str().unwrap(),
        &word.to_string(),
        &line.to_string(),
    ];
    empty_root();
    if status != 0 {
        return driver.run(&args, status);
    }
    let untapped = driver.run_untapped(&args, status);
    let files = files_below(&root);
    empty_root();
    let run = driver.run(&args, status);
    let of_threads = case.contains("thread") || case.contains("overlap");
    if !of_threads && !case.contains("socket") {
        assert_eq!(untapped.stdout, run.stdout, "{case}");
        assert_eq!(untapped.stderr, run.stderr, "{case}");
        assert_eq!(files, files_below(&root), "{case}");
        if driver.is_thorough() {
            empty_root();
            driver.run_by_messages(&args, status);
        }
    }
    assert_eq!(files, files_below(&root), "{case}");
    run
}

/// Files below a folder, with their contents.
fn files_below(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    files
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

fn drives_every_case(linkage: Linkage) {
    let sources = [
        "driver.c",
        "services.c",
        "life.c",
        "ends.c",
        "hangs.c",
        "misuse.c",
        "sockets.c",
        "chip.c",
        "firmware.c",
    ];
    let driver = Program::build(linkage, &sources);
    // The archive has the same code as the shared library.
    let whole = std::env::var_os("VHOST_WHOLE_MATRIX").is_some();
    let wires = match (driver.is_thorough(), whole) {
        (true, true) => &EVERY[..],
        (true, false) => &[Wire(4, 0), Wire(4, 64), Wire(8, 0), Wire(8, 256)],
        (false, _) => &[Wire(4, 0), Wire(8, 64)],
    };
    for wire in wires.iter().copied() {
        let run = drive(&driver, "services", wire, 0);
        let lines = "from the simulator\n[core0] hello world\n[core0] and so\n\
                     [core0] -5 5 text|c   |0xbeef\n[core0] left over\n";
        assert_eq!(run.stdout, lines, "{wire:?}");
        for case in [
            "malformed",
            "bursts",
            "resets",
            "two_cores",
            "standard_input",
        ] {
            drive(&driver, case, wire, 0);
        }
    }
    let cases = [
        "wraps",
        "from_environment",
        "failed_init",
        "again",
        "server_run",
        "reentry",
        "reentry_by_report",
        "reentry_by_init",
        "failed_beginning",
        "threads",
        "overlap",
        "overlap_of_steps",
        "watchdog",
        "settled_ticks",
        "backdoor",
        "misuse",
        "sockets_alone",
        "sockets_stay",
        "sockets_in_call",
        "sockets_and_threads",
        "sockets_lost",
        "sockets_misuse",
    ];
    for case in cases {
        drive(&driver, case, ANY, 0);
    }
    let run = drive(&driver, "exit_unannounced", ANY, 33);
    assert_eq!(run.stdout, "[core0] begun\n");
    drive(&driver, "exit_from_call", ANY, 34);
    drive(&driver, "exit_with_handler", ANY, 35);
    for (case, status) in [
        ("last_words_at_exit", 40),
        ("last_words_at_return", 0),
        ("last_words_at_quick_exit", 41),
        ("last_words_at_quit", 42),
        ("last_words_at_shutdown", 0),
        ("last_words_at_exit_in_a_handler", 47),
        ("quit_in_a_function_of_the_testbench", 43),
        ("quit_in_a_memory_of_a_c_model", 43),
        ("quit_in_a_memory_of_a_c_model_by_backdoor", 43),
        ("quit_in_a_handler", 44),
        ("quit_in_a_handler_in_a_call", 44),
        ("quit_in_a_handler_at_some_time", 44),
        ("quit_in_a_handler_in_a_step", 44),
        ("quit_on_a_thread", 45),
        ("quit_on_a_thread_in_a_call_that_hangs", 45),
        ("exit_on_a_thread", 46),
    ] {
        let run = drive(&driver, case, ANY, status);
        let lines = "[core0] complete\n[core0] the last words\n";
        assert_eq!(run.stdout, lines, "{linkage:?} {case}");
        assert_eq!(recorded_texts(&driver), LAST_WORDS, "{linkage:?} {case}");
    }
    for (case, signal) in [
        ("aborted", ABORTED),
        ("interrupted", INTERRUPTED),
        ("terminated", TERMINATED),
        ("crashed", CRASHED),
        ("left", 48),
        ("killed_when_idle", KILLED),
        ("killed_after_watchdog", KILLED),
        ("killed_when_busy", KILLED),
    ] {
        let run = drive(&driver, case, ANY, signal);
        // The unfinished line is missing in the output, but not in the recording.
        assert_eq!(run.stdout, "[core0] complete\n", "{linkage:?} {case}");
        let mut recorded = recorded_texts(&driver);
        if !case.starts_with("killed") {
            assert_eq!(recorded.pop().as_deref(), Some(" of firmware, and no end"));
        }
        assert_eq!(recorded, LAST_WORDS, "{linkage:?} {case}");
    }
    ends_a_hang(&driver);
}

/// `VHOST_CALL_TIMEOUT` ends a hanging testbench with a report, and its recording is complete.
fn ends_a_hang(driver: &Program) {
    const TIMEOUT: i32 = 124;
    let in_call = "vhost: fatal: timeout: method `hook` of channel `core0` has not returned for 0.2 s of wall time. It loops";
    let behind = "vhost: fatal: timeout: the testbench has not called the library for 0.2 s of wall time while these methods are pending: \
                  `never` of channel `core0`. It loops";
    for (case, report) in [
        ("hangs_in_a_call", in_call),
        ("hangs_in_a_call_with_calls", in_call),
        ("hangs_behind_a_call", behind),
    ] {
        let run = drive(driver, case, ANY, TIMEOUT);
        assert!(run.stderr.starts_with(report), "{case}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{case}: {}", run.stderr);
        assert_eq!(recorded_texts(driver), LAST_WORDS, "{case}");
    }
    let run = drive(driver, "hangs_in_a_child", ANY, TIMEOUT);
    assert!(run.stderr.starts_with(in_call), "{}", run.stderr);
    drive(driver, "takes_its_time", ANY, 0);
}

/// Text of firmware before the end of a process.
const LAST_WORDS: [&str; 2] = ["complete\n", "the last words"];

/// Texts of firmware in the last recording of a program.
fn recorded_texts(program: &Program) -> Vec<String> {
    let trace = Trace::open(program.folder.path().join("run.trace")).unwrap();
    let entries = trace.map(|entry| entry.unwrap());
    let print = |entry: Entry| match entry.content {
        Content::Message { .. } => {
            let body = decode(&entry).unwrap()?;
            let print: &Print = body.downcast_ref()?;
            Some(String::from_utf8(print.text.to_vec()).unwrap())
        }
        _ => None,
    };
    entries.filter_map(print).collect()
}

/// Memories in the library, in a C model and in the testbench.
const MEMORY_OF_EACH_KIND: &str = "\
space:
  core0:
    - ram: {base: 0x80000000, size: 0x10000, path: tb.ram, width: 32, backend: static}
    - model: {base: 0xa0000000, size: 0x1000, backend: api}
    - box: {base: 0x90000000, size: 0x1000, backend: uvm}
";

/// Runs a program with `args`, followed by the paths of its configuration.
fn run_with_each_kind(program: &Program, args: &[&str]) -> Run {
    let memory = program.write("memory.yaml", MEMORY_OF_EACH_KIND);
    let mailbox = program.write(
        "mailbox.yaml",
        "core0: {space: core0, base: 0x80001000, ptr: 32, cache_line: 0}\n",
    );
    let paths = [&memory, &mailbox, program.folder.path()].map(|path| path.to_str().unwrap());
    let args = [args, &paths].concat();
    match args[0] {
        // Counts calls, including those of a timeout.
        "told" => program.run_both(&args, 0),
        _ => program.run_each(&args, 0),
    }
}

fn runs_in_a_simulator(linkage: Linkage) {
    let dpi = Program::build(linkage, &["dpi.c"]);
    for case in [
        "told",
        "seen",
        "arrays",
        "socket_arrays",
        "black_box",
        "disable",
        "steps_in_scope",
    ] {
        run_with_each_kind(&dpi, &[case]);
    }
    let unregistered = "vhost: error: sv_registery_ch: channel `core0`: ";
    let run = run_with_each_kind(&dpi, &["unknown"]);
    let reports = run.stderr.matches(unregistered).count();
    assert_eq!(reports, 1, "{}", run.stderr);
    let run = run_with_each_kind(&dpi, &["known_late"]);
    assert_eq!(run.stderr, "");
    let bytes_only = Program::build(linkage, &["-DBYTES_ONLY", "dpi.c"]);
    run_with_each_kind(&bytes_only, &["black_box"]);
}

/// Memory with initial content, and one without.
const OBSERVED_MEMORY: &str = "\
space:
  core0:
    - ram0: {base: 0x80000000, size: 0x40000, backend: api, init: {method: all_zero}}
  core1:
    - ram1: {base: 0x90000000, size: 0x40000, backend: api}
";

fn passes_observed_requests(linkage: Linkage) {
    let observer = Program::build(linkage, &["observe.c", "chip.c", "firmware.c"]);
    let memory = observer.write("memory.yaml", OBSERVED_MEMORY);
    let mailbox = observer.write(
        "mailbox.yaml",
        "core0: {space: core0, base: 0x80001000, ptr: 32, cache_line: 0}\n\
         core1: {space: core1, base: 0x90001000, ptr: 32, cache_line: 0}\n",
    );
    let paths = [&memory, &mailbox, observer.folder.path()].map(|path| path.to_str().unwrap());
    let run = observer.run_each(&paths, 36);
    assert_eq!(run.stdout, "", "the testbench shows firmware's lines");
}

fn attaches_by_name(linkage: Linkage) {
    let program = Program::build(linkage, &["attach.c", "chip.c", "firmware.c"]);
    let memory = program.write("memory.yaml", OBSERVED_MEMORY);
    let mailbox = program.write(
        "mailbox.yaml",
        "core0: {space: core0, base: 0x80001000, ptr: 32, cache_line: 0}\n\
         core1: {space: core1, base: 0x90001000, ptr: 32, cache_line: 0}\n",
    );
    let paths = [&memory, &mailbox, program.folder.path()].map(|path| path.to_str().unwrap());
    program.run(&paths, 37);
    let read = |file: &str| fs::read_to_string(program.folder.path().join(file)).unwrap();
    let (first, second, third) = (read("first.json"), read("second.log"), read("third.log"));
    assert_eq!(first.matches("\"request\":\"PRINT\"").count(), 2, "{first}");
    assert!(
        !second.contains("one\\n") && second.contains("\"two\\n\""),
        "{second}"
    );
    assert_eq!(third.matches("\"three\\n\"").count(), 1, "{third}");
}

/// Arrays of all shapes in `hdl.c`, and some that differ from the configuration or are missing.
const HDL_MEMORY: &str = "\
space:
  core0:
    - ram: {base: 0x10000, size: 256, path: tb.ram, width: 32, backend: BACKEND}
    - falls: {base: 0x20000, size: 256, path: tb.falls, width: 32, backend: BACKEND}
    - grid: {base: 0x30000, size: 288, path: tb.grid, width: 72, array_dims: {rows: 4, cols: 8}, backend: BACKEND}
    - wide: {base: 0x40000, size: 1024, path: tb.wide, width: 2048, backend: BACKEND}
    - odd: {base: 0x50000, size: 192, path: tb.odd, width: 24, backend: BACKEND}
    - sram: {base: 0x60000, size: 64, path: tb.sram, width: 64, bank_width: 32, bank_depth: 8, banks: [[a, b]], backend: BACKEND}
    - sealed: {base: 0x70000, size: 64, path: tb.sealed, width: 32, backend: BACKEND}
    - nowhere: {base: 0x80000, size: 64, path: tb.nowhere, width: 32, backend: BACKEND}
    - narrow: {base: 0x90000, size: 64, path: tb.narrow, width: 32, backend: BACKEND}
    - short: {base: 0xa0000, size: 64, path: tb.short, width: 32, backend: BACKEND}
    - rows: {base: 0xb0000, size: 64, path: tb.rows, width: 32, backend: BACKEND}
    - ecc: {base: 0xc0000, size: 256, path: tb.ecc, width: 32, backend: BACKEND}
    - parity: {base: 0xd0000, size: 288, path: tb.parity, width: 72, array_dims: {rows: 4, cols: 8}, backend: BACKEND}
    - past_ecc: {base: 0xe0000, size: 320, path: tb.ecc, width: 32, backend: BACKEND}
    - wider: {base: 0xf0000, size: 64, path: tb.m44, width: 32, array_dims: {rows: 2, cols: 8}, backend: BACKEND}
    - narrower: {base: 0x100000, size: 32, path: tb.m44, width: 32, array_dims: {rows: 4, cols: 2}, backend: BACKEND}
    - taller: {base: 0x110000, size: 128, path: tb.m44, width: 32, array_dims: {rows: 8, cols: 4}, backend: BACKEND}
    - part: {base: 0x120000, size: 32, path: tb.m44, width: 32, array_dims: {rows: 2, cols: 4}, backend: BACKEND}
";

fn runs_with_hdl_arrays(linkage: Linkage) {
    let run = |flags: &[&str], backend: &str, cases: &[&str]| {
        let simulator = Program::build(linkage, &[flags, &["hdl.c"]].concat());
        let memory = HDL_MEMORY.replace("BACKEND", backend);
        let memory = simulator.write("memory.yaml", &memory);
        let mailbox = simulator.write("mailbox.yaml", "{}\n");
        let root = simulator.folder.path();
        let paths = [&memory, &mailbox, root].map(|path| path.to_str().unwrap());
        for case in cases {
            simulator.run_each(&[&[*case], &paths[..]].concat(), 0);
        }
    };
    let all = ["moves", "unknown", "kept", "errors", "reset"];
    run(&[], "vpi", &all);
    if matches!(linkage, Linkage::Shared) {
        run(
            &["-DNO_ARRAY_CALLS"],
            "vpi",
            &[&all[..], &["dropped"]].concat(),
        );
        let digits = ["-DNO_ARRAY_CALLS", "-DBINARY_DIGITS"];
        run(
            &digits,
            "vpi",
            &["moves", "unknown", "dropped", "errors", "reset"],
        );
    }
    run(&["-DUVM"], "uvm", &["moves", "unknown", "errors", "reset"]);
    run(
        &["-DUVM", "-DNO_VPI"],
        "uvm",
        &["moves", "unknown", "errors"],
    );
}

/// Memory of a model that is registered and removed at run time.
const MODEL_MEMORY: &str = "\
space:
  core0:
    - ram: {base: 0x80000000, size: 0x2000, path: top.mem, width: 32, backend: vpi}
    - plain: {base: 0x90000000, size: 0x1000, path: top.plain, width: 32, backend: static}
";

fn runs_with_models_that_come_and_go(linkage: Linkage) {
    let program = Program::build(linkage, &["models.c"]);
    let mailbox = program.write(
        "mailbox.yaml",
        "core0: {space: core0, base: 0x80001000, ptr: 32, cache_line: 0}\n",
    );
    for case in [
        "driven",
        "named",
        "again",
        "forgotten",
        "forgotten_and_moved",
        "kept",
        "beside",
    ] {
        let prefix = if case == "named" { "sim." } else { "" };
        let memory = MODEL_MEMORY.replace("top.mem", &format!("{prefix}top.mem"));
        let memory = program.write("memory.yaml", &memory);
        let paths = [&memory, &mailbox, program.folder.path()].map(|path| path.to_str().unwrap());
        let run = program.run(&[&[case], &paths[..]].concat(), 0);
        let reported = run.stderr;
        assert!(!reported.contains("DPI C Function"), "{reported}");
        if case == "kept" {
            let cause = "HDL path `top.mem`: its simulation was deleted";
            assert_eq!(reported.matches(cause).count(), 1, "{reported}");
            assert!(!reported.contains("mb_written"), "{reported}");
            assert_eq!(reported.matches("mb_load_elf: `file` is NULL").count(), 3);
            let others = "starting a new system; call `mb_shutdown` before a model is deleted; 199 \
                          more uses of the simulation";
            assert!(reported.contains(others), "{reported}");
        }
    }
}

#[test]
fn models_with_the_shared_library() {
    runs_with_models_that_come_and_go(Linkage::Shared);
}

#[test]
fn models_with_the_archive() {
    runs_with_models_that_come_and_go(Linkage::Archive);
}

fn runs_without_a_testbench(linkage: Linkage) {
    let bare = Program::build(linkage, &["bare.c"]);
    let run = run_with_each_kind(&bare, &[]);
    let reports: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(reports.len(), 4, "{}", run.stderr);
    for (report, part) in reports.iter().zip([
        "mb_backdoor_read_u32: ",
        "mb_backdoor_write_u32: ",
        "__mb_call: ",
        "mb_server_run: ",
    ]) {
        assert!(
            report.starts_with(&format!("vhost: error: {part}")),
            "{report}"
        );
    }
}

#[test]
fn driver_with_the_shared_library() {
    drives_every_case(Linkage::Shared);
}

#[test]
fn driver_with_the_archive() {
    drives_every_case(Linkage::Archive);
}

#[test]
fn observer_with_the_shared_library() {
    passes_observed_requests(Linkage::Shared);
}

#[test]
fn observer_with_the_archive() {
    passes_observed_requests(Linkage::Archive);
}

#[test]
fn attached_with_the_shared_library() {
    attaches_by_name(Linkage::Shared);
}

#[test]
fn attached_with_the_archive() {
    attaches_by_name(Linkage::Archive);
}

#[test]
fn simulator_with_the_shared_library() {
    runs_in_a_simulator(Linkage::Shared);
}

#[test]
fn simulator_with_the_archive() {
    runs_in_a_simulator(Linkage::Archive);
}

#[test]
fn hdl_arrays_with_the_shared_library() {
    runs_with_hdl_arrays(Linkage::Shared);
}

#[test]
fn hdl_arrays_with_the_archive() {
    runs_with_hdl_arrays(Linkage::Archive);
}

#[test]
fn no_testbench_with_the_shared_library() {
    runs_without_a_testbench(Linkage::Shared);
}

#[test]
fn no_testbench_with_the_archive() {
    runs_without_a_testbench(Linkage::Archive);
}

#[test]
fn library_and_testbench_loaded_one_after_the_other() {
    let simulator = Program::build(Linkage::Loaded, &["plugin.c"]);
    let testbench = ["-shared", "-fPIC", "-DTESTBENCH", "plugin.c"];
    let testbench = Program::build(Linkage::Loaded, &testbench);
    let files = [
        built("libvhost.so"),
        testbench.folder.path().join("program"),
    ];
    let files = files.each_ref().map(|file| file.to_str().unwrap());
    run_with_each_kind(&simulator, &files);
}

#[test]
fn the_shared_library_exports_all_functions_of_the_header() {
    let header = include_str!("../include/vhost.h");
    let (exported, _) = header.split_once("#ifdef VHOST_DECLARE_TESTBENCH").unwrap();
    let declared = exported
        .lines()
        .filter(|line| line.ends_with(");") && !line.starts_with([' ', '#']));
    let mut declared: Vec<&str> = declared
        .filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next())
        .collect();
    declared.sort_unstable();

    let library = fs::read(built("libvhost.so")).unwrap();
    let library = object::File::parse(&*library).unwrap();
    let defined = library
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition());
    let mut defined: Vec<&str> = defined.map(|symbol| symbol.name().unwrap()).collect();
    defined.sort_unstable();
    assert_eq!(defined, declared);
}
