//! Protocols found in an image: reports at the start, images without symbols, options of other
//! protocols.

use std::process::Command;

use super::compiled::missing;
use super::htif::{compile, for_each_kind};
use super::{Image, JUMP_TO_ITSELF, TRAP, code};
use test_support::elf::Elf;

/// Image without a mailbox, with these symbols.
fn with_symbols(instructions: &[u32], symbols: &[(&'static str, u64, u64)]) -> Image {
    let elf = Elf {
        mailboxes: Vec::new(),
        symbols: symbols.to_vec(),
        ..code(instructions)
    };
    Image::of(&elf.build())
}

const TOHOST: (&str, u64, u64) = ("tohost", 0x8000_0040, 8);
const FROMHOST: (&str, u64, u64) = ("fromhost", 0x8000_0048, 8);
const BLOCK: (&str, u64, u64) = ("_SEGGER_RTT", 0x8000_0080, 24);

/// Image with a loop, and space for words.
fn room() -> Vec<u32> {
    [vec![JUMP_TO_ITSELF], vec![0; 63]].concat()
}

#[test]
fn each_channel_is_reported_at_the_start() {
    let trapped = [room(), TRAP.to_vec()].concat();
    let mailbox = ("mailbox", 0x8000_1000, 800);
    let cases: [(Vec<u32>, &[_], &[&str]); 4] = [
        (
            trapped.clone(),
            &[TOHOST, FROMHOST, BLOCK],
            &[
                "channel `cpu`: HTIF, by symbols tohost (0x80000040) and fromhost (0x80000048)",
                "channel `rtt`: RTT, by symbol _SEGGER_RTT (0x80000080)",
                "channel `semihosting`: semihosting, by traps (the first at 0x80000100)",
            ],
        ),
        (
            trapped,
            &[BLOCK],
            &[
                "channel `cpu`: semihosting, by traps (the first at 0x80000100)",
                "channel `rtt`: RTT, by symbol _SEGGER_RTT (0x80000080)",
            ],
        ),
        (
            room(),
            &[BLOCK],
            &["channel `cpu`: RTT, by symbol _SEGGER_RTT (0x80000080)"],
        ),
        (
            room(),
            &[mailbox],
            &["channel `cpu`: a mailbox at 0x80001000, by symbol `mailbox`"],
        ),
    ];
    for (instructions, symbols, expected) in cases {
        let image = with_symbols(&instructions, symbols);
        let printed = image.run(["--max-instructions", "100"]).stderr;
        let reported: Vec<&str> = printed
            .lines()
            .filter_map(|line| line.strip_prefix("vhost: info: config: "))
            .collect();
        assert_eq!(reported, expected, "{printed}");
        assert!(!printed.contains("warning"), "{printed}");
    }
    let image = Image::of(&code(&[JUMP_TO_ITSELF]).build());
    let printed = image.run(["--max-instructions", "100"]).stderr;
    let expected =
        "vhost: info: config: channel `cpu`: a mailbox at 0x80001000, by section .mailbox\n";
    assert!(printed.starts_with(expected), "{printed}");
}

#[test]
fn a_stripped_image_is_reported() {
    let stripped = "link it without --strip-all or -s, and don't run strip on it";
    let error = with_symbols(&room(), &[]).fails(&[], 125);
    assert!(
        error.contains("nor _SEGGER_RTT of RTT: it has no symbols") && error.contains(stripped),
        "{error}"
    );
    let error = with_symbols(&room(), &[("main", 0x8000_0000, 4)]).fails(&[], 125);
    assert!(!error.contains(stripped), "{error}");
    // It hangs, since HTIF and RTT can't be found without symbols.
    let image = with_symbols(&TRAP, &[]);
    let printed = image.run(["--max-instructions", "100"]).stderr;
    let warning = "firmware.elf has no symbols, by which HTIF (tohost, fromhost) and RTT (_SEGGER_RTT) are found";
    assert!(
        printed.contains("vhost: warning: config: ")
            && printed.contains(warning)
            && printed.contains(stripped),
        "{printed}"
    );
}

#[test]
fn compiled_images_keep_their_symbols() {
    if missing().is_some() {
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    let source = image.put(
        "firmware.c",
        "char _SEGGER_RTT[24] __attribute__((used));\nint main(void) { return _SEGGER_RTT[0]; }\n",
    );
    let output = Command::new("sh")
        .arg(super::tree().join("firmware/compile.sh"))
        .arg("rv32")
        .args([image.path("firmware.elf"), source])
        .args(["-Wl,--undefined=_SEGGER_RTT"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = image.run(["--max-instructions", "1000"]).stderr;
    assert!(printed.contains("RTT, by symbol _SEGGER_RTT"), "{printed}");
}

#[test]
fn options_of_other_protocols_are_reported() {
    let image = with_symbols(&TRAP, &[BLOCK]);
    let files = image.0.path().to_str().unwrap();
    let error = image.fails(&["--files", files, "--signature", "sig"], 125);
    assert!(
        error.contains("--signature sig: the signature is written at the exit by HTIF"),
        "{error}"
    );
    let options = [
        "--max-instructions",
        "100",
        "--env",
        "A=B",
        "--protocol",
        "0.2",
    ];
    let printed = image.run(options).stderr;
    let warning = "vhost: warning: config: --env, --protocol without effect: they are for firmware with a mailbox";
    assert!(printed.contains(warning), "{printed}");
    let image = with_symbols(&room(), &[TOHOST, FROMHOST]);
    let files = image.0.path().to_str().unwrap();
    let error = image.fails(&["--files", files, "--signature", "sig"], 125);
    assert!(
        error.contains("firmware.elf has no symbol begin_signature") && !error.contains('<'),
        "{error}"
    );
}

#[test]
fn the_report_of_a_hanging_program_names_its_own_exits() {
    for_each_kind(|image, width, options| {
        compile(
            image,
            width,
            options,
            "int main(void) { for (;;) __asm__ volatile(\"\"); }",
        );
        let printed = image.run(["--max-instructions", "10000000"]).stderr;
        assert!(
            printed.contains("have it exit (a code in tohost)") || printed.contains("did not exit"),
            "{printed}"
        );
        assert!(!printed.contains("mb_exit"), "{printed}");
    });
    let image = with_symbols(&[room(), TRAP.to_vec()].concat(), &[]);
    let error = image.fails(&[], 125);
    assert!(
        error.contains("a jump to itself: before that have it exit (EXIT of semihosting)"),
        "{error}"
    );
    assert!(
        error.contains("a trap that the testbench (mb_semihost) or `vhost run` sees"),
        "{error}"
    );
    let error = with_symbols(&room(), &[BLOCK]).fails(&[], 125);
    assert!(error.contains("RTT has no exit"), "{error}");
}
