//! Firmware that can't continue, and the limit of instructions.

use super::{
    COUNT, EBREAK, ILLEGAL, Image, JUMP_BACK, JUMP_TO_ITSELF, TRAP, WFI, behind_start, code,
};

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
        let start = format!("error: {text}");
        assert!(behind_start(&error).starts_with(&start), "{error}");
        assert!(
            error.contains("cpu: waits for firmware's handshake"),
            "{error}"
        );
    }
    let image = Image::of(&code(&[ILLEGAL]).build());
    assert!(image.fails(&[], 125).contains("has RV64IMAC"));
}

/// Firmware with a mailbox, linked with a library for semihosting.
#[test]
fn an_unserved_trap_of_semihosting_is_reported() {
    let error = Image::of(&code(&TRAP).build()).fails(&[], 125);
    for printed in [
        "firmware.elf has 1 trap of semihosting, too, which is not served",
        "firmware stopped: breakpoint (ebreak) at 0x80000004",
        "; it is a trap of semihosting, which no channel serves: give --mailbox FILE",
    ] {
        assert!(error.contains(printed), "{error}");
    }
    let error = Image::of(&code(&[EBREAK]).build()).fails(&[], 125);
    assert!(!error.contains("semihosting"), "{error}");
}

#[test]
fn a_handler_that_traps_is_an_error() {
    // csrw mtvec, t0 after auipc t0, 0; addi t0, t0, 16; then ecall, and an illegal instruction.
    let instructions = [0x0000_0297, 0x0102_8293, 0x3052_9073, 0x0000_0073, ILLEGAL];
    let error = Image::of(&code(&instructions).build()).fails(&[], 125);
    let start = "error: firmware hangs: its trap handler causes a trap each time it runs: illegal instruction 0xffffffff at 0x80000010";
    assert!(behind_start(&error).starts_with(start), "{error}");
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
