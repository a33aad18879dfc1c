//! Comparison of the simulator with models written from the manuals.
//!
//! - `assembler`: encodings of instructions, by their tables in the manual.
//! - `decoding`, `compressed`: each encoding, and all halfwords.
//! - `operations`: results of each instruction, in numbers of 128 bits.
//! - `memory`, `atomics`, `machine`: accesses, reservations, CSRs, traps, counters.
//! - `hostile`: programs of random bits.
//! - `programs`, `official`: compiled programs, and riscv-tests.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod assembler;
mod atomics;
mod compressed;
mod decoding;
mod elf;
mod hostile;
mod machine;
mod memory;
mod official;
mod operations;
mod program;
mod programs;
mod semihosting;
mod tools;
