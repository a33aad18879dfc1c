//! Execution of one instruction.

use crate::decode::is_compressed;
use crate::xlen::low;
use crate::{Bus, Hart, Op, Rv32, Xlen};

use super::alu::{div, divu, rem, remu};
use super::table::Entry;
use super::trap::{Cause, Exception};

/// Reason why [`Hart::step`] does not execute a step.
pub(super) enum Pause {
    Exception(Exception),
    /// Instruction that `rare` executes.
    Rare(Entry),
}

impl From<Exception> for Pause {
    fn from(exception: Exception) -> Self {
        Self::Exception(exception)
    }
}

/// Product of two registers as they are held, or zero-extended, from bit XLEN on.
#[inline(always)]
fn high<X: Xlen>(a: i128, b: i128) -> u64 {
    // The low 64 bits.
    X::wrap((a.wrapping_mul(b) >> X::BITS) as u64)
}

#[inline(always)]
fn signed(value: u64) -> i128 {
    value.cast_signed().into()
}

#[inline(always)]
fn unsigned<X: Xlen>(value: u64) -> i128 {
    X::unsigned(value).into()
}

/// Sign-extends 32 bits.
#[inline(always)]
fn word(value: u64) -> u64 {
    Rv32::wrap(value)
}

/// Zero-extends 32 bits.
#[inline(always)]
fn unsigned_word(value: u64) -> u64 {
    low(value).into()
}

/// Shifts a sign-extended register to the right.
#[inline(always)]
fn shift_right(value: u64, amount: u64) -> u64 {
    (value.cast_signed() >> amount).cast_unsigned()
}

impl<X: Xlen> Hart<X> {
    /// Executes the instruction at `pc`. Returns the address of the next one.
    #[inline(always)]
    pub(super) fn step<B: Bus>(&mut self, bus: &mut B, pc: u64) -> Result<u64, Pause> {
        let bits = match bus.fetch(pc) {
            Ok(bytes) => u32::from_le_bytes(bytes),
            Err(_) => fetch_at_end::<X, B>(bus, pc)?,
        };
        let entry = self.table.entry::<X>(pc, bits);
        let Some(op) = entry.op else {
            return Err(illegal(&entry).into());
        };
        let next = X::unsigned(pc.wrapping_add(entry.size.into()));
        let imm = i64::from(entry.imm).cast_unsigned();
        let (a, b) = (self.get(entry.rs1), self.get(entry.rs2));
        let amount_mask = u64::from(X::BITS - 1);
        let target = || X::unsigned(pc.wrapping_add(imm));
        let result = match op {
            Op::Lui => imm,
            Op::Auipc => X::wrap(pc.wrapping_add(imm)),
            Op::Jal => {
                self.set(entry.rd, X::wrap(next));
                return Ok(target());
            }
            Op::Jalr => {
                self.set(entry.rd, X::wrap(next));
                return Ok(X::unsigned(a.wrapping_add(imm)) & !1);
            }
            Op::Beq => return Ok(if a == b { target() } else { next }),
            Op::Bne => return Ok(if a != b { target() } else { next }),
            Op::Blt => return Ok(if less(a, b) { target() } else { next }),
            Op::Bge => return Ok(if less(a, b) { next } else { target() }),
            Op::Bltu => return Ok(if a < b { target() } else { next }),
            Op::Bgeu => return Ok(if a >= b { target() } else { next }),

            Op::Lb => {
                let [byte] = self.load(bus, a, imm)?;
                i64::from(byte.cast_signed()).cast_unsigned()
            }
            Op::Lh => {
                let half = i16::from_le_bytes(self.load(bus, a, imm)?);
                i64::from(half).cast_unsigned()
            }
            Op::Lw => {
                let word = i32::from_le_bytes(self.load(bus, a, imm)?);
                i64::from(word).cast_unsigned()
            }
            Op::Ld => u64::from_le_bytes(self.load(bus, a, imm)?),
            Op::Lbu => {
                let [byte] = self.load(bus, a, imm)?;
                byte.into()
            }
            Op::Lhu => u16::from_le_bytes(self.load(bus, a, imm)?).into(),
            Op::Lwu => u32::from_le_bytes(self.load(bus, a, imm)?).into(),
            Op::Sb => return self.store(bus, a, imm, [b as u8], next),
            Op::Sh => return self.store(bus, a, imm, (b as u16).to_le_bytes(), next),
            Op::Sw => return self.store(bus, a, imm, low(b).to_le_bytes(), next),
            Op::Sd => return self.store(bus, a, imm, b.to_le_bytes(), next),

            Op::Addi => X::wrap(a.wrapping_add(imm)),
            Op::Slti => less(a, imm).into(),
            Op::Sltiu => (a < imm).into(),
            Op::Xori => a ^ imm,
            Op::Ori => a | imm,
            Op::Andi => a & imm,
            Op::Slli => X::wrap(a << (imm & amount_mask)),
            Op::Srli => X::wrap(X::unsigned(a) >> (imm & amount_mask)),
            Op::Srai => shift_right(a, imm & amount_mask),
            Op::Add => X::wrap(a.wrapping_add(b)),
            Op::Sub => X::wrap(a.wrapping_sub(b)),
            Op::Sll => X::wrap(a << (b & amount_mask)),
            Op::Slt => less(a, b).into(),
            Op::Sltu => (a < b).into(),
            Op::Xor => a ^ b,
            Op::Srl => X::wrap(X::unsigned(a) >> (b & amount_mask)),
            Op::Sra => shift_right(a, b & amount_mask),
            Op::Or => a | b,
            Op::And => a & b,

            Op::Addiw => word(a.wrapping_add(imm)),
            Op::Slliw => word(a << (imm & 31)),
            Op::Srliw => word(unsigned_word(a) >> (imm & 31)),
            Op::Sraiw => shift_right(word(a), imm & 31),
            Op::Addw => word(a.wrapping_add(b)),
            Op::Subw => word(a.wrapping_sub(b)),
            Op::Sllw => word(a << (b & 31)),
            Op::Srlw => word(unsigned_word(a) >> (b & 31)),
            Op::Sraw => shift_right(word(a), b & 31),

            Op::Mul => X::wrap(a.wrapping_mul(b)),
            Op::Mulh => high::<X>(signed(a), signed(b)),
            Op::Mulhsu => high::<X>(signed(a), unsigned::<X>(b)),
            Op::Mulhu => high::<X>(unsigned::<X>(a), unsigned::<X>(b)),
            Op::Div => X::wrap(div(a, b)),
            Op::Divu => X::wrap(divu(X::unsigned(a), X::unsigned(b))),
            Op::Rem => X::wrap(rem(a, b)),
            Op::Remu => X::wrap(remu(X::unsigned(a), X::unsigned(b))),
            Op::Mulw => word(a.wrapping_mul(b)),
            Op::Divw => word(div(word(a), word(b))),
            Op::Divuw => word(divu(unsigned_word(a), unsigned_word(b))),
            Op::Remw => word(rem(word(a), word(b))),
            Op::Remuw => word(remu(unsigned_word(a), unsigned_word(b))),

            Op::Fence | Op::FenceI => return Ok(next),
            _ => return Err(Pause::Rare(entry)),
        };
        self.set(entry.rd, result);
        Ok(next)
    }

    /// Loads from the sum of a register and an offset.
    #[inline(always)]
    pub(super) fn load<B: Bus, const N: usize>(
        &self,
        bus: &mut B,
        base: u64,
        offset: u64,
    ) -> Result<[u8; N], Exception> {
        let address = X::unsigned(base.wrapping_add(offset));
        if !address.is_multiple_of(N as u64) {
            return Err(Exception::new(Cause::LoadMisaligned, address));
        }
        let loaded = bus.load(address);
        loaded.map_err(|_| Exception::new(Cause::LoadAccessFault, address))
    }

    /// Stores at the sum of a register and an offset. Returns `next`.
    #[inline(always)]
    fn store<B: Bus, const N: usize>(
        &mut self,
        bus: &mut B,
        base: u64,
        offset: u64,
        bytes: [u8; N],
        next: u64,
    ) -> Result<u64, Pause> {
        let address = X::unsigned(base.wrapping_add(offset));
        if !address.is_multiple_of(N as u64) {
            return Err(Exception::new(Cause::StoreMisaligned, address).into());
        }
        match bus.store(address, bytes) {
            Ok(()) => Ok(next),
            Err(_) => Err(Exception::new(Cause::StoreAccessFault, address).into()),
        }
    }
}

#[inline(always)]
fn less(a: u64, b: u64) -> bool {
    a.cast_signed() < b.cast_signed()
}

pub(super) fn illegal(entry: &Entry) -> Exception {
    Exception::new(Cause::IllegalInstruction, entry.own_bits().into())
}

/// Fetches an instruction whose four bytes can't be read at once: a compressed one at the end of
/// memory, or one across two memories.
#[cold]
fn fetch_at_end<X: Xlen, B: Bus>(bus: &mut B, pc: u64) -> Result<u32, Exception> {
    let mut half = |address| {
        let bytes = bus.fetch(address);
        let bytes = bytes.map_err(|_| Exception::new(Cause::InstructionAccessFault, address))?;
        Ok(u32::from(u16::from_le_bytes(bytes)))
    };
    let first = half(pc)?;
    if is_compressed(first) {
        return Ok(first);
    }
    Ok(half(X::unsigned(pc.wrapping_add(2)))? << 16 | first)
}
