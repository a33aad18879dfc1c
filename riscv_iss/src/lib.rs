//! Instruction-set simulator of one RISC-V hart.
//!
//! - RV32 and RV64 with M, A, C, Zicsr and Zifencei; machine mode only.
//! - Counters `mcycle` and `minstret`, exceptions, software, timer and external interrupts.
//! - Memory is a [`Bus`], which is compiled into the hart.
//!
//! ```
//! use riscv_iss::{Hart, Ram, Rv32, Stop};
//!
//! // addi a0, x0, 6; addi a1, x0, 7; mul a0, a0, a1; ebreak
//! let program = [0x0060_0513_u32, 0x0070_0593, 0x02b5_0533, 0x0010_0073];
//! let mut ram = Ram::new(0x8000_0000, 0x1000);
//! ram.write(0x8000_0000, &program.map(u32::to_le_bytes).concat())?;
//!
//! let mut hart = Hart::<Rv32>::new(0, 0x8000_0000);
//! let run = hart.run(&mut ram, 100);
//! assert!(matches!(run.stop, Stop::Unhandled(_)));
//! assert_eq!((run.steps, hart.register(10)), (4, 42));
//! # Ok::<(), riscv_iss::AccessFault>(())
//! ```
//!
//! # Modules
//!
//! - [`Xlen`]: width of registers. [`Bus`]: memory. [`Ram`]: memory of bytes. [`Cells`]: memories
//!   that a host shares.
//! - [`Instruction`], [`Op`]: decoded instructions, their text, expansion of compressed ones.
//! - [`Hart`]: registers, CSRs, execution, traps.
//!
//! # Speed
//!
//! Each step fetches the instruction's bits from memory, and finds its decoded form in a table by
//! address. An entry is valid if its bits are the fetched ones. Code that the program or another
//! bus master writes is therefore executed at once, without `fence.i`.

#![forbid(unsafe_code)]

mod bus;
mod cells;
mod decode;
mod hart;
mod xlen;

pub use bus::{AccessFault, Bus, Ram};
pub use cells::Cells;
pub use decode::{Instruction, Op};
pub use hart::{Cause, Hart, HartState, Interrupt, Run, Stop, Trap};
pub use xlen::{Rv32, Rv64, Xlen};
