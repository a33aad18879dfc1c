//! Assembly of an instruction.

use std::fmt;

use super::{Instruction, Op};

/// Names of registers in the calling convention.
const REGISTERS: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
    "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
    "t5", "t6",
];

fn name(register: u8) -> &'static str {
    REGISTERS.get(usize::from(register)).unwrap_or(&"?")
}

/// Assembly without pseudo-instructions: `addi a0, sp, 16`. Jumps and branches have their offset.
impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Op::*;
        let Self {
            op,
            rd,
            rs1,
            rs2,
            imm,
        } = *self;
        let [rd, source, second] = [rd, rs1, rs2].map(name);
        let mnemonic = op.name();
        match op {
            Lui | Auipc => write!(f, "{mnemonic} {rd}, {}", imm.cast_unsigned() >> 12),
            Jal => write!(f, "{mnemonic} {rd}, {imm}"),
            Beq | Bne | Blt | Bge | Bltu | Bgeu => {
                write!(f, "{mnemonic} {source}, {second}, {imm}")
            }
            Jalr | Lb | Lh | Lw | Ld | Lbu | Lhu | Lwu => {
                write!(f, "{mnemonic} {rd}, {imm}({source})")
            }
            Sb | Sh | Sw | Sd => write!(f, "{mnemonic} {second}, {imm}({source})"),
            Addi | Slti | Sltiu | Xori | Ori | Andi | Slli | Srli | Srai | Addiw | Slliw
            | Srliw | Sraiw => write!(f, "{mnemonic} {rd}, {source}, {imm}"),
            Fence | FenceI | Ecall | Ebreak | Mret | Wfi => f.write_str(mnemonic),
            Csrrw | Csrrs | Csrrc => write!(f, "{mnemonic} {rd}, {imm:#x}, {source}"),
            Csrrwi | Csrrsi | Csrrci => write!(f, "{mnemonic} {rd}, {imm:#x}, {rs1}"),
            LrW | LrD => write!(f, "{mnemonic} {rd}, ({source})"),
            ScW | AmoswapW | AmoaddW | AmoxorW | AmoandW | AmoorW | AmominW | AmomaxW
            | AmominuW | AmomaxuW | ScD | AmoswapD | AmoaddD | AmoxorD | AmoandD | AmoorD
            | AmominD | AmomaxD | AmominuD | AmomaxuD => {
                write!(f, "{mnemonic} {rd}, {second}, ({source})")
            }
            _ => write!(f, "{mnemonic} {rd}, {source}, {second}"),
        }
    }
}
