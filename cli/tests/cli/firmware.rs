//! `vhost run`: firmware on the instruction-set simulator.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::elf::{Elf, Segment};
use crate::{Ended, command, end, vhost_on};

const RAM: u64 = 0x8000_0000;

/// Instructions of 32 bits.
const EBREAK: u32 = 0x0010_0073;
const ILLEGAL: u32 = 0xffff_ffff;
const JUMP_TO_ITSELF: u32 = 0x0000_006f;
const WFI: u32 = 0x1050_0073;
/// `addi a0, a0, 1` and a jump to it.
const COUNT: [u32; 2] = [0x0015_0513, 0xffdf_f06f];
/// `jal zero, -4`.
const JUMP_BACK: u32 = 0xffdf_f06f;

fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn selftest(width: u32) -> PathBuf {
    tree().join(format!("firmware/selftest-rv{width}.elf"))
}

/// Image with these instructions at its beginning, and a mailbox.
fn code(instructions: &[u32]) -> Elf {
    let bytes: Vec<u8> = instructions
        .iter()
        .flat_map(|bits| bits.to_le_bytes())
        .collect();
    Elf {
        entry: RAM,
        mailboxes: vec![(RAM + 0x1000, 1512)],
        ..Elf::of(vec![Segment::at(RAM, &bytes, bytes.len() as u64)])
    }
}

/// Folder with an image `firmware.elf`.
struct Image(TempDir);

impl Image {
    fn of(bytes: &[u8]) -> Self {
        let image = Self(tempfile::tempdir().unwrap());
        fs::write(image.path("firmware.elf"), bytes).unwrap();
        image
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn run<A: AsRef<OsStr>>(&self, options: impl IntoIterator<Item = A>) -> Ended {
        let mut command = command();
        end(command
            .arg("run")
            .arg(self.path("firmware.elf"))
            .args(options))
    }

    /// Standard error of a run that ends with this status.
    fn fails(&self, options: &[&str], status: i32) -> String {
        self.run(options).stderr(status)
    }
}

#[test]
fn the_page_has_all_options() {
    let page = fs::read_to_string(tree().join("docs/run.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `--"));
    let mut documented: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    let help = crate::vhost(["run", "--help"]).stdout(0);
    let lines = help.lines().map(str::trim_start);
    let lines = lines.filter_map(|line| {
        line.split_once("--")
            .filter(|(before, _)| before.len() <= 4)
    });
    let options = lines.map(|(_, option)| option.split([' ', ',']).next().unwrap());
    let mut known: Vec<&str> = options.filter(|option| *option != "help").collect();
    documented.sort_unstable();
    known.sort_unstable();
    assert_eq!(documented, known);
}

#[test]
fn the_selftest_is_served_on_both_widths() {
    for width in [32, 64] {
        let files = tempfile::tempdir().unwrap();
        let mut command = command();
        let command = command.arg("run").arg(selftest(width));
        let ended = end(command.arg("--files").arg(files.path()));
        // It calls a method of its testbench after text, memory and files.
        let last = ended.stdout.lines().last().unwrap().to_owned();
        let number = last.strip_prefix("[cpu] check ").unwrap_or(&last);
        let (number, rest) = number.split_once(' ').unwrap();
        assert!(rest.contains("mb_call(&mailbox, \"add\""), "{last}");
        assert_eq!(ended.status, Some(number.parse().unwrap()), "{ended:?}");
        assert!(ended.stdout.starts_with("[cpu] hello from firmware\n"));
        assert!(
            ended.stderr.contains("method `add` can't be called"),
            "{}",
            ended.stderr
        );
        let notes = fs::read_to_string(files.path().join("notes.txt")).unwrap();
        assert_eq!(notes, "first line\nsecond line\n");
    }
}

#[test]
fn without_a_directory_firmware_has_no_files() {
    let ended = vhost_on("run", &selftest(32));
    let last = ended.stdout.lines().last().unwrap();
    assert!(
        last.contains("failed, line") && last.ends_with("fd >= 10"),
        "{last}"
    );
    assert!(
        ended.stderr.contains("`notes.txt`: the system has no root"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_run_is_recorded_and_replays() {
    let folder = tempfile::tempdir().unwrap();
    let (by_option, by_variable) = (folder.path().join("a.trace"), folder.path().join("b.trace"));
    let mut with_option = command();
    with_option
        .arg("run")
        .arg(selftest(64))
        .arg("--files")
        .arg(folder.path());
    let ended = end(with_option.arg("--record").arg(&by_option));
    let mut with_variable = command();
    with_variable
        .arg("run")
        .arg(selftest(64))
        .env("VHOST_TRACE", &by_variable);
    let again = end(with_variable.env("MAILBOX_FS_ROOT", folder.path()));
    assert_eq!((ended.status, &ended.stdout), (again.status, &again.stdout));
    for trace in [by_option, by_variable] {
        let replayed = vhost_on("replay --print", &trace).stdout(0);
        assert!(replayed.starts_with(&ended.stdout), "{replayed}");
    }
}

#[test]
fn checkers_and_statistics_are_attached() {
    let folder = tempfile::tempdir().unwrap();
    let statistics = folder.path().join("requests.json");
    let mut with_option = command();
    with_option.arg("run").arg(selftest(32)).arg("--attach");
    let list = format!("check,statistics={}", statistics.display());
    let ended = end(with_option.arg(list).arg("--status"));
    assert!(fs::read_to_string(&statistics).unwrap().contains("CPRINT"));
    assert!(
        ended.stderr.contains("cpu: exited with code"),
        "{}",
        ended.stderr
    );
    let mut with_variable = command();
    with_variable
        .arg("run")
        .arg(selftest(32))
        .env("VHOST_ATTACH", "nothing");
    let error = end(&mut with_variable).stderr(125);
    assert!(
        error.contains("VHOST_ATTACH") && error.contains("`nothing`"),
        "{error}"
    );
}

#[test]
fn firmware_that_can_not_go_on_is_an_error_with_its_place() {
    // The first instruction is counted, too.
    let nop = COUNT[0];
    let cases: [(&[u32], i32, &str); 6] = [
        (
            &[nop, ILLEGAL],
            125,
            "firmware stopped: illegal instruction 0xffffffff at 0x80000004, and it has set no trap handler",
        ),
        (
            &[EBREAK],
            125,
            "firmware stopped: breakpoint (ebreak) at 0x80000000",
        ),
        (
            &[nop, JUMP_TO_ITSELF],
            125,
            "firmware hangs: it is at 0x80000004, `jal zero, 0`, a jump to itself",
        ),
        (
            &[WFI, JUMP_BACK],
            125,
            "firmware hangs: it waits at 0x80000000, `wfi`, and no interrupt comes",
        ),
        // lw a0, 0(zero).
        (
            &[0x0000_2503],
            125,
            "firmware stopped: load from 0x0, which is no memory, at 0x80000000",
        ),
        // jalr zero, 0(zero).
        (
            &[0x0000_0067],
            125,
            "firmware stopped: no instruction can be fetched at 0x0",
        ),
    ];
    for (instructions, status, text) in cases {
        let error = Image::of(&code(instructions).build()).fails(&[], status);
        assert!(error.starts_with(&format!("error: {text}")), "{error}");
        assert!(
            error.contains("cpu: waits for firmware's handshake"),
            "{error}"
        );
    }
    let image = Image::of(&code(&[ILLEGAL]).build());
    assert!(image.fails(&[], 125).contains("has RV64IMAC"));
}

#[test]
fn a_handler_that_traps_is_an_error() {
    // csrw mtvec, t0 after auipc t0, 0; addi t0, t0, 16; then ecall, and an illegal instruction.
    let instructions = [0x0000_0297, 0x0102_8293, 0x3052_9073, 0x0000_0073, ILLEGAL];
    let error = Image::of(&code(&instructions).build()).fails(&[], 125);
    let start = "error: firmware hangs: its trap handler causes a trap each time it runs: illegal instruction 0xffffffff at 0x80000010";
    assert!(error.starts_with(start), "{error}");
}

#[test]
fn a_limit_of_instructions_has_its_status() {
    let image = Image::of(&code(&COUNT).build());
    for per_tick in ["1", "10", "1000000"] {
        let error = image.fails(&["--max-instructions", "5001", "--per-tick", per_tick], 124);
        let place = "it is at 0x80000004, `jal zero, -4`";
        assert!(error.contains(place), "{error}");
        assert!(error.contains("within --max-instructions 5001"), "{error}");
    }
}

#[test]
fn the_ram_is_as_large_as_it_is_said() {
    // lw a0, -4(a1) with a1 from auipc: at the last word of 16 MiB, and behind it.
    let at = |offset: u32| [0x0000_0597 | offset, 0xffc5_a503, EBREAK];
    let stops = |instructions: &[u32], options: &[&str], text: &str| {
        let error = Image::of(&code(instructions).build()).fails(options, 125);
        assert!(error.contains(text), "{options:?}: {error}");
    };
    let behind = [0x0000_0597 | 16 << 20, 0x0005_a503, EBREAK];
    stops(&at(16 << 20), &[], "breakpoint");
    stops(&behind, &[], "load from 0x81000000");
    stops(&at(16 << 20), &["--mem", "15M"], "load from 0x80fffffc");
    stops(&behind, &["--mem", "0x1001000"], "breakpoint");
    stops(
        &behind,
        &["--mem", "32MiB", "--base", "0x7ff00000"],
        "breakpoint",
    );
    stops(&at(0), &["--base", "0x7ffff000"], "breakpoint");
    // An image of 20 MiB by its zeros.
    let mut large = code(&behind);
    large.segments[0].mem_size = 20 << 20;
    let error = Image::of(&large.build()).fails(&[], 125);
    assert!(error.contains("breakpoint"), "{error}");
}

#[test]
fn a_ram_that_does_not_fit_is_refused() {
    let image = Image::of(&code(&[EBREAK]).build());
    let cases: [(&[&str], &str); 6] = [
        (
            &["--mem", "4K"],
            "needs 0x15e8 bytes from 0x80000000 to 0x800015e7: give --mem 0x15e8 or more",
        ),
        (
            &["--base", "0x80001000"],
            "begins at 0x80000000, before the RAM: give --base 0x80000000 or less",
        ),
        (
            &["--mem", "0xffffffffffffffff"],
            "passes the last address, 0xffffffffffffffff",
        ),
        (
            &["--base", "0", "--mem", "64K"],
            "needs 0x800015e8 bytes from 0x0",
        ),
        (
            &["--base", "0"],
            "too far apart for one RAM: describe the memories",
        ),
        (&["--mem", "0x4000000000000000"], "memory"),
    ];
    for (options, text) in cases {
        let error = image.fails(options, 125);
        assert!(error.contains(text), "{options:?}: {error}");
    }
}

#[test]
fn memories_and_channels_may_come_from_files() {
    // Loads the word behind the RAM, which another memory has, and stops there.
    let image = Image::of(&code(&[0x0000_1597, 0x0005_a503, EBREAK]).build());
    let memories = image.put(
        "mem.yaml",
        "space:\n  chip:\n    - rom: {base: 0x80000000, size: 0x1000, path: rom, width: 32, backend: static}\n    \
         - ram: {base: 0x80001000, size: 0x1000, path: ram, width: 32, backend: static}\n",
    );
    let mailboxes = image.put(
        "mailbox.yaml",
        "core7: {space: chip, elf: \"${IMAGE}\", cache_line: 0}\n",
    );
    let [memories, mailboxes] = [memories, mailboxes].map(|file| file.display().to_string());
    let by_space = ["--memory", &memories, "--space", "chip"];
    let by_files = ["--memory", &memories, "--mailbox", &mailboxes];
    for (options, channel) in [(by_space, "cpu"), (by_files, "core7")] {
        let error = image.fails(&options, 125);
        assert!(
            error.contains("breakpoint (ebreak) at 0x80000008"),
            "{error}"
        );
        assert!(
            error.contains(&format!("{channel}: waits for firmware's handshake")),
            "{error}"
        );
    }
    let error = image.fails(&["--memory", &memories], 125);
    assert!(error.contains("`cpu`") && error.contains("chip"), "{error}");
    let banked = image.put(
        "banked.yaml",
        "space:\n  cpu:\n    - ram: {base: 0x80000000, size: 0x2000, path: ram, width: 32, backend: static, \
         array_dims: {rows: 2, cols: 1024}}\n",
    );
    let banked = banked.display().to_string();
    let error = image.fails(&["--memory", &banked], 125);
    let text = "memory `ram` has 2 arrays of bytes in this process: a run needs";
    assert!(error.contains(&banked) && error.contains(text), "{error}");
}

#[test]
fn an_image_without_a_channel_is_refused() {
    let mut elf = code(&[EBREAK]);
    elf.mailboxes.clear();
    let error = Image::of(&elf.build()).fails(&[], 125);
    assert!(
        error.contains("has no section .mailbox and no symbol `mailbox`"),
        "{error}"
    );
}

#[test]
fn images_of_other_kinds_are_refused() {
    let with = |change: fn(&mut Elf)| {
        let mut elf = code(&[EBREAK]);
        change(&mut elf);
        Image::of(&elf.build()).fails(&[], 125)
    };
    let error = with(|elf| elf.machine = 62);
    assert!(error.contains("is for another CPU (X86_64)"), "{error}");
    let error = with(|elf| elf.machine = 0xffff);
    assert!(error.contains("is for another CPU"), "{error}");
    let error = with(|elf| elf.entry = 0x1000);
    assert!(
        error.contains("begins at 0x1000, and space `cpu` has no memory there"),
        "{error}"
    );
    let error = with(|elf| elf.entry = u64::MAX);
    assert!(error.contains("begins at 0xffffffffffffffff"), "{error}");
    let error = with(|elf| elf.segments[0].mem_size = u64::MAX);
    assert!(error.contains("firmware.elf"), "{error}");
    let error = with(|elf| elf.segments[0].mem_size = 1 << 50);
    assert!(error.contains("too far apart for one RAM"), "{error}");
    let error = with(|elf| elf.segments.clear());
    assert!(error.contains("firmware.elf"), "{error}");
    let error = with(|elf| elf.segments.push(Segment::at(0x1000, &[1; 16], 16)));
    assert!(error.contains("too far apart"), "{error}");
    for text in ["", "\x7fELF", "text"] {
        let error = Image::of(text.as_bytes()).fails(&[], 125);
        assert!(error.contains("firmware.elf"), "{error}");
    }
    let missing = vhost_on("run", Path::new("no/such.elf")).stderr(125);
    assert!(missing.contains("no/such.elf"), "{missing}");
}

/// Ends with a status of the command or of firmware, whatever the image is.
#[test]
fn damaged_images_end_with_a_status() {
    let good = fs::read(selftest(64)).unwrap();
    let mut state = 7_u64;
    let mut number = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    for round in 0..60 {
        let mut damaged = good.clone();
        match round % 3 {
            // A header, then anything; or the end is missing.
            0 => damaged.truncate(number(good.len())),
            kind => {
                let within = if kind == 1 { 64 + 56 * 4 } else { good.len() };
                for _ in 0..=number(4) {
                    damaged[number(within)] = number(256) as u8;
                }
            }
        }
        let image = Image::of(&damaged);
        let ended = image.run(["--max-instructions", "20000", "--mem", "64K"]);
        assert!(ended.status.is_some(), "{round}: {ended:?}");
        let aborted = ended.stderr.contains("panicked") || ended.status == Some(101);
        assert!(!aborted, "{round}: {ended:?}");
    }
}

#[test]
fn a_wrong_option_is_told_by_status_2() {
    let image = Image::of(&code(&[EBREAK]).build());
    for options in [
        &["--mem", "much"][..],
        &["--base", "here"],
        &["--per-tick", "0"],
        &["--max-instructions", "0"],
        &["--mem", "1M", "--memory", "mem.yaml"],
        &["--attach", "nothing"],
    ] {
        let error = image.fails(options, 2);
        assert!(error.contains(options[0]), "{error}");
    }
    let error = image.fails(&["--cache-line", "7"], 125);
    assert!(
        error.contains("cache_line") || error.contains("cache line"),
        "{error}"
    );
}

const SOURCE: &str = r#"
#include "mailbox.h"
MB_CHANNEL(mailbox);

static void __attribute__((noinline)) fail(void)
{
    __asm__ volatile(".word 0xffffffff");
}

int main(void)
{
    static int counter;
    mb_reset(&mailbox);
    __atomic_fetch_add(&counter, 7, __ATOMIC_SEQ_CST);
    mb_printf(&mailbox, "counter %d\n", counter);
#ifdef FAIL
    mb_printf(&mailbox, "printed before the end\n");
    fail();
#endif
    mb_exit(&mailbox, CODE);
    return 0;
}
"#;

/// Reason why firmware can't be compiled here, if there is one.
fn missing() -> Option<String> {
    let targets = Command::new("clang").arg("--print-targets").output();
    let known = targets.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).contains("riscv32"));
    let linker = Command::new("ld.lld").arg("--version").output();
    (!known || linker.is_err()).then(|| "not found: clang for riscv32, or ld.lld".to_owned())
}

/// Compiles firmware with its symbols, for CPUs with compressed and atomic instructions.
fn compile(image: &Image, width: u32, options: &[&str]) {
    let firmware = tree().join("firmware");
    let abi = if width == 32 { "ilp32" } else { "lp64" };
    let output = Command::new("clang")
        .arg(format!("--target=riscv{width}"))
        .args([format!("-march=rv{width}imac"), format!("-mabi={abi}")])
        .args([
            "-mcmodel=medany",
            "-Os",
            "-ffreestanding",
            "-nostdlib",
            "-static",
        ])
        .args([
            "-Wno-unused-function",
            "-fuse-ld=lld",
            "-Wl,--gc-sections",
            "-T",
        ])
        .arg(firmware.join("link.ld"))
        .arg("-I")
        .arg(tree().join("mailbox_rs/include"))
        .args(options)
        .arg(firmware.join("crt0.S"))
        .arg(image.put("firmware.c", SOURCE))
        .arg("-o")
        .arg(image.path("firmware.elf"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn compiled_firmware_exits_with_its_code() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    for width in [32, 64] {
        for (code, status) in [("0", 0), ("5", 5), ("255", 255), ("256", 255), ("-1", 255)] {
            compile(&image, width, &[&format!("-DCODE={code}")]);
            let ended = image.run([""; 0]);
            assert_eq!(ended.stdout(status), "[cpu] counter 7\n");
        }
        // A trap is reported with its function, after all that was printed.
        compile(&image, width, &["-DCODE=0", "-DFAIL"]);
        let ended = image.run([""; 0]);
        assert_eq!(
            ended.stdout,
            "[cpu] counter 7\n[cpu] printed before the end\n"
        );
        let error = ended.stderr(125);
        assert!(
            error.contains("illegal instruction 0xffffffff at 0x"),
            "{error}"
        );
        assert!(
            error.contains(" (fail)") || error.contains(" (main+0x"),
            "{error}"
        );
        // Elsewhere, with a cache line.
        let elsewhere = [
            "-DCODE=3",
            "-DMB_CACHE_LINE=64",
            "-Wl,--defsym=RAM_BASE=0x40000000",
        ];
        compile(&image, width, &elsewhere);
        assert_eq!(
            image.run(["--cache-line", "64"]).stdout(3),
            "[cpu] counter 7\n"
        );
    }
}
