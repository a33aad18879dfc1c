//! Operations, with their names in assembly.

/// Defines [`Op`] with the mnemonic of each operation.
macro_rules! operations {
    ($($op:ident = $name:literal,)+) => {
        /// Operation of an instruction. A compressed instruction has the operation of its
        /// expansion.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = concat!("`", $name, "`")] $op,)+
        }

        impl Op {
            /// All operations.
            pub const ALL: &[Self] = &[$(Self::$op),+];

            /// Mnemonic in assembly.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$op => $name,)+
                }
            }
        }
    };
}

operations! {
    Lui = "lui",
    Auipc = "auipc",
    Jal = "jal",
    Jalr = "jalr",
    Beq = "beq",
    Bne = "bne",
    Blt = "blt",
    Bge = "bge",
    Bltu = "bltu",
    Bgeu = "bgeu",
    Lb = "lb",
    Lh = "lh",
    Lw = "lw",
    Ld = "ld",
    Lbu = "lbu",
    Lhu = "lhu",
    Lwu = "lwu",
    Sb = "sb",
    Sh = "sh",
    Sw = "sw",
    Sd = "sd",
    Addi = "addi",
    Slti = "slti",
    Sltiu = "sltiu",
    Xori = "xori",
    Ori = "ori",
    Andi = "andi",
    Slli = "slli",
    Srli = "srli",
    Srai = "srai",
    Add = "add",
    Sub = "sub",
    Sll = "sll",
    Slt = "slt",
    Sltu = "sltu",
    Xor = "xor",
    Srl = "srl",
    Sra = "sra",
    Or = "or",
    And = "and",
    Addiw = "addiw",
    Slliw = "slliw",
    Srliw = "srliw",
    Sraiw = "sraiw",
    Addw = "addw",
    Subw = "subw",
    Sllw = "sllw",
    Srlw = "srlw",
    Sraw = "sraw",
    Mul = "mul",
    Mulh = "mulh",
    Mulhsu = "mulhsu",
    Mulhu = "mulhu",
    Div = "div",
    Divu = "divu",
    Rem = "rem",
    Remu = "remu",
    Mulw = "mulw",
    Divw = "divw",
    Divuw = "divuw",
    Remw = "remw",
    Remuw = "remuw",
    Fence = "fence",
    FenceI = "fence.i",
    Ecall = "ecall",
    Ebreak = "ebreak",
    Mret = "mret",
    Wfi = "wfi",
    Csrrw = "csrrw",
    Csrrs = "csrrs",
    Csrrc = "csrrc",
    Csrrwi = "csrrwi",
    Csrrsi = "csrrsi",
    Csrrci = "csrrci",
    LrW = "lr.w",
    ScW = "sc.w",
    AmoswapW = "amoswap.w",
    AmoaddW = "amoadd.w",
    AmoxorW = "amoxor.w",
    AmoandW = "amoand.w",
    AmoorW = "amoor.w",
    AmominW = "amomin.w",
    AmomaxW = "amomax.w",
    AmominuW = "amominu.w",
    AmomaxuW = "amomaxu.w",
    LrD = "lr.d",
    ScD = "sc.d",
    AmoswapD = "amoswap.d",
    AmoaddD = "amoadd.d",
    AmoxorD = "amoxor.d",
    AmoandD = "amoand.d",
    AmoorD = "amoor.d",
    AmominD = "amomin.d",
    AmomaxD = "amomax.d",
    AmominuD = "amominu.d",
    AmomaxuD = "amomaxu.d",
}
