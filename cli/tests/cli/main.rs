//! Command-line interface: output, exit status, and handling of untrusted files.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod check;
mod cut;
mod diff;
mod distinct;
mod firmware;
mod golden;
mod hostile;
mod images;
mod incomplete;
mod open;
mod outputs;
mod replay;
mod report;
mod run;
mod selftest;
mod show;
mod stat;
mod stderr;
#[cfg(feature = "parquet")]
mod tables;
mod waves;

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

/// Result of one call of the command.
#[derive(Debug)]
struct Ended {
    /// Exit status; `None` if a signal ended it.
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ended {
    /// Asserts the exit status and returns the standard output.
    fn stdout(self, status: i32) -> String {
        assert_eq!(self.status, Some(status), "{self:?}");
        self.stdout
    }

    /// Asserts the exit status and returns the standard error.
    fn stderr(self, status: i32) -> String {
        assert_eq!(self.status, Some(status), "{self:?}");
        self.stderr
    }
}

/// The command, in an environment without configuration.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vhost"));
    command.env_remove("MEM_CFG_FILE");
    command.env_remove("MAILBOX_CFG_FILE");
    command.env_remove("MAILBOX_FS_ROOT");
    command
}

fn end(command: &mut Command) -> Ended {
    ended(command.output().unwrap())
}

/// Runs the command with these bytes in a pipe as its standard input.
fn end_with(command: &mut Command, input: &[u8]) -> Ended {
    let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = streams.stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        // A process that has ended takes no more input.
        scope.spawn(move || pipe.write_all(input));
        child.wait_with_output().unwrap()
    });
    ended(output)
}

fn ended(output: Output) -> Ended {
    let ended = Ended {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    // No colours, since the output is not a terminal.
    assert!(
        !ended.stdout.contains('\x1b') && !ended.stderr.contains('\x1b'),
        "{ended:?}"
    );
    ended
}

/// Runs the command.
fn vhost<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ended {
    end(command().args(args))
}

/// Runs the command with these words, followed by a file.
fn vhost_on(words: &str, file: &Path) -> Ended {
    end(command().args(words.split_whitespace()).arg(file))
}

#[test]
fn the_exit_status_is_in_the_help() {
    let help = vhost(["--help"]).stdout(0);
    for status in ["0 where all is well", "1 where", "2 where"] {
        assert!(help.contains(status), "{help}");
    }
}

#[test]
fn a_wrong_command_line_has_status_2() {
    for words in ["", "trace", "trace show", "trace export x", "check"] {
        let output = vhost(words.split_whitespace()).stderr(2);
        assert!(output.contains("Usage"), "{words}: {output}");
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_command_without_parquet_shows_its_build() {
    let words = ["trace", "export", "--parquet", "x.trace", "-o", "tables"];
    let output = vhost(words).stderr(2);
    assert!(output.contains("--features parquet"), "{output}");
}

#[test]
fn files_of_another_kind_have_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, other) = (folder.path().join("no.trace"), folder.path().join("other"));
    std::fs::write(&other, "text, and no recording").unwrap();
    for words in [
        "trace show",
        "trace stat",
        "trace export --perfetto",
        "report -o /dev/null",
        "replay",
    ] {
        let output = vhost_on(words, &missing).stderr(2);
        assert!(output.contains("no.trace"), "{words}: {output}");
        let output = vhost_on(words, &other).stderr(2);
        assert!(output.contains("is not a recording"), "{words}: {output}");
    }
}
