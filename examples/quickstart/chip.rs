//! The 'chip': a RISC-V CPU (RV32IMAC) with one RAM, simulated instruction by instruction.
//!
//! It does not depend on vhost. Its RAM is a [`Buffer`] that others may access: a backdoor.

use riscv_iss::{AccessFault, Bus, Hart, Rv32, Stop, Trap};
use vhost::mem::Buffer;

/// CPU after reset, at address 0.
pub struct Chip {
    cpu: Hart<Rv32>,
    ram: Ram,
    /// Number of executed instructions.
    pub instructions: u64,
}

impl Chip {
    /// Creates a CPU with this RAM at address 0.
    pub fn new(ram: Buffer) -> Self {
        Self {
            cpu: Hart::new(0, 0),
            ram: Ram(ram),
            instructions: 0,
        }
    }

    /// Executes this number of instructions, or fewer if the CPU waits for an interrupt.
    pub fn run(&mut self, instructions: u64) -> Result<(), Trap> {
        let run = self.cpu.run(&mut self.ram, instructions);
        self.instructions += run.steps;
        match run.stop {
            // No interrupt comes: a waiting CPU continues in the next tick. There is no
            // semihosting.
            Stop::Steps | Stop::Wait | Stop::Semihosting => Ok(()),
            Stop::Unhandled(trap) | Stop::TrapLoop(trap) => Err(trap),
        }
    }

    /// Address of the next instruction.
    pub fn pc(&self) -> u64 {
        self.cpu.pc()
    }
}

struct Ram(Buffer);

impl Bus for Ram {
    #[inline]
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        let offset = usize::try_from(address).map_err(|_| AccessFault)?;
        let cells = self.0.cells().get(offset..).unwrap_or_default();
        let bytes = cells.first_chunk::<N>().ok_or(AccessFault)?;
        Ok(bytes.each_ref().map(std::cell::Cell::get))
    }

    #[inline]
    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), AccessFault> {
        let offset = usize::try_from(address).map_err(|_| AccessFault)?;
        self.0
            .write(offset, &bytes)
            .then_some(())
            .ok_or(AccessFault)
    }
}
