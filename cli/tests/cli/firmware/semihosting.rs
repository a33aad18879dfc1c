//! Programs with semihosting: one of this project, and one with picolibc, which also runs on QEMU.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::compiled::missing;
use super::{Image, tree};

pub(super) const PROGRAM: &str = r#"
typedef unsigned long word;

__asm__(".section .text.init, \"ax\"\n.globl _start\n_start:\n  la sp, stack_top\n  call main\n"
        ".section .bss\n.align 4\n.skip 4096\nstack_top:\n.text\n"
        ".align 4\n.globl semihost\nsemihost:\n.option push\n.option norvc\n"
        "  slli zero, zero, 0x1f\n  ebreak\n  srai zero, zero, 7\n  ret\n.option pop\n");

word semihost(word operation, const volatile void *argument);

static word call(word operation, word a, word b, word c)
{
    volatile word block[3];
    block[0] = a;
    block[1] = b;
    block[2] = c;
    return semihost(operation, block);
}

#define TEXT(x) (word)(x), sizeof(x) - 1

static char buffer[64];

int main(void)
{
    semihost(0x04, "begins\n");
    word out = call(0x01, (word)":tt", 4, 3);
    if (call(0x05, out, TEXT("by a handle\n")) != 0)
        return 1;
    word in = call(0x01, (word)":tt", 0, 3);
    word rest = call(0x06, in, (word)buffer, sizeof buffer);
    call(0x05, out, (word)buffer, sizeof buffer - rest);
    if (call(0x06, in, (word)buffer, sizeof buffer) != sizeof buffer)
        semihost(0x04, "more input\n");
    word file = call(0x01, (word)"file.txt", 6, 8);
    call(0x05, file, TEXT("content"));
    if (call(0x0c, file, 0, 0) != 7)
        semihost(0x04, "another length\n");
    call(0x02, file, 0, 0);
    if (call(0x01, (word)"missing", 0, 7) != (word)-1 || semihost(0x13, 0) != 2)
        semihost(0x04, "another error\n");
    call(0x20, 0x20026, 42, 0);
    for (;;) {
    }
}
"#;

fn compile(image: &Image, width: u32) {
    compile_for(image, &format!("rv{width}imac"), PROGRAM, &[]);
}

/// Compiles a program with `semihost` for an instruction set.
pub(super) fn compile_for(image: &Image, architecture: &str, program: &str, options: &[&str]) {
    let width: u32 = if architecture.starts_with("rv32") {
        32
    } else {
        64
    };
    let folder = tree().join("firmware/abi");
    let abi = if width == 32 { "ilp32" } else { "lp64" };
    let output = Command::new("clang")
        .arg(format!("--target=riscv{width}"))
        .args([format!("-march={architecture}"), format!("-mabi={abi}")])
        .args(["-mcmodel=medany", "-Os", "-ffreestanding", "-nostdlib"])
        .args(["-static", "-fno-builtin", "-fuse-ld=lld", "-T"])
        .arg(folder.join("htif.ld"))
        .args(options)
        .arg(image.put("firmware.c", program))
        .arg("-o")
        .arg(image.path("firmware.elf"))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
}

fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
}

#[test]
fn a_character_that_never_comes_is_a_request_without_an_answer() {
    if let Some(what) = missing() {
        return skipped(&what);
    }
    let image = Image(tempfile::tempdir().unwrap());
    let (head, _) = PROGRAM.split_once("int main(void)").unwrap();
    let program = format!("{head}int main(void) {{ semihost(0x07, 0); for (;;) {{ }} }}");
    compile_for(&image, "rv32imac", &program, &[]);
    let mailboxes = image.put("mailbox.yaml", "cpu: {space: cpu, elf: \"${IMAGE}\"}\n");
    let trace = image.path("run.trace");
    // With traps handled by the command, or with code that replaces them.
    for by_code in [false, true] {
        let mut options = vec!["--max-instructions", "100000", "--record"];
        options.push(trace.to_str().unwrap());
        if by_code {
            options.extend(["--mailbox", mailboxes.to_str().unwrap()]);
        }
        image.fails(&options, 124);
        super::replays_in_order(&trace);
        let page = image.path("page.html");
        let words = format!("report -o {}", page.display());
        crate::vhost_on(&words, &trace);
        let page = fs::read_to_string(page).unwrap();
        let data = crate::report::data(&page, "run-0");
        let state = data["channels"][0]["state"].as_str().unwrap();
        let ends = state.contains("readc(0x0) of hart 0");
        assert!(
            state.starts_with("not answered since tick ") && ends,
            "{by_code}: {state}"
        );
    }
}

#[test]
fn traps_are_served_and_the_run_replays() {
    if let Some(what) = missing() {
        return skipped(&what);
    }
    for width in [32, 64] {
        let image = Image(tempfile::tempdir().unwrap());
        compile(&image, width);
        let files = image.path("files");
        fs::create_dir(&files).unwrap();
        let (input, trace) = (image.put("input", "input\n"), image.path("run.trace"));
        let ended = image.run([
            "--files".as_ref(),
            files.as_os_str(),
            "--stdin".as_ref(),
            input.as_os_str(),
            "--record".as_ref(),
            trace.as_os_str(),
        ]);
        assert_eq!(ended.stdout(42), "begins\nby a handle\ninput\n");
        assert_eq!(fs::read(files.join("file.txt")).unwrap(), b"content");
        let trace = trace.to_str().unwrap();
        super::replays_in_order(trace);
        for actor in ["semihosting", "files", "console", "memory"] {
            crate::vhost(["replay", trace, "--only", actor]).stdout(0);
        }
        let shown = crate::vhost(["trace", "show", trace, "--kind", "OperationServed"]).stdout(0);
        assert!(shown.contains("fails: ENOENT"), "{shown}");
        assert!(shown.contains("write0(0x8"), "{shown}");
        let counts = crate::vhost(["trace", "stat", trace]).stdout(0);
        assert!(counts.contains("exit_extended"), "{counts}");
    }
}

/// Mailbox configuration with code that replaces the traps.
const STUB: &str = "cpu: {space: cpu, elf: \"${IMAGE}\", abi: semihosting, stub: 0x80080000, \
                    stdio: {stdin: in.txt, stdout: raw, stderr: raw}}\n";

#[test]
fn code_in_place_of_the_traps_does_the_same() {
    if let Some(what) = missing() {
        return skipped(&what);
    }
    for width in [32, 64] {
        let image = Image(tempfile::tempdir().unwrap());
        compile(&image, width);
        let files = image.path("files");
        fs::create_dir(&files).unwrap();
        fs::write(files.join("in.txt"), "input\n").unwrap();
        let (mailboxes, trace) = (image.put("mailbox.yaml", STUB), image.path("run.trace"));
        let ended = image.run([
            "--files".as_ref(),
            files.as_os_str(),
            "--mailbox".as_ref(),
            mailboxes.as_os_str(),
            "--record".as_ref(),
            trace.as_os_str(),
        ]);
        let printed = "1 trap of";
        assert!(ended.stderr.contains(printed), "{ended:?}");
        assert_eq!(ended.stdout(42), "begins\nby a handle\ninput\n");
        assert_eq!(fs::read(files.join("file.txt")).unwrap(), b"content");
        let trace = trace.to_str().unwrap();
        super::replays_in_order(trace);
        crate::vhost(["replay", trace, "--only", "semihosting"]).stdout(0);
    }
}

/// READC has no result that means the end of the input.
#[test]
fn firmware_that_waits_for_input_behind_its_end_is_reported() {
    if let Some(what) = missing() {
        return skipped(&what);
    }
    let program = PROGRAM.replace("semihost(0x04, \"begins\\n\");", "semihost(0x07, 0);");
    assert_ne!(program, PROGRAM);
    let configuration = STUB.replace("stdin: in.txt, ", "");
    for width in [32, 64] {
        let image = Image(tempfile::tempdir().unwrap());
        compile_for(&image, &format!("rv{width}imac"), &program, &[]);
        let mailboxes = image.put("mailbox.yaml", &configuration);
        let mailboxes = mailboxes.to_str().unwrap();
        for options in [&[][..], &["--mailbox", mailboxes]] {
            let error = image.fails(options, 125);
            assert!(error.contains("its standard input has ended"), "{error}");
            assert!(error.contains("hart 0 asks for readc"), "{error}");
        }
    }
}

/// Mailbox configuration with `auto`: the host finds a place in the image.
const AUTO: &str =
    "cpu: {space: cpu, elf: \"${IMAGE}\", stdio: {stdin: in.txt, stdout: raw, stderr: raw}}\n";

#[test]
fn the_image_alone_decides_and_a_gap_has_the_code() {
    if let Some(what) = missing() {
        return skipped(&what);
    }
    for (architecture, harts) in [
        ("rv32imac", "several harts by a lock"),
        ("rv64imac", "several harts by a lock"),
        ("rv32im", "one hart"),
        ("rv64im", "one hart"),
    ] {
        let image = Image(tempfile::tempdir().unwrap());
        compile_for(&image, architecture, PROGRAM, &[]);
        let files = image.path("files");
        fs::create_dir(&files).unwrap();
        fs::write(files.join("in.txt"), "input\n").unwrap();
        let (mailboxes, trace) = (image.put("mailbox.yaml", AUTO), image.path("run.trace"));
        let ended = image.run([
            "--files".as_ref(),
            files.as_os_str(),
            "--mailbox".as_ref(),
            mailboxes.as_os_str(),
            "--record".as_ref(),
            trace.as_os_str(),
        ]);
        for printed in [
            "1 trap of semihosting: firmware is served by semihosting",
            "in a gap (0x8000",
            harts,
        ] {
            assert!(ended.stderr.contains(printed), "{architecture}: {ended:?}");
        }
        assert_eq!(ended.stdout(42), "begins\nby a handle\ninput\n");
        assert_eq!(fs::read(files.join("file.txt")).unwrap(), b"content");
        let trace = trace.to_str().unwrap();
        // The recording has no traps.
        super::replays_in_order(trace);
        crate::vhost(["replay", trace, "--only", "semihosting"]).stdout(0);
    }
}

/// Program for a foreign C library.
const LIBRARY: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

int main(void)
{
    static int numbers[500];
    unsigned state = 1;
    for (int at = 0; at < 500; at++) {
        state = state * 1664525 + 1013904223;
        numbers[at] = state >> 16;
    }
    qsort(numbers, 500, sizeof *numbers, compare);
    printf("least %d, most %d, pi %.6f\n", numbers[0], numbers[499], 3.14159265);
    FILE *file = fopen("numbers.txt", "w+");
    if (!file)
        return 1;
    for (int at = 0; at < 500; at++)
        fprintf(file, "%d\n", numbers[at]);
    if (fseek(file, 0, SEEK_SET) != 0)
        return 2;
    char line[32];
    int lines = 0;
    long sum = 0;
    while (fgets(line, sizeof line, file)) {
        sum += atol(line);
        lines++;
    }
    fclose(file);
    printf("%d lines, sum %ld\n", lines, sum);
    if (fopen("missing.txt", "r"))
        return 3;
    FILE *appended = fopen("numbers.txt", "a");
    fputs("end\n", appended);
    fclose(appended);
    fprintf(stderr, "to standard error\n");
    exit(sum % 200);
}
"#;

/// Compiles with picolibc's start-up code and semihosting. `None` on a machine without it.
fn compile_library(image: &Image, width: u32) -> Option<()> {
    let abi = if width == 32 { "ilp32" } else { "lp64" };
    let memory = [
        "__flash=0x80000000",
        "__flash_size=0x200000",
        "__ram=0x80200000",
        "__ram_size=0x200000",
    ];
    let output = Command::new("riscv64-unknown-elf-gcc")
        .args(["--specs=picolibc.specs", "--oslib=semihost"])
        .args(["--crt0=semihost", "-mcmodel=medany", "-O2"])
        .args([format!("-march=rv{width}imac"), format!("-mabi={abi}")])
        .args(memory.map(|symbol| format!("-Wl,--defsym={symbol}")))
        .arg(image.put("firmware.c", LIBRARY))
        .arg("-o")
        .arg(image.path("firmware.elf"))
        .output();
    let output = output.ok()?;
    let printed = String::from_utf8_lossy(&output.stderr);
    if printed.contains("picolibc.specs") {
        return None;
    }
    assert!(output.status.success(), "{printed}");
    Some(())
}

/// Runs a program on QEMU. Returns its output, exit status, and a file; `None` on a machine without
/// QEMU.
fn qemu(image: &Image, folder: &Path, width: u32) -> Option<(String, Option<i32>)> {
    let output = Command::new(format!("qemu-system-riscv{width}"))
        .args(["-M", "virt", "-cpu", &format!("rv{width}"), "-m", "16M"])
        .args([
            "-nographic",
            "-monitor",
            "none",
            "-serial",
            "none",
            "-bios",
            "none",
        ])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(image.path("firmware.elf"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    // The console of QEMU is its standard error.
    let text = [output.stdout, output.stderr].concat();
    Some((String::from_utf8(text).unwrap(), output.status.code()))
}

#[test]
fn a_program_with_picolibc_does_the_same_as_on_qemu() {
    for width in [32, 64] {
        let image = Image(tempfile::tempdir().unwrap());
        if compile_library(&image, width).is_none() {
            return skipped("not found: riscv64-unknown-elf-gcc with picolibc");
        }
        let (here, there) = (image.path("here"), image.path("there"));
        fs::create_dir(&here).unwrap();
        fs::create_dir(&there).unwrap();
        let Some((text, status)) = qemu(&image, &there, width) else {
            return skipped("not found: qemu-system-riscv32");
        };
        let ended = image.run(["--files".as_ref(), here.as_os_str()]);
        assert_eq!(ended.status, status, "{ended:?}, {text}");
        let own: String = ended
            .stderr
            .split_inclusive('\n')
            .filter(|it| !it.starts_with("vhost: "))
            .collect();
        assert_eq!(ended.stdout + &own, text);
        let file = |folder: &Path| fs::read(folder.join("numbers.txt")).unwrap();
        assert_eq!(file(&here), file(&there));
        // With code that replaces the traps.
        fs::write(here.join("numbers.txt"), "").unwrap();
        fs::write(here.join("in.txt"), "").unwrap();
        let mailboxes = image.put("mailbox.yaml", STUB);
        let patched = image.run([
            "--files".as_ref(),
            here.as_os_str(),
            "--mailbox".as_ref(),
            mailboxes.as_os_str(),
        ]);
        assert_eq!(patched.status, status, "{patched:?}");
        assert!(text.starts_with(&patched.stdout) && !patched.stdout.is_empty());
        assert_eq!(file(&here), file(&there));
        assert!(status.unwrap() > 0);
    }
}
