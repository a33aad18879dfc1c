//! Instructions of 32 bits: RV32I, RV64I, M, A, Zicsr, Zifencei, and `mret` and `wfi`.

use super::{Instruction, Op, field, signed};
use crate::Xlen;

/// Decodes an instruction of 32 bits; `None` if it is illegal.
pub(super) fn decode<X: Xlen>(bits: u32) -> Option<Instruction> {
    match field(bits, 0, 7) {
        0b011_0111 => Some(upper(Op::Lui, bits)),
        0b001_0111 => Some(upper(Op::Auipc, bits)),
        0b110_1111 => Some(jump(bits)),
        0b110_0111 => (funct3(bits) == 0).then(|| immediate(Op::Jalr, bits)),
        0b110_0011 => branch(bits),
        0b000_0011 => load::<X>(bits),
        0b010_0011 => store::<X>(bits),
        0b001_0011 => arithmetic_immediate::<X>(bits),
        0b001_1011 if X::BITS == 64 => word_immediate(bits),
        0b011_0011 => arithmetic(bits),
        0b011_1011 if X::BITS == 64 => word_arithmetic(bits),
        0b000_1111 => fence(bits),
        0b111_0011 => system(bits),
        0b010_1111 => atomic::<X>(bits),
        _ => None,
    }
}

fn funct3(bits: u32) -> u32 {
    field(bits, 12, 3)
}

fn register(bits: u32, low: u32) -> u8 {
    // A register number has five bits.
    field(bits, low, 5) as u8
}

fn rd(bits: u32) -> u8 {
    register(bits, 7)
}

fn rs1(bits: u32) -> u8 {
    register(bits, 15)
}

fn rs2(bits: u32) -> u8 {
    register(bits, 20)
}

/// Format U.
fn upper(op: Op, bits: u32) -> Instruction {
    Instruction {
        op,
        rd: rd(bits),
        rs1: 0,
        rs2: 0,
        imm: (bits & 0xffff_f000).cast_signed(),
    }
}

/// Format I.
fn immediate(op: Op, bits: u32) -> Instruction {
    Instruction {
        op,
        rd: rd(bits),
        rs1: rs1(bits),
        rs2: 0,
        imm: signed(field(bits, 20, 12), 12),
    }
}

/// Format R.
fn registers(op: Op, bits: u32) -> Instruction {
    Instruction {
        op,
        rd: rd(bits),
        rs1: rs1(bits),
        rs2: rs2(bits),
        imm: 0,
    }
}

/// Format J.
fn jump(bits: u32) -> Instruction {
    let imm = field(bits, 31, 1) << 20
        | field(bits, 12, 8) << 12
        | field(bits, 20, 1) << 11
        | field(bits, 21, 10) << 1;
    Instruction {
        op: Op::Jal,
        rd: rd(bits),
        rs1: 0,
        rs2: 0,
        imm: signed(imm, 21),
    }
}

/// Format B.
fn branch(bits: u32) -> Option<Instruction> {
    let op = match funct3(bits) {
        0b000 => Op::Beq,
        0b001 => Op::Bne,
        0b100 => Op::Blt,
        0b101 => Op::Bge,
        0b110 => Op::Bltu,
        0b111 => Op::Bgeu,
        _ => return None,
    };
    let imm = field(bits, 31, 1) << 12
        | field(bits, 7, 1) << 11
        | field(bits, 25, 6) << 5
        | field(bits, 8, 4) << 1;
    Some(Instruction {
        op,
        rd: 0,
        rs1: rs1(bits),
        rs2: rs2(bits),
        imm: signed(imm, 13),
    })
}

fn load<X: Xlen>(bits: u32) -> Option<Instruction> {
    let op = match funct3(bits) {
        0b000 => Op::Lb,
        0b001 => Op::Lh,
        0b010 => Op::Lw,
        0b011 if X::BITS == 64 => Op::Ld,
        0b100 => Op::Lbu,
        0b101 => Op::Lhu,
        0b110 if X::BITS == 64 => Op::Lwu,
        _ => return None,
    };
    Some(immediate(op, bits))
}

/// Format S.
fn store<X: Xlen>(bits: u32) -> Option<Instruction> {
    let op = match funct3(bits) {
        0b000 => Op::Sb,
        0b001 => Op::Sh,
        0b010 => Op::Sw,
        0b011 if X::BITS == 64 => Op::Sd,
        _ => return None,
    };
    let imm = field(bits, 25, 7) << 5 | field(bits, 7, 5);
    Some(Instruction {
        op,
        rd: 0,
        rs1: rs1(bits),
        rs2: rs2(bits),
        imm: signed(imm, 12),
    })
}

fn arithmetic_immediate<X: Xlen>(bits: u32) -> Option<Instruction> {
    let op = match funct3(bits) {
        0b000 => Op::Addi,
        0b001 => return shift(Op::Slli, bits, X::BITS, 0),
        0b010 => Op::Slti,
        0b011 => Op::Sltiu,
        0b100 => Op::Xori,
        0b101 if field(bits, 30, 1) == 1 => return shift(Op::Srai, bits, X::BITS, 1 << 10),
        0b101 => return shift(Op::Srli, bits, X::BITS, 0),
        0b110 => Op::Ori,
        _ => Op::Andi,
    };
    Some(immediate(op, bits))
}

fn word_immediate(bits: u32) -> Option<Instruction> {
    match funct3(bits) {
        0b000 => Some(immediate(Op::Addiw, bits)),
        0b001 => shift(Op::Slliw, bits, 32, 0),
        0b101 if field(bits, 30, 1) == 1 => shift(Op::Sraiw, bits, 32, 1 << 10),
        0b101 => shift(Op::Srliw, bits, 32, 0),
        _ => None,
    }
}

/// Decodes a shift of a register of `width` bits by an immediate. The bits of the immediate above
/// the shift amount must be `upper`.
fn shift(op: Op, bits: u32, width: u32, upper: u32) -> Option<Instruction> {
    let immediate = field(bits, 20, 12);
    let amount = immediate & (width - 1);
    (immediate - amount == upper).then(|| Instruction {
        op,
        rd: rd(bits),
        rs1: rs1(bits),
        rs2: 0,
        imm: amount.cast_signed(),
    })
}

fn arithmetic(bits: u32) -> Option<Instruction> {
    let op = match (field(bits, 25, 7), funct3(bits)) {
        (0, 0b000) => Op::Add,
        (0, 0b001) => Op::Sll,
        (0, 0b010) => Op::Slt,
        (0, 0b011) => Op::Sltu,
        (0, 0b100) => Op::Xor,
        (0, 0b101) => Op::Srl,
        (0, 0b110) => Op::Or,
        (0, 0b111) => Op::And,
        (0b010_0000, 0b000) => Op::Sub,
        (0b010_0000, 0b101) => Op::Sra,
        (1, 0b000) => Op::Mul,
        (1, 0b001) => Op::Mulh,
        (1, 0b010) => Op::Mulhsu,
        (1, 0b011) => Op::Mulhu,
        (1, 0b100) => Op::Div,
        (1, 0b101) => Op::Divu,
        (1, 0b110) => Op::Rem,
        (1, 0b111) => Op::Remu,
        _ => return None,
    };
    Some(registers(op, bits))
}

fn word_arithmetic(bits: u32) -> Option<Instruction> {
    let op = match (field(bits, 25, 7), funct3(bits)) {
        (0, 0b000) => Op::Addw,
        (0, 0b001) => Op::Sllw,
        (0, 0b101) => Op::Srlw,
        (0b010_0000, 0b000) => Op::Subw,
        (0b010_0000, 0b101) => Op::Sraw,
        (1, 0b000) => Op::Mulw,
        (1, 0b100) => Op::Divw,
        (1, 0b101) => Op::Divuw,
        (1, 0b110) => Op::Remw,
        (1, 0b111) => Op::Remuw,
        _ => return None,
    };
    Some(registers(op, bits))
}

/// Decodes a fence. All fields except `funct3` are ignored, as the manual requires of
/// implementations without finer fences.
fn fence(bits: u32) -> Option<Instruction> {
    let op = match funct3(bits) {
        0 => Op::Fence,
        1 => Op::FenceI,
        _ => return None,
    };
    Some(plain(op))
}

fn plain(op: Op) -> Instruction {
    Instruction {
        op,
        rd: 0,
        rs1: 0,
        rs2: 0,
        imm: 0,
    }
}

fn system(bits: u32) -> Option<Instruction> {
    let op = match funct3(bits) {
        0b000 => {
            return match bits {
                0x0000_0073 => Some(plain(Op::Ecall)),
                0x0010_0073 => Some(plain(Op::Ebreak)),
                0x3020_0073 => Some(plain(Op::Mret)),
                0x1050_0073 => Some(plain(Op::Wfi)),
                _ => None,
            };
        }
        0b001 => Op::Csrrw,
        0b010 => Op::Csrrs,
        0b011 => Op::Csrrc,
        0b101 => Op::Csrrwi,
        0b110 => Op::Csrrsi,
        0b111 => Op::Csrrci,
        _ => return None,
    };
    Some(Instruction {
        op,
        rd: rd(bits),
        rs1: rs1(bits),
        rs2: 0,
        imm: field(bits, 20, 12).cast_signed(),
    })
}

/// Decodes an atomic instruction. The bits `aq` and `rl` order accesses of several harts, and are
/// ignored.
fn atomic<X: Xlen>(bits: u32) -> Option<Instruction> {
    let double = match funct3(bits) {
        0b010 => false,
        0b011 if X::BITS == 64 => true,
        _ => return None,
    };
    let (word, doubleword) = match field(bits, 27, 5) {
        0b00010 if rs2(bits) == 0 => (Op::LrW, Op::LrD),
        0b00011 => (Op::ScW, Op::ScD),
        0b00001 => (Op::AmoswapW, Op::AmoswapD),
        0b00000 => (Op::AmoaddW, Op::AmoaddD),
        0b00100 => (Op::AmoxorW, Op::AmoxorD),
        0b01100 => (Op::AmoandW, Op::AmoandD),
        0b01000 => (Op::AmoorW, Op::AmoorD),
        0b10000 => (Op::AmominW, Op::AmominD),
        0b10100 => (Op::AmomaxW, Op::AmomaxD),
        0b11000 => (Op::AmominuW, Op::AmominuD),
        0b11100 => (Op::AmomaxuW, Op::AmomaxuD),
        _ => return None,
    };
    Some(registers(if double { doubleword } else { word }, bits))
}
