use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use mailbox_rs::{CacheLine, Layout, PtrWidth};
use serde_json::Value;
use vhost::trace::{Payloads, Trace};

use crate::run::{Frame, Run, entries, frames, lines};
use crate::{command, vhost_on};

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_default()
}

#[test]
fn every_entry_is_a_line_of_text_and_a_line_of_json() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let recorded: Vec<_> = Trace::open(&trace).unwrap().map(Result::unwrap).collect();
    let table = vhost_on("trace show", &trace).stdout(0);
    assert_eq!(table.lines().count(), recorded.len() + 1);
    let shown = entries(&trace);
    assert_eq!(shown.len(), recorded.len());
    for ((entry, shown), line) in recorded.iter().zip(&shown).zip(table.lines().skip(1)) {
        assert_eq!(shown["frame"], entry.frame);
        assert_eq!(shown["sequence"], entry.sequence);
        assert_eq!(shown["root"], entry.root);
        assert_eq!(shown["tick"], entry.tick);
        assert_eq!(text(shown, "from"), entry.kind.from);
        assert_eq!(text(shown, "to"), entry.kind.to);
        assert_eq!(text(shown, "message"), entry.kind.name);
        assert_eq!(shown["event"] == "message", shown.get("awaited").is_some());
        assert!(shown.get("body").is_some() && shown.get("error").is_none());
        let mut columns = line.split_whitespace();
        assert_eq!(columns.next().unwrap(), entry.tick.to_string());
        assert_eq!(columns.next().unwrap(), entry.sequence.to_string());
        let channel = shown.get("channel").map_or("-", |it| it.as_str().unwrap());
        assert_eq!(columns.next().unwrap(), channel);
        assert!(line.contains(&entry.kind.name), "{line}");
    }
}

/// Whole output for a few ticks: header, columns and messages.
#[test]
fn the_table_of_a_channel() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let table = vhost_on("trace show --channel core0 --ticks 3..4", &trace).stdout(0);
    insta::assert_snapshot!(table);
}

#[test]
fn the_keys_are_those_of_the_documentation() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/trace.md");
    let page = std::fs::read_to_string(page).unwrap();
    let table = page.split("| key | |\n| --- | --- |\n").nth(1).unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    // Text between the first two bars of a row, such as `from`, `to`.
    let named = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    let named: BTreeSet<String> = named.map(str::to_owned).collect();

    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let shown = entries(&trace);
    let keys = shown.iter().flat_map(|it| it.as_object().unwrap().keys());
    let mut keys: BTreeSet<String> = keys.cloned().collect();
    // Every message could be decoded.
    assert!(keys.insert("error".to_owned()));
    assert_eq!(keys, named);
}

#[test]
fn requests_are_shown_in_terms_of_the_protocol_and_bytes_in_hex() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let shown = entries(&trace);
    let requests: Vec<&str> = shown
        .iter()
        .filter(|entry| entry["channel"] == "core0" && entry["message"] == "Served")
        .map(|entry| text(entry, "request"))
        .collect();
    assert_eq!(requests.len(), 5, "{requests:?}");
    assert!(
        requests[0].starts_with("PRINT ptr 0x9000 len 17; done; slot 0"),
        "{requests:?}"
    );
    assert!(requests[3].contains("; gives 0x7; slot 3"), "{requests:?}");
    assert!(
        requests[4].starts_with("EXIT code 0; slot 4"),
        "{requests:?}"
    );
    let print = shown.iter().find(|entry| entry["message"] == "Print");
    let hex: String = Run::default()
        .text
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(print.unwrap()["body"]["text"], hex);
}

#[test]
fn accesses_are_shown_by_names_and_offsets() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let table = vhost_on("trace show --channel core0 --endpoint memory", &trace).stdout(0);
    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    // The mailbox is at 0x2000 in a memory that begins at 0x1000.
    let taken = 0x2000 + layout.request.idx_c;
    let take =
        format!("Access: set core0:{taken:#x} (4 bytes) to 0x1; read core0:0x9000 (17 bytes)");
    assert!(table.contains(&take), "{take}\n{table}");
    let put = format!(
        "set ram+{:#x} (4 bytes) to 0x1",
        0x1000 + layout.response.idx_p
    );
    assert!(table.contains(&put), "{put}\n{table}");
}

#[test]
fn filters_take_their_entries_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let all = entries(&trace);
    let filtered = |options: &str, wanted: &dyn Fn(&Value) -> bool| {
        let shown = vhost_on(&format!("trace show --json {options}"), &trace).stdout(0);
        let expected: Vec<Value> = all.iter().filter(|entry| wanted(entry)).cloned().collect();
        assert_eq!(lines(&shown), expected, "{options}");
        assert!(
            !expected.is_empty() && expected.len() < all.len(),
            "{options} takes {} of {}",
            expected.len(),
            all.len()
        );
    };
    let tick = |entry: &Value| entry["tick"].as_u64().unwrap();
    filtered("--channel core1", &|it| it["channel"] == "core1");
    filtered("--kind Served --kind DoorbellRang", &|it| {
        it["message"] == "Served" || it["message"] == "DoorbellRang"
    });
    filtered("--endpoint rpc", &|it| {
        it["from"] == "rpc" || it["to"] == "rpc"
    });
    filtered("--ticks 3..5", &|it| (3..=5).contains(&tick(it)));
    filtered("--ticks 6..", &|it| tick(it) >= 6);
    filtered("--ticks ..2", &|it| tick(it) <= 2);
    filtered("--ticks 4 --channel core0 --party memory", &|it| {
        tick(it) == 4
            && it["channel"] == "core0"
            && (it["from"] == "memory" || it["to"] == "memory")
    });
}

#[test]
fn all_work_for_a_channel_is_shown_with_that_channel() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let shown = entries(&trace);
    let served = |entry: &&Value| entry["from"] == "mailbox" || entry["from"] == "rpc";
    let nobodys = shown.iter().filter(served);
    let nobodys: Vec<_> = nobodys
        .filter(|entry| entry.get("channel").is_none() && entry["message"] != "Tick")
        .collect();
    assert!(nobodys.is_empty(), "{nobodys:?}");
    // Both cores do the same.
    let count = |name: &str| {
        let of_channel = shown.iter().filter(|entry| entry["channel"] == *name);
        of_channel.count()
    };
    assert_eq!(count("core0"), count("core1"));
}

#[test]
fn a_filter_that_takes_nothing_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let ended = vhost_on("trace show --channel croe0", &trace);
    assert_eq!(ended.stdout, "");
    let output = ended.stderr(0);
    assert!(output.contains("channels: core0, core1"), "{output}");
}

#[test]
fn long_messages_are_cut_unless_they_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let text = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
                0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
                0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef the end";
    let run = Run {
        text,
        ..Run::default()
    };
    let trace = run.record(folder.path());
    let cut = vhost_on("trace show --kind Print", &trace).stdout(0);
    assert!(!cut.contains("the end") && cut.contains('…'), "{cut}");
    let full = vhost_on("trace show --kind Print --full", &trace).stdout(0);
    assert!(full.contains("the end") && !full.contains('…'), "{full}");
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        prints: 300,
        ..Run::default()
    };
    let trace = run.record(folder.path());
    for words in ["trace show", "trace show --json", "trace export --perfetto"] {
        let mut child = command()
            .args(words.split_whitespace())
            .arg(&trace)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = vec![];
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_until(b'\n', &mut line).unwrap();
        assert!(!line.is_empty());
        drop(stdout);
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{words}: {ended:?}");
        assert_eq!(ended.stderr, b"", "{words}");
    }
}

/// Damages one frame of the recording, and returns the number of its block's first frame.
fn damaged(trace: &Path) -> usize {
    let mut bytes = std::fs::read(trace).unwrap();
    let frames = frames(&bytes);
    let damaged = &frames[frames.len() / 2];
    bytes[damaged.content.start] ^= 1;
    std::fs::write(trace, bytes).unwrap();
    let same_block = |frame: &Frame| frame.block == damaged.block;
    frames.iter().position(same_block).unwrap()
}

#[test]
fn entries_before_damage_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let whole = vhost_on("trace show", &trace).stdout(0);
    let frame = damaged(&trace);
    let ended = vhost_on("trace show", &trace);
    assert!(whole.starts_with(&ended.stdout) && ended.stdout.lines().count() > 20);
    let output = ended.stderr(2);
    assert!(
        output.contains(&format!("frame {frame}: checksum mismatch")),
        "{output}"
    );
}

#[test]
fn a_recording_that_was_cut_off_is_shown_to_its_last_whole_frame() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Run::default().record(folder.path());
    let whole = vhost_on("trace show", &trace).stdout(0);
    let bytes = std::fs::read(&trace).unwrap();
    std::fs::write(&trace, &bytes[..bytes.len() / 2]).unwrap();
    let cut = vhost_on("trace show", &trace).stdout(2);
    assert!(whole.starts_with(&cut) && cut.len() > whole.len() / 4);
}

#[test]
fn recordings_without_payloads_are_shown_too() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        payloads: Payloads::Drop,
        ..Run::default()
    };
    let trace = run.record(folder.path());
    assert!(entries(&trace).len() > 50);
}
