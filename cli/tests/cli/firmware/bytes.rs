//! Byte counts of each request that prints, reads or writes, for each destination of its text.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use serde_json::Value;

use super::Image;
use super::compiled::{compile_source, missing};

/// Requests of a channel: kind, count and bytes.
type Counts = BTreeMap<String, (u64, u64)>;

const HTIF: &str = r#"
#include "htif.h"
#include "rtt.h"
static char buffer[64];
static const char name[] = "file.txt";

int main(void)
{
    rtt_init();
    rtt_print(0, "by RTT\n");
    rtt_print(1, "marked\n");
    put_string("four");
    call(64, 1, ADDRESS("and five\n"), 9, 0, 0);
    call(64, 2, ADDRESS("an error\n"), 9, 0, 0);
    long long fd = call(56, CWD, ADDRESS(name), sizeof name, 0102, 0644);
    call(64, fd, ADDRESS("0123456789"), 10, 0, 0);
    call(67, fd, ADDRESS(buffer), 4, 5, 0);
    call(63, 0, ADDRESS(buffer), 3, 0, 0);
    /* A console read. */
    send((u64)1 << 56);
    while (!(fromhost[0] | fromhost[1])) {
    }
    while (_SEGGER_RTT.buffers[0].read != _SEGGER_RTT.buffers[0].write) {
    }
    while (_SEGGER_RTT.buffers[1].read != _SEGGER_RTT.buffers[1].write) {
    }
    return 0;
}
"#;

const SEMIHOSTING: &str = r#"
typedef unsigned long word;
__asm__(".section .text.init, \"ax\"\n.globl _start\n_start:\n  la sp, stack_top\n  call main\n"
        ".section .bss\n.align 4\n.skip 4096\nstack_top:\n.text\n"
        ".align 4\n.globl semihost\nsemihost:\n.option push\n.option norvc\n"
        "  slli zero, zero, 0x1f\n  ebreak\n  srai zero, zero, 7\n  ret\n.option pop\n");
word semihost(word operation, const volatile void *argument);
static volatile word block[3];
static char buffer[64];

static word call(word operation, word a, word b, word c)
{
    block[0] = a;
    block[1] = b;
    block[2] = c;
    return semihost(operation, block);
}

int main(void)
{
    semihost(0x03, "c");
    semihost(0x04, "and six\n");
    word out = call(0x01, (word)":tt", 4, 3), errors = call(0x01, (word)":tt", 8, 3);
    call(0x05, out, (word) "nine more", 9);
    call(0x05, errors, (word) "five\n", 5);
    word file = call(0x01, (word) "file.txt", 6, 8);
    call(0x05, file, (word) "seven b", 7);
    semihost(0x07, 0);
    word in = call(0x01, (word)":tt", 0, 3);
    call(0x06, in, (word)buffer, 2);
    call(0x20, 0x20026, 0, 0);
    for (;;) {
    }
}
"#;

const MAILBOX: &str = r#"
#include "mailbox.h"
MB_CHANNEL(mailbox);
static char buffer[64];

int main(void)
{
    mb_reset(&mailbox);
    mb_print(&mailbox, "seven b");
    mb_write(&mailbox, 1, "and five\n", 9);
    mb_write(&mailbox, 2, "an error\n", 9);
    mb_read(&mailbox, 0, buffer, 3);
    mb_memset(&mailbox, buffer, 1, 16);
    mb_memmove(&mailbox, buffer, buffer + 1, 5);
    mb_exit(&mailbox, 0);
    return 0;
}
"#;

/// Keys of a channel for each destination of text.
const TARGETS: [&str; 3] = [
    "stdout: raw, stderr: raw",
    "stdout: console, stderr: console",
    "stdout: out.txt, stderr: errors.txt",
];

/// Counts of a run by `trace stat`, which must equal those of the tables.
fn counts(image: &Image, mailboxes: &str) -> BTreeMap<String, Counts> {
    let files = image.path("files");
    let _ = fs::create_dir(&files);
    fs::write(files.join("in.txt"), "some input").unwrap();
    let (mailboxes, trace) = (
        image.put("mailbox.yaml", mailboxes),
        image.path("run.trace"),
    );
    let ended = image.run([
        "--mailbox".as_ref(),
        mailboxes.as_os_str(),
        "--files".as_ref(),
        files.as_os_str(),
        "--record".as_ref(),
        trace.as_os_str(),
    ]);
    ended.stdout(0);
    let stat = crate::vhost_on("trace stat --json", &trace).stdout(0);
    let stat: Value = serde_json::from_str(&stat).unwrap();
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for it in stat["requests"].as_array().unwrap() {
        let text = |key: &str| it[key].as_str().unwrap().to_owned();
        let number = |key: &str| it[key].as_u64().unwrap();
        let of = counts.entry(text("channel")).or_default();
        of.insert(text("request"), (number("count"), number("bytes")));
    }
    assert_eq!(
        counts_of_tables(image).unwrap_or_else(|| counts.clone()),
        counts
    );
    counts
}

#[cfg(feature = "parquet")]
fn counts_of_tables(image: &Image) -> Option<BTreeMap<String, Counts>> {
    use crate::tables::{number, rows, text};

    let _ = fs::remove_dir_all(image.path("tables"));
    let mut export = crate::command();
    let words = ["trace", "export", "--parquet", "run.trace", "-o", "tables"];
    crate::end(export.args(words).current_dir(image.0.path())).stdout(0);
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for row in rows(image.0.path(), "requests") {
        let of = counts.entry(text(&row, "channel")).or_default();
        let (count, bytes) = of.entry(text(&row, "kind")).or_default();
        (*count, *bytes) = (*count + 1, *bytes + number(&row, "bytes"));
    }
    Some(counts)
}

#[cfg(not(feature = "parquet"))]
fn counts_of_tables(_: &Image) -> Option<BTreeMap<String, Counts>> {
    None
}

/// Compares the counts of a channel with those of the program. Requests without bytes need no row.
fn compare(counted: &Counts, expected: &[(&str, u64, u64)], target: &str) {
    for (kind, count, bytes) in expected {
        assert_eq!(
            counted.get(*kind),
            Some(&(*count, *bytes)),
            "{kind}, {target}: {counted:?}"
        );
    }
    for (kind, (_, bytes)) in counted {
        let is_known = expected.iter().any(|(known, _, _)| known == kind);
        assert!(is_known || *bytes == 0, "{kind}, {target}: {counted:?}");
    }
}

#[test]
fn bytes_do_not_depend_on_where_text_goes() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    let compile = |program: &str| {
        let options = ["-I../firmware/abi", "-DONE_STORE"];
        super::semihosting::compile_for(&image, "rv64imac", program, &options);
    };
    let head = "{space: cpu, elf: \"${IMAGE}\", stdio: {stdin: in.txt, ";
    for target in TARGETS {
        compile(HTIF);
        let rtt = "rtt: {space: cpu, elf: \"${IMAGE}\", load: false, abi: rtt}\n";
        let all = counts(
            &image,
            &format!("cpu: {head}{target}}}, abi: htif}}\n{rtt}"),
        );
        let of_htif = [
            ("console write", 4, 4),
            ("write", 3, 28),
            ("pread", 1, 4),
            ("read", 1, 3),
            ("console read", 1, 1),
        ];
        compare(&all["cpu"], &of_htif, target);
        let (_, bytes) = all["rtt"]["rtt up"];
        assert_eq!(bytes, 14, "{all:?}");

        compile(SEMIHOSTING);
        let keys = "abi: semihosting, stub: none";
        // The command handles the traps itself.
        let all = counts(&image, &format!("cpu: {head}{target}}}, {keys}}}\n"));
        let expected = [
            ("writec", 1, 1),
            ("write0", 1, 8),
            ("write", 3, 21),
            ("readc", 1, 1),
            ("read", 1, 2),
        ];
        compare(&all["cpu"], &expected, target);

        compile_source(&image, MAILBOX, 64, &[]);
        let all = counts(&image, &format!("cpu: {head}{target}}}}}\n"));
        let expected = [
            ("PRINT", 1, 7),
            ("FILE WRITE", 2, 18),
            ("FILE READ", 1, 3),
            ("MEMSET", 1, 16),
            ("MEMMOVE", 1, 5),
        ];
        compare(&all["cpu"], &expected, target);
    }
}
