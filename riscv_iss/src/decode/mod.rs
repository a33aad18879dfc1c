//! Decoding of instructions.
//!
//! - `op`: operations. `base`: instructions of 32 bits. `compressed`: those of 16 bits.
//! - `text`: assembly.

mod base;
mod compressed;
mod op;
mod text;

pub use op::Op;

use crate::Xlen;

/// Decoded instruction.
///
/// Fields that an operation does not use are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Operation to execute.
    pub op: Op,
    /// Destination register.
    pub rd: u8,
    /// First source register; the immediate of `csrrwi`, `csrrsi`, `csrrci`.
    pub rs1: u8,
    /// Second source register.
    pub rs2: u8,
    /// Immediate: an offset, a shift amount, the number of a CSR, or the upper bits of `lui` and
    /// `auipc`, shifted to their place.
    pub imm: i32,
}

impl Instruction {
    /// Decodes the instruction in the low 16 or 32 bits; `None` if it is illegal.
    pub fn decode<X: Xlen>(bits: u32) -> Option<Self> {
        if is_compressed(bits) {
            compressed::decode::<X>(bits)
        } else {
            base::decode::<X>(bits)
        }
    }

    /// Size in bytes of the instruction with these low bits: 2 or 4.
    pub const fn size(bits: u32) -> u64 {
        if is_compressed(bits) { 2 } else { 4 }
    }
}

/// True for an instruction of 16 bits. Instructions longer than 32 bits are not distinguished,
/// since they are illegal.
pub(crate) const fn is_compressed(bits: u32) -> bool {
    bits & 3 != 3
}

/// Bits `low` and up of a word, `count` of them.
const fn field(bits: u32, low: u32, count: u32) -> u32 {
    (bits >> low) & ((1 << count) - 1)
}

/// Sign-extends a number of `count` bits.
const fn signed(value: u32, count: u32) -> i32 {
    (value << (32 - count)).cast_signed() >> (32 - count)
}
