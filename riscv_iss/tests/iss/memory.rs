//! Loads, stores and fetches, and the traps of failed ones.

use proptest::prelude::*;
use riscv_iss::{Cause, Hart, Ram, Rv32, Rv64, Stop, Trap, Xlen};

use crate::assembler::{i, s};
use crate::program::{CODE, DATA, Machine, SIZE};

const END: u64 = CODE + SIZE as u64;

/// Name, size, and true for sign extension.
const LOADS: [(&str, usize, bool); 7] = [
    ("lb", 1, true),
    ("lbu", 1, false),
    ("lh", 2, true),
    ("lhu", 2, false),
    ("lw", 4, true),
    ("lwu", 4, false),
    ("ld", 8, false),
];

const STORES: [(&str, usize); 4] = [("sb", 1), ("sh", 2), ("sw", 4), ("sd", 8)];

fn has<X: Xlen>(name: &str) -> bool {
    X::BITS == 64 || !["lwu", "ld", "sd"].contains(&name)
}

proptest! {
    #[test]
    fn loads_extend_stored_values(value in any::<u64>(), slot in 0..64_u64, offset in -2048..2048_i32) {
        load_and_store::<Rv32>(value, DATA + 8 * slot, offset);
        load_and_store::<Rv64>(value, DATA + 8 * slot, offset);
    }

    #[test]
    fn failed_accesses_trap_and_change_nothing(address in any::<u64>(), near in END - 16..END + 8) {
        for address in [address, near, near - SIZE as u64] {
            fail::<Rv32>(address);
            fail::<Rv64>(address);
        }
    }
}

fn load_and_store<X: Xlen>(value: u64, address: u64, offset: i32) {
    let base = address.wrapping_add_signed(-i64::from(offset));
    for (name, size) in STORES.into_iter().filter(|(name, _)| has::<X>(name)) {
        let mut machine = Machine::<X>::new(&[s(name, 1, 2, offset)]);
        machine.put(DATA, u64::MAX, 8);
        machine = machine.with(&[(1, base), (2, value)]);
        let before = machine.ram.bytes().to_vec();
        machine.step();
        let at = usize::try_from(address - CODE).unwrap();
        let mut after = before;
        after[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
        assert!(machine.ram.bytes() == after, "{name}");
    }
    for (name, size, signs) in LOADS.into_iter().filter(|(name, ..)| has::<X>(name)) {
        let mut machine = Machine::<X>::new(&[i(name, 3, 1, offset)]).with(&[(1, base)]);
        machine.put(address, value, size);
        let bits = 8 * u32::try_from(size).unwrap();
        let low = if bits == 64 {
            value
        } else {
            value & ((1 << bits) - 1)
        };
        let negative = signs && low >> (bits - 1) == 1;
        let extended = if negative {
            low | u64::MAX << bits
        } else {
            low
        };
        let expected = if X::BITS == 32 {
            extended & 0xffff_ffff
        } else {
            extended
        };
        assert_eq!(machine.result(3), expected, "{name} {value:#x}");
    }
}

/// Cause of a load from an address; `None` if it succeeds.
fn load_cause<X: Xlen>(address: u64, size: u64) -> Option<Cause> {
    let address = if X::BITS == 32 {
        address & 0xffff_ffff
    } else {
        address
    };
    if !address.is_multiple_of(size) {
        return Some(Cause::LoadMisaligned);
    }
    let inside = address >= CODE && address <= END - size;
    (!inside).then_some(Cause::LoadAccessFault)
}

fn fail<X: Xlen>(address: u64) {
    let value = if X::BITS == 32 {
        address & 0xffff_ffff
    } else {
        address
    };
    let pc = CODE;
    for (name, size, _) in LOADS.into_iter().filter(|(name, ..)| has::<X>(name)) {
        let mut machine = Machine::<X>::new(&[i(name, 3, 1, 0)]).with(&[(1, address), (3, 77)]);
        let run = machine.run(1);
        match load_cause::<X>(address, size as u64) {
            None => assert_eq!(run.stop, Stop::Steps, "{name} {address:#x}"),
            Some(cause) => {
                let trap = Trap { cause, pc, value };
                assert_eq!(run.stop, Stop::Unhandled(trap), "{name} {address:#x}");
                assert_eq!((machine.hart.register(3), machine.hart.pc()), (77, pc));
            }
        }
    }
    for (name, size) in STORES.into_iter().filter(|(name, _)| has::<X>(name)) {
        let mut machine = Machine::<X>::new(&[s(name, 1, 2, 0)]).with(&[(1, address), (2, 77)]);
        let before = machine.ram.bytes().to_vec();
        let run = machine.run(1);
        let Some(cause) = load_cause::<X>(address, size as u64) else {
            assert_eq!(run.stop, Stop::Steps, "{name} {address:#x}");
            continue;
        };
        let cause = match cause {
            Cause::LoadMisaligned => Cause::StoreMisaligned,
            _ => Cause::StoreAccessFault,
        };
        let trap = Trap { cause, pc, value };
        assert_eq!(run.stop, Stop::Unhandled(trap), "{name} {address:#x}");
        assert!(machine.ram.bytes() == before);
    }
}

#[test]
fn an_instruction_that_is_partly_in_memory_faults_at_its_missing_half() {
    let mut machine = Machine::<Rv64>::new(&[]);
    machine.put(END - 2, 0x0013, 2);
    machine.hart.set_pc(END - 2);
    let trap = Trap {
        cause: Cause::InstructionAccessFault,
        pc: END - 2,
        value: END,
    };
    assert_eq!(machine.run(5).stop, Stop::Unhandled(trap));
    // A compressed instruction at the end, c.li a0, 5. The bytes behind it are unmapped.
    machine.put(END - 2, 0x4515, 2);
    let run = machine.run(5);
    let trap = Trap {
        cause: Cause::InstructionAccessFault,
        pc: END,
        value: END,
    };
    assert_eq!((run.steps, run.stop), (2, Stop::Unhandled(trap)));
    assert_eq!(machine.hart.register(10), 5);
}

#[test]
fn addresses_of_rv32_wrap() {
    let mut ram = Ram::new(0, 64);
    ram.write(0, &i("lw", 3, 1, 8).to_le_bytes()).unwrap();
    ram.write(4, &0x1234_5678_u32.to_le_bytes()).unwrap();
    let mut hart = Hart::<Rv32>::new(0, 0);
    hart.set_register(1, 0xffff_fffc);
    assert_eq!(hart.run(&mut ram, 1).stop, Stop::Steps);
    assert_eq!(hart.register(3), 0x1234_5678);
}

#[test]
fn code_that_changes_is_executed_as_it_is_now() {
    // Replaces the instruction behind the store by the one in x2.
    let code = [s("sw", 1, 2, 4), i("addi", 3, 0, 1), i("addi", 3, 0, 2)];
    let mut machine = Machine::<Rv32>::new(&code);
    for value in [5, 6] {
        machine.hart.set_pc(CODE);
        machine.hart.set_register(1, CODE);
        machine.hart.set_register(2, i("addi", 3, 0, value).into());
        assert_eq!(machine.run(2).stop, Stop::Steps);
        assert_eq!(machine.hart.register(3), u64::try_from(value).unwrap());
    }
    // Another bus master replaces it.
    machine.put(CODE + 4, i("addi", 3, 0, 9).into(), 4);
    machine.hart.set_pc(CODE + 4);
    machine.step();
    assert_eq!(machine.hart.register(3), 9);
}

/// Code that is larger than the table of decoded instructions.
#[test]
fn distant_code_does_not_mix() {
    let size = 0x10_0000;
    let mut ram = Ram::new(0, size);
    let mut expected = 0_u64;
    for at in (0..size as u64 - 4).step_by(4) {
        let add = i32::try_from(at / 4 % 1000).unwrap();
        expected += u64::from(add.cast_unsigned());
        ram.write(at, &i("addi", 1, 1, add).to_le_bytes()).unwrap();
    }
    let steps = size as u64 / 4 - 1;
    let mut hart = Hart::<Rv64>::new(0, 0);
    assert_eq!(hart.run(&mut ram, steps).steps, steps);
    assert_eq!(hart.register(1), expected);
}
