//! Protocol checker on HTIF, RTT and semihosting, in a run and in its replay.

use std::cell::RefCell;
use std::rc::Rc;

use vhost::attach::{Finding, Logger, ProtocolChecker};
use vhost::{Replay, Vhost};

use test_support::reports::Reports;

const MEMORIES: &str =
    "space: {cpu: [ram: {base: 0x80000000, size: 0x10000, path: r, width: 64, backend: static}]}";

const MAILBOXES: &str = "
cpu: {space: cpu, abi: htif, tohost: 0x80004000, fromhost: 0x80004040, settle: 0, stdio: {stdin: testbench}}
rtt: {space: cpu, ptr: 32, abi: rtt, rtt: {address: 0x80001000, mode: {'0': block}}, stdio: {stdin: testbench}}
calls: {space: cpu, ptr: 32, abi: semihosting, stub: none}
";

const TOHOST: u64 = 0x8000_4000;
const FROMHOST: u64 = 0x8000_4040;
const WORDS: u64 = 0x8000_5000;
const BUFFER: u64 = 0x8000_6000;
const BLOCK: u64 = 0x8000_1000;
const DATA: u64 = 0x8000_3000;
const SIZE: u32 = 32;

/// Findings of a run in which `act` is firmware. The replay has the same.
fn found(act: impl FnOnce(&Vhost)) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("run.trace");
    let reports = Reports::default();
    let vhost = Vhost::builder()
        .memories_text(MEMORIES)
        .mailboxes_text(MAILBOXES)
        .files(folder.path())
        .on_report(reports.callback())
        .attach(ProtocolChecker::new())
        .record(&trace)
        .start()
        .unwrap();
    act(&vhost);
    vhost.shutdown();
    let found = reports.take_of("protocol");
    let findings = Rc::new(RefCell::new(Vec::new()));
    let kept = findings.clone();
    Replay::of(&trace)
        .attach(ProtocolChecker::new())
        .on_finding(move |finding: &Finding| kept.borrow_mut().push(finding.text.clone()))
        .run()
        .unwrap();
    assert_eq!(findings.take(), found);
    found
}

fn tick(vhost: &Vhost) {
    vhost.notify();
    vhost.tick().unwrap();
}

fn put(vhost: &Vhost, address: u64, bytes: &[u8]) {
    vhost.write_from("cpu", address, bytes).unwrap();
}

/// Makes the host execute a system call, and takes its response.
fn call(vhost: &Vhost, words: [u64; 8]) -> u64 {
    put(vhost, WORDS, words.map(u64::to_le_bytes).as_flattened());
    vhost.write_u64("cpu", TOHOST, WORDS).unwrap();
    tick(vhost);
    tick(vhost);
    assert_eq!(vhost.read_u64("cpu", FROMHOST).unwrap(), 1);
    vhost.write_u64("cpu", FROMHOST, 0).unwrap();
    vhost.read_u64("cpu", WORDS).unwrap()
}

/// Sets up an up and a down buffer.
fn set_up(vhost: &Vhost) {
    for (at, data) in [(0, DATA), (1, DATA + 0x100)] {
        let words = [0, data as u32, SIZE, 0, 0, 0].map(u32::to_le_bytes);
        put(vhost, BLOCK + 24 + 24 * at, words.as_flattened());
    }
    put(
        vhost,
        BLOCK + 16,
        [1_u32; 2].map(u32::to_le_bytes).as_flattened(),
    );
    put(vhost, BLOCK, b"SEGGER RTT\0\0\0\0\0\0");
}

const UP_WRITE: u64 = BLOCK + 24 + 12;
const DOWN_WRITE: u64 = UP_WRITE + 24;

fn operate(vhost: &Vhost, operation: u64, words: &[u32]) -> Option<u64> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    put(vhost, WORDS, &bytes);
    vhost.semihost("calls", 0, operation, WORDS).unwrap()
}

#[test]
fn firmware_that_keeps_to_its_protocol_is_left_alone() {
    let found = found(|vhost| {
        put(vhost, BUFFER, b"file.txt\0");
        // HTIF, with a console read that waits.
        vhost.write_u64("cpu", TOHOST, 1 << 56).unwrap();
        tick(vhost);
        let cwd = (-100_i64).cast_unsigned();
        let fd = call(vhost, [56, cwd, BUFFER, 9, 0o102, 0o644, 0, 0]);
        assert_eq!(call(vhost, [64, fd, BUFFER, 9, 0, 0, 0, 0]), 9);
        assert_eq!(call(vhost, [67, fd, BUFFER + 64, 100, 4, 0, 0, 0]), 5);
        assert_eq!(call(vhost, [80, fd, BUFFER + 64, 0, 0, 0, 0, 0]), 0);
        vhost.write_stdin("cpu", b"x").unwrap();
        tick(vhost);
        tick(vhost);
        let read = 1 << 56 | 0x100 | u64::from(b'x');
        assert_eq!(vhost.read_u64("cpu", FROMHOST).unwrap(), read);
        vhost.write_u64("cpu", FROMHOST, 0).unwrap();
        // RTT in both directions, several times around the buffers, with resets.
        for round in 0..40 {
            if round % 10 == 0 {
                set_up(vhost);
                vhost.write_stdin("rtt", b"some input").unwrap();
            }
            let write = vhost.read_u32("cpu", UP_WRITE).unwrap();
            vhost
                .write_u32("cpu", UP_WRITE, (write + 13) % SIZE)
                .unwrap();
            tick(vhost);
            let read = vhost.read_u32("cpu", UP_WRITE + 4).unwrap();
            assert_eq!(read, (write + 13) % SIZE);
            let input = vhost.read_u32("cpu", DOWN_WRITE).unwrap();
            assert_eq!(input, 10);
            vhost.write_u32("cpu", DOWN_WRITE + 4, input).unwrap();
        }
        // Semihosting.
        let file = operate(vhost, 0x01, &[BUFFER as u32, 0, 8]).unwrap();
        let read = [file as u32, BUFFER as u32 + 64, 100];
        assert_eq!(operate(vhost, 0x06, &read), Some(91));
        assert_eq!(operate(vhost, 0x02, &[file as u32]), Some(0));
        vhost.write_u64("cpu", TOHOST, 1).unwrap();
        tick(vhost);
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn words_of_the_other_side_are_found() {
    let found = found(|vhost| {
        vhost.write_u64("cpu", TOHOST, 7 << 56 | 1).unwrap();
        tick(vhost);
        set_up(vhost);
        vhost.write_u32("cpu", UP_WRITE, 5).unwrap();
        tick(vhost);
        let offsets = [6_u32, 3].map(u32::to_le_bytes);
        put(vhost, UP_WRITE, offsets.as_flattened());
        tick(vhost);
        operate(vhost, 0x02, &[7]);
        operate(vhost, 0x40, &[]);
        assert_eq!(call(vhost, [80, 0, 4, 0, 0, 0, 0, 0]) as i64, -14);
    });
    insta::assert_snapshot!(found.join("\n"));
}

/// With a checkpoint in the middle, after which the checker is attached.
#[test]
fn a_restore_and_a_late_attachment_raise_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let reports = Reports::default();
    let vhost = Vhost::builder()
        .memories_text(MEMORIES)
        .mailboxes_text(MAILBOXES)
        .files(folder.path())
        .on_report(reports.callback())
        .start()
        .unwrap();
    put(&vhost, BUFFER, b"file.txt\0");
    set_up(&vhost);
    let cwd = (-100_i64).cast_unsigned();
    let fd = call(&vhost, [56, cwd, BUFFER, 9, 0o102, 0o644, 0, 0]);
    let handle = operate(&vhost, 0x01, &[BUFFER as u32, 0, 8]).unwrap() as u32;
    vhost.write_u64("cpu", TOHOST, 1 << 56).unwrap();
    tick(&vhost);
    vhost.attach(ProtocolChecker::new()).unwrap();
    let go_on = |up: u32| {
        assert_eq!(call(&vhost, [64, fd, BUFFER, 9, 0, 0, 0, 0]), 9);
        vhost.write_u32("cpu", UP_WRITE, up).unwrap();
        tick(&vhost);
        assert_eq!(operate(&vhost, 0x0a, &[handle, 0]), Some(0));
        vhost.write_stdin("cpu", b"x").unwrap();
        tick(&vhost);
        tick(&vhost);
        assert_ne!(vhost.read_u64("cpu", FROMHOST).unwrap(), 0);
        vhost.write_u64("cpu", FROMHOST, 0).unwrap();
        tick(&vhost);
    };
    let checkpoint = vhost.checkpoint().unwrap();
    go_on(9);
    vhost.restore_checkpoint(&checkpoint).unwrap();
    tick(&vhost);
    go_on(9);
    assert_eq!(operate(&vhost, 0x02, &[handle]), Some(0));
    assert_eq!(reports.take_of("protocol"), [""; 0]);
    operate(&vhost, 0x02, &[handle]);
    let found = reports.take_of("protocol");
    assert_eq!(found.len(), 1, "{found:?}");
    vhost.shutdown();
}

#[test]
fn the_log_has_arguments_of_requests() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("requests.log");
    let vhost = Vhost::builder()
        .memories_text(MEMORIES)
        .mailboxes_text(MAILBOXES)
        .files(folder.path())
        .console(std::io::sink())
        .attach(Logger::file(&log).json())
        .start()
        .unwrap();
    put(&vhost, BUFFER, b"file.txt\0");
    let cwd = (-100_i64).cast_unsigned();
    call(&vhost, [56, cwd, BUFFER, 9, 0o102, 0o644, 0, 0]);
    call(&vhost, [64, 1, BUFFER, 4, 0, 0, 0, 0]);
    call(&vhost, [34, cwd, BUFFER, 9, 0, 0, 0, 0]);
    call(&vhost, [80, 1, BUFFER + 64, 0, 0, 0, 0, 0]);
    operate(&vhost, 0x01, &[BUFFER as u32, 0, 8]);
    vhost.semihost("calls", 0, 0x04, BUFFER).unwrap();
    operate(&vhost, 0x0e, &[BUFFER as u32, 8]);
    put(&vhost, BUFFER + 16, b"other");
    operate(&vhost, 0x0f, &[BUFFER as u32, 8, BUFFER as u32 + 16, 5]);
    set_up(&vhost);
    put(&vhost, DATA, b"hello");
    vhost.write_u32("cpu", UP_WRITE, 5).unwrap();
    tick(&vhost);
    // Across the end of the ring, inside of a character.
    put(
        &vhost,
        DATA + 5,
        "abcdefghijklmnopqrstuvwxyzä".as_bytes().split_at(27).0,
    );
    put(&vhost, DATA, &["ä".as_bytes()[1], b'1', b'2']);
    vhost.write_u32("cpu", UP_WRITE, 3).unwrap();
    tick(&vhost);
    vhost.shutdown();
    let text = std::fs::read_to_string(log).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let lines: Vec<_> = lines
        .filter(|line| line["request"].is_string())
        .map(|line| {
            let about = line["about"].as_str().unwrap_or("-");
            format!("{}: {about}", line["request"].as_str().unwrap())
        })
        .collect();
    let expected = [
        "openat: file.txt",
        "write: file",
        "mkdirat: file.txt",
        "fstat: -",
        "open: file.txt",
        "write0: file.txt",
        "remove: file.txt",
        "rename: file.txt -> other",
        "rtt up: hello",
        "rtt up: abcdefghijklmnopqrstuvwxyzä12",
    ];
    assert_eq!(lines, expected);
}
