//! Output files on a full disk, for all commands that write one.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::Run;
use crate::{Ended, ended};

/// Commands that write the file `out`.
const COMMANDS: [&str; 7] = [
    "report run.trace -o out",
    "report run.trace --junit out",
    "check --mem mem.yaml --junit out",
    "trace export --perfetto run.trace -o out",
    "trace export --fst run.trace -o out",
    "trace export --ftr run.trace -o out",
    "trace cut --ticks .. run.trace -o out",
];

/// Calls the command with a file size limit that no write can exceed.
fn on_a_full_disk(folder: &Path, words: &str) -> Ended {
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; exec {} {words}",
        env!("CARGO_BIN_EXE_vhost")
    );
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", &script]).current_dir(folder).output();
    ended(output.unwrap())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_full_disk_leaves_the_older_output() {
    let folder = tempfile::tempdir().unwrap();
    Run::default().record(folder.path());
    let out = folder.path().join("out");
    fs::write(&out, "older").unwrap();
    let before = names(folder.path());
    for words in COMMANDS {
        let error = on_a_full_disk(folder.path(), words).stderr(2);
        assert!(error.contains("File too large"), "{words}: {error}");
        assert_eq!(fs::read_to_string(&out).unwrap(), "older", "{words}");
        assert_eq!(names(folder.path()), before, "{words}");
    }
    let ended = on_a_full_disk(folder.path(), "trace export --perfetto run.trace -o new");
    assert_eq!(ended.status, Some(2), "{ended:?}");
    assert_eq!(names(folder.path()), before);
}

#[test]
fn errors_of_standard_output_name_it() {
    let folder = tempfile::tempdir().unwrap();
    Run::default().record(folder.path());
    fs::write(folder.path().join("out"), "").unwrap();
    for words in [
        "trace show run.trace >out",
        "trace show --json run.trace >out",
        "trace stat run.trace >out",
        "trace export --perfetto run.trace >out",
        "trace export --ftr run.trace >out",
        "check --mem mem.yaml >out",
        "replay run.trace >out",
    ] {
        let error = on_a_full_disk(folder.path(), words).stderr(2);
        let expected = "error: can't write to standard output: File too large";
        assert!(error.contains(expected), "{words}: {error}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn a_full_disk_leaves_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    Run::default().record(folder.path());
    // The folder contains names of runs, which must be written, too.
    let words = "trace export --parquet run.trace -o tables";
    let error = on_a_full_disk(folder.path(), words).stderr(2);
    assert!(
        error.contains("run.trace: ")
            && error.contains("can't write")
            && error.matches("File too large").count() == 1
            && !error.contains("External"),
        "{error}"
    );
    assert_eq!(crate::tables::rows(folder.path(), "runs").len(), 0);
    let mut export = crate::command();
    export.args(["trace", "export", "--parquet", "run.trace", "-o", "tables"]);
    crate::end(export.current_dir(folder.path())).stdout(0);
    assert_eq!(crate::tables::rows(folder.path(), "runs").len(), 1);
}
