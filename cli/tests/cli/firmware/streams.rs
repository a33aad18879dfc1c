//! Standard streams and arguments of firmware.

use std::io::Write as _;
use std::process::Stdio;

use super::Image;
use super::compiled::{compile_source, missing};
use crate::{command, vhost_on};

/// Copies its input to its output, then prints its arguments to its standard error. The exit code
/// is the number of arguments.
const SOURCE: &str = r#"
#include "mailbox.h"
MB_CHANNEL(mailbox);

int main(void)
{
    static char buf[300];
    mb_sword len, i;
    int count = 0;
    mb_reset(&mailbox);
    while ((len = mb_read(&mailbox, MB_STDIN, buf, sizeof buf)) > 0)
        mb_write(&mailbox, MB_STDOUT, buf, (size_t)len);
    len = mb_argv(&mailbox, buf, sizeof buf);
    for (i = 0; i < len; i++)
        if (buf[i] == 0) {
            buf[i] = '\n';
            count++;
        }
    mb_write(&mailbox, MB_STDERR, buf, (size_t)len);
    mb_exit(&mailbox, (mb_word)count);
    return 0;
}
"#;

#[test]
fn input_output_and_arguments_are_those_of_the_command() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    // More than a read, a chunk, and a line.
    let text: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
    let file = image.put("input.txt", &text).display().to_string();
    let name = "firmware.elf";
    for width in [32, 64] {
        compile_source(&image, SOURCE, width, &[]);
        let arguments = ["--stdin", &file, "--", "one", "", "${HOME} ~/x", "-v"];
        let ended = image.run(arguments);
        assert_eq!(ended.status, Some(5), "{}", ended.stderr);
        assert!(ended.stdout == text, "{} bytes", ended.stdout.len());
        let expected = format!("{name}\none\n\n${{HOME}} ~/x\n-v\n");
        assert_eq!(super::behind_start(&ended.stderr), expected);

        // Input and arguments are in a recording.
        let trace = image.path("run.trace");
        let record = ["--record", trace.to_str().unwrap(), "--stdin", &file];
        assert_eq!(image.run(record).status, Some(1));
        super::replays_in_order(&trace);

        // Without --stdin the input is empty.
        let ended = image.run([""; 0]);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(1), ""));
    }

    // From a pipe that is written late.
    let mut command = command();
    let command = command
        .arg("run")
        .arg(image.path(name))
        .args(["--stdin", "-"]);
    let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = streams.stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"first\n").unwrap();
    input.write_all(&[0, 255, b'\n']).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), &output.stdout[..]),
        (Some(1), &b"first\n\0\xff\n"[..])
    );

    let error = image.fails(&["--stdin", "no/such.txt"], 125);
    assert!(
        error.contains("--stdin no/such.txt can't be read"),
        "{error}"
    );
    let error = image.fails(&["--stdin", "-", "--mailbox", "mailbox.yaml"], 2);
    assert!(error.contains("--mailbox"), "{error}");
}

/// Writes until it gets an error, at most a thousand times. The exit code is the error's number.
const WRITER: &str = r#"
#include "mailbox.h"
MB_CHANNEL(mailbox);

int main(void)
{
    mb_sword answer = 0;
    int i;
    mb_reset(&mailbox);
#ifdef LINES
    for (i = 0; i < 3; i++)
        mb_print(&mailbox, "line\n");
#else
    for (i = 0; i < 1000 && answer >= 0; i++)
        answer = mb_write(&mailbox, STREAM, "a line of text\n", 15);
#endif
    mb_exit(&mailbox, (mb_word)-answer);
    return 0;
}
"#;

/// A write error is reported to firmware, as to a process. A run whose text is lost fails.
#[test]
fn text_that_cannot_be_written_fails_the_run_and_the_write_of_firmware() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let full = || std::fs::File::options().write(true).open("/dev/full");
    if full().is_err() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: /dev/full");
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    let trace = image.path("run.trace");
    let run = |to: Stdio, errors: Stdio| {
        let mut command = command();
        let command = command.arg("run").arg(image.path("firmware.elf"));
        let command = command.arg("--record").arg(&trace);
        let child = command.stdout(to).stderr(errors).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let shown = String::from_utf8(output.stderr).unwrap();
        // The recording has the failure, for the run as a whole and for each actor.
        super::replays_in_order(&trace);
        for actor in ["console", "mailbox"] {
            vhost_on(&format!("replay --only {actor}"), &trace).stdout(0);
        }
        (output.status.code(), shown)
    };
    let is_one_report = |shown: &str, reason: &str| {
        let shown = super::behind_start(shown);
        assert_eq!(shown.lines().count(), 1, "{shown}");
        for part in ["error: console: ", "standard output: ", reason] {
            assert!(shown.contains(part), "{shown}");
        }
    };
    for width in [32, 64] {
        compile_source(&image, WRITER, width, &["-DSTREAM=1"]);
        let (status, shown) = run(full().unwrap().into(), Stdio::piped());
        assert_eq!(status, Some(28), "{shown}");
        is_one_report(&shown, "No space left on device");

        // A pipe without a reader.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (status, shown) = run(writer.into(), Stdio::piped());
        assert_eq!(status, Some(32), "{shown}");
        is_one_report(&shown, "Broken pipe");

        // Standard error, where the report itself can't be printed.
        compile_source(&image, WRITER, width, &["-DSTREAM=2"]);
        let (status, _) = run(Stdio::piped(), full().unwrap().into());
        assert_eq!(status, Some(28));

        // Lines have no response: firmware ends successfully, and the run fails.
        compile_source(&image, WRITER, width, &["-DLINES"]);
        let (status, shown) = run(full().unwrap().into(), Stdio::piped());
        assert_eq!(status, Some(125), "{shown}");
        is_one_report(&shown, "No space left on device");
    }
}
