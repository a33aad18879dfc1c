//! Encodings of instructions of 32 bits by the tables of the manual. They share no code with the
//! simulator.

/// Format of an instruction: its operands and their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Three registers.
    R,
    /// Two registers and an immediate of 12 bits.
    I,
    /// Shift by an immediate of five bits, and of six on registers of 64 bits.
    Shift,
    /// Shift by an immediate of five bits, on words of registers of 64 bits.
    ShiftWord,
    S,
    B,
    U,
    J,
    /// CSR, with a register or an immediate of five bits.
    Csr,
    /// No operands: all bits are constant.
    Fixed,
    /// Atomic with three registers.
    Atomic,
    /// Load-reserved: a register and an address.
    Reserve,
}

/// Row of a table of the manual.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) format: Format,
    opcode: u32,
    funct3: u32,
    /// Bits 31 to 25; of atomics bits 31 to 27; of `Fixed` bits 31 to 20.
    upper: u32,
    /// True for instructions of RV64 only.
    pub(crate) wide: bool,
}

const fn row(name: &'static str, format: Format, opcode: u32, funct3: u32, upper: u32) -> Row {
    Row {
        name,
        format,
        opcode,
        funct3,
        upper,
        wide: false,
    }
}

const fn wide(name: &'static str, format: Format, opcode: u32, funct3: u32, upper: u32) -> Row {
    Row {
        wide: true,
        ..row(name, format, opcode, funct3, upper)
    }
}

/// Instructions of RV32 and RV64 IMA, Zicsr, Zifencei, and those of machine mode.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    row("lui",       Format::U,         0b0110111, 0, 0),
    row("auipc",     Format::U,         0b0010111, 0, 0),
    row("jal",       Format::J,         0b1101111, 0, 0),
    row("jalr",      Format::I,         0b1100111, 0b000, 0),
    row("beq",       Format::B,         0b1100011, 0b000, 0),
    row("bne",       Format::B,         0b1100011, 0b001, 0),
    row("blt",       Format::B,         0b1100011, 0b100, 0),
    row("bge",       Format::B,         0b1100011, 0b101, 0),
    row("bltu",      Format::B,         0b1100011, 0b110, 0),
    row("bgeu",      Format::B,         0b1100011, 0b111, 0),
    row("lb",        Format::I,         0b0000011, 0b000, 0),
    row("lh",        Format::I,         0b0000011, 0b001, 0),
    row("lw",        Format::I,         0b0000011, 0b010, 0),
    row("lbu",       Format::I,         0b0000011, 0b100, 0),
    row("lhu",       Format::I,         0b0000011, 0b101, 0),
    wide("lwu",      Format::I,         0b0000011, 0b110, 0),
    wide("ld",       Format::I,         0b0000011, 0b011, 0),
    row("sb",        Format::S,         0b0100011, 0b000, 0),
    row("sh",        Format::S,         0b0100011, 0b001, 0),
    row("sw",        Format::S,         0b0100011, 0b010, 0),
    wide("sd",       Format::S,         0b0100011, 0b011, 0),
    row("addi",      Format::I,         0b0010011, 0b000, 0),
    row("slti",      Format::I,         0b0010011, 0b010, 0),
    row("sltiu",     Format::I,         0b0010011, 0b011, 0),
    row("xori",      Format::I,         0b0010011, 0b100, 0),
    row("ori",       Format::I,         0b0010011, 0b110, 0),
    row("andi",      Format::I,         0b0010011, 0b111, 0),
    row("slli",      Format::Shift,     0b0010011, 0b001, 0),
    row("srli",      Format::Shift,     0b0010011, 0b101, 0),
    row("srai",      Format::Shift,     0b0010011, 0b101, 0b0100000),
    row("add",       Format::R,         0b0110011, 0b000, 0),
    row("sub",       Format::R,         0b0110011, 0b000, 0b0100000),
    row("sll",       Format::R,         0b0110011, 0b001, 0),
    row("slt",       Format::R,         0b0110011, 0b010, 0),
    row("sltu",      Format::R,         0b0110011, 0b011, 0),
    row("xor",       Format::R,         0b0110011, 0b100, 0),
    row("srl",       Format::R,         0b0110011, 0b101, 0),
    row("sra",       Format::R,         0b0110011, 0b101, 0b0100000),
    row("or",        Format::R,         0b0110011, 0b110, 0),
    row("and",       Format::R,         0b0110011, 0b111, 0),
    wide("addiw",    Format::I,         0b0011011, 0b000, 0),
    wide("slliw",    Format::ShiftWord, 0b0011011, 0b001, 0),
    wide("srliw",    Format::ShiftWord, 0b0011011, 0b101, 0),
    wide("sraiw",    Format::ShiftWord, 0b0011011, 0b101, 0b0100000),
    wide("addw",     Format::R,         0b0111011, 0b000, 0),
    wide("subw",     Format::R,         0b0111011, 0b000, 0b0100000),
    wide("sllw",     Format::R,         0b0111011, 0b001, 0),
    wide("srlw",     Format::R,         0b0111011, 0b101, 0),
    wide("sraw",     Format::R,         0b0111011, 0b101, 0b0100000),
    row("mul",       Format::R,         0b0110011, 0b000, 1),
    row("mulh",      Format::R,         0b0110011, 0b001, 1),
    row("mulhsu",    Format::R,         0b0110011, 0b010, 1),
    row("mulhu",     Format::R,         0b0110011, 0b011, 1),
    row("div",       Format::R,         0b0110011, 0b100, 1),
    row("divu",      Format::R,         0b0110011, 0b101, 1),
    row("rem",       Format::R,         0b0110011, 0b110, 1),
    row("remu",      Format::R,         0b0110011, 0b111, 1),
    wide("mulw",     Format::R,         0b0111011, 0b000, 1),
    wide("divw",     Format::R,         0b0111011, 0b100, 1),
    wide("divuw",    Format::R,         0b0111011, 0b101, 1),
    wide("remw",     Format::R,         0b0111011, 0b110, 1),
    wide("remuw",    Format::R,         0b0111011, 0b111, 1),
    row("fence",     Format::Fixed,     0b0001111, 0b000, 0x0ff),
    row("fence.i",   Format::Fixed,     0b0001111, 0b001, 0),
    row("ecall",     Format::Fixed,     0b1110011, 0b000, 0),
    row("ebreak",    Format::Fixed,     0b1110011, 0b000, 1),
    row("mret",      Format::Fixed,     0b1110011, 0b000, 0x302),
    row("wfi",       Format::Fixed,     0b1110011, 0b000, 0x105),
    row("csrrw",     Format::Csr,       0b1110011, 0b001, 0),
    row("csrrs",     Format::Csr,       0b1110011, 0b010, 0),
    row("csrrc",     Format::Csr,       0b1110011, 0b011, 0),
    row("csrrwi",    Format::Csr,       0b1110011, 0b101, 0),
    row("csrrsi",    Format::Csr,       0b1110011, 0b110, 0),
    row("csrrci",    Format::Csr,       0b1110011, 0b111, 0),
    row("lr.w",      Format::Reserve,   0b0101111, 0b010, 0b00010),
    row("sc.w",      Format::Atomic,    0b0101111, 0b010, 0b00011),
    row("amoswap.w", Format::Atomic,    0b0101111, 0b010, 0b00001),
    row("amoadd.w",  Format::Atomic,    0b0101111, 0b010, 0b00000),
    row("amoxor.w",  Format::Atomic,    0b0101111, 0b010, 0b00100),
    row("amoand.w",  Format::Atomic,    0b0101111, 0b010, 0b01100),
    row("amoor.w",   Format::Atomic,    0b0101111, 0b010, 0b01000),
    row("amomin.w",  Format::Atomic,    0b0101111, 0b010, 0b10000),
    row("amomax.w",  Format::Atomic,    0b0101111, 0b010, 0b10100),
    row("amominu.w", Format::Atomic,    0b0101111, 0b010, 0b11000),
    row("amomaxu.w", Format::Atomic,    0b0101111, 0b010, 0b11100),
    wide("lr.d",      Format::Reserve,  0b0101111, 0b011, 0b00010),
    wide("sc.d",      Format::Atomic,   0b0101111, 0b011, 0b00011),
    wide("amoswap.d", Format::Atomic,   0b0101111, 0b011, 0b00001),
    wide("amoadd.d",  Format::Atomic,   0b0101111, 0b011, 0b00000),
    wide("amoxor.d",  Format::Atomic,   0b0101111, 0b011, 0b00100),
    wide("amoand.d",  Format::Atomic,   0b0101111, 0b011, 0b01100),
    wide("amoor.d",   Format::Atomic,   0b0101111, 0b011, 0b01000),
    wide("amomin.d",  Format::Atomic,   0b0101111, 0b011, 0b10000),
    wide("amomax.d",  Format::Atomic,   0b0101111, 0b011, 0b10100),
    wide("amominu.d", Format::Atomic,   0b0101111, 0b011, 0b11000),
    wide("amomaxu.d", Format::Atomic,   0b0101111, 0b011, 0b11100),
];

/// Operands of an instruction. A format ignores those that it does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Operands {
    pub(crate) rd: u8,
    pub(crate) rs1: u8,
    pub(crate) rs2: u8,
    pub(crate) imm: i32,
}

/// Row of an instruction.
pub(crate) fn find(name: &str) -> Row {
    let found = ROWS.iter().find(|row| row.name == name);
    *found.unwrap_or_else(|| panic!("no instruction {name}"))
}

/// Encodes an instruction.
pub(crate) fn encode(name: &str, operands: Operands) -> u32 {
    find(name).encode(operands)
}

/// Encodes an instruction of three registers, or an atomic: `rd`, `rs1`, `rs2`.
pub(crate) fn r(name: &str, rd: u8, rs1: u8, rs2: u8) -> u32 {
    let imm = 0;
    encode(name, Operands { rd, rs1, rs2, imm })
}

/// Encodes an instruction with an immediate, a load or `jalr`: `rd`, `rs1`, immediate.
pub(crate) fn i(name: &str, rd: u8, rs1: u8, imm: i32) -> u32 {
    let rs2 = 0;
    encode(name, Operands { rd, rs1, rs2, imm })
}

/// Encodes a store or a branch: `rs1`, `rs2`, offset.
pub(crate) fn s(name: &str, rs1: u8, rs2: u8, imm: i32) -> u32 {
    let rd = 0;
    encode(name, Operands { rd, rs1, rs2, imm })
}

/// Encodes an instruction without operands.
pub(crate) fn fixed(name: &str) -> u32 {
    encode(name, Operands::default())
}

impl Row {
    pub(crate) fn encode(&self, operands: Operands) -> u32 {
        let Operands { rd, rs1, rs2, imm } = operands;
        let imm = imm.cast_unsigned();
        // Bits `high` to `low` of the immediate.
        let part = |high: u32, low: u32| (imm >> low) & (u32::MAX >> (31 - (high - low)));
        let [rd, rs1, rs2] =
            [(rd, 7), (rs1, 15), (rs2, 20)].map(|(register, place)| u32::from(register) << place);
        let head = self.opcode | self.funct3 << 12;
        match self.format {
            Format::R => head | rd | rs1 | rs2 | self.upper << 25,
            Format::I | Format::Csr => head | rd | rs1 | part(11, 0) << 20,
            Format::Shift => head | rd | rs1 | part(5, 0) << 20 | self.upper << 25,
            Format::ShiftWord => head | rd | rs1 | part(4, 0) << 20 | self.upper << 25,
            Format::S => head | rs1 | rs2 | part(4, 0) << 7 | part(11, 5) << 25,
            Format::B => {
                let low = part(4, 1) << 8 | part(11, 11) << 7;
                head | rs1 | rs2 | low | part(10, 5) << 25 | part(12, 12) << 31
            }
            Format::U => head | rd | part(31, 12) << 12,
            Format::J => {
                let low = part(19, 12) << 12 | part(11, 11) << 20;
                head | rd | low | part(10, 1) << 21 | part(20, 20) << 31
            }
            Format::Fixed => head | self.upper << 20,
            Format::Atomic => head | rd | rs1 | rs2 | self.upper << 27,
            Format::Reserve => head | rd | rs1 | self.upper << 27,
        }
    }

    /// Operands in the range of this format: immediates within their limits, and zeros for missing
    /// operands.
    pub(crate) fn fit(&self, operands: Operands, xlen: u32) -> Operands {
        let Operands { rd, rs1, rs2, imm } = operands;
        let signed = |bits: u32| imm << (32 - bits) >> (32 - bits);
        let all = Operands {
            rd,
            rs1,
            rs2,
            imm: 0,
        };
        match self.format {
            Format::R | Format::Atomic => all,
            Format::Reserve => Operands { rs2: 0, ..all },
            Format::I => Operands {
                rs2: 0,
                imm: signed(12),
                ..all
            },
            Format::Shift => Operands {
                rs2: 0,
                imm: imm & (xlen.cast_signed() - 1),
                ..all
            },
            Format::ShiftWord => Operands {
                rs2: 0,
                imm: imm & 31,
                ..all
            },
            Format::Csr => Operands {
                rs2: 0,
                imm: imm & 0xfff,
                ..all
            },
            Format::S => Operands {
                rd: 0,
                imm: signed(12),
                ..all
            },
            Format::B => Operands {
                rd: 0,
                imm: signed(13) & !1,
                ..all
            },
            Format::U => Operands {
                rs1: 0,
                rs2: 0,
                imm: imm & !0xfff,
                ..all
            },
            Format::J => Operands {
                rs1: 0,
                rs2: 0,
                imm: signed(21) & !1,
                ..all
            },
            Format::Fixed => Operands::default(),
        }
    }
}
