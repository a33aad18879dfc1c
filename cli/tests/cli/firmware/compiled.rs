//! Firmware that the test compiles, with compressed and atomic instructions.

use std::io::Write as _;
use std::process::Command;

use super::{Image, tree};

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

/// Reason why firmware can't be compiled here, if any.
pub(super) fn missing() -> Option<String> {
    let targets = Command::new("clang").arg("--print-targets").output();
    let known = targets.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).contains("riscv32"));
    let linker = Command::new("ld.lld").arg("--version").output();
    (!known || linker.is_err()).then(|| "not found: clang for riscv32, or ld.lld".to_owned())
}

/// Compiles firmware with its symbols, for CPUs with compressed and atomic instructions.
fn compile(image: &Image, width: u32, options: &[&str]) {
    compile_source(image, SOURCE, width, options);
}

/// Compiles another source in the same way.
pub(super) fn compile_source(image: &Image, source: &str, width: u32, options: &[&str]) {
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
        .arg(image.put("firmware.c", source))
        .arg("-o")
        .arg(image.path("firmware.elf"))
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}");
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
        // A trap is reported with its function, after all printed text.
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
        // At another address, with a cache line.
        let elsewhere = [
            "-DCODE=3",
            "-DMB_CACHE_LINE=64",
            "-Wl,--defsym=RAM_BASE=0x40000000,--defsym=MAILBOX_BASE=0x40008000",
        ];
        compile(&image, width, &elsewhere);
        assert_eq!(
            image.run(["--cache-line", "64"]).stdout(3),
            "[cpu] counter 7\n"
        );
    }
}

/// Stores words on both sides of a guard, then at an address.
const STORES: &str = r#"
#include "mailbox.h"
MB_CHANNEL(mailbox);

static void __attribute__((noinline)) store(uint32_t address)
{
    *(volatile uint32_t *)(uintptr_t)address = 1;
}

int main(void)
{
    mb_reset(&mailbox);
    store(0x801000);
    store(0x7ffffc);
    mb_printf(&mailbox, "beside the guard\n");
    store(ADDRESS);
    mb_exit(&mailbox, 3);
    return 0;
}
"#;

#[test]
fn a_guard_of_the_image_is_no_memory_of_the_hart() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    let guard = "-Wl,--defsym=__vhost_guard=0x800000,--defsym=__vhost_stack_limit=0x801000";
    for width in [32, 64] {
        for address in ["0x800000", "0x800ffc"] {
            let address = format!("-DADDRESS={address}");
            compile_source(&image, STORES, width, &[&address, guard]);
            let ended = image.run([""; 0]);
            assert_eq!(ended.stdout, "[cpu] beside the guard\n", "{}", ended.stderr);
            let error = ended.stderr(125);
            for part in [" (store", "guard below the stack", "--stack"] {
                assert!(error.contains(part), "{part}: {error}");
            }
        }
        // Half a guard, an empty one, and one at another place are ignored.
        for guard in [
            "-Wl,--defsym=__vhost_guard=0x800000",
            "-Wl,--defsym=__vhost_guard=0x801000,--defsym=__vhost_stack_limit=0x800000",
            "-Wl,--defsym=__vhost_guard=0x10000000,--defsym=__vhost_stack_limit=0x10001000",
        ] {
            compile_source(&image, STORES, width, &["-DADDRESS=0x800000", guard]);
            assert_eq!(image.run([""; 0]).status, Some(3));
        }
    }
}
