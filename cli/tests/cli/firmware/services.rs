//! Arguments, environment, standard streams and time of firmware.

use std::io::Write as _;
use std::process::Stdio;

use super::Image;
use super::compiled::{compile_source, missing};
use crate::command;

/// Writes its arguments, its environment and its input to standard output, and reports the end of
/// its input on standard error.
const SOURCE: &str = r#"
#include "mailbox.h"
MB_CHANNEL(mailbox);

static char bytes[4096];

static void show(mb_sword size)
{
    mb_write(&mailbox, MB_STDOUT, bytes, size);
    mb_write(&mailbox, MB_STDOUT, "|", 1);
}

int main(void)
{
    mb_time time;
    mb_sword size;
    mb_reset(&mailbox);
    show(mb_argv(&mailbox, bytes, sizeof bytes));
    show(mb_env(&mailbox, bytes, sizeof bytes));
    while ((size = mb_read(&mailbox, MB_STDIN, bytes, sizeof bytes)) > 0)
        show(size);
    mb_write(&mailbox, MB_STDERR, size == 0 ? "end" : "error", size == 0 ? 3 : 5);
    mb_get_time(&mailbox, &time);
    mb_exit(&mailbox, time.seconds > 1000000000);
    return 0;
}
"#;

/// Runs an image. Returns standard output, standard error and exit status.
fn run(image: &Image, options: &[&str], pieces: &[&str]) -> (String, String, Option<i32>) {
    let mut command = command();
    let command = command
        .args(["run", "--stdin", "-"])
        .arg(image.path("firmware.elf"));
    let command = command.args(options).stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for piece in pieces {
        input.write_all(piece.as_bytes()).unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

#[test]
fn firmware_has_arguments_environment_streams_and_time() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    for width in [32, 64] {
        compile_source(&image, SOURCE, width, &[]);
        let options = [
            "--env",
            "A=1",
            "--env",
            "B=$HOME ~ \" : {",
            "--env",
            "A=",
            "--",
            "~",
            "",
            "$X ${Y}",
            "--files",
            "ü",
        ];
        let (stdout, stderr, status) = run(&image, &options, &["some input\n"]);
        assert_eq!(
            stdout,
            "firmware.elf\0~\0\0$X ${Y}\0--files\0ü\0|A=\0B=$HOME ~ \" : {\0|some input\n|"
        );
        assert_eq!((super::behind_start(&stderr), status), ("end", Some(0)));
        let long = "0123456789".repeat(2000);
        let (stdout, _, status) = run(&image, &["--clock", "wall"], &[&long]);
        let got: String = stdout.split('|').skip(2).collect();
        assert_eq!((got, status), (long, Some(1)));
    }
}

#[test]
fn a_variable_without_a_value_is_refused() {
    let image = Image::of(&super::code(&[super::EBREAK]).build());
    for variable in ["A", "=1", ""] {
        let error = image.fails(&["--env", variable], 2);
        assert!(error.contains("NAME=VALUE"), "{error}");
    }
}
