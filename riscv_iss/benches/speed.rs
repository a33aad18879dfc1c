//! Speed of the simulator in instructions per second, for runs of many instructions and of ten.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that can't start says why; its output is for reading"
)]

use std::time::{Duration, Instant};

use riscv_iss::{Hart, Ram, Rv32, Rv64, Stop, Xlen};

/// Address of the program. Its data follows at an offset of 4 KiB, and has 4 KiB.
const BASE: u64 = 0x8000_0000;

/// Endless loop over an array: a load, a store, arithmetic, and two branches for each word.
const PROGRAM: [u32; 15] = [
    0x0000_1517, // auipc a0, 1
    0x0000_1637, // lui a2, 1
    0x00c5_05b3, // add a1, a0, a2
    0x0005_2283, // lw t0, 0(a0)
    0x0053_0333, // add t1, t1, t0
    0x0063_c3b3, // xor t2, t2, t1
    0x0073_d293, // srli t0, t2, 7
    0x0055_2023, // sw t0, 0(a0)
    0x0012_f293, // andi t0, t0, 1
    0x0002_8463, // beqz t0, 8
    0x0033_0313, // addi t1, t1, 3
    0x0045_0513, // addi a0, a0, 4
    0xfcb5_1ee3, // bne a0, a1, -36
    0x40c5_0533, // sub a0, a0, a2
    0xfd5f_f06f, // j -44
];

/// Instructions of one measurement.
const INSTRUCTIONS: u64 = 20_000_000;

/// Measurements of each variant. The fastest counts.
const ROUNDS: u32 = 10;

fn main() {
    for per_run in [10, 1_000] {
        measure::<Rv32>(per_run);
        measure::<Rv64>(per_run);
    }
}

fn measure<X: Xlen>(per_run: u64) {
    let mut ram = Ram::new(BASE, 0x2000);
    let code = PROGRAM.map(u32::to_le_bytes).concat();
    ram.write(BASE, &code).expect("room for the program");
    let mut hart = Hart::<X>::new(0, BASE);
    let mut fastest = Duration::MAX;
    for _ in 0..ROUNDS {
        let since = Instant::now();
        for _ in 0..INSTRUCTIONS / per_run {
            let run = hart.run(&mut ram, per_run);
            assert_eq!(run.stop, Stop::Steps);
        }
        fastest = fastest.min(since.elapsed());
    }
    let millions = INSTRUCTIONS as f64 / fastest.as_secs_f64() / 1e6;
    println!(
        "RV{}, runs of {per_run:>5} instructions: {millions:>6.1} million a second",
        X::BITS
    );
}
