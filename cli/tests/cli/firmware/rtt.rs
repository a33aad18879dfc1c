//! Programs with RTT: one in C, written from the memory layout, and one in Rust with the crate
//! `rtt-target`.

use std::fs;

use super::compiled::missing;
use super::htif::{compile, for_each_kind};
use super::rust::{RV32, RV64, build};
use super::{Image, tree};
use crate::{Ended, command, end_with};

const PROGRAM: &str = r#"
#include "rtt.h"

static void number(int number, unsigned value)
{
    char digits[10];
    int at = sizeof digits;
    do {
        digits[--at] = '0' + value % 10;
        value /= 10;
    } while (value);
    rtt_write(number, digits + at, sizeof digits - at);
}

int main(void)
{
    rtt_init();
    for (unsigned line = 0; line < LINES; line++) {
        rtt_print(0, "blocking line ");
        number(0, line);
        rtt_print(0, "\n");
        if (line % 20 == 0) {
            rtt_print(1, "event ");
            number(1, line);
            rtt_print(1, "\n");
        }
    }
    if (rtt_write(2, "longer than it", 14) != 0 || rtt_write(2, "short\n", 6) != 6)
        return 1;
    for (int byte = rtt_read(); byte != '.'; byte = rtt_read()) {
        char next = byte + 1;
        rtt_write(0, &next, 1);
    }
    while (_SEGGER_RTT.buffers[0].read != _SEGGER_RTT.buffers[0].write) {
    }
    return 3;
}
"#;

const LINES: usize = 62;

fn expected() -> String {
    let mut text = String::new();
    for line in 0..LINES {
        text += &format!("blocking line {line}\n");
    }
    text
}

/// Splits lines of the console into those without and with the mark of an up channel.
fn split(text: &str) -> (String, Vec<&str>) {
    let (marked, others): (Vec<_>, Vec<_>) = text
        .split_inclusive('\n')
        .partition(|line| line.starts_with("[rtt] "));
    let marked = marked.into_iter().map(|line| line.trim_end());
    (others.concat(), marked.collect())
}

#[test]
fn a_buffer_of_16_bytes_that_blocks_loses_nothing() {
    for_each_kind(|image, width, options| {
        let options = [options, &["-DLINES=62"]].concat();
        compile(image, width, &options, PROGRAM);
        let (input, trace) = (image.put("input", "HAL."), image.path("run.trace"));
        let ended = image.run([
            "--stdin".as_ref(),
            input.as_os_str(),
            "--record".as_ref(),
            trace.as_os_str(),
        ]);
        let text = ended.stdout(3);
        let (lines, marked) = split(&text);
        assert_eq!(lines, expected() + "IBM");
        let events = [0, 20, 40, 60].map(|at| format!("[rtt] events: event {at}"));
        let mut all: Vec<&str> = events.iter().map(String::as_str).collect();
        all.push("[rtt] skipping: short");
        assert_eq!(marked, all);
        let trace = trace.to_str().unwrap();
        super::replays_in_order(trace);
        for actor in ["rtt", "htif", "console", "memory"] {
            crate::vhost(["replay", trace, "--only", actor]).stdout(0);
        }
        let shown = crate::vhost(["trace", "show", trace, "--kind", "Transferred"]).stdout(0);
        assert!(shown.contains("rtt up 0 `Terminal`, "), "{shown}");
        assert!(shown.contains("rtt down 0 `Terminal`, 4 bytes"), "{shown}");
        let counts = crate::vhost(["trace", "stat", trace]).stdout(0);
        assert!(counts.contains("rtt down"), "{counts}");
        // JUnit results have the names of the buffers, like the console.
        let junit = image.path("junit.xml");
        let ended = crate::vhost(["report", trace, "--junit", junit.to_str().unwrap()]);
        let results = fs::read_to_string(&junit).unwrap_or_default();
        for line in marked {
            assert!(results.contains(line), "{line}: {results} {ended:?}");
        }
    });
}

#[test]
fn a_control_block_is_searched_and_channels_have_targets() {
    for_each_kind(|image, width, options| {
        let options = [options, &["-DLINES=62"]].concat();
        compile(image, width, &options, PROGRAM);
        let files = image.path("files");
        fs::create_dir(&files).unwrap();
        let mailboxes = image.put(
            "mailbox.yaml",
            "cpu: {space: cpu, elf: \"${IMAGE}\"}\n\
             log:\n  space: cpu\n  ptr: WIDTH\n  abi: rtt\n  stdio: {stdin: in.txt, stdout: out.txt}\n  \
             rtt: {search: [0x80000000, 0x80010000], up: {events: {file: events.txt}, '2': none}}\n"
                .replace("WIDTH", &width.to_string())
                .as_str(),
        );
        fs::write(files.join("in.txt"), "HAL.").unwrap();
        let ended = image.run([
            "--mailbox".as_ref(),
            mailboxes.as_os_str(),
            "--files".as_ref(),
            files.as_os_str(),
        ]);
        assert_eq!(ended.stdout(3), "");
        let read = |name: &str| fs::read_to_string(files.join(name)).unwrap();
        assert_eq!(read("out.txt"), expected() + "IBM");
        let events = [0, 20, 40, 60].map(|at| format!("event {at}\n"));
        assert_eq!(read("events.txt"), events.concat());
    });
}

#[test]
fn rtt_beside_another_protocol_is_served_and_reported() {
    for_each_kind(|image, width, options| {
        let options = [options, &["-DLINES=1"]].concat();
        compile(image, width, &options, PROGRAM);
        let mailboxes = image.put("mailbox.yaml", "cpu: {space: cpu, elf: \"${IMAGE}\"}\n");
        let arguments = [
            "--mailbox",
            mailboxes.to_str().unwrap(),
            "--max-instructions",
            "10000",
        ];
        let ended = image.run(arguments);
        let printed = "has RTT, too (symbol _SEGGER_RTT, 0x8";
        assert!(ended.stderr.contains(printed), "{ended:?}");
        assert!(ended.stdout.contains("blocking line 0\n"), "{ended:?}");
        ended.stderr(124);
    });
}

/// Reads all bytes of a large down buffer at a time, and checks the first and last ones: bytes of
/// the input are their positions modulo 251. Then, with a macro, it reads the same input by HTIF.
const READER: &str = r#"
static char name[] = "input", data[65536];
struct {
    char id[16];
    unsigned up, down;
    const char *name;
    char *data;
    unsigned size;
    volatile unsigned write, read;
    unsigned flags;
} _SEGGER_RTT;

int main(void)
{
    static const char id[] = "SEGGER RTT";
    unsigned taken = 0, read = 0;
    _SEGGER_RTT.down = 1;
    _SEGGER_RTT.name = name;
    _SEGGER_RTT.data = data;
    _SEGGER_RTT.size = sizeof data;
    for (int at = 0; at < (int)sizeof id; at++)
        ((volatile char *)_SEGGER_RTT.id)[at] = id[at];
    while (taken < BYTES) {
        unsigned write = _SEGGER_RTT.write, len = (write - read) % sizeof data;
        __asm__ volatile("fence" ::: "memory");
        if (len == 0)
            continue;
        if ((unsigned char)data[read] != taken % 251)
            return 1;
        taken += len;
        if ((unsigned char)data[(write - 1) % sizeof data] != (taken - 1) % 251)
            return 2;
        _SEGGER_RTT.read = read = write;
    }
    if (taken != BYTES)
        return 3;
#ifdef BOTH
    static char piece[65536];
    for (taken = 0; taken < BYTES;) {
        long long len = call(63, 0, ADDRESS(piece), sizeof piece, 0, 0);
        if (len <= 0 || (unsigned char)piece[0] != taken % 251)
            return 4;
        taken += len;
    }
#endif
    return 0;
}
"#;

/// Number of bytes that exceeds what the host keeps for a channel.
const LARGE: usize = 17 << 20;

/// Bytes of the input.
fn input_of(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

/// Runs the reader with a file and with a pipe as its input.
fn read_by(image: &Image, input: &[u8]) -> [Ended; 2] {
    let file = image.path("input");
    fs::write(&file, input).unwrap();
    let by_file = image.run(["--stdin".as_ref(), file.as_os_str()]);
    [by_file, read_by_pipe(image, input)]
}

fn read_by_pipe(image: &Image, input: &[u8]) -> Ended {
    let mut command = command();
    let command = command.arg("run").arg(image.path("firmware.elf"));
    end_with(command.args(["--stdin", "-"]), input)
}

#[test]
fn each_channel_gets_all_of_the_input() {
    for_each_kind(|image, width, options| {
        let options = [options, &["-DBYTES=1048576", "-DBOTH"]].concat();
        compile(image, width, &options, READER);
        for ended in read_by(image, &input_of(1 << 20)) {
            assert_eq!(ended.stdout(0), "");
        }
    });
}

#[test]
fn a_channel_that_reads_nothing_keeps_no_input_from_another() {
    if missing().is_none() {
        let image = Image(tempfile::tempdir().unwrap());
        let bytes = format!("-DBYTES={LARGE}");
        compile(&image, 64, &["-DONE_STORE", &bytes], READER);
        for ended in read_by(&image, &input_of(LARGE)) {
            assert_eq!(ended.stdout(0), "");
        }
    }
}

/// A channel far behind another one loses bytes of a pipe.
#[test]
fn lost_input_is_reported() {
    if missing().is_none() {
        let image = Image(tempfile::tempdir().unwrap());
        let bytes = format!("-DBYTES={}", 36 << 20);
        compile(&image, 64, &["-DONE_STORE", &bytes, "-DBOTH"], READER);
        let error = read_by_pipe(&image, &input_of(36 << 20)).stderr(4);
        assert!(error.contains("channel `cpu` has lost"), "{error}");
    }
}

#[test]
fn firmware_of_another_author_is_served() {
    // The control block of a 64-bit program has wide numbers.
    for target in [RV32, RV64] {
        let Some(elf) = build("rtt", target, "lines", &[]) else {
            return;
        };
        let image = Image(tempfile::tempdir().unwrap());
        fs::copy(elf, image.path("firmware.elf")).unwrap();
        let input = image.put("input", "abcdefghijklmnopqrstuvwxyz\n");
        let text = image.run(["--stdin".as_ref(), input.as_os_str()]).stdout(7);
        let (lines, marked) = split(&text);
        let mut expected = String::new();
        for line in 0..300 {
            expected += &format!("line {line} of a program that blocks\n");
        }
        assert_eq!(lines, expected + "abcdefghijklmnopqrstuvwxyz\n", "{target}");
        let events = [0, 100, 200].map(|at| format!("[rtt] log: hundred {at}"));
        assert_eq!(marked, events, "{target}");
    }
    assert!(tree().join("firmware/rtt/Cargo.lock").exists());
}

/// A replay can't begin during a search for a control block: parts begin with the run.
#[test]
fn parts_that_begin_earlier_have_names_of_their_own_and_a_reason() {
    if missing().is_some() {
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    let body = "int main(void) { for (volatile int i = 0; i < 1000; i++) {} return 3; }";
    compile(&image, 64, &["-DONE_STORE"], body);
    image.put(
        "mailbox.yaml",
        "cpu: {space: cpu, elf: \"${IMAGE}\", abi: htif}\n\
         rtt: {space: cpu, ptr: 64, abi: rtt, rtt: {search: [0x80100000, 0x80f00000]}}\n",
    );
    let mut run = command();
    let run = run.args(["run", "firmware.elf", "--record", "run.trace"]);
    let run = run.args(["--mailbox", "mailbox.yaml"]);
    let run = run.env("VHOST_RUN_ID", "r");
    crate::end(run.current_dir(image.0.path())).stdout(3);
    let ids = ["60..90", "70..90"].map(|ticks| {
        let mut cut = command();
        let words = [
            "trace",
            "cut",
            "run.trace",
            "-o",
            "part.trace",
            "--ticks",
            ticks,
        ];
        let output = crate::end(cut.args(words).current_dir(image.0.path())).stdout(0);
        let reason = output.lines().nth(1).unwrap();
        let first = ticks.split_once('.').unwrap().0;
        assert!(reason.starts_with("it begins "), "{reason}");
        assert!(
            reason.contains(&format!("tick {first} differs: frame ")),
            "{reason}"
        );
        let part = vhost::trace::Trace::open(image.path("part.trace")).unwrap();
        let id = part.header().run.get(vhost::trace::RunIdentity::ID);
        id.unwrap().to_owned()
    });
    assert_eq!(ids, ["r.60to90", "r.70to90"]);
}
