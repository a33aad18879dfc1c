//! Results of arithmetic, jumps and branches, compared with the manual's definitions in numbers of
//! 128 bits.

use proptest::prelude::*;
use riscv_iss::{Rv32, Rv64, Xlen};

use crate::assembler::{Format, Operands, ROWS, Row, encode, find, i, s};
use crate::program::{CODE, Machine};

/// Operands at boundaries of the results.
const CORNERS: &[u64] = &[
    0,
    1,
    2,
    3,
    31,
    32,
    33,
    63,
    64,
    0x7ff,
    0x800,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_7fff_ffff,
    0xffff_ffff_8000_0000,
    u64::MAX - 1,
    u64::MAX,
];

/// Number of `bits` bits, signed.
fn signed(value: u64, bits: u32) -> i128 {
    let value = unsigned(value, bits);
    if value >> (bits - 1) == 1 {
        value - (1 << bits)
    } else {
        value
    }
}

fn unsigned(value: u64, bits: u32) -> i128 {
    i128::from(value) & ((1 << bits) - 1)
}

/// Result of an operation of `bits` bits. Only its low bits count.
fn result(name: &str, bits: u32, a: u64, b: u64) -> i128 {
    let (sa, sb) = (signed(a, bits), signed(b, bits));
    let (ua, ub) = (unsigned(a, bits), unsigned(b, bits));
    let amount = ub % i128::from(bits);
    let most_negative = -(1 << (bits - 1));
    match name {
        "add" => sa + sb,
        "sub" => sa - sb,
        "sll" => ua << amount,
        "srl" => ua >> amount,
        "sra" => sa >> amount,
        "slt" => i128::from(sa < sb),
        "sltu" => i128::from(ua < ub),
        "xor" => ua ^ ub,
        "or" => ua | ub,
        "and" => ua & ub,
        "mul" => (sa * sb) & ((1 << bits) - 1),
        "mulh" => (sa * sb) >> bits,
        "mulhsu" => (sa * ub) >> bits,
        // The product has up to 128 bits, without a sign.
        "mulhu" => ((ua.cast_unsigned() * ub.cast_unsigned()) >> bits).cast_signed(),
        "div" if sb == 0 => -1,
        "div" if sa == most_negative && sb == -1 => most_negative,
        "div" => sa / sb,
        "divu" if ub == 0 => -1,
        "divu" => ua / ub,
        "rem" if sb == 0 => sa,
        "rem" if sa == most_negative && sb == -1 => 0,
        "rem" => sa % sb,
        "remu" if ub == 0 => sa,
        "remu" => ua % ub,
        _ => panic!("no model of {name}"),
    }
}

/// Register of `xlen` bits after an operation.
fn expected(name: &str, xlen: u32, a: u64, b: u64) -> u64 {
    let (name, bits) = match name.strip_suffix('w') {
        Some(name) => (name, 32),
        None => (name, xlen),
    };
    // `slli` is `sll` with an immediate, `sltiu` is `sltu`.
    let name = match name {
        "sltiu" => "sltu",
        name => name.strip_suffix('i').unwrap_or(name),
    };
    let result = result(name, bits, a, b);
    let low = (result & ((1 << bits) - 1)) as u64;
    unsigned(signed(low, bits) as u64, xlen) as u64
}

fn check<X: Xlen>(row: &Row, a: u64, b: u64) {
    if row.wide && X::BITS == 32 {
        return;
    }
    let (bits, b) = match row.format {
        Format::R => (
            row.encode(Operands {
                rd: 3,
                rs1: 1,
                rs2: 2,
                imm: 0,
            }),
            b,
        ),
        Format::I | Format::Shift | Format::ShiftWord => {
            let operands = Operands {
                rd: 3,
                rs1: 1,
                rs2: 0,
                imm: b as i32,
            };
            let fitted = row.fit(operands, X::BITS);
            (row.encode(fitted), i64::from(fitted.imm).cast_unsigned())
        }
        _ => return,
    };
    let machine = Machine::<X>::new(&[bits]).with(&[(1, a), (2, b)]);
    let found = machine.result(3);
    let expected = expected(row.name, X::BITS, a, b);
    assert_eq!(found, expected, "rv{} {} {a:#x}, {b:#x}", X::BITS, row.name);
}

/// Arithmetic of two registers, or of one and an immediate.
fn arithmetic() -> impl Iterator<Item = &'static Row> {
    let other = ["jalr", "lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"];
    ROWS.iter().filter(move |row| !other.contains(&row.name))
}

#[test]
fn arithmetic_at_the_corners() {
    for row in arithmetic() {
        for a in CORNERS {
            for b in CORNERS {
                check::<Rv32>(row, *a, *b);
                check::<Rv64>(row, *a, *b);
            }
        }
    }
}

/// Integers of all magnitudes.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        (any::<u64>(), 0..64_u32).prop_map(|(value, shift)| value >> shift),
        proptest::sample::select(CORNERS),
    ]
}

proptest! {
    #[test]
    fn arithmetic_of_any_numbers(a in number(), b in number()) {
        for row in arithmetic() {
            check::<Rv32>(row, a, b);
            check::<Rv64>(row, a, b);
        }
    }

    #[test]
    fn branches_compare_and_go(a in number(), b in number(), offset in -2048..2048_i32) {
        branch::<Rv32>(a, b, offset * 2);
        branch::<Rv64>(a, b, offset * 2);
    }

    #[test]
    fn jumps_link_and_wrap(base in any::<u64>(), offset in -2048..2048_i32) {
        jump::<Rv32>(base, offset);
        jump::<Rv64>(base, offset);
    }

    #[test]
    fn upper_immediates_are_extended(imm in any::<i32>()) {
        upper::<Rv32>(imm & !0xfff);
        upper::<Rv64>(imm & !0xfff);
    }
}

fn branch<X: Xlen>(a: u64, b: u64, offset: i32) {
    for (a, b) in [(a, b), (a, a)] {
        let (sa, sb) = (signed(a, X::BITS), signed(b, X::BITS));
        let (ua, ub) = (unsigned(a, X::BITS), unsigned(b, X::BITS));
        let taken = [
            ("beq", ua == ub),
            ("bne", ua != ub),
            ("blt", sa < sb),
            ("bge", sa >= sb),
            ("bltu", ua < ub),
            ("bgeu", ua >= ub),
        ];
        for (name, taken) in taken {
            let code = [s(name, 1, 2, offset)];
            let mut machine = Machine::<X>::new(&code).with(&[(1, a), (2, b)]);
            machine.step();
            let way = if taken { i64::from(offset) } else { 4 };
            let target = CODE.wrapping_add_signed(way);
            assert_eq!(machine.hart.pc(), target, "{name} {a:#x}, {b:#x}");
        }
    }
}

fn jump<X: Xlen>(base: u64, offset: i32) {
    // The base is read before the link is written.
    for link in [0, 1, 5] {
        let mut machine = Machine::<X>::new(&[i("jalr", link, 1, offset)]).with(&[(1, base)]);
        machine.step();
        let sum = i128::from(base) + i128::from(offset);
        let target = unsigned(sum as u64, X::BITS) & !1;
        assert_eq!(i128::from(machine.hart.pc()), target);
        let expected = if link == 0 { 0 } else { CODE + 4 };
        assert_eq!(machine.hart.register(link), expected);
    }
    let far = offset * 512;
    let mut machine = Machine::<X>::new(&[i("jal", 1, 0, far)]);
    machine.step();
    assert_eq!(machine.hart.register(1), CODE + 4);
    assert_eq!(machine.hart.pc(), CODE.wrapping_add_signed(far.into()));
}

fn upper<X: Xlen>(imm: i32) {
    let lui = Machine::<X>::new(&[i("lui", 1, 0, imm)]).result(1);
    assert_eq!(
        i128::from(lui),
        unsigned(i64::from(imm).cast_unsigned(), X::BITS)
    );
    let auipc = Machine::<X>::new(&[i("auipc", 1, 0, imm)]).result(1);
    let sum = CODE.wrapping_add_signed(imm.into());
    assert_eq!(i128::from(auipc), unsigned(sum, X::BITS));
}

#[test]
fn compressed_jumps_link_to_the_next_halfword() {
    // c.jalr x5; c.jal 4 on RV32.
    let mut machine = Machine::<Rv64>::new(&[0x9282]).with(&[(5, CODE + 8)]);
    machine.step();
    assert_eq!(
        (machine.hart.pc(), machine.hart.register(1)),
        (CODE + 8, CODE + 2)
    );
    let mut machine = Machine::<Rv32>::new(&[0x2011]);
    machine.step();
    assert_eq!(
        (machine.hart.pc(), machine.hart.register(1)),
        (CODE + 4, CODE + 2)
    );
}

#[test]
fn x0_stays_zero() {
    for name in ["addi", "lui", "jal", "csrrs"] {
        let operands = find(name).fit(
            Operands {
                rd: 0,
                rs1: 0,
                rs2: 0,
                imm: 0x305 << 12 | 0x305,
            },
            64,
        );
        let code = [encode(name, operands), i("addi", 1, 0, 0)];
        let mut machine = Machine::<Rv64>::new(&code).with(&[(1, 7)]);
        machine.step();
        machine.hart.set_pc(CODE + 4);
        machine.step();
        assert_eq!(
            (machine.hart.register(0), machine.hart.register(1)),
            (0, 0),
            "{name}"
        );
    }
}
