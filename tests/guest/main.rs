//! The library leaves the state of its process unchanged: signals, locale, environment, floating
//! point, descriptors. Its output does not depend on that state.
//!
//! `docs/guest.md` lists the guarantees. The process is a C program.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod program;
#[cfg(feature = "python")]
mod python;

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use vhost::Replay;

use program::{Program, RunOutput, count};
use test_support::c_build::{built, without_counts};

/// Locale with a decimal comma, for `LOCPATH`; independent of locales installed on the machine.
fn locale(folder: &Path) {
    const SOURCE: &str =
        "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\ngrouping 3;3\nEND LC_NUMERIC\n";
    let source = folder.join("comma.source");
    fs::write(&source, SOURCE).unwrap();
    // It warns about missing categories, and takes those of the locale C.
    let output = Command::new("localedef")
        .args(["--no-archive", "--force", "--inputfile"])
        .arg(&source)
        .arg(folder.join("xx_XX"))
        .output()
        .unwrap();
    assert!(folder.join("xx_XX/LC_NUMERIC").is_file(), "{output:?}");
}

/// Replays a recording to its end.
fn replays(trace: &Path) {
    let replayed = Replay::of(trace).run();
    let replayed = replayed.map_err(|error| error.to_string());
    assert!(replayed.is_ok_and(|replayed| replayed.messages > 0));
}

/// Runs the comparing case with every file that the library can write, in the locale with the
/// decimal comma.
fn compares(simulator: &Program, case: &[&str]) {
    locale(&simulator.file(""));
    let printed = RunOutput::of(
        simulator
            .command(case)
            .env("LOCPATH", simulator.file(""))
            .env("LC_ALL", "xx_XX")
            .env("VHOST_TRACE", "%p.trace")
            .env("VHOST_ATTACH", "log=run.log,statistics=run.json")
            .env("VHOST_LOG", "vhost=warn,vhost::start=info"),
    );
    // Rounded to nearest, with a decimal point, independent of the process's state.
    assert_eq!(
        count(&printed.stdout, "[core0] 0.2 3.5 0x1p+0\n"),
        2,
        "{}",
        printed.stdout
    );
    assert!(simulator.read("run.log").contains("\"a line\\n\""));
    assert!(simulator.read("run.json").contains("\"PRINT\""));
}

#[test]
fn the_process_stays_as_it_is() {
    let simulator = Program::simulator();
    compares(&simulator, &["state"]);
    let recordings: Vec<_> = fs::read_dir(simulator.file(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|known| known == "trace"))
        .collect();
    let [recording] = &recordings[..] else {
        panic!("{recordings:?}");
    };
    let id = recording.file_stem().unwrap().to_str().unwrap();
    assert!(id.parse::<u32>().is_ok(), "{id}");
    // This process has another locale.
    replays(recording);
}

#[test]
fn a_limit_of_file_size_is_an_error_and_no_signal() {
    let simulator = Program::simulator();
    let printed = RunOutput::of(
        without_counts(&mut simulator.command(&["limits"]))
            .env("VHOST_TRACE", "run.trace")
            .env("VHOST_ATTACH", "log=run.log"),
    );
    let lines = printed
        .stdout
        .lines()
        .filter(|line| line.starts_with("[core0] aaa"));
    assert_eq!(lines.count(), 400);
    let once = |part| {
        assert_eq!(
            count(&printed.stderr, part),
            1,
            "{part}: {}",
            printed.stderr
        )
    };
    once("recording run.trace: File too large (os error 27); the recording ends there");
    once("the log run.log can't be written any more: File too large");
    once("answered EFBIG");
    assert_eq!(
        fs::metadata(simulator.file("run.trace")).unwrap().len(),
        16384
    );
    replays(&simulator.file("run.trace"));
}

#[test]
fn a_short_burst_is_recorded_however_the_process_ends() {
    let simulator = Program::simulator();
    for case in ["killed", "aborted"] {
        let mut run = simulator.command(&[case]);
        let files = [
            ("VHOST_TRACE", "run.trace"),
            ("VHOST_ATTACH", "log=run.log"),
        ];
        let status = run.envs(files).stdout(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), None, "{case}");
        let recording = fs::read(simulator.file("run.trace")).unwrap();
        let last = b"the last line";
        assert!(
            recording.windows(last.len()).any(|part| part == last),
            "{case}"
        );
        replays(&simulator.file("run.trace"));
        assert!(
            simulator.read("run.log").contains("the last line"),
            "{case}"
        );
    }
}

/// Pipe without a reader.
fn broken_pipe() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_that_goes_away_is_an_error_and_no_signal() {
    let simulator = Program::simulator_with(&["-DNO_REPORT"]);
    let fifo = simulator.file("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let mut run = simulator
        .command(&["pipes"])
        .env("VHOST_TRACE", &fifo)
        .env("VHOST_ATTACH", "log")
        .stdout(broken_pipe())
        .stderr(broken_pipe())
        .spawn()
        .unwrap();
    let mut recording = fs::File::open(&fifo).unwrap();
    let mut begin = [0; 8];
    recording.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"VHOSTTRC");
    drop(recording);
    let status = run.wait().unwrap();
    assert!(status.success(), "{status}");
}

/// The kernel also raises `SIGPIPE` after a partial write.
#[test]
fn a_reader_that_goes_away_from_a_full_pipe_is_an_error_and_no_signal() {
    let simulator = Program::simulator();
    for (variable, prefix) in [
        ("VHOST_TRACE", ""),
        ("VHOST_ATTACH", "log="),
        ("VHOST_ATTACH", "log-json="),
    ] {
        let name = format!("full.{}", prefix.trim_end_matches('='));
        let printed = RunOutput::of(
            simulator
                .command(&["full"])
                .env("FIFO", &name)
                .env(variable, format!("{prefix}{name}")),
        );
        assert_eq!(
            count(&printed.stderr, "Broken pipe"),
            1,
            "{}",
            printed.stderr
        );
    }
}

/// Runs the case without standard streams.
fn runs_closed(simulator: &Program, case: &[&str]) {
    let mut run = simulator.by_shell("exec \"$@\" <&- >&- 2>&-", case);
    run.env("VHOST_TRACE", "run.trace");
    run.env("VHOST_ATTACH", "log=run.log,log,statistics=run.json");
    let status = run.status().unwrap();
    assert!(status.success(), "{status}");
    for file in ["run.log", "run.json", "root/out.txt"] {
        let text = simulator.read(file);
        assert!(
            !text.contains("for a file") && !text.contains("nor this"),
            "{file}: {text}"
        );
    }
    assert_eq!(simulator.read("root/out.txt").len(), 10);
}

#[test]
fn standard_streams_that_are_closed_are_taken_by_nothing() {
    let simulator = Program::simulator();
    runs_closed(&simulator, &["closed"]);
    replays(&simulator.file("run.trace"));
}

#[test]
fn a_limit_of_files_is_reported_once_until_it_changes() {
    let simulator = Program::simulator();
    let printed = RunOutput::of(&mut simulator.command(&["flood"]));
    let reports = count(
        &printed.stderr,
        "can't accept a client: Too many open files",
    );
    assert_eq!(reports, 2, "{}", printed.stderr);
}

#[test]
fn a_file_that_another_run_writes_is_refused_and_stays_whole() {
    let simulator = Program::simulator();
    let recorded = [("VHOST_TRACE", "run.trace")];
    let logged = [("VHOST_ATTACH", "log=run.trace")];
    let counted = [("VHOST_ATTACH", "statistics=run.trace")];
    let mut first = simulator
        .command(&["holds"])
        .envs(recorded)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(first.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "[core0] ready\n");
    for files in [recorded, logged, counted] {
        let printed = RunOutput::of(simulator.command(&["refused"]).envs(files));
        for part in ["run.trace", "is in use", "%p"] {
            assert!(
                printed.stdout.contains(part),
                "{files:?}: {}",
                printed.stdout
            );
        }
    }
    let own = [("VHOST_TRACE", "own.%t.%p.trace")];
    RunOutput::of(simulator.command(&["holds"]).envs(own).stdin(Stdio::null()));
    drop(first.stdin.take());
    assert!(first.wait().unwrap().success());
    replays(&simulator.file("run.trace"));
    // The first process has ended, so that another one can write the files.
    RunOutput::of(
        simulator
            .command(&["holds"])
            .envs(recorded)
            .stdin(Stdio::null()),
    );
}

#[test]
fn an_unloaded_library_stays_until_the_process_ends() {
    let library = built("libvhost.so");
    let beside = format!("-Wl,-rpath,{}", library.parent().unwrap().display());
    let archive = built("libvhost.a");
    let mut linkages = vec![vec![library.to_str().unwrap(), &beside]];
    // The loader would have to find Python's library, too.
    if cfg!(not(feature = "python")) {
        linkages.push(vec![
            archive.to_str().unwrap(),
            "-ldl",
            "-lm",
            "-Wl,--strip-debug",
        ]);
    }
    for linked in &linkages {
        let program = Program::new();
        program.compile("program", &["unload.c", "-ldl"]);
        let plugin = ["-shared", "-fPIC", "-DPLUGIN", "unload.c", "chip.c"];
        program.compile("plugin.so", &[&plugin[..], linked].concat());
        let plugin = program.file("plugin.so");
        let mut run = program.command(&[plugin.to_str().unwrap()]);
        let output = run.env("VHOST_TRACE", "run.trace").output().unwrap();
        assert_eq!(output.status.code(), Some(38), "{linked:?}: {output:?}");
        replays(&program.file("run.trace"));
    }
}
