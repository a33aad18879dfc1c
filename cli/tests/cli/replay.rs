use std::path::Path;

use vhost::trace::Payloads;

use crate::run::{Run, entries, frames, seal};
use crate::{command, end, vhost_on};

#[test]
fn a_recorded_run_is_replayed_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::default();
    let trace = run.record(folder.path());
    let count = entries(&trace).len();
    let output = vhost_on("replay", &trace).stdout(0);
    assert!(
        output.starts_with(&format!("replayed: {count} messages in ")),
        "{output}"
    );
    let printed = vhost_on("replay --print", &trace).stdout(0);
    let lines = printed.matches("] a line, and some\n").count() as u64;
    assert_eq!(lines, 2 * run.prints, "{printed}");
}

#[test]
fn a_changed_byte_is_reported_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let mut bytes = std::fs::read(&trace).unwrap();
    // The first difference is a message to the console: memory's replies come from the recording,
    // and their effects are compared.
    let shown = entries(&trace);
    let print = shown
        .iter()
        .find(|entry| entry["message"] == "Print")
        .unwrap();
    let number = print["frame"].as_u64().unwrap();
    let frame = frames(&bytes)[usize::try_from(number).unwrap()].clone();
    bytes[frame.content.end - 2] ^= 1;
    seal(&mut bytes, &frame);
    std::fs::write(&trace, bytes).unwrap();
    let output = vhost_on("replay", &trace).stdout(1);
    assert!(
        output.starts_with(&format!("different: frame {number} differs")),
        "{output}"
    );
}

#[test]
fn one_actor_is_replayed_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::default();
    let trace = run.record(folder.path());
    let shown = entries(&trace);
    for actor in ["mailbox", "memory", "rpc", "files", "console", "sockets"] {
        let found = shown.iter().filter(|entry| {
            let by = if entry["event"] == "message" {
                "from"
            } else {
                "to"
            };
            entry[by] == actor
        });
        let output = vhost_on(&format!("replay --only {actor}"), &trace).stdout(0);
        let count = found.count();
        assert!(
            output.starts_with(&format!("replayed: {count} messages of {actor} in ")),
            "{output}"
        );
    }
    let printed = vhost_on("replay --print --only console", &trace).stdout(0);
    let lines = printed.matches("] a line, and some\n").count() as u64;
    assert_eq!(lines, 2 * run.prints, "{printed}");
    let output = vhost_on("replay --print --only mailbox", &trace).stderr(2);
    assert!(output.contains("--only mailbox prints nothing"), "{output}");
    for absent in ["htif", "rtt", "semihosting"] {
        let output = vhost_on(&format!("replay --only {absent}"), &trace).stderr(2);
        let expected = format!("has no messages of {absent}; it has those of mailbox, memory, rpc");
        assert!(output.contains(&expected), "{output}");
    }
    let output = vhost_on("replay --only mailman", &trace).stderr(2);
    assert!(
        output.contains("mailbox, htif, rtt, semihosting, memory, rpc, files, console, sockets"),
        "{output}"
    );
}

#[test]
fn recordings_without_payloads_are_not_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        payloads: Payloads::Hash,
        ..Run::default()
    };
    let trace = run.record(folder.path());
    let output = vhost_on("replay", &trace).stderr(2);
    assert!(output.contains("without payloads"), "{output}");
}

#[test]
fn attachments_see_the_replay() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::default();
    let trace = run.record(folder.path());
    let (log, table) = (
        folder.path().join("requests.log"),
        folder.path().join("requests.json"),
    );
    let attach = format!(
        "replay --attach check,log={} --attach statistics={}",
        log.display(),
        table.display()
    );
    let ended = vhost_on(&attach, &trace);
    assert_eq!(ended.stderr, "");
    ended.stdout(0);
    let lines = std::fs::read_to_string(log).unwrap();
    let prints = lines.lines().filter(|line| line.contains(": PRINT "));
    assert_eq!(prints.count() as u64, 2 * run.prints, "{lines}");
    let table: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(table).unwrap()).unwrap();
    let stat = vhost_on("trace stat --json", &trace).stdout(0);
    let stat: serde_json::Value = serde_json::from_str(&stat).unwrap();
    assert_eq!(stat["requests"], table);
}

#[test]
fn an_unknown_name_is_reported_with_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let output = vhost_on("replay --attach chek", &trace).stderr(2);
    assert!(
        output.contains("`chek`") && output.contains("`check`"),
        "{output}"
    );
    let output = vhost_on("replay --attach log=/no/such/folder/log", &trace).stderr(2);
    assert!(output.contains("/no/such/folder/log"), "{output}");
}

#[test]
fn an_error_that_a_checker_finds_has_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        astray: true,
        ..Run::default()
    };
    let trace = run.record(folder.path());
    vhost_on("replay", &trace).stdout(0);
    vhost_on("replay --attach check=warning", &trace).stdout(0);
    let output = vhost_on("replay --attach check", &trace).stderr(1);
    let (start, text) = output.split_once(": channel `core0`: ").unwrap();
    assert!(start.starts_with("error: protocol: tick "), "{output}");
    let expected = "firmware reaches outside of the map by MEMSET ";
    assert!(text.starts_with(expected), "{output}");
}

#[test]
fn a_recording_of_an_option_is_as_the_environment_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/selftest-rv32.elf");
    let trace = folder.path().join("run.trace");
    let run = |variables: &[(&str, &str)]| {
        let mut run = command();
        run.envs(variables.iter().copied());
        end(run.arg("run").arg(&image).arg("--record").arg(&trace))
    };
    for (payloads, text) in [("keep", "with payloads"), ("drop", "without payloads")] {
        let variables = [
            ("VHOST_TRACE_PAYLOADS", payloads),
            ("VHOST_TRACE_COMPRESS", "zstd"),
        ];
        run(&variables);
        let stat = vhost_on("trace stat", &trace).stdout(0);
        assert!(stat.contains(text), "{stat}");
        let bytes = std::fs::read(&trace).unwrap();
        assert!(!bytes.starts_with(b"VHOSTTRC"));
    }
    for variable in ["VHOST_TRACE_PAYLOADS", "VHOST_TRACE_COMPRESS"] {
        let error = run(&[(variable, "some")]).stderr(125);
        assert!(error.contains(variable), "{error}");
    }
}
