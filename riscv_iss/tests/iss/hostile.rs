//! Programs of random bits: they end, stay in their memory, and keep registers within their width.

use proptest::prelude::*;
use riscv_iss::{AccessFault, Bus, Hart, Interrupt, Ram, Rv32, Rv64, Stop, Xlen};

use crate::assembler::{Operands, ROWS};
use crate::program::{CODE, SIZE};

/// Memory that counts accesses that a hart must not make.
struct Checked {
    ram: Ram,
    misaligned: u64,
}

impl Bus for Checked {
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        self.misaligned += address % N as u64;
        self.ram.load(address)
    }

    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), AccessFault> {
        self.misaligned += address % N as u64;
        self.ram.store(address, bytes)
    }

    fn fetch<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        self.misaligned += address % 2;
        self.ram.fetch(address)
    }
}

/// Words, most of which are instructions.
fn code() -> impl Strategy<Value = Vec<u32>> {
    let instruction = (0..ROWS.len(), any::<u32>(), any::<i32>()).prop_map(|(row, bits, imm)| {
        let register = |low: u32| ((bits >> low) % 32) as u8;
        let operands = Operands {
            rd: register(0),
            rs1: register(5),
            rs2: register(10),
            imm: if bits >> 31 == 0 { imm } else { imm & 0x7f },
        };
        ROWS[row].encode(ROWS[row].fit(operands, 64))
    });
    let word = prop_oneof![4 => instruction, 1 => any::<u32>()];
    proptest::collection::vec(word, 1..200)
}

fn run<X: Xlen>(code: &[u32], registers: &[u64], batches: &[u64]) {
    let mut ram = Ram::new(CODE, SIZE);
    let bytes: Vec<u8> = code.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    ram.write(CODE, &bytes).unwrap();
    let mut bus = Checked { ram, misaligned: 0 };
    let mut hart = Hart::<X>::new(0, CODE);
    for (number, value) in (1_u8..32).zip(registers) {
        hart.set_register(number, *value);
    }
    for (at, steps) in batches.iter().enumerate() {
        let run = hart.run(&mut bus, *steps);
        assert!(run.steps <= *steps);
        if run.stop == Stop::Steps {
            assert_eq!(run.steps, *steps);
        }
        assert_eq!(hart.register(0), 0);
        assert_eq!(hart.pc() % 2, 0);
        for number in 0..32 {
            assert!(X::BITS == 64 || hart.register(number) >> 32 == 0);
        }
        for number in 0..0x1000 {
            let value = hart.csr(number).unwrap_or_default();
            assert!(X::BITS == 64 || value >> 32 == 0, "{number:#x}: {value:#x}");
        }
        if matches!(run.stop, Stop::Unhandled(_)) {
            hart.set_pc(hart.pc().wrapping_add(4));
        }
        hart.set_interrupt(Interrupt::Timer, at % 3 == 0);
    }
    assert_eq!(bus.misaligned, 0);
}

proptest! {
    #[test]
    fn any_program_ends(
        code in code(),
        registers in proptest::collection::vec(prop_oneof![any::<u64>(), CODE..CODE + SIZE as u64], 31),
        batches in proptest::collection::vec(0..300_u64, 1..20),
    ) {
        run::<Rv32>(&code, &registers, &batches);
        run::<Rv64>(&code, &registers, &batches);
    }
}
