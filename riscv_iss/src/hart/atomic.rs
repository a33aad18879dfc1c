//! Load-reserved, store-conditional and atomic memory operations.

use crate::{Bus, Hart, Op, Xlen};

use super::step::illegal;
use super::table::Entry;
use super::trap::{Cause, Exception};

/// Reservation of a load-reserved.
///
/// The hart does not observe writes by other bus masters. A reservation therefore has the loaded
/// value, and is lost if memory has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reservation {
    address: u64,
    /// Size in bytes.
    size: usize,
    value: u64,
}

impl Reservation {
    /// Address, size and value.
    pub(super) fn parts(self) -> (u64, u64, u64) {
        (self.address, self.size as u64, self.value)
    }

    /// Reservation of address, size and value.
    pub(super) fn of_parts((address, size, value): (u64, u64, u64)) -> Self {
        Self {
            address,
            size: size as usize,
            value,
        }
    }
}

impl<X: Xlen> Hart<X> {
    /// Executes an atomic instruction.
    pub(super) fn atomic<B: Bus>(
        &mut self,
        bus: &mut B,
        entry: &Entry,
        op: Op,
    ) -> Result<(), Exception> {
        use Op::*;
        match op {
            LrW | ScW | AmoswapW | AmoaddW | AmoxorW | AmoandW | AmoorW | AmominW | AmomaxW
            | AmominuW | AmomaxuW => self.access::<B, 4>(bus, entry, op),
            _ => self.access::<B, 8>(bus, entry, op),
        }
    }

    fn access<B: Bus, const N: usize>(
        &mut self,
        bus: &mut B,
        entry: &Entry,
        op: Op,
    ) -> Result<(), Exception> {
        let base = self.get(entry.rs1);
        let operand = self.get(entry.rs2);
        if matches!(op, Op::LrW | Op::LrD) {
            self.reservation = None;
            let value = number(self.load::<B, N>(bus, base, 0)?);
            self.reservation = Some(Reservation {
                address: X::unsigned(base),
                size: N,
                value,
            });
            self.set(entry.rd, value);
            return Ok(());
        }
        // Faults are those of stores, also for the load of a value.
        let address = X::unsigned(base);
        if !address.is_multiple_of(N as u64) {
            return Err(Exception::new(Cause::StoreMisaligned, address));
        }
        let fault = |_| Exception::new(Cause::StoreAccessFault, address);
        let old = number(bus.load::<N>(address).map_err(fault)?);
        if matches!(op, Op::ScW | Op::ScD) {
            let reserved = Reservation {
                address,
                size: N,
                value: old,
            };
            let holds = self.reservation.take() == Some(reserved);
            if holds {
                bus.store(address, bytes::<N>(operand)).map_err(fault)?;
            }
            self.set(entry.rd, u64::from(!holds));
            return Ok(());
        }
        // Only as wide as the access, sign-extended: this keeps the unsigned order of zero-extended
        // values.
        let operand = number(bytes::<N>(operand));
        let new = combine(op, old, operand).ok_or_else(|| illegal(entry))?;
        bus.store(address, bytes::<N>(new)).map_err(fault)?;
        self.set(entry.rd, old);
        Ok(())
    }
}

/// New content of memory; `None` for an operation that is not an AMO.
fn combine(op: Op, old: u64, operand: u64) -> Option<u64> {
    use Op::*;
    let (signed_old, signed_operand) = (old.cast_signed(), operand.cast_signed());
    Some(match op {
        AmoswapW | AmoswapD => operand,
        AmoaddW | AmoaddD => old.wrapping_add(operand),
        AmoxorW | AmoxorD => old ^ operand,
        AmoandW | AmoandD => old & operand,
        AmoorW | AmoorD => old | operand,
        AmominW | AmominD => signed_old.min(signed_operand).cast_unsigned(),
        AmomaxW | AmomaxD => signed_old.max(signed_operand).cast_unsigned(),
        AmominuW | AmominuD => old.min(operand),
        AmomaxuW | AmomaxuD => old.max(operand),
        _ => return None,
    })
}

/// Sign-extends 4 or 8 bytes.
fn number<const N: usize>(bytes: [u8; N]) -> u64 {
    let sign = bytes.last().is_some_and(|byte| *byte >= 0x80);
    let mut all = [if sign { u8::MAX } else { 0 }; 8];
    for (to, from) in all.iter_mut().zip(bytes) {
        *to = from;
    }
    u64::from_le_bytes(all)
}

/// Low 4 or 8 bytes.
fn bytes<const N: usize>(number: u64) -> [u8; N] {
    let all = number.to_le_bytes();
    std::array::from_fn(|at| all.get(at).copied().unwrap_or_default())
}
