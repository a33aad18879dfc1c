//! Requests without a response of each protocol, on pages and in files for viewers.

use std::path::{Path, PathBuf};
use std::task::Poll;

use tempfile::TempDir;
use vhost::{HostProgramCall, Vhost};

use crate::{command, end};

const MEMORIES: &str =
    "space: {cpu: [ram: {base: 0x80000000, size: 0x10000, path: r, width: 64, backend: static}]}";

const MAILBOXES: &str = "
cpu: {space: cpu, abi: htif, tohost: 0x80004000, fromhost: 0x80004040, settle: 3, stdio: {stdin: testbench}}
rtt: {space: cpu, ptr: 32, abi: rtt, rtt: {address: 0x80001000, up: {'0': {method: seen}}}}
trap: {space: cpu, ptr: 32, abi: semihosting, stub: none, stdio: {stdin: testbench}}
";

const TOHOST: u64 = 0x8000_4000;
const BLOCK: u64 = 0x8000_1000;
/// Words of a system call, and of a parameter block.
const CALL: u64 = 0x8000_6000;
const PARAMETERS: u64 = 0x8000_5000;

/// Console read and console write of HTIF.
const READ: u64 = 1 << 56;
const WRITE: u64 = 0x0101_0000_0000_0041;

/// Starts a system without a request.
fn start(trace: &Path) -> Vhost {
    let vhost = Vhost::builder()
        .memories_text(MEMORIES)
        .mailboxes_text(MAILBOXES)
        .method("seen", |_: &Vhost, _: HostProgramCall<'_>| {
            Ok(Poll::Pending)
        })
        .on_report(|_| {})
        .record(trace)
        .start();
    vhost.unwrap()
}

/// Starts a system whose channels have requests without a response.
fn asked(trace: &Path) -> Vhost {
    let vhost = start(trace);
    let word = |address, word: u32| vhost.write_u32("cpu", address, word).unwrap();
    // An up buffer of RTT.
    for (at, number) in [(28, 0x8000_3000), (32, 64), (36, 9), (16, 1)] {
        word(BLOCK + at, number);
    }
    vhost
        .write_from("cpu", BLOCK, b"SEGGER RTT\0\0\0\0\0\0")
        .unwrap();
    // A read of standard input: its handle, address and length.
    for (at, number) in (0..).zip([0, 0x8000_5100, 4]) {
        word(PARAMETERS + 4 * at, number);
    }
    for (at, number) in (0..).zip([63, 0, 0x8000_6100, 4]) {
        word(CALL + 8 * at, number);
    }
    // A console read of HTIF, stored in halves.
    word(TOHOST + 4, (READ >> 32) as u32);
    for tick in 0..20 {
        vhost.notify();
        vhost.tick().unwrap();
        assert_eq!(vhost.semihost("trap", 1, 7, 0).unwrap(), None);
        assert_eq!(vhost.semihost("trap", 2, 6, PARAMETERS).unwrap(), None);
        let command = match tick {
            // It gets a response in between.
            5 => Some(WRITE),
            // The same read again, and a system call.
            7 => Some(READ),
            13 => Some(CALL),
            _ => None,
        };
        if let Some(command) = command {
            vhost.write_u64("cpu", TOHOST, command).unwrap();
        }
    }
    vhost
}

/// Recording of such a system.
pub(crate) fn recorded() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("run.trace");
    asked(&trace).shutdown();
    (folder, trace)
}

/// Recording of such a system that returns to a checkpoint. No operation of semihosting is
/// requested after it.
#[cfg(feature = "parquet")]
pub(crate) fn restored() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("run.trace");
    let vhost = asked(&trace);
    let checkpoint = vhost.checkpoint().unwrap();
    for _ in 0..3 {
        vhost.tick().unwrap();
    }
    vhost.restore_checkpoint(&checkpoint).unwrap();
    for _ in 0..3 {
        vhost.tick().unwrap();
    }
    vhost.shutdown();
    (folder, trace)
}

/// States of the channels on a page.
fn states(folder: &Path, trace: &Path) -> Vec<String> {
    let page = folder.join("page.html");
    let mut report = command();
    report.arg("report").arg(trace).arg("-o").arg(&page);
    end(&mut report);
    let data = crate::report::data(&std::fs::read_to_string(page).unwrap(), "run-0");
    let channels = data["channels"].as_array().unwrap();
    let states = channels.iter().map(|it| it["state"].as_str().unwrap());
    states.map(str::to_owned).collect()
}

#[test]
fn they_are_in_the_page() {
    let (folder, trace) = recorded();
    let expected = [
        "not answered since tick 1: console read",
        "not answered since tick 1: rtt up 0, 9 bytes, for method `seen`",
        "not answered since tick 1: readc(0x0) of hart 1",
    ];
    assert_eq!(states(folder.path(), &trace), expected);
}

#[test]
fn a_channel_without_one_has_its_last_poll() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("run.trace");
    let vhost = start(&trace);
    for tick in 0..6 {
        vhost.tick().unwrap();
        if tick == 3 {
            vhost.write_u64("cpu", TOHOST, WRITE).unwrap();
        }
    }
    vhost.shutdown();
    let states = states(folder.path(), &trace);
    let [cpu, _, trap] = &states[..] else {
        panic!("{states:?}");
    };
    assert!(cpu.starts_with("no request is open; last activity in tick "));
    assert_eq!(trap, "no request");
}

#[test]
fn they_are_in_the_waves() {
    let (_folder, trace) = recorded();
    let output = trace.with_extension("out");
    let mut export = command();
    export.args(["trace", "export", "--ftr"]).arg(&trace);
    end(export.arg("-o").arg(&output)).stdout(0);
    let bytes = std::fs::read(output).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
    for text in [
        "console read",
        "rtt up 0, 9 bytes, for method `seen`",
        "readc(0x0) of hart 1",
        "not answered",
    ] {
        assert!(has(text), "{text}");
    }
}
