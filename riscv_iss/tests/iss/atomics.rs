//! Reservations and atomic operations.

use proptest::prelude::*;
use riscv_iss::{Cause, Rv32, Rv64, Stop, Trap, Xlen};

use crate::assembler::{r, s};
use crate::program::{CODE, DATA, Machine};

/// Content of memory after an operation on numbers of 32 or 64 bits.
fn expected(name: &str, bits: u32, old: u64, operand: u64) -> u64 {
    let unsigned = |value: u64| i128::from(value) & ((1 << bits) - 1);
    let signed = |value: u64| {
        let value = unsigned(value);
        if value >> (bits - 1) == 1 {
            value - (1 << bits)
        } else {
            value
        }
    };
    let (old_unsigned, operand_unsigned) = (unsigned(old), unsigned(operand));
    let new = match name {
        "amoswap" => operand_unsigned,
        "amoadd" => old_unsigned + operand_unsigned,
        "amoxor" => old_unsigned ^ operand_unsigned,
        "amoand" => old_unsigned & operand_unsigned,
        "amoor" => old_unsigned | operand_unsigned,
        "amomin" => signed(old).min(signed(operand)),
        "amomax" => signed(old).max(signed(operand)),
        "amominu" => old_unsigned.min(operand_unsigned),
        "amomaxu" => old_unsigned.max(operand_unsigned),
        _ => panic!("no model of {name}"),
    };
    (new & ((1 << bits) - 1)) as u64
}

const OPERATIONS: [&str; 9] = [
    "amoswap", "amoadd", "amoxor", "amoand", "amoor", "amomin", "amomax", "amominu", "amomaxu",
];

fn check<X: Xlen>(old: u64, operand: u64) {
    for name in OPERATIONS {
        for (suffix, size) in [("w", 4), ("d", 8)] {
            if size * 8 > X::BITS {
                continue;
            }
            let code = [r(&format!("{name}.{suffix}"), 3, 1, 2)];
            let mut machine = Machine::<X>::new(&code).with(&[(1, DATA), (2, operand)]);
            machine.put(DATA, old, 8);
            machine.step();
            let bits = size * 8;
            let mut new = expected(name, bits, old, operand);
            if bits == 32 {
                new |= old >> 32 << 32;
            }
            assert_eq!(
                machine.word::<8>(DATA),
                new,
                "{name}.{suffix} {old:#x}, {operand:#x}"
            );
            let loaded = match (bits, X::BITS) {
                (32, 64) => i64::from(old as i32).cast_unsigned(),
                (32, _) => old & 0xffff_ffff,
                _ => old,
            };
            assert_eq!(machine.hart.register(3), loaded, "{name}.{suffix}");
        }
    }
}

proptest! {
    #[test]
    fn atomic_operations_load_and_combine(old in any::<u64>(), operand in any::<u64>(), shift in 0..64_u32) {
        check::<Rv32>(old, operand);
        check::<Rv64>(old, operand);
        check::<Rv64>(old, old >> shift);
    }
}

#[test]
fn the_destination_may_be_the_address_or_the_operand() {
    for rd in [0, 1, 2] {
        let mut machine = Machine::<Rv32>::new(&[r("amoadd.w", rd, 1, 2)]);
        machine.put(DATA, 40, 4);
        machine = machine.with(&[(1, DATA), (2, 2)]);
        machine.step();
        assert_eq!(machine.word::<4>(DATA), 42);
        assert_eq!(machine.hart.register(rd), if rd == 0 { 0 } else { 40 });
    }
}

/// Result of `sc.w` after `lr.w` and the instructions in between, 0 for success, and the stored
/// word.
fn conditional(between: &[u32], change: impl FnOnce(&mut Machine<Rv64>)) -> (u64, u64) {
    let mut code = vec![r("lr.w", 3, 1, 0)];
    code.extend(between);
    code.push(r("sc.w", 4, 1, 2));
    let mut machine = Machine::<Rv64>::new(&code).with(&[(1, DATA), (2, 9), (5, DATA + 8)]);
    machine.put(DATA, 0xffff_fff0, 4);
    machine.step();
    assert_eq!(machine.hart.register(3), 0xffff_ffff_ffff_fff0);
    change(&mut machine);
    let steps = between.len() as u64 + 1;
    assert_eq!(machine.run(steps).stop, Stop::Steps);
    (machine.hart.register(4), machine.word::<4>(DATA))
}

#[test]
fn a_store_conditional_succeeds_once_behind_its_reservation() {
    assert_eq!(conditional(&[], |_| ()), (0, 9));
    // A store of the hart to another address, or a trap, keeps the reservation.
    assert_eq!(conditional(&[s("sw", 5, 2, 0)], |_| ()), (0, 9));
    // The first `sc.w` ends it.
    assert_eq!(conditional(&[r("sc.w", 6, 1, 0)], |_| ()), (1, 0));
    // An `sc.w` at another address, or of another size, fails and ends it, too.
    assert_eq!(conditional(&[r("sc.w", 6, 5, 2)], |_| ()), (1, 0xffff_fff0));
    assert_eq!(conditional(&[r("sc.d", 6, 1, 2)], |_| ()), (1, 0xffff_fff0));
    // Another bus master writes.
    assert_eq!(conditional(&[], |machine| machine.put(DATA, 1, 4)), (1, 1));
    // Without a reservation.
    let mut machine = Machine::<Rv32>::new(&[r("sc.w", 4, 1, 2)]).with(&[(1, DATA), (2, 9)]);
    machine.step();
    assert_eq!((machine.hart.register(4), machine.word::<4>(DATA)), (1, 0));
}

#[test]
fn atomics_trap_as_stores_and_reservations_as_loads() {
    let cases = [
        ("lr.w", DATA + 2, Cause::LoadMisaligned),
        ("lr.d", DATA + 4, Cause::LoadMisaligned),
        ("lr.w", 0x100, Cause::LoadAccessFault),
        ("sc.w", DATA + 2, Cause::StoreMisaligned),
        ("sc.d", 0x100, Cause::StoreAccessFault),
        ("amoadd.w", DATA + 1, Cause::StoreMisaligned),
        ("amoswap.d", DATA + 4, Cause::StoreMisaligned),
        ("amomaxu.d", 0x100, Cause::StoreAccessFault),
    ];
    for (name, value, cause) in cases {
        let mut machine = Machine::<Rv64>::new(&[r(name, 3, 1, 0)]).with(&[(1, value), (3, 77)]);
        let trap = Trap {
            cause,
            pc: CODE,
            value,
        };
        assert_eq!(machine.run(1).stop, Stop::Unhandled(trap), "{name}");
        assert_eq!(machine.hart.register(3), 77);
    }
}
