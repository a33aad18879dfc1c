//! CSRs, traps, interrupts and counters.

use riscv_iss::{Cause, Hart, Instruction, Interrupt, Rv32, Rv64, Stop, Trap, Xlen};

use crate::assembler::{Operands, encode, fixed, i, s};
use crate::program::{CODE, DATA, Machine};

const HANDLER: u64 = CODE + 0x100;

const MSTATUS: u16 = 0x300;
const MIE: u16 = 0x304;
const MTVEC: u16 = 0x305;
const MEPC: u16 = 0x341;
const MCAUSE: u16 = 0x342;
const MTVAL: u16 = 0x343;
const MIP: u16 = 0x344;

/// Access to a CSR: `rd`, number, register or immediate.
fn csr(name: &str, rd: u8, number: u16, source: u8) -> u32 {
    let operands = Operands {
        rd,
        rs1: source,
        rs2: 0,
        imm: number.into(),
    };
    encode(name, operands)
}

/// Machine with its handler at [`HANDLER`].
fn handled<X: Xlen>(code: &[u32], handler: &[u32]) -> Machine<X> {
    let mut all = vec![csr("csrrw", 0, MTVEC, 31)];
    all.extend(code);
    let mut machine = Machine::<X>::new(&all).with(&[(31, HANDLER)]);
    for (at, bits) in handler.iter().enumerate() {
        machine.put(HANDLER + 4 * at as u64, (*bits).into(), 4);
    }
    machine.step();
    machine
}

/// Writes a value to a CSR, and returns its new value.
fn written<X: Xlen>(number: u16, value: u64) -> u64 {
    let mut machine = Machine::<X>::new(&[csr("csrrw", 0, number, 1)]).with(&[(1, value)]);
    machine.step();
    machine.hart.csr(number).unwrap()
}

#[test]
fn registers_keep_the_bits_that_they_have() {
    let all = u64::MAX;
    // Number, value after all ones on RV32 and on RV64, value after zeros.
    let cases: [(u16, u64, u64, u64); 9] = [
        (MSTATUS, 0x1888, 0x1888, 0x1800),
        (MIE, 0x888, 0x888, 0),
        (MTVEC, 0xffff_fffd, all - 2, 0),
        (0x340, 0xffff_ffff, all, 0),
        (MEPC, 0xffff_fffe, all - 1, 0),
        (MCAUSE, 0xffff_ffff, all, 0),
        (MTVAL, 0xffff_ffff, all, 0),
        (MIP, 0, 0, 0),
        (0x3b0, 0, 0, 0),
    ];
    for (number, narrow, wide, zeros) in cases {
        assert_eq!(written::<Rv32>(number, all), narrow, "{number:#x}");
        assert_eq!(written::<Rv64>(number, all), wide, "{number:#x}");
        assert_eq!(written::<Rv64>(number, 0), zeros, "{number:#x}");
    }
    assert_eq!(written::<Rv32>(0x301, 0), 0x4000_1105);
    assert_eq!(written::<Rv64>(0x301, 0), 0x8000_0000_0000_1105);
    assert_eq!(Hart::<Rv32>::new(3, 0).csr(0xf14), Some(3));
}

#[test]
fn accesses_set_and_clear_and_return_the_old_value() {
    let code = [
        csr("csrrwi", 1, 0x340, 21),
        csr("csrrsi", 2, 0x340, 10),
        csr("csrrci", 3, 0x340, 1),
        csr("csrrs", 4, 0x340, 10),
        csr("csrrc", 5, 0x340, 11),
        csr("csrrw", 6, 0x340, 12),
        csr("csrrs", 7, 0x340, 0),
    ];
    let mut machine = Machine::<Rv32>::new(&code).with(&[(10, 0x8000_0000), (11, 2), (12, 5)]);
    machine.run(7);
    let found: Vec<u64> = (1..8).map(|number| machine.hart.register(number)).collect();
    assert_eq!(found, [0, 21, 31, 30, 0x8000_001e, 0x8000_001c, 5]);
    // The register is source and destination.
    let mut machine = Machine::<Rv32>::new(&[csr("csrrw", 1, 0x340, 1)]).with(&[(1, 9)]);
    machine.step();
    assert_eq!(
        (machine.hart.register(1), machine.hart.csr(0x340)),
        (0, Some(9))
    );
}

#[test]
fn registers_that_are_missing_or_read_only_are_illegal() {
    let illegal = |code: u32| {
        let mut machine = Machine::<Rv64>::new(&[code]).with(&[(1, 77)]);
        match machine.run(1).stop {
            Stop::Unhandled(trap) => {
                assert_eq!(
                    (trap.cause, trap.value),
                    (Cause::IllegalInstruction, code.into())
                );
                assert_eq!(machine.hart.register(1), 77);
                true
            }
            _ => false,
        }
    };
    // satp, medeleg, fcsr, mcycleh on RV64, a debug register.
    for number in [0x180, 0x302, 0x003, 0xb80, 0x7b0, 0x3a1] {
        assert!(illegal(csr("csrrs", 1, number, 0)), "{number:#x}");
        assert!(illegal(csr("csrrwi", 0, number, 0)), "{number:#x}");
    }
    for number in [0xf14, 0xf11, 0xc00, 0xc02] {
        assert!(!illegal(csr("csrrs", 2, number, 0)));
        assert!(!illegal(csr("csrrci", 2, number, 0)));
        assert!(illegal(csr("csrrs", 1, number, 1)), "{number:#x}");
        assert!(illegal(csr("csrrw", 1, number, 0)), "{number:#x}");
    }
}

#[test]
fn an_exception_is_handled_and_returned_from() {
    // mepc += 4 in the handler.
    let handler = [
        csr("csrrs", 1, MEPC, 0),
        i("addi", 1, 1, 4),
        csr("csrrw", 0, MEPC, 1),
        fixed("mret"),
    ];
    let mut machine = handled::<Rv64>(
        &[
            csr("csrrsi", 0, MSTATUS, 8),
            fixed("ecall"),
            i("addi", 5, 0, 6),
        ],
        &handler,
    );
    assert_eq!(machine.run(2).stop, Stop::Steps);
    assert_eq!(machine.hart.pc(), HANDLER);
    let hart = &machine.hart;
    let state = [MEPC, MCAUSE, MTVAL, MSTATUS].map(|number| hart.csr(number).unwrap());
    // Interrupts are disabled in the handler, and were enabled before.
    assert_eq!(state, [CODE + 8, 11, 0, 0x1880]);
    assert_eq!(machine.run(5).stop, Stop::Steps);
    assert_eq!(machine.hart.register(5), 6);
    assert_eq!(machine.hart.csr(MSTATUS), Some(0x1888));
    // Disabled interrupts stay disabled.
    let mut machine = handled::<Rv64>(&[fixed("ecall")], &[fixed("mret")]);
    machine.step();
    assert_eq!(machine.hart.csr(MSTATUS), Some(0x1800));
    machine.step();
    assert_eq!(machine.hart.csr(MSTATUS), Some(0x1880));
}

#[test]
fn each_exception_has_its_code_and_value() {
    let bad = 0x10_u64;
    let cases = [
        (fixed("ebreak"), Cause::Breakpoint, 3, CODE + 4),
        (0xffff_ffff, Cause::IllegalInstruction, 2, 0xffff_ffff),
        // An illegal halfword, without the next one.
        (0x4501_0000, Cause::IllegalInstruction, 2, 0),
        (i("lw", 1, 2, 0), Cause::LoadAccessFault, 5, bad),
        (i("lw", 1, 2, 1), Cause::LoadMisaligned, 4, bad + 1),
        (s("sw", 2, 0, 0), Cause::StoreAccessFault, 7, bad),
        (s("sh", 2, 0, 1), Cause::StoreMisaligned, 6, bad + 1),
        (fixed("ecall"), Cause::EnvironmentCall, 11, 0),
    ];
    for (bits, cause, code, value) in cases {
        let mut machine = handled::<Rv32>(&[bits], &[]).with(&[(2, bad)]);
        machine.step();
        let hart = &machine.hart;
        let state = [MEPC, MCAUSE, MTVAL].map(|number| hart.csr(number).unwrap());
        assert_eq!(state, [CODE + 4, code, value], "{cause:?}");
        assert_eq!(cause.code(), code);
        assert_eq!(hart.pc(), HANDLER);
    }
    // A jump to an unmapped address reports its target.
    let mut machine = handled::<Rv32>(&[i("jalr", 1, 2, 0)], &[]).with(&[(2, bad)]);
    machine.run(2);
    let state = [MEPC, MCAUSE, MTVAL].map(|number| machine.hart.csr(number).unwrap());
    assert_eq!((state, machine.hart.register(1)), ([bad, 1, bad], CODE + 8));
}

#[test]
fn a_trap_without_a_handler_ends_the_run_with_its_cause() {
    let mut machine = Machine::<Rv32>::new(&[i("addi", 1, 1, 1), 0xffff_ffff]);
    let trap = Trap {
        cause: Cause::IllegalInstruction,
        pc: CODE + 4,
        value: 0xffff_ffff,
    };
    for steps in [2, 1] {
        let run = machine.run(100);
        assert_eq!((run.steps, run.stop), (steps, Stop::Unhandled(trap)));
        assert_eq!(machine.hart.pc(), CODE + 4);
    }
    assert_eq!(machine.hart.register(1), 1);
    assert_eq!(machine.hart.retired(), 1);
    assert_eq!(
        trap.to_string(),
        "illegal instruction 0xffffffff at 0x80000004"
    );
}

#[test]
fn interrupts_are_taken_by_priority_when_they_are_enabled() {
    let code = [
        csr("csrrw", 0, MIE, 1),
        csr("csrrsi", 0, MSTATUS, 8),
        i("addi", 5, 5, 1),
    ];
    let order = [
        (Interrupt::External, 11),
        (Interrupt::Software, 3),
        (Interrupt::Timer, 7),
    ];
    for first in 0..3 {
        let mut machine = handled::<Rv64>(&code, &[i("addi", 6, 6, 1)]).with(&[(1, 0x888)]);
        for (interrupt, _) in &order[first..] {
            machine.hart.set_interrupt(*interrupt, true);
        }
        // Not before both enables are set, and then before the next instruction.
        machine.run(2);
        assert_eq!(machine.hart.pc(), CODE + 12);
        machine.step();
        assert_eq!(machine.hart.pc(), HANDLER + 4);
        let hart = &machine.hart;
        let state = [MEPC, MCAUSE, MTVAL].map(|number| hart.csr(number).unwrap());
        assert_eq!(state, [CODE + 12, 1 << 63 | order[first].1, 0]);
        // No interrupt is taken in the handler.
        assert_eq!((machine.hart.register(6), machine.hart.register(5)), (1, 0));
    }
}

#[test]
fn an_interrupt_line_is_seen_before_the_next_instruction() {
    let code = [
        csr("csrrw", 0, MIE, 1),
        csr("csrrsi", 0, MSTATUS, 8),
        i("addi", 5, 5, 1),
        i("addi", 5, 5, 1),
    ];
    let handler = [i("addi", 6, 6, 1), fixed("mret")];
    let mut machine = handled::<Rv32>(&code, &handler).with(&[(1, 0x888)]);
    machine.run(3);
    machine.hart.set_interrupt(Interrupt::Timer, true);
    assert_eq!(machine.hart.csr(MIP), Some(0x80));
    machine.run(4);
    // Still pending after `mret`: the handler runs twice.
    assert_eq!((machine.hart.register(5), machine.hart.register(6)), (1, 2));
    assert_eq!(machine.hart.csr(MCAUSE), Some(0x8000_0007));
    machine.hart.set_interrupt(Interrupt::Timer, false);
    machine.run(1);
    assert_eq!(machine.hart.register(5), 2);
}

#[test]
fn vectored_interrupts_have_their_own_handlers() {
    let code = [
        csr("csrrwi", 0, MIE, 8),
        csr("csrrsi", 0, MSTATUS, 8),
        fixed("ecall"),
    ];
    let mut machine = Machine::<Rv64>::new(&[csr("csrrw", 0, MTVEC, 31)]);
    machine = machine.with(&[(31, HANDLER | 1)]);
    for (at, bits) in code.iter().enumerate() {
        machine.put(CODE + 4 + 4 * at as u64, (*bits).into(), 4);
    }
    machine.run(4);
    // Exceptions go to the base address.
    assert_eq!(machine.hart.pc(), HANDLER);
    machine.hart.set_pc(CODE + 8);
    machine.hart.set_interrupt(Interrupt::Software, true);
    machine.put(HANDLER + 12, i("addi", 6, 0, 1).into(), 4);
    machine.run(2);
    assert_eq!(machine.hart.pc(), HANDLER + 16);
}

#[test]
fn wfi_waits_until_an_enabled_interrupt_is_pending() {
    let code = [csr("csrrw", 0, MIE, 1), fixed("wfi"), i("addi", 5, 5, 1)];
    let mut machine = Machine::<Rv32>::new(&code).with(&[(1, 0x80)]);
    let run = machine.run(10);
    assert_eq!((run.steps, run.stop), (2, Stop::Wait));
    assert_eq!(machine.hart.pc(), CODE + 8);
    // Disabled in mstatus, an interrupt wakes the hart without a trap.
    let mut machine = Machine::<Rv32>::new(&code).with(&[(1, 0x80)]);
    machine.hart.set_interrupt(Interrupt::Timer, true);
    assert_eq!(machine.run(3).stop, Stop::Steps);
    assert_eq!(machine.hart.register(5), 1);
    // Disabled in mie, it does not.
    let mut machine = Machine::<Rv32>::new(&code).with(&[(1, 0x80)]);
    machine.hart.set_interrupt(Interrupt::External, true);
    assert_eq!(machine.run(3).stop, Stop::Wait);
}

#[test]
fn counters_count_retired_instructions() {
    let code = [
        i("addi", 1, 0, 1),
        fixed("ecall"),
        csr("csrrs", 5, 0xb02, 0),
        csr("csrrs", 6, 0xb00, 0),
        csr("csrrs", 7, 0xc02, 0),
        csr("csrrs", 8, 0xc01, 0),
    ];
    let handler = [
        csr("csrrs", 1, MEPC, 0),
        i("addi", 1, 1, 4),
        csr("csrrw", 0, MEPC, 1),
        fixed("mret"),
    ];
    for batch in [1, 3, 100] {
        let mut machine = handled::<Rv64>(&code, &handler);
        let mut left = 10;
        while left > 0 {
            left -= machine.run(batch.min(left)).steps;
        }
        let found = [5, 6, 7, 8].map(|number| machine.hart.register(number));
        // mtvec, addi, and four instructions of the handler; the call itself takes a cycle.
        assert_eq!(found, [6, 8, 8, 10], "{batch}");
        assert_eq!(machine.hart.retired(), 10);
    }
}

#[test]
fn written_counters_go_on_from_their_value() {
    let code = [
        csr("csrrw", 0, 0xb02, 1),
        csr("csrrs", 5, 0xb02, 0),
        csr("csrrs", 6, 0xb02, 0),
    ];
    let mut machine = Machine::<Rv64>::new(&code).with(&[(1, u64::MAX)]);
    machine.run(3);
    assert_eq!(
        (machine.hart.register(5), machine.hart.register(6)),
        (u64::MAX, 0)
    );
    // RV32 has two halves, with a carry from the low one.
    let code = [
        csr("csrrw", 0, 0xb80, 1),
        csr("csrrw", 0, 0xb00, 2),
        csr("csrrs", 5, 0xb80, 0),
        csr("csrrs", 6, 0xb00, 0),
        csr("csrrs", 7, 0xc80, 0),
    ];
    let mut machine = Machine::<Rv32>::new(&code).with(&[(1, 7), (2, 0xffff_ffff)]);
    machine.run(5);
    let found = [5, 6, 7].map(|number| machine.hart.register(number));
    assert_eq!(found, [7, 0, 8]);
}

#[test]
fn a_handler_that_traps_itself_is_a_loop() {
    // The handler's stack is unmapped, and lower at each trap.
    let handler = [i("addi", 2, 2, -16), s("sw", 2, 1, 0), fixed("mret")];
    let mut machine = handled::<Rv32>(&[fixed("ecall")], &handler).with(&[(2, 0x1000)]);
    let Stop::TrapLoop(trap) = machine.run(1_000_000).stop else {
        panic!("no loop");
    };
    assert_eq!(
        (trap.cause, trap.pc),
        (Cause::StoreAccessFault, HANDLER + 4)
    );
    // The first instruction of the handler is illegal.
    let mut machine = handled::<Rv64>(&[fixed("ecall")], &[0]);
    let Stop::TrapLoop(trap) = machine.run(1_000_000).stop else {
        panic!("no loop");
    };
    assert_eq!((trap.cause, trap.pc), (Cause::IllegalInstruction, HANDLER));
}

#[test]
fn calls_of_an_environment_are_no_loop() {
    // An ecall, and a return to it.
    let handler = [csr("csrrwi", 0, MCAUSE, 0), fixed("mret")];
    let mut machine = handled::<Rv32>(&[fixed("ecall")], &handler);
    assert_eq!(machine.run(100_000).stop, Stop::Steps);
}

#[test]
fn an_instruction_of_a_trap_can_be_shown() {
    let bits = i("addi", 10, 2, 16);
    let text = |bits| Instruction::decode::<Rv64>(bits).unwrap().to_string();
    assert_eq!(text(bits), "addi a0, sp, 16");
    assert_eq!(text(s("sd", 2, 1, -8)), "sd ra, -8(sp)");
    assert_eq!(text(0x4505), "addi a0, zero, 1");
    let mut machine = Machine::<Rv32>::new(&[i("lw", 10, 2, 0)]).with(&[(2, DATA + 2)]);
    let Stop::Unhandled(trap) = machine.run(1).stop else {
        panic!("no trap");
    };
    assert_eq!(
        trap.to_string(),
        "misaligned load from 0x80001002 at 0x80000000"
    );
}
