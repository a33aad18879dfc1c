//! Every ending of `vhost run`, and the verdicts derived from its recording.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::compiled::{compile_source, missing};
use super::{EBREAK, ILLEGAL, Image, JUMP_BACK, JUMP_TO_ITSELF, WFI, code};
use crate::{Ended, command, end, ended};

/// Firmware of a run.
enum Firmware {
    /// Instructions with a mailbox.
    Code(Vec<u32>),
    /// Program with a mailbox, and options of the compiler.
    Mailbox(&'static [&'static str]),
    /// Body of `main` with HTIF.
    Htif(&'static str),
    /// Body of `main` with RTT, and true with HTIF beside it.
    Rtt(&'static str, bool),
    /// Body of `main` with semihosting, and true with HTIF beside it.
    Semihosting(&'static str, bool),
}

use Firmware::{Code, Htif, Mailbox, Rtt, Semihosting};

/// Run with its exit status.
struct Case {
    name: &'static str,
    firmware: Firmware,
    options: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
    status: i32,
    /// True if an error of a request is reported.
    reports: bool,
    /// Error of the run, also in the recording; empty for an exit.
    error: &'static str,
}

impl Case {
    fn new(name: &'static str, firmware: Firmware, status: i32, error: &'static str) -> Self {
        Self {
            name,
            firmware,
            options: &[],
            variables: &[],
            status,
            reports: false,
            error,
        }
    }

    fn with(self, options: &'static [&'static str]) -> Self {
        Self { options, ..self }
    }
}

const MAILBOX: &str = r#"
#include "mailbox.h"
MB_CHANNEL(mailbox);

int main(void)
{
    mb_reset(&mailbox);
    mb_printf(&mailbox, "text\n");
#ifdef ASTRAY
    mb_memset(&mailbox, (void *)0x7000000000, 0, 1);
#endif
    mb_exit(&mailbox, CODE);
    return 0;
}
"#;

const SEMIHOSTING: &str = r#"
unsigned long semihost(unsigned long operation, const volatile void *argument);
__asm__(".align 4\n.globl semihost\nsemihost:\n.option push\n.option norvc\n"
        "  slli zero, zero, 0x1f\n  ebreak\n  srai zero, zero, 7\n  ret\n.option pop\n");
static const unsigned long passed[] = {0x20026, 0}, failed[] = {0x20026, 9};
"#;

/// Start-up of a program without HTIF.
const START: &str = r#"
typedef unsigned long word;
typedef unsigned long long u64;
__asm__(".section .text.init, \"ax\"\n.globl _start\n_start:\n  la sp, stack_top\n  call main\n0:\n  j 0b\n"
        ".section .bss\n.align 4\n.skip 4096\nstack_top:\n.text\n");
"#;

impl Firmware {
    fn build(&self, image: &Image) {
        match self {
            Code(instructions) => {
                fs::write(image.path("firmware.elf"), code(instructions).build()).unwrap();
            }
            Mailbox(options) => compile_source(image, MAILBOX, 64, options),
            Htif(body) => compile(image, &format!("#include \"htif.h\"\n{}", main(body))),
            Rtt(body, has_htif) => {
                let start = if *has_htif {
                    "#include \"htif.h\""
                } else {
                    START
                };
                compile(
                    image,
                    &format!("{start}\n#include \"rtt.h\"\n{}", main(body)),
                );
            }
            Semihosting(body, false) => {
                compile(image, &format!("{START}{SEMIHOSTING}{}", main(body)));
            }
            Semihosting(body, true) => compile(
                image,
                &format!("#include \"htif.h\"\n{SEMIHOSTING}{}", main(body)),
            ),
        }
    }
}

fn main(body: &str) -> String {
    format!("int main(void)\n{{\n{body}\n}}\n")
}

fn compile(image: &Image, program: &str) {
    super::semihosting::compile_for(
        image,
        "rv64imac",
        program,
        &["-I../firmware/abi", "-DONE_STORE"],
    );
}

const SPIN: &str = "for (;;) {}";
const COUNTS: &str = "for (volatile int at = 0;; at++) {}";

fn cases() -> Vec<Case> {
    const LIMIT: &[&str] = &["--max-instructions", "20000"];
    const TWO: &str = "two.yaml";
    vec![
        Case::new("mailbox exits with 0", Mailbox(&["-DCODE=0"]), 0, ""),
        Case::new("mailbox exits with 7", Mailbox(&["-DCODE=7"]), 7, ""),
        Case::new("mailbox exits with 300", Mailbox(&["-DCODE=300"]), 255, ""),
        Case {
            reports: true,
            ..Case::new(
                "an error is reported",
                Mailbox(&["-DCODE=0", "-DASTRAY"]),
                0,
                "",
            )
        },
        Case::new("HTIF exits with 0", Htif("return 0;"), 0, ""),
        Case::new("HTIF exits with 7", Htif("return 7;"), 7, ""),
        Case::new(
            "semihosting exits with 0",
            Semihosting("semihost(0x20, passed);", false),
            0,
            "",
        ),
        Case::new(
            "semihosting exits with 9",
            Semihosting("semihost(0x20, failed);", false),
            9,
            "",
        ),
        Case::new(
            "semihosting beside HTIF exits with 0",
            Semihosting("semihost(0x20, passed);", true),
            0,
            "",
        ),
        Case::new(
            "semihosting beside HTIF exits with 9",
            Semihosting("semihost(0x20, failed);", true),
            9,
            "",
        ),
        Case::new(
            "HTIF beside semihosting exits with 0",
            Semihosting("if (tohost[0]) semihost(0x20, failed); return 0;", true),
            0,
            "",
        ),
        Case::new(
            "HTIF beside semihosting exits with 3",
            Semihosting("if (tohost[0]) semihost(0x20, failed); return 3;", true),
            3,
            "",
        ),
        Case::new(
            "HTIF beside RTT exits with 0",
            Rtt("rtt_init(); rtt_print(0, \"text\\n\"); return 0;", true),
            0,
            "",
        ),
        Case::new(
            "RTT alone jumps to itself",
            Rtt("rtt_init(); rtt_print(0, \"text\\n\"); for (;;) {}", false),
            125,
            "a jump to itself",
        ),
        Case::new(
            "RTT alone reaches the limit",
            Rtt(
                "rtt_init(); rtt_print(0, \"text\\n\"); for (volatile int at = 0;; at++) {}",
                false,
            ),
            124,
            "--max-instructions 20000",
        )
        .with(LIMIT),
        Case::new(
            "semihosting jumps to itself",
            Semihosting("semihost(0x04, \"text\"); for (;;) {}", false),
            125,
            "a jump to itself",
        ),
        Case::new(
            "semihosting waits for input",
            Semihosting("semihost(0x07, 0); return 0;", false),
            125,
            "for a character",
        ),
        Case::new("HTIF jumps to itself", Htif(SPIN), 125, "a jump to itself"),
        Case::new(
            "HTIF reaches the limit",
            Htif(COUNTS),
            124,
            "--max-instructions 20000",
        )
        .with(LIMIT),
        Case::new(
            "HTIF traps between two stores",
            Htif("tohost[0] = 1; __asm__ volatile(\"unimp\"); tohost[1] = 0x01010000; for (;;) {}"),
            125,
            "illegal instruction",
        ),
        Case::new(
            "HTIF stays at half a command",
            Htif("tohost[0] = 7; for (;;) {}"),
            3,
            "",
        ),
        Case::new(
            "mailbox jumps to itself",
            Code(vec![JUMP_TO_ITSELF]),
            125,
            "a jump to itself",
        ),
        Case::new("a trap", Code(vec![ILLEGAL]), 125, "illegal instruction"),
        Case::new("a breakpoint", Code(vec![EBREAK]), 125, "breakpoint"),
        // csrw mtvec, t0 after auipc t0, 0; addi t0, t0, 16; then ecall, and an illegal
        // instruction.
        Case::new(
            "a trap in the handler",
            Code(vec![
                0x0000_0297,
                0x0102_8293,
                0x3052_9073,
                0x0000_0073,
                ILLEGAL,
            ]),
            125,
            "its trap handler causes a trap",
        ),
        Case::new(
            "a wait for an interrupt",
            Code(vec![WFI, JUMP_BACK]),
            125,
            "no interrupt comes",
        ),
        Case {
            variables: &[("VHOST_WATCHDOG", "100:fatal")],
            ..Case::new(
                "a fatal report of the host",
                Htif(COUNTS),
                125,
                "no progress for 100 ticks",
            )
        },
        Case::new(
            "a checkpoint that is missing",
            Htif(SPIN),
            125,
            "no.checkpoint",
        )
        .with(&["--restore", "no.checkpoint"]),
        Case::new("an input that is missing", Htif(SPIN), 125, "no.input")
            .with(&["--stdin", "no.input"]),
        Case::new(
            "a checkpoint behind the end",
            Htif("return 0;"),
            125,
            "--save-at 100000",
        )
        .with(&["--save-at", "100000", "out.checkpoint"]),
        Case::new(
            "one of two channels exits",
            Htif("return 0;"),
            125,
            "a jump to itself",
        )
        .with(&["--mailbox", TWO]),
        Case::new(
            "one of two channels exits with 5",
            Htif("return 5;"),
            125,
            "a jump to itself",
        )
        .with(&["--mailbox", TWO]),
        Case::new(
            "no channel is served",
            Htif("return 0;"),
            125,
            "no channel is served",
        )
        .with(&["--mailbox", "none.yaml"]),
    ]
}

/// The second channel has its own firmware, which does not run.
const TWO_CHANNELS: &str = "cpu: {space: cpu, elf: \"${IMAGE}\", abi: htif}\n\
                            other: {space: cpu, base: 0x80080000, ptr: 64}\n";

fn verdicts(image: &Image, allows_errors: bool) -> Vec<String> {
    let allowed: &[&str] = if allows_errors {
        &["--allow-errors"]
    } else {
        &[]
    };
    let mut report = command();
    let words = [
        "report",
        "run.trace",
        "-o",
        "run.html",
        "--junit",
        "run.xml",
    ];
    end(report.args(words).args(allowed).current_dir(image.0.path())).stdout(0);
    let page = fs::read_to_string(image.path("run.html")).unwrap();
    let index = crate::report::data(&page, "index");
    let detail = crate::report::data(&page, "run-0");
    let results = fs::read_to_string(image.path("run.xml")).unwrap();
    let verdict = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let of_results = ["failed", "unfinished"];
    let of_results = of_results
        .into_iter()
        .find(|it| results.contains(&format!("type=\"{it}\"")));
    let mut all = vec![
        verdict(&index[0]["verdict"]),
        verdict(&detail["verdict"]),
        of_results.unwrap_or("passed").to_owned(),
    ];
    all.extend(verdict_of_tables(image, allowed));
    all
}

#[cfg(feature = "parquet")]
fn verdict_of_tables(image: &Image, allowed: &[&str]) -> Option<String> {
    let _ = fs::remove_dir_all(image.path("tables"));
    let mut export = command();
    let words = ["trace", "export", "--parquet", "run.trace", "-o", "tables"];
    end(export.args(words).args(allowed).current_dir(image.0.path())).stdout(0);
    let runs = crate::tables::rows(image.0.path(), "runs");
    Some(crate::tables::text(&runs[0], "verdict"))
}

#[cfg(not(feature = "parquet"))]
fn verdict_of_tables(_: &Image, _: &[&str]) -> Option<String> {
    None
}

/// Runs the image in its folder, and records it.
fn record(image: &Image, case: &Case, to: Stdio) -> Ended {
    let mut run = command();
    run.args(["run", "firmware.elf", "--record", "run.trace"]);
    run.args(case.options).envs(case.variables.iter().copied());
    let child = run
        .current_dir(image.0.path())
        .stdout(to)
        .stderr(Stdio::piped());
    ended(child.spawn().unwrap().wait_with_output().unwrap())
}

#[test]
fn verdicts_agree_with_the_exit_status_of_every_ending() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    for case in cases() {
        let image = Image(tempfile::tempdir().unwrap());
        let name = case.name;
        case.firmware.build(&image);
        image.put("two.yaml", TWO_CHANNELS);
        image.put("none.yaml", "");
        let ran = record(&image, &case, Stdio::piped());
        assert_eq!(ran.status, Some(case.status), "{name}: {ran:?}");
        assert!(ran.stderr.contains(case.error), "{name}: {ran:?}");
        agrees(&image, &case);
        // The report on the ending is in the recording, and replays like other messages.
        crate::vhost([OsStr::new("replay"), image.path("run.trace").as_os_str()]).stdout(0);
    }
}

/// A run that ends at its limit does not serve a half-stored command.
#[test]
fn half_a_command_at_the_limit_is_no_exit() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    // The low half would be an exit with 0.
    let program = "#include \"htif.h\"\nint main(void)\n{\n    for (;;)\n        put_char(1);\n}\n";
    for march in ["rv32imac", "rv64imac"] {
        for order in [&[][..], &["-DHIGH_FIRST"]] {
            let image = Image(tempfile::tempdir().unwrap());
            let options = [&["-I../firmware/abi"], order].concat();
            super::semihosting::compile_for(&image, march, program, &options);
            for limit in (2000..2060).step_by(4) {
                let mut run = command();
                let limit = limit.to_string();
                run.args(["run", "firmware.elf", "--per-tick", "1"]);
                run.args(["--max-instructions", &limit, "--record", "run.trace"]);
                let ran = end(run.current_dir(image.0.path()));
                assert_eq!(ran.status, Some(124), "{march} {order:?} {limit}: {ran:?}");
                assert!(!ran.stderr.contains("exited"), "{march} {limit}: {ran:?}");
            }
        }
    }
}

/// Neither does a run that ends when the reader of firmware's text closes it.
#[test]
fn half_a_command_without_a_reader_is_no_exit() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    // The low half of the first one would be an exit with 0.
    let program = "#include \"htif.h\"\nint main(void)\n{\n    for (;;) {\n        put_char(1);\n        put_char('\\n');\n    }\n}\n";
    for march in ["rv32imac", "rv64imac"] {
        let image = Image(tempfile::tempdir().unwrap());
        super::semihosting::compile_for(&image, march, program, &["-I../firmware/abi"]);
        for per_tick in 1..=40 {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let mut run = command();
            run.args(["run", "firmware.elf", "--per-tick", &per_tick.to_string()]);
            run.stdout(writer).stderr(Stdio::piped());
            let child = run.current_dir(image.0.path()).spawn().unwrap();
            let ran = ended(child.wait_with_output().unwrap());
            assert_eq!(ran.status, Some(125), "{march} {per_tick}: {ran:?}");
        }
    }
}

/// Checks that all data derived from the recording agrees with the status of the run.
fn agrees(image: &Image, case: &Case) {
    let name = case.name;
    let expected = |passed: bool| if passed { "passed" } else { "failed" };
    for allows in [false, true] {
        let passed = case.status == 0 && (allows || !case.reports);
        let all = verdicts(image, allows);
        assert!(
            all.iter().all(|it| it == expected(passed)),
            "{name}: {all:?}"
        );
    }
    if case.error.is_empty() {
        return;
    }
    // All of them contain the reason.
    let page = fs::read_to_string(image.path("run.html")).unwrap();
    let detail = crate::report::data(&page, "run-0");
    let has = |value: &serde_json::Value| value.to_string().contains(case.error);
    assert!(
        has(&detail["reasons"]) && has(&detail["reports"]),
        "{name}: {detail}"
    );
    assert!(
        has(&detail["failure"]) || detail["channels"][0]["exit"].as_u64() > Some(0),
        "{name}: {detail}"
    );
    let results = fs::read_to_string(image.path("run.xml")).unwrap();
    assert!(results.contains(case.error), "{name}: {results}");
}

#[test]
fn lost_text_fails_a_run_in_tables_and_reports() {
    let full = File::options().write(true).open("/dev/full");
    let (Ok(full), None) = (full, missing()) else {
        let _ = writeln!(std::io::stderr().lock(), "skipped: /dev/full, or clang");
        return;
    };
    let image = Image(tempfile::tempdir().unwrap());
    let error = "text of it is lost: No space left on device";
    let case = Case::new("lost text", Mailbox(&["-DCODE=0"]), 125, error);
    case.firmware.build(&image);
    let ran = record(&image, &case, full.into());
    assert_eq!(ran.status, Some(125), "{ran:?}");
    expect_failed(&image, error);
}

/// Checks that all data derived from a run marks it as failed, with errors allowed or not, and
/// contains the error.
fn expect_failed(image: &Image, error: &str) {
    for allows in [false, true] {
        let all = verdicts(image, allows);
        assert!(all.iter().all(|it| it == "failed"), "{all:?}");
    }
    let results = fs::read_to_string(image.path("run.xml")).unwrap();
    assert!(results.contains(error), "{results}");
}

/// Firmware that prints forever ends when the reader of its text closes it, like a program that
/// gets SIGPIPE.
#[test]
fn a_reader_that_goes_away_ends_the_run() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    for firmware in [
        Htif("for (;;) put_string(\"text\\n\");"),
        Semihosting("for (;;) semihost(0x04, \"text\\n\");", false),
        Rtt("rtt_init(); for (;;) rtt_print(0, \"text\\n\");", false),
    ] {
        let image = Image(tempfile::tempdir().unwrap());
        let error = "standard output: broken pipe";
        let case = Case::new("a pipe without a reader", firmware, 125, error);
        case.firmware.build(&image);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = record(&image, &case, writer.into());
        assert_eq!(ran.status, Some(125), "{ran:?}");
        assert!(ran.stderr.contains(error), "{ran:?}");
        expect_failed(&image, error);
    }
}

/// A killed run has no status, and no end.
#[test]
fn a_run_that_was_killed_is_unfinished() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    for firmware in [
        Htif(COUNTS),
        Rtt("rtt_init(); for (volatile int at = 0;; at++) {}", false),
    ] {
        let image = Image(tempfile::tempdir().unwrap());
        firmware.build(&image);
        let mut run = Command::new(env!("CARGO_BIN_EXE_vhost"));
        run.args(["run", "firmware.elf", "--record", "run.trace"]);
        let mut child = run.current_dir(image.0.path()).spawn().unwrap();
        // The header is written at once.
        while fs::metadata(image.path("run.trace")).map_or(0, |it| it.len()) < 100 {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let all = verdicts(&image, true);
        assert!(all.iter().all(|it| it == "unfinished"), "{all:?}");
    }
}
