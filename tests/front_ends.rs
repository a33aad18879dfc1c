//! Front ends in whole systems: sockets and methods of RTT, exits of other protocols, statistics,
//! `mb_served`, replays.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::task::Poll;
use std::time::Duration;

use test_support::elf::{Elf, Segment};
use test_support::kept_bytes::KeptBytes;
use vhost::attach::{Logger, Statistics};
use vhost::{Builder, Cut, HostProgramCall, Replay, Vhost};

const MEMORIES: &str =
    "space: {cpu: [ram: {base: 0x80000000, size: 0x10000, path: r, width: 64, backend: static}]}";

const BLOCK: u64 = 0x8000_1000;
const NAMES: u64 = 0x8000_2000;
const DATA: u64 = 0x8000_3000;
const SIZE: u32 = 64;

const TOHOST: u64 = 0x8000_4000;

/// Number of polls after which a test fails instead of hanging.
const POLLS: usize = 1_000_000;

/// Starts a system. Also returns its reports.
fn start(mailboxes: &str, change: impl FnOnce(Builder) -> Builder) -> (Vhost, Receiver<String>) {
    let (sender, reports) = channel();
    let builder = Vhost::builder()
        .memories_text(MEMORIES)
        .mailboxes_text(mailboxes)
        .on_report(move |report| {
            let _ = sender.send(report.text.clone());
        });
    (change(builder).start().unwrap(), reports)
}

/// Sets up up buffers with these names, and a down buffer for each.
fn set_up(vhost: &Vhost, names: &[&str]) {
    let put = |address, bytes: &[u8]| vhost.write_from("cpu", address, bytes).unwrap();
    let count = names.len();
    for at in 0..2 * count {
        let name = NAMES + 0x40 * at as u64;
        put(name, names[at % count].as_bytes());
        put(name + names[at % count].len() as u64, &[0]);
        let data = DATA + u64::from(SIZE) * at as u64;
        let words = [name as u32, data as u32, SIZE, 0, 0, 2];
        let descriptor = BLOCK + 24 + 24 * at as u64;
        put(descriptor, words.map(u32::to_le_bytes).as_flattened());
    }
    let numbers = [count as u32; 2].map(u32::to_le_bytes);
    put(BLOCK + 16, numbers.as_flattened());
    put(BLOCK, b"SEGGER RTT\0\0\0\0\0\0");
}

fn word(vhost: &Vhost, address: u64) -> u32 {
    vhost.read_u32("cpu", address).unwrap()
}

/// Address of the write offset of a buffer.
fn offset(position: u64) -> u64 {
    BLOCK + 24 + 24 * position + 12
}

/// Writes bytes to an up buffer with enough room.
fn write_up(vhost: &Vhost, number: u64, bytes: &[u8]) {
    let mut at = word(vhost, offset(number));
    for byte in bytes {
        let address = DATA + u64::from(SIZE) * number + u64::from(at);
        vhost.write_u8("cpu", address, *byte).unwrap();
        at = (at + 1) % SIZE;
    }
    vhost.write_u32("cpu", offset(number), at).unwrap();
}

/// Takes all bytes of a buffer, by its position.
fn take(vhost: &Vhost, position: u64) -> Vec<u8> {
    let (write, mut read) = (
        word(vhost, offset(position)),
        word(vhost, offset(position) + 4),
    );
    let mut bytes = Vec::new();
    while read != write {
        let address = DATA + u64::from(SIZE) * position + u64::from(read);
        bytes.push(vhost.read_u8("cpu", address).unwrap());
        read = (read + 1) % SIZE;
    }
    vhost.write_u32("cpu", offset(position) + 4, read).unwrap();
    bytes
}

const RTT: &str = "rtt: {space: cpu, ptr: 32, abi: rtt, rtt: {address: 0x80001000, up: {TARGETS}}}";

fn rtt(targets: &str) -> String {
    RTT.replace("TARGETS", targets)
}

#[test]
fn a_terminal_attaches_to_a_buffer_in_both_directions() {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let mailboxes = rtt("'1': {socket: 0}");
    let (vhost, reports) = start(&mailboxes, |builder| builder.record(trace.path()));
    let report = reports.recv().unwrap();
    let port = report.split("on port ").nth(1).unwrap();
    let port: u16 = port.split(' ').next().unwrap().parse().unwrap();
    set_up(&vhost, &["Terminal", "shell"]);
    vhost.tick().unwrap();
    let mut terminal = TcpStream::connect(("127.0.0.1", port)).unwrap();
    terminal.write_all(b"typed").unwrap();
    let mut typed = Vec::new();
    for _ in 0..POLLS {
        vhost.tick().unwrap();
        typed.extend(take(&vhost, 3));
        if typed.len() == 5 {
            break;
        }
    }
    assert_eq!(typed, b"typed");
    write_up(&vhost, 1, b"echoed");
    vhost.tick().unwrap();
    let mut echoed = [0; 6];
    terminal.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"echoed");
    // A client that has left is dropped, and others may connect.
    drop(terminal);
    for _ in 0..100 {
        vhost.tick().unwrap();
    }
    let mut next = TcpStream::connect(("127.0.0.1", port)).unwrap();
    next.set_read_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    let mut first = [0];
    for _ in 0..POLLS {
        write_up(&vhost, 1, b"x");
        vhost.tick().unwrap();
        match next.read(&mut first) {
            Ok(1) => break,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(&first, b"x");
    vhost.shutdown();
    Replay::of(trace.path()).run().unwrap();
    for actor in ["rtt", "sockets"] {
        let replay = Replay::of(trace.path()).only(actor.parse().unwrap());
        replay.run().unwrap();
    }
}

#[test]
fn a_method_gets_each_piece_and_may_be_pending() {
    let (sender, calls) = channel();
    let mut polls = 0;
    let mailboxes = rtt("events: {method: seen}");
    let (vhost, _reports) = start(&mailboxes, |builder| {
        builder.method("seen", move |vhost: &Vhost, call: HostProgramCall<'_>| {
            polls += 1;
            if polls % 2 == 1 {
                return Ok(Poll::Pending);
            }
            let [number, address, len] = call.args[..3] else {
                panic!("{:?}", call.args);
            };
            let bytes = vhost.read("cpu", address, len).unwrap();
            sender.send((number, bytes.to_vec())).unwrap();
            Ok(Poll::Ready(0))
        })
    });
    set_up(&vhost, &["Terminal", "events"]);
    vhost.tick().unwrap();
    write_up(&vhost, 1, b"an event");
    vhost.tick().unwrap();
    // The bytes stay in the buffer while the method is pending.
    assert_eq!(word(&vhost, offset(1) + 4), 0);
    let status = vhost.status().unwrap();
    assert!(
        status.contains("delivers bytes of up channel 1 `events`"),
        "{status}"
    );
    vhost.tick().unwrap();
    assert_eq!(word(&vhost, offset(1) + 4), 8);
    assert_eq!(
        calls.try_iter().collect::<Vec<_>>(),
        [(1, b"an event".to_vec())]
    );
}

/// Bytes for a method that is not there, or fails, are taken and lost. Each buffer is reported
/// once, and others are served.
#[test]
fn bytes_for_methods_that_fail_are_lost() {
    let mailboxes = rtt("'0': {method: nobody}, '1': {method: fails}, '2': {method: panics}");
    let text = KeptBytes::default();
    let (vhost, reports) = start(&mailboxes, |builder| {
        builder
            .console(text.clone())
            .method("fails", |_, _| Err("no room".into()))
            .method("panics", |_, _| panic!("on purpose"))
    });
    set_up(&vhost, &["zero", "one", "two", "three"]);
    for _ in 0..3 {
        for number in 0..3 {
            write_up(&vhost, number, b"lost");
        }
        write_up(&vhost, 3, b"a line\n");
        vhost.tick().unwrap();
    }
    for number in 0..4 {
        let [write, read] = [0, 4].map(|at| word(&vhost, offset(number) + at));
        assert_eq!(write, read, "{number}");
    }
    assert_eq!(text.text(), "[rtt] three: a line\n".repeat(3));
    let notified: Vec<String> = reports.try_iter().collect();
    for (number, reason) in [
        (0, "method `nobody`"),
        (1, "method `fails` failed: no room"),
        (2, "on purpose"),
    ] {
        let start = format!("RTT: up channel {number} `");
        let of: Vec<&String> = notified
            .iter()
            .filter(|it| it.starts_with(&start))
            .collect();
        assert_eq!(of.len(), 1, "{notified:?}");
        assert!(of[0].contains(reason), "{notified:?}");
    }
    vhost.shutdown();
}

#[test]
fn rtt_beside_htif_ends_with_it_and_both_are_counted() {
    let statistics = Statistics::new();
    let log = tempfile::NamedTempFile::new().unwrap();
    let mailboxes = format!(
        "cpu: {{space: cpu, abi: htif, tohost: {TOHOST:#x}, fromhost: {:#x}, settle: 0}}\n{}",
        TOHOST + 0x40,
        rtt("")
    );
    let (vhost, _reports) = start(&mailboxes, |builder| {
        builder
            .attach(statistics.clone())
            .attach(Logger::file(log.path()))
    });
    set_up(&vhost, &["Terminal", "log"]);
    assert_eq!(vhost.tick().unwrap(), 1);
    write_up(&vhost, 0, b"some text\n");
    assert_eq!(vhost.tick().unwrap(), 1);
    // Bytes written with the exit are delivered.
    write_up(&vhost, 1, b"last\n");
    vhost.write_u64("cpu", TOHOST, 5 << 1 | 1).unwrap();
    assert_eq!(vhost.tick().unwrap(), 0);
    let exits: Vec<_> = vhost.exits().into_iter().map(|exit| exit.code).collect();
    assert_eq!(exits, [Some(5), None]);
    assert_eq!(word(&vhost, offset(1) + 4), 5);
    vhost.shutdown();
    let table = statistics.table();
    let up = table.of("rtt", "rtt up").unwrap();
    assert_eq!((up.count, up.failed, up.bytes), (2, 0, 15));
    assert_eq!(table.of("cpu", "exit").unwrap().count, 1);
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("rtt: rtt up 0 `Terminal`, 10 bytes"), "{log}");
    assert!(log.contains("cpu: exit(5); taken in tick 3"), "{log}");
}

#[test]
fn a_channel_without_semihosting_refuses_operations() {
    let (vhost, _reports) = start(&rtt(""), |builder| builder);
    let error = vhost.semihost("rtt", 0, 1, 0).unwrap_err().to_string();
    assert_eq!(
        error,
        "channel `rtt`: it has no semihosting; configure `abi: semihosting`"
    );
    let error = vhost.semihost("other", 0, 1, 0).unwrap_err().to_string();
    assert_eq!(error, "channel `other`: there is no such channel");
}

/// Reports have the reason of each failure, the name of a file as firmware knows it, and no control
/// characters of firmware.
#[test]
fn reports_on_files_are_readable() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in"), "text").unwrap();
    let mailboxes = format!(
        "{}\ncalls: {{space: cpu, ptr: 32, abi: semihosting, stub: none}}\n",
        rtt("'0': {file: no/such}")
    );
    let (vhost, reports) = start(&mailboxes, |builder| builder.files(folder.path()));
    let operate = |operation, name: &[u8], words: &[u32]| {
        vhost.write_from("cpu", NAMES + 0x400, name).unwrap();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        vhost.write_from("cpu", DATA + 0x400, &bytes).unwrap();
        let result = vhost.semihost("calls", 0, operation, DATA + 0x400);
        result.unwrap().unwrap() as u32
    };
    let name = NAMES as u32 + 0x400;
    let last = || reports.try_iter().last().unwrap();
    let handle = operate(0x01, b"in", &[name, 0, 2]);
    operate(0x05, b"x", &[handle, name, 1]);
    let text = last();
    assert!(
        text.contains(": the file was opened for reading only; answered EBADF"),
        "{text}"
    );
    operate(0x01, b"\x1b[31m\n\0.txt", &[name, 0, 11]);
    let text = last();
    assert!(!text.contains(char::is_control), "{text:?}");
    operate(0x01, &[b'x'; 1000], &[name, 0, 1000]);
    let text = last();
    assert!(text.len() < 400, "{text}");
    let unset = [b"${\n".as_slice(), &[b'x'; 900], b"}"].concat();
    operate(0x01, &unset, &[name, 0, unset.len() as u32]);
    let text = last();
    assert!(text.contains("environment variable"), "{text:?}");
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(text.len() < 700, "{text}");
    set_up(&vhost, &["Terminal"]);
    vhost.tick().unwrap();
    write_up(&vhost, 0, b"lost");
    vhost.tick().unwrap();
    let text = last();
    let expected = "RTT: up channel 0 `Terminal`: file `no/such`: ENOENT (no such file or directory); its bytes are lost";
    assert!(text.starts_with(expected), "{text}");
}

/// A text of WRITE0 has no length: it is printed as a whole up to 1 MiB.
#[test]
fn long_texts_of_semihosting_are_printed() {
    const START: u64 = 0x8000_0000;
    const LIMIT: usize = 1 << 20;
    const MEMORY: usize = 2 << 20;
    let folder = tempfile::tempdir().unwrap();
    let (sender, reports) = channel();
    let vhost = Vhost::builder()
        .memories_text(
            "space: {cpu: [ram: {base: 0x80000000, size: 0x200000, path: r, width: 64, backend: static}]}",
        )
        .mailboxes_text(
            "cpu: {space: cpu, ptr: 32, abi: semihosting, stub: none, stdio: {stdout: out}}",
        )
        .files(folder.path())
        .on_report(move |report| {
            let _ = sender.send(report.text.clone());
        })
        .start()
        .unwrap();
    let mut printed = 0;
    let mut print = |address: u64, fails| {
        let result = vhost.semihost("cpu", 0, 0x04, address).unwrap();
        assert_eq!(result, Some(if fails { 0xffff_ffff } else { 0 }));
        let all = std::fs::read(folder.path().join("out")).unwrap_or_default();
        let new = all.len() - printed;
        printed = all.len();
        new
    };
    let text = vec![b'x'; MEMORY];
    vhost.write_from("cpu", START, &text).unwrap();
    for len in [0, 1, 4095, 4096, 4097, 8192, 100_000, LIMIT - 1] {
        vhost.write_u8("cpu", START + len as u64, 0).unwrap();
        assert_eq!(print(START, false), len);
        vhost.write_u8("cpu", START + len as u64, b'x').unwrap();
    }
    assert_eq!(reports.try_iter().count(), 0);
    assert_eq!(print(START, true), LIMIT);
    let notified: Vec<_> = reports.try_iter().collect();
    assert!(
        notified[0].contains("no NUL in 1048576 bytes, which are printed; answered EINVAL"),
        "{notified:?}"
    );
    // The memory ends before the text.
    print(START + MEMORY as u64 - 5000, true);
    let notified: Vec<_> = reports.try_iter().collect();
    assert!(notified[0].contains("answered EFAULT"), "{notified:?}");
}

/// A response that firmware has not taken is in `fromhost` only, where the status reads it.
#[test]
fn the_status_names_the_side_of_htif_that_is_due() {
    let from = TOHOST + 0x40;
    let mailboxes =
        format!("cpu: {{space: cpu, abi: htif, tohost: {TOHOST:#x}, fromhost: {from:#x}}}");
    let (vhost, _reports) = start(&mailboxes, |builder| builder);
    let status = || vhost.status().unwrap();
    let due = "waits for firmware to write a command";
    vhost.tick().unwrap();
    assert!(status().contains(due), "{}", status());
    // Name of the device, from the device itself.
    let identify = 0x01ff << 48 | DATA << 8 | 0xff;
    vhost.write_u64("cpu", TOHOST, identify).unwrap();
    vhost.tick().unwrap();
    vhost.tick().unwrap();
    assert_ne!(vhost.read_u64("cpu", from).unwrap(), 0);
    let text = status();
    let taken =
        format!("waits for firmware to take a response, and to clear fromhost at {from:#x}");
    assert!(text.contains(&taken), "{text}");
    vhost.write_u64("cpu", from, 0).unwrap();
    assert!(status().contains(due), "{}", status());
}

#[test]
fn the_status_shows_a_held_lock_of_the_code_in_place_of_traps() {
    let stub = 0x8000_8000_u64;
    let mailboxes = format!("cpu: {{space: cpu, ptr: 32, abi: semihosting, stub: {stub:#x}}}");
    let (vhost, _reports) = start(&mailboxes, |builder| builder);
    vhost.tick().unwrap();
    let held = "the lock of the code in place of traps is held";
    assert!(!vhost.status().unwrap().contains(held));
    vhost.write_u32("cpu", stub + 192, 1).unwrap();
    let status = vhost.status().unwrap();
    assert!(status.contains(held), "{status}");
}

/// A name that is longer than its column widens the column in every line.
#[test]
fn columns_of_statistics_are_as_wide_as_their_names() {
    let statistics = Statistics::new();
    let mailboxes = "semihosting of core 0: {space: cpu, ptr: 32, abi: semihosting, stub: none}\n\
         calls: {space: cpu, ptr: 32, abi: semihosting, stub: none}";
    let (vhost, _reports) = start(mailboxes, |builder| builder.attach(statistics.clone()));
    for channel in ["semihosting of core 0", "calls"] {
        vhost.semihost(channel, 0, 0x31, 0).unwrap();
        vhost.semihost(channel, 0, 0x20, DATA).unwrap();
    }
    let table = statistics.table().to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 5, "{table}");
    let end = lines[0].find(" count ").unwrap() + " count".len();
    for line in &lines[1..] {
        let (before, after) = line.split_at(end);
        assert!(before.ends_with(" 1") && after.starts_with(' '), "{table}");
    }
}

/// RTT's state begins with its wait, so that a part of a recording can begin at any tick, whichever
/// protocol is active.
#[test]
fn a_part_of_a_recording_with_rtt_begins_where_it_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let [trace, part] = ["run", "part"].map(|name| folder.path().join(format!("{name}.trace")));
    let mailboxes = format!(
        "cpu: {{space: cpu, abi: htif, tohost: {TOHOST:#x}, fromhost: {:#x}, settle: 0}}\n\
         rtt: {{space: cpu, ptr: 32, abi: rtt, stdio: {{stdin: testbench}}, \
               rtt: {{address: {BLOCK:#x}, up: {{log: lines}}, mode: {{log: block}}}}}}",
        TOHOST + 0x40
    );
    let (vhost, _reports) = start(&mailboxes, |builder| builder.record(&trace));
    let mut typed = 0;
    for tick in 1..=160_u64 {
        match tick {
            20 => set_up(&vhost, &["Terminal", "log"]),
            50 => typed = vhost.write_stdin("rtt", &[b'i'; 100]).unwrap(),
            // A reset of firmware, and a second control block.
            120 => vhost.write_from("cpu", BLOCK, &[0; 16]).unwrap(),
            125 => set_up(&vhost, &["Terminal", "log"]),
            _ => {}
        }
        let has_block = (21..120).contains(&tick) || tick > 125;
        if has_block && tick % 7 == 0 {
            write_up(&vhost, tick % 2, b"some text\n");
        }
        if has_block && tick % 13 == 0 && tick > 70 {
            take(&vhost, 2);
        }
        if tick % 11 == 0 {
            vhost.write_u64("cpu", TOHOST, 0x0101 << 48 | 0x41).unwrap();
        }
        vhost.tick().unwrap();
    }
    assert_eq!(typed, 100);
    vhost.shutdown();
    Replay::of(&trace).run().unwrap();
    for first in [
        3, 11, 19, 22, 28, 33, 45, 52, 60, 77, 99, 115, 122, 130, 150,
    ] {
        let cut = Cut::of(&trace, first..=first + 25, &part).unwrap();
        assert_eq!((cut.first, cut.earlier), (first, None));
    }
}

/// A status is compared, too: it contains the bytes that the buffers have transferred since the
/// start.
#[test]
fn a_part_with_a_status_of_rtt_begins_where_it_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let [trace, part] = ["run", "part"].map(|name| folder.path().join(format!("{name}.trace")));
    let (vhost, _reports) = start(&rtt(""), |builder| builder.record(&trace));
    set_up(&vhost, &["Terminal", "log"]);
    for tick in 1..=60_u64 {
        if tick % 9 == 0 && tick < 40 {
            write_up(&vhost, 0, b"some text\n");
        }
        vhost.tick().unwrap();
    }
    vhost.status().unwrap();
    vhost.shutdown();
    for first in [10, 35, 50] {
        let cut = Cut::of(&trace, first..=u64::MAX, &part).unwrap();
        assert_eq!((cut.first, cut.earlier), (first, None));
    }
}

/// The first tick of a run from a checkpoint follows the restore.
#[test]
fn a_part_of_a_restored_run_begins_where_it_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let [trace, part] = ["run", "part"].map(|name| folder.path().join(format!("{name}.trace")));
    let checkpoint = folder.path().join("run.checkpoint");
    let go_on = |vhost: &Vhost, ticks: std::ops::Range<u64>| {
        for tick in ticks {
            if tick % 9 == 0 {
                write_up(vhost, 0, b"some text\n");
            }
            vhost.tick().unwrap();
        }
    };
    let (vhost, _reports) = start(&rtt(""), |builder| builder);
    set_up(&vhost, &["Terminal", "log"]);
    go_on(&vhost, 1..21);
    vhost.save(&checkpoint).unwrap();
    vhost.shutdown();
    let (vhost, _reports) = start(&rtt(""), |builder| builder.record(&trace));
    vhost.restore(&checkpoint).unwrap();
    set_up(&vhost, &["Terminal", "log"]);
    go_on(&vhost, 21..61);
    vhost.shutdown();
    Replay::of(&trace).run().unwrap();
    for first in [30, 40, 55] {
        let cut = Cut::of(&trace, first..=u64::MAX, &part).unwrap();
        assert_eq!((cut.first, cut.earlier), (first, None));
    }
}

/// The C ABI: operations, the wait for input, errors, and traps that are replaced.
#[test]
fn c_asks_for_operations_of_semihosting() {
    use test_support::c_host::{self, last_error, semihost, semihost_replace};
    let folder = tempfile::tempdir().unwrap();
    // A trap between two other instructions.
    let code = [0x13, 0x01f0_1013, 0x0010_0073, 0x4070_5013, 0x13_u32].map(u32::to_le_bytes);
    let code = code.as_flattened();
    let elf = folder.path().join("firmware.elf");
    let image = Elf::of(vec![Segment::at(0x100, code, code.len() as u64)]);
    std::fs::write(&elf, image.build()).unwrap();
    let mailboxes = format!(
        "\
semi: {{space: core, elf: {}, ptr: 32, abi: semihosting, stub: 0x8000, stdio: {{stdin: testbench}}}}
plain: {{space: core, ptr: 32, abi: semihosting, stub: none}}
box: {{space: core, base: 0x1000, ptr: 32, cache_line: 0}}
",
        elf.display()
    );
    let started = c_host::init(folder.path(), c_host::MEMORIES, &mailboxes);
    assert_eq!(started, 0, "{}", last_error());
    assert_eq!(semihost(c"semi", 0x31, 0), (1, 1_000_000_000));
    // A failed operation is answered, and has the width of firmware.
    assert_eq!(semihost(c"semi", 0x99, 0), (1, u32::MAX.into()));
    // A character that is not there yet.
    assert_eq!(semihost(c"semi", 0x07, 0).0, 0);
    for (channel, reason) in [
        (c"box", "channel `box`"),
        (c"none", "channel `none`"),
        (c"\xff", "UTF-8"),
    ] {
        assert_eq!(semihost(channel, 0x31, 0), (-1, u64::MAX));
        assert!(last_error().contains(reason), "{}", last_error());
    }
    for null in [None, Some(c"semi")] {
        assert_eq!(c_host::semihost_with_null(null), -1);
        assert!(last_error().contains("NULL"), "{}", last_error());
    }
    // The code, as firmware has copied it.
    assert!(c_host::write(0x200, code));
    for (channel, reason) in [(c"plain", "channel `plain`"), (c"box", "channel `box`")] {
        assert_eq!(semihost_replace(channel, 0x200, 20), -1);
        assert!(last_error().contains(reason), "{}", last_error());
    }
    assert_eq!(semihost_replace(c"semi", 0x200, 20), 1, "{}", last_error());
    assert_eq!(semihost_replace(c"semi", 0x200, 20), 0, "it is replaced");
    assert_eq!(
        semihost_replace(c"semi", 0xffff, 20),
        -1,
        "outside of memory"
    );
    let mut now = [0; 20];
    assert!(c_host::read(0x200, &mut now));
    assert_eq!(now[..4], code[..4]);
    assert_ne!(now[4..8], code[4..8], "a jump");
    assert_eq!(now[8..], code[8..]);
    // An exit of one channel, whose operations are refused from then on.
    assert_eq!(semihost(c"plain", 0x18, 0x20026).0, 1);
    assert_eq!(c_host::mb_tick(), 2);
    assert_eq!(semihost(c"plain", 0x31, 0), (-1, u64::MAX));
    assert!(last_error().contains("exited"), "{}", last_error());
    c_host::mb_shutdown();
    assert_eq!(semihost(c"semi", 0x31, 0), (-1, u64::MAX));
}
