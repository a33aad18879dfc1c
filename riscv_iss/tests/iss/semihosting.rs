//! Traps of semihosting.

use riscv_iss::{Cause, Hart, Ram, Rv32, Rv64, Stop, Xlen};

const BASE: u64 = 0x8000_0000;
/// `addi a0, zero, 1`, the trap, `addi a2, zero, 2`, and an illegal instruction.
const CODE: [u32; 6] = [
    0x0010_0513,
    0x01f0_1013,
    0x0010_0073,
    0x4070_5013,
    0x0020_0613,
    0,
];

fn hart<X: Xlen>(code: &[u32]) -> (Hart<X>, Ram) {
    let mut ram = Ram::new(BASE, 0x1000);
    let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
    ram.write(BASE, &bytes).unwrap();
    (Hart::new(0, BASE), ram)
}

fn stops_and_goes_on<X: Xlen>() {
    let (mut hart, mut ram) = hart::<X>(&CODE);
    hart.stop_at_semihosting(true);
    for _ in 0..2 {
        let run = hart.run(&mut ram, 100);
        assert_eq!((run.stop, hart.pc()), (Stop::Semihosting, BASE + 8));
        assert_eq!(hart.register(10), 1);
    }
    hart.set_register(10, 77);
    hart.set_pc(BASE + 12);
    let run = hart.run(&mut ram, 100);
    assert!(matches!(run.stop, Stop::Unhandled(trap) if trap.cause == Cause::IllegalInstruction));
    assert_eq!((hart.register(10), hart.register(12)), (77, 2));
}

#[test]
fn a_run_stops_at_the_trap_and_goes_on_behind_it() {
    stops_and_goes_on::<Rv32>();
    stops_and_goes_on::<Rv64>();
}

#[test]
fn other_breakpoints_are_exceptions() {
    let mut without = CODE;
    without[3] = 0x0000_0013;
    for (code, stops) in [(CODE, false), (without, true)] {
        let (mut hart, mut ram) = hart::<Rv64>(&code);
        hart.stop_at_semihosting(stops);
        let run = hart.run(&mut ram, 100);
        let is_breakpoint =
            |stop| matches!(stop, Stop::Unhandled(trap) if trap.cause == Cause::Breakpoint);
        assert!(is_breakpoint(run.stop), "{run:?}");
    }
}
