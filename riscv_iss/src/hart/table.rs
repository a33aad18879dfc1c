//! Decoded instructions by address.
//!
//! The low bits of the program counter select an entry. It is valid if it was decoded from the bits
//! that are in memory now. Decoding depends on nothing else, so an entry has no address, and writes
//! to memory do not invalidate entries.

use crate::{Instruction, Op, Xlen};

use super::SINK;

/// Number of entries: one per two bytes in 8 KiB of code.
const ENTRIES: usize = 4096;

/// Decoded instruction and its bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) bits: u32,
    pub(super) imm: i32,
    /// `None` for an illegal instruction.
    pub(super) op: Option<Op>,
    /// Place of the destination.
    pub(super) rd: u8,
    pub(super) rs1: u8,
    pub(super) rs2: u8,
    pub(super) size: u8,
}

impl Entry {
    /// Zeros in memory: an illegal instruction.
    const ZEROS: Self = Self {
        bits: 0,
        imm: 0,
        op: None,
        rd: SINK,
        rs1: 0,
        rs2: 0,
        size: 2,
    };

    #[cold]
    fn decode<X: Xlen>(bits: u32) -> Self {
        let size = if Instruction::size(bits) == 2 { 2 } else { 4 };
        let Some(decoded) = Instruction::decode::<X>(bits) else {
            return Self {
                bits,
                size,
                ..Self::ZEROS
            };
        };
        Self {
            bits,
            imm: decoded.imm,
            op: Some(decoded.op),
            rd: if decoded.rd == 0 { SINK } else { decoded.rd },
            rs1: decoded.rs1,
            rs2: decoded.rs2,
            size,
        }
    }

    /// Bits of the instruction itself, without those behind a compressed one.
    pub(super) fn own_bits(&self) -> u32 {
        if self.size == 2 {
            self.bits & 0xffff
        } else {
            self.bits
        }
    }
}

/// Direct-mapped table of [`Entry`].
pub(super) struct Table(Box<[Entry; ENTRIES]>);

impl Default for Table {
    fn default() -> Self {
        Self(Box::new([Entry::ZEROS; ENTRIES]))
    }
}

impl Table {
    /// Decoded form of the bits at an address.
    #[inline(always)]
    pub(super) fn entry<X: Xlen>(&mut self, pc: u64, bits: u32) -> Entry {
        let entry = &mut self.0[(pc >> 1) as usize % ENTRIES];
        if entry.bits != bits {
            *entry = Entry::decode::<X>(bits);
        }
        *entry
    }
}
