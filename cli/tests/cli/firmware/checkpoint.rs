//! `--save-at` and `--restore`.

use std::fs;
use std::io::Write as _;

use super::compiled::{compile_source, missing};
use super::{Image, selftest};
use crate::{Ended, command, end};

/// Runs the self-test with files in a folder.
fn run(width: u32, files: &std::path::Path, options: &[&str]) -> Ended {
    let mut command = command();
    command.arg("run").arg(selftest(width)).arg("--files");
    end(command.arg(files).args(options))
}

/// A restored run continues as if it had not been interrupted, from any tick.
#[test]
fn the_selftest_goes_on_from_any_tick() {
    for width in [32, 64] {
        let files = tempfile::tempdir().unwrap();
        let whole = run(width, files.path(), &[]);
        let file = files.path().join("x.ckpt").display().to_string();
        let mut taken = 0;
        for tick in [1, 10, 40, 100, 200, 300, 500, 800, 1200, 2000, 3000] {
            let saved = run(
                width,
                files.path(),
                &["--save-at", &tick.to_string(), &file],
            );
            if saved.status == Some(125) {
                let text = format!("before the checkpoint of --save-at {tick}");
                assert!(saved.stderr.contains(&text), "{saved:?}");
                continue;
            }
            assert_eq!((saved.status, &saved.stdout), (whole.status, &whole.stdout));
            taken += 1;
            let restored = run(width, files.path(), &["--restore", &file]);
            assert_eq!(restored.status, whole.status, "{tick}: {restored:?}");
            // Text of complete lines was printed before.
            let rest = restored.stdout;
            assert!(whole.stdout.ends_with(&rest), "{tick}: {rest}");
            assert!(
                restored
                    .stderr
                    .contains(&format!("checkpoint at tick {tick}"))
            );
        }
        assert!(taken > 3, "{taken}");
    }
}

/// Copies its input to a file and to its output, in pieces that don't divide the host's block size.
const SOURCE: &str = r#"
#include "mailbox.h"
MB_CHANNEL(mailbox);

int main(void)
{
    static char buf[77];
    mb_sword len, fd;
    mb_reset(&mailbox);
    fd = mb_posix_open(&mailbox, "out", MB_O_WRONLY | MB_O_CREAT | MB_O_TRUNC, 0644);
    while ((len = mb_read(&mailbox, MB_STDIN, buf, sizeof buf)) > 0) {
        mb_write(&mailbox, MB_STDOUT, buf, (size_t)len);
        if (mb_write(&mailbox, (mb_word)fd, buf, (size_t)len) != len)
            mb_exit(&mailbox, 3);
    }
    mb_exit(&mailbox, 0);
    return 0;
}
"#;

#[test]
fn a_new_host_goes_on_with_an_open_file_and_with_the_rest_of_the_input() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    let text: String = (0..3_000).map(|line| format!("line {line}\n")).collect();
    let input = image.put("input.txt", &text).display().to_string();
    let file = image.path("x.ckpt").display().to_string();
    let files = image.0.path().display().to_string();
    for width in [32, 64] {
        compile_source(&image, SOURCE, width, &[]);
        let options = ["--stdin", &input, "--files", &files];
        let save = ["--save-at", "3000", &file];
        let saved = image.run(options.iter().chain(&save));
        assert_eq!(saved.status, Some(0), "{saved:?}");
        assert_eq!(saved.stdout, text);
        // With its content at the checkpoint, or at least its length then.
        for left in [text.as_str(), &text[..text.len() * 3 / 4]] {
            fs::write(image.path("out"), left).unwrap();
            let trace = image.path("run.trace");
            let record = trace.display().to_string();
            let restore = ["--restore", &file, "--record", &record];
            let restored = image.run(options.iter().chain(&restore));
            assert_eq!(restored.status, Some(0), "{restored:?}");
            assert!(text.ends_with(&restored.stdout));
            assert!(restored.stdout.len() < text.len());
            assert_eq!(fs::read_to_string(image.path("out")).unwrap(), text);
            super::replays_in_order(&trace);
        }
        // A shorter file is lost.
        fs::write(image.path("out"), "line").unwrap();
        let restored = image.run(options.iter().chain(&["--restore", &file]));
        assert_eq!(restored.status, Some(3), "{restored:?}");
        assert!(restored.stderr.contains("has 4 bytes, and had"));
    }
}

/// Code, and input that the host has taken, are in the checkpoint: others at the restore are told
/// of.
#[test]
fn another_image_is_refused_and_another_input_is_reported() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    let text: String = (0..3_000).map(|line| format!("line {line}\n")).collect();
    let [input, longer, other] = [
        ("input.txt", text.clone()),
        ("longer.txt", text.clone() + "more\n"),
        ("other.txt", text.replace("line", "word")),
    ]
    .map(|(name, text)| image.put(name, &text).display().to_string());
    let file = image.path("x.ckpt").display().to_string();
    let files = image.0.path().display().to_string();
    compile_source(&image, SOURCE, 32, &[]);
    let options = ["--files", &files];
    let save = ["--stdin", &input, "--save-at", "3000", &file];
    let saved = image.run(options.iter().chain(&save));
    assert_eq!(saved.status, Some(0), "{saved:?}");
    let restored = |input: &[&str]| {
        let restore = ["--restore", &file];
        image.run(options.iter().chain(&restore).chain(input))
    };
    for same in [&input, &longer] {
        let restored = restored(&["--stdin", same]);
        // The file of the run before is longer than at the checkpoint, which is reported, too.
        let mut warnings = restored
            .stderr
            .lines()
            .filter(|line| line.contains("warning"));
        assert!(
            warnings.all(|line| line.contains("file `out`")),
            "{restored:?}"
        );
    }
    let shown = restored(&["--stdin", &other]).stderr;
    assert!(
        shown.contains("other.txt is not the input of the checkpoint: the first"),
        "{shown}"
    );
    // The input of a checkpoint at the start has not ended.
    let early = image.path("early.ckpt").display().to_string();
    let save = ["--stdin", &input, "--save-at", "1", &early];
    let saved = image.run(options.iter().chain(&save));
    assert_eq!(saved.status, Some(0), "{saved:?}");
    let shown = image
        .run(options.iter().chain(&["--restore", &early]))
        .stderr;
    assert!(
        shown.contains("had --stdin, and this one has none"),
        "{shown}"
    );

    // The same layout, and other code.
    compile_source(
        &image,
        &SOURCE.replace("(&mailbox, 3)", "(&mailbox, 4)"),
        32,
        &[],
    );
    let refused = restored(&["--stdin", &input]).stderr(125);
    let names = format!(
        "with the image {0}, whose content is not that of {0}",
        image.path("firmware.elf").display()
    );
    assert!(refused.contains(&names), "{refused}");
}

#[test]
fn other_files_are_refused() {
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("x.ckpt");
    let name = file.display().to_string();
    run(32, files.path(), &["--save-at", "10", &name]);
    let bytes = fs::read(&file).unwrap();
    let refused = |options: &[&str]| run(32, files.path(), options).stderr(125);
    let other = refused(&["--restore", &name, "--mem", "32M"]);
    assert!(other.contains("of another configuration"), "{other}");
    assert!(other.contains("0x2000000 bytes"), "{other}");
    let other = run(64, files.path(), &["--restore", &name]).stderr(125);
    for image in [
        "selftest-rv32.elf, whose content",
        "selftest-rv64.elf: its code",
    ] {
        assert!(other.contains(image), "{other}");
    }
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    assert!(refused(&["--restore", &name]).contains("is cut off"));
    fs::write(&file, "something else").unwrap();
    assert!(refused(&["--restore", &name]).contains("is not a checkpoint"));
    assert!(refused(&["--restore", "/no/such"]).contains("/no/such can't be read"));
    assert!(refused(&["--save-at", "soon", &name]).contains("number of ticks"));
    assert!(refused(&["--save-at", "10", "/no/such/x"]).contains("can't be written"));
}
