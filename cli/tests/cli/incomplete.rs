//! Recordings that were cut off, and files that are not recordings: all commands report the same.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::Run;
use crate::{Ended, command, end};

/// Commands that read a recording: `FILE`.
const COMMANDS: [&str; 12] = [
    "trace show FILE",
    "trace show --json FILE",
    "trace show --from 1 FILE",
    "trace stat FILE",
    "trace stat --json FILE",
    "trace diff FILE FILE",
    "trace cut --ticks 2.. FILE -o out",
    "trace export --perfetto FILE -o out",
    "trace export --fst FILE -o out",
    "trace export --ftr FILE -o out",
    "replay FILE",
    "report FILE -o out",
];

/// Command of a build with Parquet.
const TABLES: &str = "trace export --parquet FILE -o tables";

fn commands() -> impl Iterator<Item = &'static str> {
    let tables = cfg!(feature = "parquet").then_some(TABLES);
    COMMANDS.into_iter().chain(tables)
}

/// Runs a command on this recording, in its folder.
fn run(words: &str, file: &Path) -> Ended {
    let folder = file.parent().unwrap();
    let _ = fs::remove_dir_all(folder.join("tables"));
    let name = file.file_name().unwrap().to_str().unwrap();
    let mut run = command();
    let words = words
        .split(' ')
        .map(|word| if word == "FILE" { name } else { word });
    end(run.args(words).current_dir(folder))
}

/// A plain and a compressed recording.
fn recordings(folder: &Path) -> [PathBuf; 2] {
    // More than a block of zstd.
    let long = Run {
        prints: 600,
        ..Run::default()
    };
    let trace = long.record(folder);
    let compressed = folder.join("compressed.trace");
    let words = "trace cut --ticks .. FILE -o compressed.trace";
    run(words, &trace).stdout(0);
    [trace, compressed]
}

#[test]
fn a_recording_that_was_cut_off_is_named_by_each_command() {
    let folder = tempfile::tempdir().unwrap();
    for trace in recordings(folder.path()) {
        let bytes = fs::read(&trace).unwrap();
        for words in commands() {
            run(words, &trace).stdout(0);
        }
        let name = trace.file_name().unwrap().to_str().unwrap();
        let expected =
            format!("warning: {name}: the recording was cut off; what follows is left out\n");
        // A compressed recording without its index does not count as cut off.
        for len in [bytes.len() / 2, bytes.len() * 2 / 3] {
            fs::write(&trace, &bytes[..len]).unwrap();
            for words in commands() {
                let ended = run(words, &trace);
                let times = words.matches("FILE").count();
                // The place of the problem comes first.
                let lines = ended.stderr.split_inclusive('\n');
                let warnings: String = lines
                    .filter(|it| !it.starts_with("nothing of it"))
                    .collect();
                assert_eq!(warnings, expected.repeat(times), "{words}");
                ended.stderr(2);
            }
        }
        fs::write(&trace, bytes).unwrap();
    }
}

#[test]
fn a_part_before_the_place_where_a_recording_was_cut_off_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let bytes = fs::read(&trace).unwrap();
    fs::write(&trace, &bytes[..bytes.len() - 3]).unwrap();
    run("trace cut --ticks ..3 FILE -o out", &trace).stdout(0);
}

#[test]
fn ticks_behind_the_end_do_not_hide_damage() {
    let folder = tempfile::tempdir().unwrap();
    for trace in recordings(folder.path()) {
        let bytes = fs::read(&trace).unwrap();
        let name = trace.file_name().unwrap().to_str().unwrap();
        for (words, printed) in [
            ("trace cut --ticks 99999.. FILE -o out", "has no entry"),
            ("trace show --from 99999 FILE", "nothing of it"),
        ] {
            let half = bytes.len() / 2;
            fs::write(&trace, &bytes[..half]).unwrap();
            let text = run(words, &trace).stderr(2);
            let cut = format!("warning: {name}: the recording was cut off; ");
            assert!(text.contains(&cut) && text.contains(printed), "{text}");

            let mut damaged = bytes.clone();
            damaged[half] ^= 1;
            fs::write(&trace, damaged).unwrap();
            let text = run(words, &trace).stderr(2);
            assert!(text.contains(&format!("{name}, frame ")), "{words}: {text}");
        }
        fs::write(&trace, bytes).unwrap();
        let text = run("trace show --from 99999 FILE", &trace);
        assert!(text.stderr(0).starts_with("nothing of it"));
    }
}

#[test]
fn files_of_another_kind_are_named_by_their_kind() {
    let folder = tempfile::tempdir().unwrap();
    for trace in recordings(folder.path()) {
        let bytes = fs::read(&trace).unwrap();
        let name = trace.file_name().unwrap().to_str().unwrap();
        let cases = [
            (0, format!("{name} is empty")),
            (
                12,
                format!("{name} was cut off inside of its header: it has 12 bytes, of at least "),
            ),
            (
                100,
                format!("{name} was cut off inside of its header: it has 100 bytes, of at least "),
            ),
        ];
        for (len, expected) in cases {
            fs::write(&trace, &bytes[..len]).unwrap();
            for words in commands() {
                let text = run(words, &trace).stderr(2);
                assert!(text.contains(&expected), "{words}: {text}");
            }
        }
        fs::write(&trace, bytes).unwrap();
    }
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let inner = folder.path().join("folder");
    fs::create_dir(&inner).unwrap();
    for (file, kind) in [(pipe, "pipe"), (inner, "folder")] {
        for words in commands() {
            let text = run(words, &file).stderr(2);
            let expected = format!("{kind} is a {kind}, and a recording is a regular file");
            assert!(text.contains(&expected), "{words}: {text}");
        }
    }
}
