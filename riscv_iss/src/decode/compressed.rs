//! Instructions of 16 bits, decoded as their expansions. Floating-point instructions are illegal.
//! Hints are decoded like other instructions.

use super::{Instruction, Op, field, signed};
use crate::Xlen;

const ZERO: u8 = 0;
const RA: u8 = 1;
const SP: u8 = 2;

/// Decodes the instruction in the low 16 bits; `None` if it is illegal.
pub(super) fn decode<X: Xlen>(bits: u32) -> Option<Instruction> {
    let wide = X::BITS == 64;
    match (field(bits, 0, 2), field(bits, 13, 3)) {
        (0b00, 0b000) => stack_address(bits),
        (0b00, 0b010) => Some(load(
            Op::Lw,
            near(bits, 2),
            near(bits, 7),
            word_offset(bits),
        )),
        (0b00, 0b011) if wide => Some(load(
            Op::Ld,
            near(bits, 2),
            near(bits, 7),
            double_offset(bits),
        )),
        (0b00, 0b110) => Some(store(
            Op::Sw,
            near(bits, 2),
            near(bits, 7),
            word_offset(bits),
        )),
        (0b00, 0b111) if wide => Some(store(
            Op::Sd,
            near(bits, 2),
            near(bits, 7),
            double_offset(bits),
        )),
        (0b01, 0b000) => Some(immediate(Op::Addi, far(bits, 7), far(bits, 7), six(bits))),
        (0b01, 0b001) if wide => {
            let rd = far(bits, 7);
            (rd != ZERO).then(|| immediate(Op::Addiw, rd, rd, six(bits)))
        }
        (0b01, 0b001) => Some(jump(RA, bits)),
        (0b01, 0b010) => Some(immediate(Op::Addi, far(bits, 7), ZERO, six(bits))),
        (0b01, 0b011) => upper(bits),
        (0b01, 0b100) => arithmetic::<X>(bits),
        (0b01, 0b101) => Some(jump(ZERO, bits)),
        (0b01, 0b110) => Some(branch(Op::Beq, bits)),
        (0b01, 0b111) => Some(branch(Op::Bne, bits)),
        (0b10, 0b000) => shift::<X>(Op::Slli, far(bits, 7), bits),
        (0b10, 0b010) => {
            let offset = field(bits, 2, 2) << 6 | field(bits, 12, 1) << 5 | field(bits, 4, 3) << 2;
            stack_load(Op::Lw, bits, offset)
        }
        (0b10, 0b011) if wide => {
            let offset = field(bits, 2, 3) << 6 | field(bits, 12, 1) << 5 | field(bits, 5, 2) << 3;
            stack_load(Op::Ld, bits, offset)
        }
        (0b10, 0b100) => register_jump_or_move(bits),
        (0b10, 0b110) => {
            let offset = field(bits, 7, 2) << 6 | field(bits, 9, 4) << 2;
            Some(store(Op::Sw, far(bits, 2), SP, offset))
        }
        (0b10, 0b111) if wide => {
            let offset = field(bits, 7, 3) << 6 | field(bits, 10, 3) << 3;
            Some(store(Op::Sd, far(bits, 2), SP, offset))
        }
        _ => None,
    }
}

/// Register of five bits.
fn far(bits: u32, low: u32) -> u8 {
    field(bits, low, 5) as u8
}

/// Register of three bits: x8 to x15.
fn near(bits: u32, low: u32) -> u8 {
    8 + field(bits, low, 3) as u8
}

/// Immediate of six bits, signed.
fn six(bits: u32) -> i32 {
    signed(field(bits, 12, 1) << 5 | field(bits, 2, 5), 6)
}

fn word_offset(bits: u32) -> u32 {
    field(bits, 5, 1) << 6 | field(bits, 10, 3) << 3 | field(bits, 6, 1) << 2
}

fn double_offset(bits: u32) -> u32 {
    field(bits, 5, 2) << 6 | field(bits, 10, 3) << 3
}

fn immediate(op: Op, rd: u8, rs1: u8, imm: i32) -> Instruction {
    Instruction {
        op,
        rd,
        rs1,
        rs2: 0,
        imm,
    }
}

fn registers(op: Op, rd: u8, rs1: u8, rs2: u8) -> Instruction {
    Instruction {
        op,
        rd,
        rs1,
        rs2,
        imm: 0,
    }
}

fn load(op: Op, rd: u8, base: u8, offset: u32) -> Instruction {
    immediate(op, rd, base, offset.cast_signed())
}

fn store(op: Op, source: u8, base: u8, offset: u32) -> Instruction {
    Instruction {
        op,
        rd: 0,
        rs1: base,
        rs2: source,
        imm: offset.cast_signed(),
    }
}

/// `c.lwsp`, `c.ldsp`.
fn stack_load(op: Op, bits: u32, offset: u32) -> Option<Instruction> {
    let rd = far(bits, 7);
    (rd != ZERO).then(|| load(op, rd, SP, offset))
}

/// `c.addi4spn`. All zeros, with an immediate of 0, is illegal by definition.
fn stack_address(bits: u32) -> Option<Instruction> {
    let imm = field(bits, 7, 4) << 6
        | field(bits, 11, 2) << 4
        | field(bits, 5, 1) << 3
        | field(bits, 6, 1) << 2;
    (imm != 0).then(|| immediate(Op::Addi, near(bits, 2), SP, imm.cast_signed()))
}

/// `c.lui`, `c.addi16sp`.
fn upper(bits: u32) -> Option<Instruction> {
    let rd = far(bits, 7);
    if rd != SP {
        let imm = six(bits) << 12;
        return (imm != 0).then(|| immediate(Op::Lui, rd, 0, imm));
    }
    let imm = field(bits, 12, 1) << 9
        | field(bits, 3, 2) << 7
        | field(bits, 5, 1) << 6
        | field(bits, 2, 1) << 5
        | field(bits, 6, 1) << 4;
    (imm != 0).then(|| immediate(Op::Addi, SP, SP, signed(imm, 10)))
}

/// `c.srli`, `c.srai`, `c.andi`, and those of two registers.
fn arithmetic<X: Xlen>(bits: u32) -> Option<Instruction> {
    let rd = near(bits, 7);
    match field(bits, 10, 2) {
        0b00 => return shift::<X>(Op::Srli, rd, bits),
        0b01 => return shift::<X>(Op::Srai, rd, bits),
        0b10 => return Some(immediate(Op::Andi, rd, rd, six(bits))),
        _ => {}
    }
    let op = match (field(bits, 12, 1), field(bits, 5, 2)) {
        (0, 0b00) => Op::Sub,
        (0, 0b01) => Op::Xor,
        (0, 0b10) => Op::Or,
        (0, 0b11) => Op::And,
        (_, 0b00) if X::BITS == 64 => Op::Subw,
        (_, 0b01) if X::BITS == 64 => Op::Addw,
        _ => return None,
    };
    Some(registers(op, rd, rd, near(bits, 2)))
}

/// Shift by an immediate. RV32 has five bits of it.
fn shift<X: Xlen>(op: Op, rd: u8, bits: u32) -> Option<Instruction> {
    let amount = field(bits, 12, 1) << 5 | field(bits, 2, 5);
    (amount < X::BITS).then(|| immediate(op, rd, rd, amount.cast_signed()))
}

/// `c.j`, `c.jal`.
fn jump(link: u8, bits: u32) -> Instruction {
    let imm = field(bits, 12, 1) << 11
        | field(bits, 8, 1) << 10
        | field(bits, 9, 2) << 8
        | field(bits, 6, 1) << 7
        | field(bits, 7, 1) << 6
        | field(bits, 2, 1) << 5
        | field(bits, 11, 1) << 4
        | field(bits, 3, 3) << 1;
    immediate(Op::Jal, link, 0, signed(imm, 12))
}

/// `c.beqz`, `c.bnez`.
fn branch(op: Op, bits: u32) -> Instruction {
    let imm = field(bits, 12, 1) << 8
        | field(bits, 5, 2) << 6
        | field(bits, 2, 1) << 5
        | field(bits, 10, 2) << 3
        | field(bits, 3, 2) << 1;
    Instruction {
        op,
        rd: 0,
        rs1: near(bits, 7),
        rs2: ZERO,
        imm: signed(imm, 9),
    }
}

/// `c.jr`, `c.jalr`, `c.mv`, `c.add`, `c.ebreak`.
fn register_jump_or_move(bits: u32) -> Option<Instruction> {
    let (rd, rs2) = (far(bits, 7), far(bits, 2));
    match (field(bits, 12, 1), rd, rs2) {
        (0, ZERO, ZERO) => None,
        (0, _, ZERO) => Some(immediate(Op::Jalr, ZERO, rd, 0)),
        (0, _, _) => Some(registers(Op::Add, rd, ZERO, rs2)),
        (_, ZERO, ZERO) => Some(registers(Op::Ebreak, 0, 0, 0)),
        (_, _, ZERO) => Some(immediate(Op::Jalr, RA, rd, 0)),
        _ => Some(registers(Op::Add, rd, rd, rs2)),
    }
}
