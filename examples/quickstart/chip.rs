//! The 'chip': a RISC-V CPU (RV32IM) with one RAM, simulated instruction by instruction.
//!
//! It does not depend on vhost. Its RAM is a [`Buffer`] that others may access: a backdoor.

use std::fmt;

use rrs_lib::instruction_executor::{InstructionException, InstructionExecutor};
use rrs_lib::{HartState, MemAccessSize, Memory};
use vhost::mem::Buffer;

/// CPU after reset, at address 0.
pub struct Chip {
    cpu: HartState,
    ram: Ram,
    /// Number of executed instructions.
    pub instructions: u64,
}

impl Chip {
    /// Creates a CPU with this RAM at address 0.
    pub fn new(ram: Buffer) -> Self {
        Self {
            cpu: HartState::new(),
            ram: Ram(ram),
            instructions: 0,
        }
    }

    /// Executes this number of instructions.
    pub fn run(&mut self, instructions: u64) -> Result<(), Trap> {
        let mut cpu = InstructionExecutor {
            hart_state: &mut self.cpu,
            mem: &mut self.ram,
        };
        for _ in 0..instructions {
            cpu.step().map_err(Trap)?;
        }
        self.instructions += instructions;
        Ok(())
    }

    /// Address of the next instruction.
    pub fn pc(&self) -> u32 {
        self.cpu.pc
    }
}

/// Exception that stops the CPU.
#[derive(Debug)]
pub struct Trap(InstructionException);

impl std::error::Error for Trap {}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use InstructionException::*;
        match self.0 {
            IllegalInstruction(pc, bits) => {
                write!(f, "illegal instruction {bits:#010x} at {pc:#x}")
            }
            FetchError(pc) => write!(f, "no instruction can be fetched at {pc:#x}"),
            LoadAccessFault(address) => write!(f, "nothing can be loaded from {address:#x}"),
            StoreAccessFault(address) => write!(f, "nothing can be stored to {address:#x}"),
            AlignmentFault(address) => write!(f, "misaligned access to {address:#x}"),
        }
    }
}

struct Ram(Buffer);

impl Memory for Ram {
    fn read_mem(&mut self, address: u32, size: MemAccessSize) -> Option<u32> {
        let mut bytes = [0; 4];
        let read = self.0.read(address as usize, &mut bytes[..width(size)]);
        read.then(|| u32::from_le_bytes(bytes))
    }

    fn write_mem(&mut self, address: u32, size: MemAccessSize, data: u32) -> bool {
        let bytes = data.to_le_bytes();
        self.0.write(address as usize, &bytes[..width(size)])
    }
}

fn width(size: MemAccessSize) -> usize {
    match size {
        MemAccessSize::Byte => 1,
        MemAccessSize::HalfWord => 2,
        MemAccessSize::Word => 4,
    }
}
