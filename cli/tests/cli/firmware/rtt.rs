//! Programs with RTT: one in C, written from the layout, and one in Rust with the crate `rtt-target`.

use std::fs;

use super::htif::{compile, for_each_kind};
use super::rust::{RV32, RV64, build};
use super::{Image, tree};

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

/// Lines of the console that are not marked as those of an up channel, and those that are.
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
        crate::vhost(["replay", trace]).stdout(0);
        for actor in ["rtt", "htif", "console", "memory"] {
            crate::vhost(["replay", trace, "--only", actor]).stdout(0);
        }
        let shown = crate::vhost(["trace", "show", trace, "--kind", "Transferred"]).stdout(0);
        assert!(shown.contains("rtt up 0 `Terminal`, "), "{shown}");
        assert!(shown.contains("rtt down 0 `Terminal`, 4 bytes"), "{shown}");
        let counts = crate::vhost(["trace", "stat", trace]).stdout(0);
        assert!(counts.contains("rtt down"), "{counts}");
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
fn rtt_beside_another_protocol_is_served_and_told() {
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
        let said = "has RTT, too (symbol _SEGGER_RTT, 0x8";
        assert!(ended.stderr.contains(said), "{ended:?}");
        assert!(ended.stdout.contains("blocking line 0\n"), "{ended:?}");
        ended.stderr(124);
    });
}

#[test]
fn firmware_of_another_author_is_served() {
    // With 64 bits its control block has wide numbers.
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
