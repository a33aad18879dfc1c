//! State of a hart as words, for a checkpoint.

use crate::{Hart, Xlen};

use super::atomic::Reservation;

/// State of a hart: program counter, registers, CSRs and reservation.
///
/// The count of equal traps in a row ([`Stop::TrapLoop`](crate::Stop::TrapLoop)) begins anew.
///
/// ```
/// use riscv_iss::{Hart, HartState, Rv32};
///
/// let mut hart = Hart::<Rv32>::new(0, 0x8000_0000);
/// hart.set_register(5, 7);
/// let words = hart.state().words();
///
/// let mut other = Hart::<Rv32>::new(0, 0);
/// other.restore(&HartState::from_words(&words).unwrap());
/// assert_eq!((other.pc(), other.register(5)), (0x8000_0000, 7));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HartState {
    pc: u64,
    /// Registers, zero-extended.
    registers: [u64; 32],
    csrs: [u64; CSRS],
    /// Address, size and value.
    reservation: Option<(u64, u64, u64)>,
}

/// Number of words of the CSRs.
pub(super) const CSRS: usize = 12;

/// Number of words of a state.
const WORDS: usize = 1 + 32 + CSRS + 4;

impl HartState {
    /// Returns the state as words.
    pub fn words(&self) -> Vec<u64> {
        let mut words = vec![self.pc];
        words.extend(self.registers);
        words.extend(self.csrs);
        let (address, size, value) = self.reservation.unwrap_or_default();
        words.extend([self.reservation.is_some().into(), address, size, value]);
        words
    }

    /// Creates a state from its [`words`](Self::words); `None` for another number of words, or an
    /// invalid reservation.
    pub fn from_words(words: &[u64]) -> Option<Self> {
        let words: &[u64; WORDS] = words.try_into().ok()?;
        let (&pc, rest) = words.split_first()?;
        let (registers, rest) = rest.split_first_chunk()?;
        let (csrs, rest) = rest.split_first_chunk()?;
        let reservation = match *rest {
            [0, ..] => None,
            [1, address, size @ (4 | 8), value] => Some((address, size, value)),
            _ => return None,
        };
        Some(Self {
            pc,
            registers: *registers,
            csrs: *csrs,
            reservation,
        })
    }
}

impl<X: Xlen> Hart<X> {
    /// Returns the present state.
    pub fn state(&self) -> HartState {
        let mut registers = [0; 32];
        for (number, register) in (0..).zip(&mut registers) {
            *register = self.register(number);
        }
        HartState {
            pc: self.pc,
            registers,
            csrs: self.csrs.words(),
            reservation: self.reservation.map(Reservation::parts),
        }
    }

    /// Sets the state. Bits that do not exist in a hart of this width are cleared.
    pub fn restore(&mut self, state: &HartState) {
        self.set_pc(state.pc);
        for (number, register) in (0..).zip(state.registers) {
            self.set_register(number, register);
        }
        self.csrs.set_words(state.csrs);
        self.reservation = state.reservation.map(Reservation::of_parts);
        self.streak = super::Streak::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interrupt, Ram, Rv64};

    /// A program that counts, with atomics and traps: two halves with a restore in between equal
    /// the whole run.
    #[test]
    fn a_run_in_two_halves_is_the_whole() {
        // lr.d t0, (a0); addi t0, t0, 3; sc.d t1, t0, (a0); csrrw t2, mscratch, t0; addi a1, a1, 1;
        // jal x0, -20
        let program = [
            0x1005_32af_u32,
            0x0032_8293,
            0x1855_332f,
            0x3402_93f3,
            0x0015_8593,
            0xfedf_f06f,
        ];
        let start = 0x8000_0000;
        let ram = || {
            let mut ram = Ram::new(start, 0x1000);
            let code = program.map(u32::to_le_bytes).concat();
            ram.write(start, &code).unwrap();
            ram
        };
        let fresh = || {
            let mut hart = Hart::<Rv64>::new(3, start);
            hart.set_register(10, start + 0x800);
            hart.set_interrupt(Interrupt::External, true);
            hart
        };
        for cut in 0..20 {
            let (mut whole, mut memory) = (fresh(), ram());
            assert_eq!(whole.run(&mut memory, 40).steps, 40);
            let (mut first, mut other) = (fresh(), ram());
            first.run(&mut other, cut);
            let words = first.state().words();
            let mut second = Hart::<Rv64>::new(0, 0);
            second.restore(&HartState::from_words(&words).unwrap());
            second.run(&mut other, 40 - cut);
            assert_eq!(second.state(), whole.state(), "{cut}");
            assert_eq!(second.retired(), 40);
            assert_eq!(second.csr(0xf14), Some(3));
        }
    }

    #[test]
    fn other_words_are_no_state() {
        let words = Hart::<Rv64>::new(0, 0).state().words();
        assert!(HartState::from_words(&words[1..]).is_none());
        let mut wrong = words.clone();
        wrong[WORDS - 4] = 2;
        assert!(HartState::from_words(&wrong).is_none());
        wrong[WORDS - 4] = 1;
        wrong[WORDS - 2] = 5;
        assert!(HartState::from_words(&wrong).is_none());
    }
}
