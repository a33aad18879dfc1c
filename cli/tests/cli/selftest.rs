//! Self-test in a simulator. Command lines of missing simulators are tested with replacement
//! programs that record their arguments; Icarus Verilog and Verilator, if installed, by the tests
//! of RTL simulations.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use crate::{Ended, command, end};

/// Programs of simulators, and of compilers for them.
const PROGRAMS: [&str; 9] = [
    "vcs",
    "xrun",
    "vlib",
    "vlog",
    "vsim",
    "verilator",
    "iverilog",
    "vvp",
    "cc",
];

/// Script that replaces a program: it writes its name and arguments to a file, and prints its
/// version.
const SCRIPT: &str = "#!/bin/sh\nname=${0##*/}\ncase \"$*\" in\n-ID|-version|--version|-V) echo \"$name 7.1 | beta\"; exit 0 ;;\nesac\n\
                      { printf '%s' \"$name\"; for argument; do printf ' [%s]' \"$argument\"; done; echo; } >>../calls\n";

/// Programs in a separate folder, and a library beside it.
struct Fake {
    folder: TempDir,
}

impl Fake {
    /// Creates programs that end with the commands in `then`.
    fn new(then: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for program in PROGRAMS {
            put_program(&bin.join(program), &format!("{SCRIPT}{then}\n"));
        }
        fs::write(folder.path().join("libvhost.so"), "").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn selftest(&self, simulator: &str, more: &[&str]) -> Ended {
        let path = env::var("PATH").unwrap_or_default();
        let mut selftest = command();
        selftest
            .args(["selftest", "--simulator", simulator, "--library"])
            .arg(self.path("libvhost.so"))
            .args(["--folder", "work"])
            .args(more)
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("VHOST_SCOPE", "tb")
            .current_dir(self.folder.path());
        end(&mut selftest)
    }

    /// Recorded calls, with the folder of the library as `LIB`.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let folder = fs::canonicalize(self.folder.path()).unwrap();
        let calls = calls.replace(folder.to_str().unwrap(), "LIB");
        calls.lines().map(str::to_owned).collect()
    }
}

fn put_program(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn simulators_get_the_command_lines_of_their_manuals() {
    let vcs = "vcs [-full64] [-sverilog] [-timescale=1ns/1ps] [-debug_access+all] [firmware.v] [testbench.sv] [-top] [testbench] \
               [LIB/libvhost.so] [-LDFLAGS] [-Wl,-rpath,LIB] [-o] [simv]";
    let xcelium = "xrun [-64bit] [-sv] [-timescale] [1ns/1ps] [-access] [+rwc] [firmware.v] [testbench.sv] [-top] [testbench] [-sv_lib] \
                   [LIB/libvhost.so]";
    let questa = [
        "vlib [work]",
        "vlog [-64] [-sv] [-mfcu] [-timescale] [1ns/1ps] [firmware.v] [testbench.sv]",
        "vsim [-c] [-64] [-voptargs=+acc] [-sv_lib] [LIB/libvhost] [testbench] [-do] [run -all; quit -f]",
    ];
    for (simulator, expected) in [
        ("vcs", &[vcs][..]),
        ("xcelium", &[xcelium][..]),
        ("questa", &questa[..]),
    ] {
        let fake = Fake::new("");
        fs::create_dir(fake.path("work")).unwrap();
        put_program(&fake.path("work/simv"), "#!/bin/sh\n");
        let printed = fake.selftest(simulator, &[]).stdout(1);
        assert_eq!(fake.calls(), expected, "{simulator}");
        // Nothing was simulated.
        let reason = "there is no line `self-test: 25 checks passed`";
        assert!(printed.contains(reason), "{simulator}: {printed}");
        assert!(!printed.contains("| "), "{simulator}: {printed}");
    }
}

#[test]
fn further_options_go_to_the_compilation() {
    let fake = Fake::new("");
    fake.selftest("xcelium", &["--", "-licqueue", "+define+A=b c"])
        .stdout(1);
    let calls = fake.calls();
    let options = "[+rwc] [-licqueue] [+define+A=b c] [firmware.v]";
    assert!(calls[0].contains(options), "{calls:?}");
}

#[test]
fn a_compilation_that_fails_is_shown_and_ends_the_test() {
    let fake = Fake::new("echo 'Error: no \u{1b}[31mlicence'; exit 3");
    let printed = fake.selftest("questa", &[]).stdout(1);
    assert_eq!(fake.calls(), ["vlib [work]"]);
    assert!(
        printed.contains("Error: no \\u{1b}[31mlicence"),
        "{printed}"
    );
    assert!(printed.contains("`vlib work` fails"), "{printed}");
}

/// Text alone is not enough: the run must have written a recording.
#[test]
fn a_run_without_a_recording_has_not_passed() {
    let fake = Fake::new("echo 'self-test: 25 checks passed'");
    let printed = fake.selftest("xcelium", &[]).stdout(1);
    assert!(
        printed.contains("its recording does not replay"),
        "{printed}"
    );
    assert!(!printed.contains("| Xcelium"), "{printed}");
}

/// Questa prints a mark before each line of a run.
#[test]
fn a_line_behind_the_mark_of_questa_is_found() {
    let fake = Fake::new("echo '# self-test: 25 checks passed'");
    let printed = fake.selftest("questa", &[]).stdout(1);
    assert!(
        printed.contains("its recording does not replay"),
        "{printed}"
    );
}

#[test]
fn commands_are_printed_for_a_shell() {
    let fake = Fake::new("");
    let script = fake.selftest("questa", &["--print"]).stdout(0);
    assert!(fake.calls().is_empty());
    for line in [
        "cd work\n",
        "export MAILBOX_FS_ROOT=files\n",
        "vlib work\n",
        "'run -all; quit -f'\n",
    ] {
        assert!(script.contains(line), "{line}: {script}");
    }
    for file in ["firmware.v", "testbench.sv", "mem.yaml", "mailbox.yaml"] {
        assert!(fake.path("work").join(file).is_file(), "{file}");
    }
}

/// A scope or payloads of another simulation would fail this one.
#[test]
fn variables_of_other_simulations_are_not_passed_on() {
    let fake = Fake::new("echo \"scope: ${VHOST_SCOPE-none}, $VHOST_TRACE\"");
    let printed = fake.selftest("xcelium", &[]).stdout(1);
    assert!(printed.contains("scope: none, run.trace"), "{printed}");
}

#[test]
fn files_of_others_are_not_replaced() {
    let fake = Fake::new("");
    fs::create_dir(fake.path("work")).unwrap();
    let file = fake.path("work/mem.yaml");
    fs::write(&file, "space: {}").unwrap();
    let error = fake.selftest("xcelium", &[]).stderr(2);
    assert!(error.contains("mem.yaml: it has other content"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "space: {}");
    assert!(fake.calls().is_empty());
}

#[test]
fn a_missing_simulator_or_library_is_named() {
    let fake = Fake::new("");
    fs::remove_file(fake.path("bin/xrun")).unwrap();
    let error = fake.selftest("xcelium", &[]).stderr(2);
    assert!(error.contains("can't start `xrun`"), "{error}");
    fs::remove_file(fake.path("libvhost.so")).unwrap();
    let error = fake.selftest("xcelium", &[]).stderr(2);
    let named = error.contains("libvhost.so; name it with --library");
    assert!(named, "{error}");
}
