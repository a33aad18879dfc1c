//! Recordings as files for waveform and trace viewers, read by independent code.

mod fst;
mod ftr;
mod perfetto;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::report::before_call;
use crate::run::{BACK, Run, SAVED, SAVED_IN_CALL, entries, frames};
use crate::{command, end};

/// Options of each format.
const FORMATS: [&str; 3] = ["--perfetto", "--fst", "--ftr"];

/// Exports a recording with these options. Returns the file, or the standard error of status 2.
fn export(trace: &Path, options: &str) -> Result<Vec<u8>, String> {
    let output = trace.with_extension("out");
    let mut export = command();
    export.args(["trace", "export"]).args(options.split(' '));
    let ended = end(export.arg(trace).arg("-o").arg(&output));
    assert_eq!(ended.stdout, "");
    match ended.status {
        Some(0) => Ok(std::fs::read(output).unwrap()),
        _ => Err(ended.stderr(2)),
    }
}

/// Request of a recording, as printed by `trace show`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ShownRequest {
    channel: String,
    /// Request and outcome.
    text: String,
    taken: u64,
    answered: u64,
    /// Number of restores before it.
    restores: usize,
}

fn served(trace: &Path) -> Vec<ShownRequest> {
    let mut restores = 0;
    let mut all = vec![];
    for entry in entries(trace) {
        restores += usize::from(entry["message"] == "RestoreBegun");
        if entry["message"] == "Served" {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            all.push(ShownRequest {
                channel: text(&entry["channel"]),
                text: text(&entry["request"]),
                taken: entry["body"]["since"].as_u64().unwrap(),
                answered: entry["tick"].as_u64().unwrap(),
                restores,
            });
        }
    }
    all
}

fn recorded(run: Run) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let trace = run.record(folder.path());
    (folder, trace)
}

/// Recording of a run that goes back to a checkpoint.
fn gone_back() -> (tempfile::TempDir, PathBuf, Vec<ShownRequest>) {
    let (folder, trace) = recorded(Run {
        goes_back: true,
        ..Run::default()
    });
    let served = served(&trace);
    assert!(served.iter().any(|it| it.restores == 1));
    let last = served.iter().rfind(|it| it.restores == 0);
    let first = served.iter().find(|it| it.restores == 1);
    let (last, first) = (last.unwrap().answered, first.unwrap().answered);
    assert!(last <= BACK && first > SAVED && first <= last, "{served:?}");
    (folder, trace, served)
}

#[test]
fn entries_before_damage_are_written() {
    for format in FORMATS {
        let (_folder, trace) = recorded(Run::default());
        let mut bytes = std::fs::read(&trace).unwrap();
        let frames = frames(&bytes);
        bytes[frames.last().unwrap().content.start + 1] ^= 1;
        std::fs::write(&trace, bytes).unwrap();
        let error = export(&trace, format).unwrap_err();
        assert!(error.contains("checksum"), "{error}");
        let written = std::fs::read(trace.with_extension("out")).unwrap();
        let count = match format {
            "--perfetto" => perfetto::Exported::parse(&written).requests().count(),
            "--fst" => fst::Exported::parse(written).requests().len(),
            _ => ftr::Exported::parse(&written).transactions.len(),
        };
        assert!(count > 5, "{format}: {count}");
    }
}

#[test]
fn a_request_without_an_answer_goes_on_to_the_end() {
    let (_folder, trace) = recorded(Run::default());
    let cut = before_call(&trace);
    std::fs::write(&trace, cut).unwrap();
    let served = served(&trace);
    let bytes = export(&trace, "--perfetto").unwrap();
    let (requests, open) = perfetto::Exported::parse(&bytes).counts();
    assert_eq!((requests, open), (served.len() + 2, 2));
    let exported = fst::Exported::parse(export(&trace, "--fst").unwrap());
    let open: Vec<String> = exported.open().collect();
    assert_eq!(open.len(), 2, "{open:?}");
    assert!(
        open.iter()
            .all(|request| request.starts_with("CALL method"))
    );
    let exported = ftr::Exported::parse(&export(&trace, "--ftr").unwrap());
    assert_eq!(exported.transactions.len(), served.len() + 2);
    assert_eq!(exported.unanswered().count(), 2);
}

/// A call in service at the checkpoint is not observed again.
#[test]
fn a_request_of_a_checkpoint_is_shown_without_its_answer() {
    let (_folder, trace) = recorded(Run {
        goes_back: true,
        saved: SAVED_IN_CALL,
        ..Run::default()
    });
    let cut = before_call(&trace);
    std::fs::write(&trace, cut).unwrap();
    let served = served(&trace);
    // Two calls before the restore, and two after it.
    let bytes = export(&trace, "--perfetto").unwrap();
    let (requests, open) = perfetto::Exported::parse(&bytes).counts();
    assert_eq!((requests, open), (served.len() + 4, 4));
    for segment in [1, 2] {
        let options = format!("--fst --segment {segment}");
        let exported = fst::Exported::parse(export(&trace, &options).unwrap());
        let open: Vec<String> = exported.open().collect();
        assert_eq!(open.len(), 2, "{open:?}");
        assert!(open.iter().all(|request| request.starts_with("CALL")));
    }
    let exported = ftr::Exported::parse(&export(&trace, "--ftr").unwrap());
    let suffix = format!(", segment 2, from the checkpoint of tick {SAVED_IN_CALL}");
    let streams: Vec<&str> = exported.unanswered().map(|it| &*it.stream).collect();
    let again = ["core0", "core1"].map(|name| format!("{name}{suffix}"));
    assert_eq!(streams, ["core0", "core1", &again[0], &again[1]]);
}

/// The restore begins no segment: dropped requests end there.
#[test]
fn a_request_that_a_restore_drops_ends_with_it() {
    let (_folder, trace) = recorded(Run {
        goes_back: true,
        saved: BACK,
        ..Run::default()
    });
    let served = served(&trace);
    let bytes = export(&trace, "--perfetto").unwrap();
    let (requests, open) = perfetto::Exported::parse(&bytes).counts();
    assert_eq!((requests, open), (served.len() + 2, 0));
    let exported = fst::Exported::parse(export(&trace, "--fst").unwrap());
    assert_eq!(exported.requests().len(), served.len() + 2);
    assert_eq!(exported.open().count(), 0);
    let exported = ftr::Exported::parse(&export(&trace, "--ftr").unwrap());
    assert_eq!(exported.transactions.len(), served.len() + 2);
    let streams: Vec<&str> = exported.unanswered().map(|it| &*it.stream).collect();
    assert_eq!(streams, ["core0", "core1"]);
}

#[test]
fn a_file_that_can_not_be_written_is_named() {
    let (_folder, trace) = recorded(Run::default());
    for format in FORMATS {
        let mut export = command();
        export.args(["trace", "export", format]).arg(&trace);
        let output = end(export.args(["-o", "/no/such/folder/out"])).stderr(2);
        assert!(output.contains("/no/such/folder/out"), "{output}");
    }
}

#[test]
fn the_recording_itself_is_not_written_over() {
    let (folder, trace) = recorded(Run::default());
    let bytes = std::fs::read(&trace).unwrap();
    for format in FORMATS {
        let mut export = command();
        export.args(["trace", "export", format]).arg(&trace);
        let output = end(export.arg("-o").arg(folder.path().join("./run.trace"))).stderr(2);
        assert!(output.contains("is the recording"), "{output}");
        assert_eq!(std::fs::read(&trace).unwrap(), bytes);
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let (_folder, trace) = recorded(Run::default());
    for format in FORMATS {
        let mut export = command();
        export.args(["trace", "export", format]).arg(&trace);
        let output = end(export.args(["-o", "/dev/full"])).stderr(2);
        assert!(output.contains("can't write /dev/full"), "{output}");
    }
}

#[test]
fn wrong_options_are_refused() {
    let (_folder, trace) = recorded(Run::default());
    for (options, reason) in [
        ("--fst --clock-period 10", "no time of 1ps to 1s"),
        ("--fst --clock-period 0ns", "no time of 1ps to 1s"),
        ("--fst --segment 0", "--segment"),
        ("--fst --segment 2", "has no segment 2: it has 1"),
        ("--ftr --segment 2", "cannot be used with"),
        ("--perfetto --clock-period 10ns", "--clock-period"),
        ("--fst --ftr", "cannot be used with"),
    ] {
        let error = export(&trace, options).unwrap_err();
        assert!(error.contains(reason), "{options}: {error}");
    }
}

#[test]
fn options_of_tables_are_refused_beside_waves() {
    let texts = ["run-id", "design", "seed", "revision", "host", "command"];
    let options = texts.map(|it| format!("--{it} x")).into_iter();
    let options = options.chain(["--messages", "--allow-errors"].map(str::to_owned));
    for option in options {
        for format in FORMATS {
            let words = format!("trace export {format} x.trace -o y {option}");
            let text = crate::vhost(words.split(' ')).stderr(2);
            assert!(text.contains("cannot be used with"), "{words}: {text}");
        }
    }
    for words in [
        "--segment 1 --ftr",
        "--segment 1 --parquet",
        "--clock-period 1ns --perfetto",
    ] {
        let words = format!("trace export {words} x.trace -o y");
        let text = crate::vhost(words.split(' ')).stderr(2);
        assert!(text.contains("cannot be used with"), "{words}: {text}");
    }
}
