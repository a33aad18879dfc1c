//! Pages and JUnit results of recorded runs.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::BASE64;
use serde_json::Value;

use crate::run::{BACK, Run, SAVED, SAVED_IN_CALL, cut, frames, good_and_faulty};
use crate::{Ended, command, end};

/// Calls `vhost report` in a folder.
fn report(folder: &Path, words: &str) -> Ended {
    let mut report = command();
    report.arg("report").args(words.split_whitespace());
    end(report.current_dir(folder))
}

/// Value of a data block of the page.
pub(crate) fn data(page: &str, id: &str) -> Value {
    let bytes = block(page, id);
    let (len, rest) = bytes.split_first_chunk().unwrap();
    let json = &rest[..u32::from_le_bytes(*len) as usize];
    serde_json::from_slice(json).unwrap()
}

/// Bytes after the value of a data block.
fn behind(page: &str, id: &str) -> Vec<u8> {
    let bytes = block(page, id);
    let (len, rest) = bytes.split_first_chunk().unwrap();
    rest[u32::from_le_bytes(*len) as usize..].to_vec()
}

fn block(page: &str, id: &str) -> Vec<u8> {
    let begin = format!("id=\"data-{id}\">");
    let (_, rest) = page.split_once(&begin).unwrap();
    let (packed, _) = rest.split_once("</script>").unwrap();
    let deflated = BASE64.decode(packed.as_bytes()).unwrap();
    miniz_oxide::inflate::decompress_to_vec(&deflated).unwrap()
}

/// Numbers of a column of requests.
fn column(page: &str, name: &str) -> Vec<u64> {
    let requests = &data(page, "run-0")["requests"];
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let of = &requests[name];
    let (count, at, width) = (
        number(&requests["count"]),
        number(&of["at"]),
        number(&of["width"]),
    );
    let bytes = behind(page, "run-0");
    let row = |row| {
        (0..width).rev().fold(0, |sum, place| {
            sum << 8 | u64::from(bytes[at + place * count + row])
        })
    };
    (0..count).map(row).collect()
}

/// The recording up to the response to the first CALL.
pub(crate) fn before_call(trace: &Path) -> Vec<u8> {
    let shown = crate::run::entries(trace);
    let served = |entry: &&Value| entry["message"] == "Served";
    let call = shown
        .iter()
        .filter(served)
        .find(|entry| entry["request"].as_str().unwrap().starts_with("CALL"));
    let bytes = fs::read(trace).unwrap();
    let number = call.unwrap()["frame"].as_u64().unwrap();
    cut(&bytes, &frames(&bytes)[usize::try_from(number).unwrap()])
}

#[test]
fn a_run_is_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::default();
    run.record(folder.path());
    let printed = report(folder.path(), "run.trace -o run.html").stdout(0);
    assert_eq!(printed, "1 run: 1 passed\n");
    let page = fs::read_to_string(folder.path().join("run.html")).unwrap();
    let index = data(&page, "index");
    assert_eq!(index[0]["verdict"], "passed");
    let detail = data(&page, "run-0");
    let replay = detail["replay"].as_str().unwrap();
    assert!(
        replay.starts_with("vhost replay /") && replay.ends_with("/run.trace"),
        "{replay}"
    );
    assert_eq!(
        detail["channels"][1]["state"]
            .as_str()
            .unwrap()
            .find("exited with code 0"),
        Some(0)
    );
    let requests = &detail["requests"];
    let count = 2 * (run.prints + 2);
    assert_eq!(requests["count"], count);
    let calls = detail["latencies"].as_array().unwrap().iter();
    let calls: Vec<_> = calls.filter(|it| it["kind"] == "CALL").collect();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0]["ticks_max"], crate::run::WAIT);
    assert_eq!(
        detail["console"].as_array().unwrap().len() as u64,
        2 * run.prints
    );
    assert_eq!(detail["spaces"][0]["rows"][0]["memory"], "ram");
    // The same recording gives the same page.
    report(folder.path(), "run.trace -o again.html").stdout(0);
    assert_eq!(
        fs::read_to_string(folder.path().join("again.html")).unwrap(),
        page
    );
}

#[test]
fn a_run_that_goes_back_has_segments() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        goes_back: true,
        ..Run::default()
    };
    let trace = run.record(folder.path());
    let printed = report(folder.path(), "run.trace -o run.html").stdout(0);
    assert_eq!(printed, "1 run: 1 passed\n");
    let page = fs::read_to_string(folder.path().join("run.html")).unwrap();
    let requests = &data(&page, "run-0")["requests"];
    assert_eq!(requests["segments"], serde_json::json!([null, SAVED]));
    let (segments, steps, ticks) = (
        column(&page, "segment"),
        column(&page, "answered"),
        column(&page, "ticks"),
    );
    let (mut tick, mut restores) = (0, 0);
    let mut rows = segments.iter().zip(&steps).zip(&ticks);
    for entry in crate::run::entries(&trace) {
        if entry["message"] == "RestoreBegun" {
            // The call of each channel was in service, and its exit was in the queue.
            for _ in 0..4 {
                let ((segment, step), ticks) = rows.next().unwrap();
                tick += step;
                assert_eq!((*segment, tick), (0, BACK));
                assert!(*ticks > 0 && *ticks <= crate::run::WAIT);
            }
            (tick, restores) = (0, restores + 1);
        }
        if entry["message"] == "Served" {
            let ((segment, step), ticks) = rows.next().unwrap();
            tick += step;
            assert_eq!(
                (*segment, tick),
                (restores, entry["tick"].as_u64().unwrap())
            );
            assert_eq!(tick - ticks, entry["body"]["since"].as_u64().unwrap());
        }
    }
    assert!(rows.next().is_none() && restores == 1);
    let outcomes = requests["outcomes"].as_array().unwrap();
    assert!(outcomes.contains(&serde_json::json!(["not answered", 2])));
    let calls = data(&page, "run-0")["latencies"].clone();
    let calls = calls.as_array().unwrap().iter();
    assert!(
        calls
            .filter(|it| it["kind"] == "CALL")
            .all(|it| it["count"] == 1)
    );
}

/// A call in service at the checkpoint is not observed again.
#[test]
fn a_request_of_a_checkpoint_is_not_answered_either() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        goes_back: true,
        saved: SAVED_IN_CALL,
        ..Run::default()
    };
    let trace = run.record(folder.path());
    let bytes = before_call(&trace);
    fs::write(&trace, bytes).unwrap();
    report(folder.path(), "run.trace -o run.html").stdout(0);
    let page = fs::read_to_string(folder.path().join("run.html")).unwrap();
    let detail = data(&page, "run-0");
    for channel in detail["channels"].as_array().unwrap() {
        let state = channel["state"].as_str().unwrap();
        assert!(state.starts_with("not answered since tick "), "{state}");
        assert!(state.contains(": CALL method"), "{state}");
    }
    let segments = column(&page, "segment");
    // A call and an exit of each channel, once per segment.
    let last = &segments[segments.len() - 8..];
    assert_eq!(last, [0, 0, 0, 0, 1, 1, 1, 1]);
}

#[test]
fn text_of_firmware_is_no_markup() {
    const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\"'`\x1b[2J\x01\u{202e}{{data}}\u{feff}\n";
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        text: HOSTILE,
        ..Run::default()
    };
    let trace = run.record(folder.path());
    let name = "<b>'$(x)&.trace";
    fs::rename(trace, folder.path().join(name)).unwrap();
    let mut call = command();
    call.current_dir(folder.path());
    end(call.args(["report", name, "-o", "run.html", "--junit", "run.xml"])).stdout(0);
    let page = fs::read_to_string(folder.path().join("run.html")).unwrap();
    assert!(!page.contains("alert") && !page.contains("onerror") && !page.contains("<b>"));
    assert!(page.chars().all(|c| !c.is_control() || c == '\n'));
    // Data of the index and of the run, and the script.
    assert_eq!(page.matches("<script").count(), 3);
    let detail = data(&page, "run-0");
    let line = detail["console"][0]["text"].as_str().unwrap();
    assert_eq!(line, HOSTILE.trim_end_matches('\n'));
    let replay = detail["replay"].as_str().unwrap();
    assert!(replay.starts_with("vhost replay '/"), "{replay}");
    assert!(replay.ends_with(r"/<b>'\''$(x)&.trace'"), "{replay}");
    let results = fs::read_to_string(folder.path().join("run.xml")).unwrap();
    assert!(!results.contains("<script") && !results.contains("<b>"));
    assert!(results.chars().all(|c| !c.is_control() || c == '\n'));
}

/// Creates a folder with a run that passed, one that failed, one that waits, and faulty files.
fn several(folder: &Path) {
    let trace = good_and_faulty(folder);
    fs::write(folder.join("waits.trace"), before_call(&trace)).unwrap();
    let astray = Run {
        astray: true,
        ..Run::default()
    };
    astray.record(folder);
    fs::rename(trace, folder.join("failed.trace")).unwrap();
}

const SEVERAL: &str = "good.trace failed.trace waits.trace cut.trace damaged.trace empty.trace other.trace missing.trace";

#[test]
fn faulty_files_are_named_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    several(folder.path());
    let ended = report(
        folder.path(),
        &format!("{SEVERAL} -o all.html --junit all.xml"),
    );
    for (file, reason) in [
        ("cut.trace", "cut off"),
        ("damaged.trace", "checksum mismatch"),
        ("empty.trace", "is empty"),
        ("other.trace", "has format 99"),
        ("missing.trace", "No such file"),
    ] {
        let mut lines = ended.stderr.lines();
        let named = lines.find(|line| line.contains(file));
        assert!(
            named.is_some_and(|line| line.contains(reason)),
            "{file}: {ended:?}"
        );
    }
    assert_eq!(ended.stderr.lines().count(), 5);
    let printed = ended.stdout(2);
    assert_eq!(
        printed,
        "8 runs: 1 passed, 3 unfinished, 1 failed, 3 unreadable\n"
    );
    let page = fs::read_to_string(folder.path().join("all.html")).unwrap();
    let index = data(&page, "index");
    let verdicts: Vec<_> = index
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["verdict"].as_str().unwrap())
        .collect();
    let expected = [
        "passed",
        "failed",
        "unfinished",
        "unfinished",
        "unfinished",
        "unreadable",
        "unreadable",
        "unreadable",
    ];
    assert_eq!(verdicts, expected);
    let waits = data(&page, "run-2");
    let state = waits["channels"][0]["state"].as_str().unwrap();
    assert!(
        state.starts_with("not answered since tick ") && state.contains("CALL method"),
        "{state}"
    );
    let failed = data(&page, "run-1");
    assert!(
        failed["failure"]["text"]
            .as_str()
            .unwrap()
            .contains("MEMSET"),
        "{failed}"
    );
    let results = fs::read_to_string(folder.path().join("all.xml")).unwrap();
    let shown = results.replace(folder.path().to_str().unwrap(), "/FOLDER");
    insta::assert_snapshot!(shown);
}

#[test]
fn damaged_recordings_have_no_command_that_replays_them() {
    let folder = tempfile::tempdir().unwrap();
    several(folder.path());
    report(
        folder.path(),
        "good.trace cut.trace damaged.trace -o all.html --junit all.xml",
    )
    .stdout(2);
    let page = fs::read_to_string(folder.path().join("all.html")).unwrap();
    let index = data(&page, "index");
    for (number, name, is_replayed) in [
        (0, "good.trace", true),
        (1, "cut.trace", true),
        (2, "damaged.trace", false),
    ] {
        let detail = data(&page, &format!("run-{number}"));
        assert_eq!(detail["has_replay"], is_replayed, "{name}");
        let row = index[number]["replay"].as_str().unwrap();
        assert_eq!(row.starts_with("vhost replay "), is_replayed, "{name}");
        // The command reports the same.
        let mut replay = command();
        let ended = end(replay.args(["replay", name]).current_dir(folder.path()));
        assert_eq!(
            ended.stdout.starts_with("replayed: "),
            is_replayed,
            "{ended:?}"
        );
    }
    let results = fs::read_to_string(folder.path().join("all.xml")).unwrap();
    assert!(
        !results.contains("/damaged.trace") && results.contains("the recording is damaged"),
        "{results}"
    );
}

#[test]
fn reason_and_signature_are_of_the_first_failure() {
    use vhost::{Severity, Vhost};
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("run.trace");
    let vhost = Vhost::builder()
        .memories_text(
            "space:\n  a: [ram: {base: 0, size: 0x1000, path: t, width: 32, backend: static}]\n",
        )
        .mailboxes_text("a: {space: a, base: 0, ptr: 32}\n")
        .console(std::io::sink())
        .on_report(|_| {})
        .record(&trace)
        .start()
        .unwrap();
    vhost.report(Severity::Info, "test", "begins").unwrap();
    vhost.report(Severity::Error, "test", "no 7").unwrap();
    vhost
        .report(Severity::Fatal, "vhost run", "stuck at 9")
        .unwrap();
    vhost.shutdown();
    for (words, reason, cause, before) in [
        (
            "",
            "1 error was reported, the first in tick 0 by test: no 7",
            ["no 7", "no #"],
            1,
        ),
        (
            "--allow-errors",
            "fatal report in tick 0 by vhost run: stuck at 9",
            ["stuck at 9", "stuck at #"],
            2,
        ),
    ] {
        let words = format!("run.trace {words} -o run.html --junit run.xml");
        report(folder.path(), &words).stdout(0);
        let page = fs::read_to_string(folder.path().join("run.html")).unwrap();
        let row = &data(&page, "index")[0];
        let [text, signature] = cause;
        assert_eq!(row["verdict"], "failed");
        assert_eq!(row["reason"], reason);
        assert_eq!(row["signature"], signature);
        let failure = &data(&page, "run-0")["failure"];
        assert_eq!(failure["text"], text);
        assert_eq!(failure["before"].as_array().unwrap().len(), before);
        let results = fs::read_to_string(folder.path().join("run.xml")).unwrap();
        assert!(
            results.contains(&format!("message=\"{reason}\"")),
            "{results}"
        );
        assert!(results.contains(&format!(": {text}\n")), "{results}");
    }
}

#[test]
fn the_identity_of_a_run_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/selftest-rv32.elf");
    let mut run = command();
    run.args(["run", "--record", "run.trace", "--max-instructions", "2000"]);
    run.arg(image).current_dir(folder.path());
    let properties = [
        ("id", "Run", "nightly-17"),
        ("design", "Design", "soc"),
        ("seed", "Seed", "17"),
        ("revision", "Revision", "r42"),
        ("host", "Machine", "farm3"),
        ("command", "Command", "make sim SEED=17"),
    ];
    for (key, _, value) in properties {
        run.env(format!("VHOST_RUN_{}", key.to_uppercase()), value);
    }
    let found = end(&mut run).stderr(124);
    report(folder.path(), "run.trace -o run.html --junit run.xml").stdout(0);
    let page = fs::read_to_string(folder.path().join("run.html")).unwrap();
    let detail = data(&page, "run-0");
    let results = fs::read_to_string(folder.path().join("run.xml")).unwrap();
    for (number, (key, name, value)) in properties.into_iter().enumerate() {
        assert_eq!(detail["facts"][number], serde_json::json!([name, value]));
        let property = format!("<property name=\"{key}\" value=\"{value}\"/>");
        assert!(results.contains(&property), "{property}: {results}");
    }
    assert!(results.contains("run again: make sim SEED=17"), "{results}");
    let row = &data(&page, "index")[0]["run"];
    for (key, _, value) in properties.iter().filter(|(key, ..)| *key != "host") {
        assert_eq!(row[key], *value);
    }
    // Without decisions of the run, which the recording contains as variables.
    let facts = detail["facts"].as_array().unwrap().iter();
    let variables = facts.filter(|fact| fact[0] == "Variables");
    let variables: Vec<_> = variables.map(|fact| fact[1].as_str().unwrap()).collect();
    assert!(variables[0].starts_with("IMAGE=/"), "{variables:?}");
    assert_eq!(variables[0].matches('=').count(), 1, "{variables:?}");

    // The status that the run has printed, as far as it is recorded.
    let state = detail["channels"][0]["state"].as_str().unwrap();
    let (_, status) = state.split_once("status in tick ").unwrap();
    assert!(found.contains(" taken; responses: "), "{found}");
    assert!(
        status.contains("firmware's indices are not recorded with the status"),
        "{status}"
    );
}

/// Names, times and commands in the results are correct.
#[test]
fn results_of_files_with_any_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let folder = tempfile::tempdir().unwrap();
    let names = [&b"two\n lines.trace"[..], b"it's \xff.trace"];
    for name in names {
        let run = vhost::Vhost::builder().identify("id", "tab\there");
        let file = folder.path().join(OsStr::from_bytes(name));
        run.record(file)
            .record_failure("test", "no design")
            .unwrap();
    }
    let mut report = command();
    report.args(["report", "--junit", "run.xml"]);
    report.args(names.map(OsStr::from_bytes));
    end(report.current_dir(folder.path())).stdout(0);
    let results = fs::read_to_string(folder.path().join("run.xml")).unwrap();
    for text in [
        "name=\"two&#10; lines.trace\"",
        "name=\"id\" value=\"tab&#9;here\"",
        "/two\\x0a lines.trace&apos;",
        "/it\\x27s \\xff.trace&apos;",
    ] {
        assert!(results.contains(text), "{text}: {results}");
    }
    let (_, started) = results.split_once("name=\"started\" value=\"").unwrap();
    let (started, _) = started.split_once('"').unwrap();
    let digits = started.replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(digits, "0000-00-00T00:00:00.000Z");
    // The commands are valid in a shell.
    let commands = results.lines().filter_map(|line| {
        let (_, command) = line.split_once("reproduce: vhost ")?;
        let (command, _) = command.split_once("</failure>")?;
        Some(command.replace("&apos;", "'"))
    });
    let commands: Vec<_> = commands.collect();
    assert_eq!(commands.len(), 2);
    for words in commands {
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("{} {words}", env!("CARGO_BIN_EXE_vhost"))]);
        end(&mut shell).stdout(0);
    }
}

#[test]
fn recordings_are_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let bytes = fs::read(&trace).unwrap();
    for words in ["run.trace -o ./run.trace", "run.trace --junit run.trace"] {
        let output = report(folder.path(), words).stderr(2);
        assert!(output.contains("is a recording"), "{output}");
    }
    assert_eq!(fs::read(&trace).unwrap(), bytes);
    let output = report(folder.path(), "run.trace -o x --junit x").stderr(2);
    assert!(output.contains("two names"), "{output}");
    let output = report(folder.path(), "run.trace -o /no/such/folder/x").stderr(2);
    assert!(output.contains("/no/such/folder/x"), "{output}");
    let output = report(folder.path(), "run.trace").stderr(2);
    assert!(output.contains("--junit"), "{output}");
}

#[test]
fn a_full_disk_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    if !Path::new("/dev/full").exists() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: /dev/full");
        return;
    }
    Run::default().record(folder.path());
    let output = report(folder.path(), "run.trace -o /dev/full").stderr(2);
    assert!(output.contains("can't write /dev/full"), "{output}");
    // The other output is written.
    for words in [
        "run.trace -o /dev/full --junit out",
        "run.trace -o out --junit /dev/full",
        "run.trace -o /no/such/folder/x --junit out",
    ] {
        let ended = report(folder.path(), words);
        assert!(ended.stderr.contains("can't write /"), "{ended:?}");
        assert_eq!(ended.stdout(2), "1 run: 1 passed\n");
        let out = folder.path().join("out");
        assert!(fs::metadata(&out).unwrap().len() > 100, "{words}");
        fs::remove_file(out).unwrap();
    }
}

/// The page in a browser, controlled by `browser.py`.
#[test]
fn a_browser_shows_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python: PathBuf = root.join("target/venv/bin/python");
    let has = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    if !has(Command::new(&python).args(["-c", "import playwright"]))
        || !has(Command::new("chromium").arg("--version"))
    {
        let _ = writeln!(
            std::io::stderr().lock(),
            "skipped: chromium and Python's playwright"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let many = Run {
        prints: 4000,
        text: "</script><b>loud</b>\x1b[2J\n",
        ..Run::default()
    };
    many.record(folder.path());
    fs::rename(
        folder.path().join("run.trace"),
        folder.path().join("many.trace"),
    )
    .unwrap();
    report(folder.path(), "many.trace -o one.html").stdout(0);
    let back = Run {
        goes_back: true,
        ..Run::default()
    };
    back.record(folder.path());
    report(folder.path(), "run.trace -o back.html").stdout(0);
    several(folder.path());
    let named = vhost::Vhost::builder()
        .identify("id", "night-7")
        .identify("seed", "4711")
        .identify("command", "make sim SEED=17")
        .record_with(
            folder.path().join("named.trace"),
            vhost::trace::Payloads::Drop,
        );
    named.record_failure("test", "no design").unwrap();
    report(
        folder.path(),
        &format!("many.trace {SEVERAL} named.trace -o all.html"),
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser.py");
    let ran = Command::new(python)
        .arg(script)
        .arg(folder.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{output}");
}
