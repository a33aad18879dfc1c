//! Tables of recorded runs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use parquet::file::reader::SerializedFileReader;
use parquet::record::Field;
use serde_json::Value;

use crate::report::before_call;
use crate::run::{BACK, Run, SAVED, SAVED_IN_CALL, WAIT, entries, good_and_faulty};
use crate::{Ended, command, end, vhost_on};

pub(crate) type Row = BTreeMap<String, Field>;

/// Calls the export in a folder.
fn export(folder: &Path, words: &str) -> Ended {
    let mut export = command();
    export.args(["trace", "export", "--parquet", "-o", "tables"]);
    export.args(words.split_whitespace());
    end(export.current_dir(folder))
}

/// Files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Rows of a table.
pub(crate) fn rows(folder: &Path, table: &str) -> Vec<Row> {
    let files = files(&folder.join("tables").join(table));
    let rows = files.iter().flat_map(|file| {
        let reader = SerializedFileReader::try_from(file.as_path()).unwrap();
        let rows = reader.into_iter().map(Result::unwrap);
        rows.map(|row| row.into_columns().into_iter().collect::<Row>())
            .collect::<Vec<_>>()
    });
    rows.collect()
}

pub(crate) fn text(row: &Row, column: &str) -> String {
    match &row[column] {
        Field::Str(text) => text.clone(),
        other => panic!("{column} is {other:?}"),
    }
}

pub(crate) fn number(row: &Row, column: &str) -> u64 {
    match row[column] {
        Field::Long(number) => u64::try_from(number).unwrap(),
        Field::ULong(number) => number,
        ref other => panic!("{column} is {other:?}"),
    }
}

#[test]
fn rows_are_those_of_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let printed = export(folder.path(), "--messages --run-id one run.trace").stdout(0);
    assert_eq!(printed, "1 run to tables\n");

    let shown = entries(&trace);
    let messages = rows(folder.path(), "messages");
    assert_eq!(messages.len(), shown.len());
    for (row, entry) in messages.iter().zip(&shown) {
        let keys = [
            ("event", "event"),
            ("sender", "from"),
            ("receiver", "to"),
            ("message", "message"),
        ];
        for (column, key) in keys {
            assert_eq!(text(row, column), entry[key], "{entry}");
        }
        for key in ["frame", "sequence", "root", "tick"] {
            assert_eq!(number(row, key), entry[key], "{entry}");
        }
    }

    let served: Vec<_> = shown
        .iter()
        .filter(|entry| entry["message"] == "Served")
        .collect();
    let requests = rows(folder.path(), "requests");
    assert_eq!(requests.len(), served.len());
    let mut of_channel: BTreeMap<String, u64> = BTreeMap::new();
    for (at, (row, entry)) in requests.iter().zip(&served).enumerate() {
        assert_eq!(text(row, "run_id"), "one");
        assert_eq!(number(row, "number"), at as u64);
        let channel = text(row, "channel");
        assert_eq!(channel, entry["channel"]);
        let count = of_channel.entry(channel).or_default();
        assert_eq!(number(row, "channel_number"), *count);
        *count += 1;
        assert_eq!(number(row, "taken"), entry["body"]["since"]);
        assert_eq!(number(row, "answered"), entry["tick"]);
        let is_call = text(row, "kind") == "CALL";
        let method = if is_call {
            Field::Str("wait".to_owned())
        } else {
            Field::Null
        };
        assert_eq!(row["method"], method);
        if is_call {
            assert_eq!(number(row, "result"), 7);
            assert_eq!(number(row, "answered") - number(row, "taken"), WAIT);
        }
        let args = args(row);
        let text = entry["request"].as_str().unwrap();
        assert!(!is_call || args.len() == 1, "{text}: {args:?}");
        assert!(
            args.iter().all(|arg| *arg == 0
                || text.contains(&format!("{arg:#x}"))
                || text.contains(&arg.to_string())),
            "{text}: {args:?}"
        );
    }

    let console = rows(folder.path(), "console");
    let lines = console
        .iter()
        .map(|row| (text(row, "channel"), text(row, "text")));
    let of = |channel: &str| {
        lines
            .clone()
            .filter(|(name, line)| name == channel && line == "a line, and some")
            .count() as u64
    };
    assert_eq!((of("core0"), of("core1")), (3, 3));
    assert_eq!(console.len(), 6);
}

#[test]
fn a_reset_drops_the_method_of_a_pending_call() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        resets: true,
        ..Run::default()
    };
    run.record(folder.path());
    export(folder.path(), "run.trace").stdout(0);
    let requests = rows(folder.path(), "requests");
    let kinds: Vec<String> = requests.iter().map(|row| text(row, "kind")).collect();
    assert!(kinds.iter().all(|kind| kind != "CALL"), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "EXIT").count(), 2);
    for row in &requests {
        assert_eq!(row["method"], Field::Null, "{row:?}");
    }
}

#[test]
fn counts_are_those_of_trace_stat() {
    let folder = tempfile::tempdir().unwrap();
    for (name, run) in [
        ("a", Run::default()),
        (
            "b",
            Run {
                astray: true,
                prints: 40,
                ..Run::default()
            },
        ),
    ] {
        let trace = run.record(folder.path());
        fs::rename(&trace, folder.path().join(format!("{name}.trace"))).unwrap();
    }
    export(folder.path(), "a.trace b.trace").stdout(0);
    let runs = rows(folder.path(), "runs");
    let requests = rows(folder.path(), "requests");
    let mut counted = 0;
    for run in &runs {
        let file = folder.path().join(text(run, "file"));
        let stat: Value =
            serde_json::from_str(&vhost_on("trace stat --json", &file).stdout(0)).unwrap();
        assert_eq!(number(run, "entries"), stat["entries"]);
        assert_eq!(number(run, "ticks"), stat["ticks"]);
        for of_kind in stat["requests"].as_array().unwrap() {
            let of_kind_rows: Vec<&Row> = requests
                .iter()
                .filter(|row| {
                    text(row, "run_id") == text(run, "run_id")
                        && text(row, "channel") == of_kind["channel"]
                        && text(row, "kind") == of_kind["request"]
                })
                .collect();
            let failed = of_kind_rows
                .iter()
                .filter(|row| row["errno"] != Field::Null);
            let bytes: u64 = of_kind_rows.iter().map(|row| number(row, "bytes")).sum();
            assert_eq!(of_kind_rows.len() as u64, of_kind["count"]);
            assert_eq!(failed.count() as u64, of_kind["failed"]);
            assert_eq!(bytes, of_kind["bytes"]);
            counted += of_kind_rows.len();
        }
    }
    assert_eq!(counted, requests.len());
    let verdicts: Vec<_> = runs.iter().map(|run| text(run, "verdict")).collect();
    assert_eq!(verdicts, ["passed", "failed"]);
    let failed = &runs[1];
    let replay = text(failed, "replay");
    let path = replay.strip_prefix("vhost replay ").unwrap();
    assert!(
        Path::new(path).is_absolute() && path.ends_with("/b.trace"),
        "{replay}"
    );
    assert_eq!(text(failed, "exits"), r#"{"core0":0,"core1":0}"#);
    assert!(text(failed, "first_error").contains("has no memory at 0x10"));
}

#[test]
fn an_identity_comes_from_the_command_line_and_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    export(
        folder.path(),
        "run.trace --run-id a/b --design ../x=y --seed 7 --revision r1 --host h --command c",
    )
    .stdout(0);
    let [run] = &rows(folder.path(), "runs")[..] else {
        panic!("one run");
    };
    for (column, value) in [
        ("run_id", "a/b"),
        ("seed", "7"),
        ("revision", "r1"),
        ("host", "h"),
        ("command", "c"),
    ] {
        assert_eq!(text(run, column), value);
    }
    let paths = files(&folder.path().join("tables/runs"));
    let [path] = &paths[..] else {
        panic!("{paths:?}");
    };
    let path = path.strip_prefix(folder.path()).unwrap().to_str().unwrap();
    assert!(
        path.ends_with("/design=%2E.%2Fx%3Dy/a%2Fb.parquet"),
        "{path}"
    );

    // The default name contains the file's name, and is the same in the next export.
    let before = fs::read(&trace).unwrap();
    export(folder.path(), "run.trace").stdout(0);
    let again = export(folder.path(), "run.trace").stderr(2);
    assert!(again.contains("run.trace: run `run-"), "{again}");
    assert!(again.contains("is in the tables already"), "{again}");
    assert_eq!(rows(folder.path(), "runs").len(), 2);
    assert_eq!(fs::read(&trace).unwrap(), before);
    let two = export(folder.path(), "run.trace run.trace --run-id x").stderr(2);
    assert!(two.contains("--run-id names one run"), "{two}");
}

#[test]
fn rows_of_a_run_that_goes_back_have_its_segments() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        goes_back: true,
        ..Run::default()
    };
    let trace = run.record(folder.path());
    export(folder.path(), "--messages run.trace").stdout(0);
    let shown = entries(&trace);
    // The previous entry is the restore itself.
    let restore = shown
        .iter()
        .position(|entry| entry["message"] == "RestoreBegun");
    let restore = restore.unwrap();
    let messages = rows(folder.path(), "messages");
    assert_eq!(messages.len(), shown.len());
    for (at, row) in messages.iter().enumerate() {
        assert_eq!(number(row, "segment"), 1 + u64::from(at > restore));
    }
    for table in ["requests", "console"] {
        let segments: Vec<u64> = rows(folder.path(), table)
            .iter()
            .map(|row| number(row, "segment"))
            .collect();
        assert!(
            segments.is_sorted() && segments.first() == Some(&1),
            "{table}"
        );
        assert_eq!(segments.last(), Some(&2), "{table}");
    }
    let served = shown.iter().filter(|entry| entry["message"] == "Served");
    let requests = rows(folder.path(), "requests");
    let (open, answered): (Vec<&Row>, Vec<&Row>) = requests
        .iter()
        .partition(|row| row["answered"] == Field::Null);
    assert_eq!(answered.len(), served.count());
    // The call of each channel was in service, and its exit was in the queue.
    let kinds: Vec<String> = open.iter().map(|row| text(row, "kind")).collect();
    assert_eq!(kinds, ["CALL", "EXIT", "CALL", "EXIT"]);
    for row in open {
        assert_eq!(number(row, "segment"), 1);
        let is_call = text(row, "kind") == "CALL";
        assert_eq!(row["method"] == Field::Str("wait".into()), is_call);
        assert!(number(row, "taken") < BACK);
        assert_eq!(
            (&row["result"], &row["errno"]),
            (&Field::Null, &Field::Null)
        );
    }
    let runs = rows(folder.path(), "runs");
    assert_eq!(number(&runs[0], "segments"), 2);
    assert_eq!(number(&runs[0], "unanswered"), 4);
    assert_eq!(number(&runs[0], "requests"), answered.len() as u64);
}

/// Arguments of a request.
fn args(row: &Row) -> Vec<u64> {
    let Field::ListInternal(args) = &row["args"] else {
        panic!("{:?}", row["args"]);
    };
    let args = args.elements().iter().map(|arg| match arg {
        Field::ULong(arg) => *arg,
        other => panic!("{other:?}"),
    });
    args.collect()
}

/// Channel, kind and arguments of each request without a response in a segment.
fn unanswered(requests: &[Row], segment: u64) -> Vec<(String, String, Vec<u64>)> {
    let open = requests
        .iter()
        .filter(|row| row["answered"] == Field::Null && number(row, "segment") == segment);
    open.map(|row| (text(row, "channel"), text(row, "kind"), args(row)))
        .collect()
}

/// Requests of [`crate::open`], for each protocol.
fn of_each_protocol() -> Vec<(String, String, Vec<u64>)> {
    let expected: [(&str, &str, &[u64]); 6] = [
        ("cpu", "console read", &[1 << 56]),
        ("cpu", "console read", &[1 << 56]),
        ("cpu", "read", &[0, 0x8000_6100, 4, 0, 0, 0, 0]),
        ("rtt", "rtt up", &[0, 9]),
        ("trap", "readc", &[0]),
        ("trap", "read", &[0x8000_5000, 0, 0x8000_5100, 4]),
    ];
    let owned = expected.map(|(channel, kind, args)| (channel.into(), kind.into(), args.into()));
    owned.into()
}

#[test]
fn requests_without_an_answer_have_the_kinds_and_arguments_of_answered_ones() {
    let (folder, _trace) = crate::open::recorded();
    export(folder.path(), "run.trace").stdout(0);
    let requests = rows(folder.path(), "requests");
    assert_eq!(unanswered(&requests, 1), of_each_protocol());
    let of_rtt = requests.iter().find(|row| text(row, "channel") == "rtt");
    assert_eq!(of_rtt.unwrap()["method"], Field::Str("seen".into()));
    assert_eq!(number(&rows(folder.path(), "runs")[0], "unanswered"), 6);
}

#[test]
fn commands_in_service_at_a_checkpoint_go_on_and_other_requests_begin_anew() {
    let (folder, _trace) = crate::open::restored();
    export(folder.path(), "run.trace").stdout(0);
    let requests = rows(folder.path(), "requests");
    let each = of_each_protocol();
    assert_eq!(unanswered(&requests, 1), each);
    // No operation is requested again.
    assert_eq!(unanswered(&requests, 2), each[..4]);
    let seen = |segment: u64| {
        let of = requests
            .iter()
            .filter(move |row| row["answered"] == Field::Null && number(row, "segment") == segment);
        of.map(|row| number(row, "taken"))
    };
    // Commands have the ticks in which they were taken, after the poll that first finds them.
    let (first, second) = (seen(1).collect::<Vec<_>>(), seen(2).collect::<Vec<_>>());
    for (before, behind) in first.iter().zip(&second).take(3) {
        assert!(before <= behind && *behind <= 20, "{first:?} {second:?}");
    }
    assert!(first[3] < 20 && second[3] > 20, "{first:?} {second:?}");
}

#[test]
fn a_line_that_a_return_cuts_is_in_the_segment_before() {
    for saved in [SAVED, SAVED_IN_CALL] {
        let folder = tempfile::tempdir().unwrap();
        let run = Run {
            text: "begun, ",
            goes_back: true,
            saved,
            ..Run::default()
        };
        run.record(folder.path());
        export(folder.path(), "run.trace").stdout(0);
        let lines = rows(folder.path(), "console");
        let lines: Vec<_> = lines
            .iter()
            .map(|line| (number(line, "segment"), text(line, "text")))
            .collect();
        let line = "begun, begun, begun, ".to_owned();
        assert_eq!(lines, [1, 1, 2, 2].map(|segment| (segment, line.clone())));
    }
}

#[test]
fn a_request_that_is_open_at_the_end_has_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    fs::write(&trace, before_call(&trace)).unwrap();
    export(folder.path(), "run.trace").stdout(0);
    let requests = rows(folder.path(), "requests");
    let numbers: Vec<u64> = requests.iter().map(|row| number(row, "number")).collect();
    assert!(numbers.iter().copied().eq(0..requests.len() as u64));
    let open = requests
        .iter()
        .filter(|row| row["answered"] == Field::Null)
        .map(|row| (text(row, "channel"), text(row, "kind")));
    let expected = ["core0", "core1"].map(|channel| ["CALL", "EXIT"].map(|kind| (channel, kind)));
    let expected = expected.as_flattened().iter();
    assert!(open.eq(expected.map(|(channel, kind)| (channel.to_string(), kind.to_string()))));
}

#[test]
fn faulty_files_are_named_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let trace = good_and_faulty(folder.path());
    let locked = folder.path().join("locked.trace");
    fs::copy(&trace, &locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let is_locked = fs::read(&locked).is_err();

    let names = "cut damaged empty good locked missing other";
    let files: Vec<String> = names
        .split(' ')
        .map(|name| format!("{name}.trace"))
        .collect();
    let ended = export(folder.path(), &files.join(" "));
    assert_eq!(ended.status, Some(2));
    for (name, problem) in [
        ("cut", "the recording was cut off"),
        ("damaged", "checksum mismatch"),
        ("empty", "is empty"),
        ("missing", "No such file"),
        ("other", "has format 99"),
    ] {
        let line = ended
            .stderr
            .lines()
            .find(|line| line.contains(&format!("{name}.trace")) && line.contains(problem));
        assert!(line.is_some(), "{name}: {}", ended.stderr);
    }
    assert!(!is_locked || ended.stderr.contains("locked.trace: Permission denied"));
    assert!(!ended.stderr.contains("good.trace"), "{}", ended.stderr);
    let ends: BTreeMap<String, String> = rows(folder.path(), "runs")
        .iter()
        .map(|run| (text(run, "file"), text(run, "end")))
        .collect();
    let expected = [("cut", "cut"), ("damaged", "damaged"), ("good", "whole")];
    for (name, end) in expected {
        assert_eq!(ends[&format!("{name}.trace")], end);
    }
    assert_eq!(ends.len(), 3 + usize::from(!is_locked));
}

#[test]
fn messages_that_can_not_be_decoded_are_counted_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let whole = entries(&trace);
    let is_served = |entry: &&Value| entry["message"] == "Served";
    let first = whole.iter().find(is_served).unwrap()["frame"].clone();
    let count = whole.iter().filter(is_served).count() as u64;
    let mut changed = test_support::frames::frames(&fs::read(&trace).unwrap());
    let kind = changed
        .iter_mut()
        .skip(1)
        .find(|frame| frame.ends_with(b"Served"));
    let kind = kind.unwrap();
    let end = kind.len();
    kind[end - 6..].copy_from_slice(b"Surved");
    fs::write(&trace, test_support::frames::recording(&changed)).unwrap();

    let ended = export(folder.path(), "run.trace");
    assert_eq!(ended.status, Some(2));
    for text in [
        format!("{count} messages can't be decoded"),
        format!("frame {first}, Surved: unknown message"),
    ] {
        assert!(ended.stderr.contains(&text), "{text}: {}", ended.stderr);
    }
    let runs = rows(folder.path(), "runs");
    assert_eq!(number(&runs[0], "undecoded"), count);
    assert_eq!(rows(folder.path(), "requests"), Vec::<Row>::new());
}

#[test]
fn a_folder_that_can_not_be_written_is_named_and_nothing_stays() {
    let folder = tempfile::tempdir().unwrap();
    Run::default().record(folder.path());
    fs::write(folder.path().join("tables"), "a file").unwrap();
    let error = export(folder.path(), "run.trace").stderr(2);
    assert!(
        error.contains("run.trace: can't write tables/_ids"),
        "{error}"
    );
    fs::remove_file(folder.path().join("tables")).unwrap();

    // If one table can't be written, no file of another one stays, and the run can be exported
    // later.
    fs::create_dir(folder.path().join("tables")).unwrap();
    fs::write(folder.path().join("tables/reports"), "a file").unwrap();
    let error = export(folder.path(), "run.trace").stderr(2);
    assert!(error.contains("can't write tables/reports"), "{error}");
    let left = files(&folder.path().join("tables"));
    assert_eq!(left, [folder.path().join("tables/reports")]);
    fs::remove_file(folder.path().join("tables/reports")).unwrap();
    export(folder.path(), "run.trace").stdout(0);
}

#[test]
fn no_files_of_a_run_that_is_claimed_already() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    fs::copy(&trace, folder.path().join("copy.trace")).unwrap();
    for file in ["run.trace", "copy.trace"] {
        let ended = export(folder.path(), &format!("{file} --run-id same"));
        assert_eq!(ended.status, Some(if file == "run.trace" { 0 } else { 2 }));
        if file == "copy.trace" {
            let error = &ended.stderr;
            assert!(error.contains("copy.trace: run `same`"), "{error}");
            assert!(error.contains("from run.trace"), "{error}");
            assert!(error.contains("VHOST_RUN_ID"), "{error}");
        }
    }
    assert_eq!(rows(folder.path(), "runs").len(), 1);

    // Of two runs with one name in an export, the first is in the tables, and no file may be
    // removed.
    let error = export(folder.path(), "run.trace copy.trace").stderr(0);
    assert_eq!(error, "");
    fs::remove_dir_all(folder.path().join("tables")).unwrap();
    let mut run = command();
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/selftest-rv32.elf");
    run.env("VHOST_RUN_ID", "same").current_dir(folder.path());
    end(run.arg("run").arg(image).args(["--record", "run.trace"]));
    fs::copy(&trace, folder.path().join("copy.trace")).unwrap();
    let error = export(folder.path(), "run.trace copy.trace").stderr(2);
    let expected =
        "copy.trace: run `same` is in this export already, from run.trace: give each run an id";
    assert!(
        error.contains(expected) && !error.contains("_ids"),
        "{error}"
    );
    assert_eq!(rows(folder.path(), "runs").len(), 1);
}

#[test]
fn an_empty_identity_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Run::default().record(folder.path());
    for option in ["run-id", "design", "seed", "revision", "host", "command"] {
        for blank in ["", " ", "\t"] {
            let mut export = command();
            export.args(["trace", "export", "--parquet", "-o", "tables", "run.trace"]);
            export.args([&format!("--{option}"), blank]);
            let error = end(export.current_dir(folder.path())).stderr(2);
            assert!(error.contains(&format!("--{option} <TEXT>")), "{error}");
        }
    }
}

/// Concurrent exports add their rows to one folder.
#[test]
fn exports_at_the_same_time_leave_all_rows() {
    let folder = tempfile::tempdir().unwrap();
    Run::default().record(folder.path());
    let exports: Vec<_> = (0..8)
        .map(|number| {
            let mut export = command();
            export.args(["trace", "export", "--parquet", "-o", "tables", "run.trace"]);
            export.args(["--run-id", &format!("r{}", number / 2)]);
            export.current_dir(folder.path()).spawn().unwrap()
        })
        .collect();
    let statuses = exports.into_iter().map(|mut it| it.wait().unwrap().code());
    // Two exports have the same name; one of them is rejected.
    let statuses: Vec<_> = statuses.collect();
    assert_eq!(statuses.iter().filter(|it| **it == Some(0)).count(), 4);
    assert_eq!(statuses.iter().filter(|it| **it == Some(2)).count(), 4);
    let runs = rows(folder.path(), "runs");
    let mut ids: Vec<String> = runs.iter().map(|run| text(run, "run_id")).collect();
    ids.sort();
    assert_eq!(ids, ["r0", "r1", "r2", "r3"]);
    let requests = rows(folder.path(), "requests");
    assert_eq!(
        requests.len() as u64,
        runs.iter().map(|run| number(run, "requests")).sum::<u64>()
    );
}

#[test]
fn the_environment_of_a_run_is_its_identity() {
    let folder = tempfile::tempdir().unwrap();
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/selftest-rv32.elf");
    let mut run = command();
    run.current_dir(folder.path());
    run.env("VHOST_RUN_ID", "r1/7").env("VHOST_RUN_SEED", "7");
    // It fails, since there are no methods.
    let ended = end(run.arg("run").arg(image).args(["--record", "run.trace"]));
    assert_ne!(ended.status, Some(0));
    export(folder.path(), "run.trace").stdout(0);
    let [row] = &rows(folder.path(), "runs")[..] else {
        panic!("one run");
    };
    assert_eq!(
        (text(row, "run_id"), text(row, "seed")),
        ("r1/7".into(), "7".into())
    );
    assert_eq!(row["revision"], Field::Null);
    assert_eq!(text(row, "verdict"), "failed");
    let (Field::TimestampMillis(started), Field::Long(wall)) = (&row["started"], &row["wall_ms"])
    else {
        panic!("{row:?}");
    };
    assert!(*started > 0 && *wall >= 0);
    let files = files(&folder.path().join("tables/runs"));
    let path = files[0].to_str().unwrap();
    assert!(path.contains("design=selftest-rv32"), "{path}");
}
