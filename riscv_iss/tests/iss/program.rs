//! Small programs and their RAM.

use riscv_iss::{Hart, Ram, Run, Xlen};

/// Address of the RAM and of the first instruction.
pub(crate) const CODE: u64 = 0x8000_0000;

/// Address of data.
pub(crate) const DATA: u64 = CODE + 0x1000;

/// Size of the RAM.
pub(crate) const SIZE: usize = 0x2000;

/// Hart and memory.
#[derive(Debug)]
pub(crate) struct Machine<X: Xlen> {
    pub(crate) hart: Hart<X>,
    pub(crate) ram: Ram,
}

impl<X: Xlen> Machine<X> {
    /// Machine with these instructions.
    pub(crate) fn new(code: &[u32]) -> Self {
        let mut ram = Ram::new(CODE, SIZE);
        let bytes: Vec<u8> = code.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        ram.write(CODE, &bytes).unwrap();
        Self {
            hart: Hart::new(0, CODE),
            ram,
        }
    }

    /// The machine with values in registers.
    pub(crate) fn with(mut self, registers: &[(u8, u64)]) -> Self {
        for (number, value) in registers {
            self.hart.set_register(*number, *value);
        }
        self
    }

    pub(crate) fn run(&mut self, steps: u64) -> Run {
        self.hart.run(&mut self.ram, steps)
    }

    /// Executes one instruction, which must not trap.
    pub(crate) fn step(&mut self) {
        let run = self.run(1);
        assert_eq!(run.stop, riscv_iss::Stop::Steps);
    }

    /// Value of a register after one instruction.
    pub(crate) fn result(mut self, register: u8) -> u64 {
        self.step();
        self.hart.register(register)
    }

    /// Bytes of the RAM as a number.
    pub(crate) fn word<const N: usize>(&self, address: u64) -> u64 {
        let at = usize::try_from(address - CODE).unwrap();
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(&self.ram.bytes()[at..at + N]);
        u64::from_le_bytes(bytes)
    }

    pub(crate) fn put(&mut self, address: u64, value: u64, size: usize) {
        let bytes = value.to_le_bytes();
        self.ram.write(address, &bytes[..size]).unwrap();
    }
}
