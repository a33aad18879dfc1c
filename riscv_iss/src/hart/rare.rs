//! Infrequent instructions: CSRs, `mret`, `wfi`, environment calls, atomics.

use crate::{Bus, Hart, Op, Xlen};

use super::step::illegal;
use super::table::Entry;
use super::trap::{Cause, Exception};

/// Result of a rare instruction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rare {
    /// Address of the next instruction.
    pub(super) next: u64,
    /// True if the hart waits for an interrupt.
    pub(super) waits: bool,
}

/// Change of a CSR by an operand.
#[derive(Clone, Copy)]
enum Change {
    Write,
    Set,
    Clear,
}

impl<X: Xlen> Hart<X> {
    /// Executes the instruction at `self.pc`.
    pub(super) fn rare<B: Bus>(&mut self, bus: &mut B, entry: &Entry) -> Result<Rare, Exception> {
        let mut rare = Rare {
            next: X::unsigned(self.pc.wrapping_add(entry.size.into())),
            waits: false,
        };
        let Some(op) = entry.op else {
            return Err(illegal(entry));
        };
        match op {
            Op::Ecall => return Err(Exception::new(Cause::EnvironmentCall, 0)),
            Op::Ebreak => return Err(Exception::new(Cause::Breakpoint, self.pc)),
            Op::Mret => {
                rare.next = self.csrs.leave_handler();
                self.streak.end();
            }
            Op::Wfi => rare.waits = !self.csrs.any_enabled_interrupt(),
            Op::Csrrw | Op::Csrrwi => self.access_csr(entry, op, Change::Write)?,
            Op::Csrrs | Op::Csrrsi => self.access_csr(entry, op, Change::Set)?,
            Op::Csrrc | Op::Csrrci => self.access_csr(entry, op, Change::Clear)?,
            _ => self.atomic(bus, entry, op)?,
        }
        Ok(rare)
    }

    fn access_csr(&mut self, entry: &Entry, op: Op, change: Change) -> Result<(), Exception> {
        // A CSR number has twelve bits.
        let number = entry.imm as u16;
        let operand = match op {
            Op::Csrrwi | Op::Csrrsi | Op::Csrrci => entry.rs1.into(),
            _ => self.get(entry.rs1),
        };
        let old = self.csrs.read::<X>(number).ok_or_else(|| illegal(entry))?;
        let new = match change {
            Change::Write => Some(operand),
            // With register x0 or an immediate of 0 there is no write, not even of the old value.
            _ if entry.rs1 == 0 => None,
            Change::Set => Some(old | operand),
            Change::Clear => Some(old & !operand),
        };
        if let Some(new) = new {
            let written = self.csrs.write::<X>(number, new);
            written.ok_or_else(|| illegal(entry))?;
        }
        self.set(entry.rd, old);
        Ok(())
    }
}
