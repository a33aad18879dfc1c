//! One hart: registers, CSRs, execution, traps.
//!
//! - `step`: frequent instructions. `alu`: division and remainder.
//! - `rare`: CSRs, `mret`, `wfi`. `atomic`: reservations and AMOs.
//! - `state`: the state as words.
//! - `csr`: control and status registers. `trap`: causes, and entry into handlers.
//! - `table`: decoded instructions by address.

mod alu;
mod atomic;
mod csr;
mod rare;
mod state;
mod step;
mod table;
mod trap;

use std::fmt;
use std::marker::PhantomData;

use crate::{Bus, Xlen};
use atomic::Reservation;
use csr::Csrs;
use rare::Rare;
pub use state::HartState;
use step::Pause;
use table::Table;
pub use trap::{Cause, Interrupt, Trap};
use trap::{Exception, Streak};

/// Number of entries of the register file: a power of two above all register numbers and [`SINK`],
/// so that an index needs no check.
const PLACES: usize = 64;

/// Place of register `x0` as a destination, which is never read.
const SINK: u8 = 32;

/// Instructions of a trap of semihosting: `slli zero, zero, 31`, `ebreak`, `srai zero, zero, 7`.
const SEMIHOSTING: [u32; 3] = [0x01f0_1013, 0x0010_0073, 0x4070_5013];

/// One hart in machine mode.
///
/// It begins without a trap handler: until the program writes `mtvec`, a trap ends the run
/// ([`Stop::Unhandled`]).
pub struct Hart<X: Xlen> {
    pc: u64,
    /// Registers, sign-extended. `x0` is 0.
    x: [u64; PLACES],
    csrs: Csrs,
    reservation: Option<Reservation>,
    streak: Streak,
    table: Table,
    stops_at_semihosting: bool,
    width: PhantomData<X>,
}

/// Result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Number of executed instructions, trapped ones included.
    pub steps: u64,
    /// Reason of its end.
    pub stop: Stop,
}

/// Reason why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// All steps of the run are done.
    Steps,
    /// The hart executed `wfi` without a pending enabled interrupt. The next run continues behind
    /// it, as the manual permits: a caller with interrupts waits for one before.
    Wait,
    /// Trap of a program without a handler. The next run repeats the instruction.
    Unhandled(Trap),
    /// Exception that a trap handler causes on each of its runs.
    TrapLoop(Trap),
    /// Trap of semihosting, at its `ebreak`, after [`Hart::stop_at_semihosting`]. The caller sets
    /// the result and the program counter; otherwise the next run stops here again.
    Semihosting,
}

impl<X: Xlen> Hart<X> {
    /// Creates a hart after reset, with this `mhartid` and program counter.
    pub fn new(id: u64, pc: u64) -> Self {
        Self {
            pc: X::unsigned(pc) & !1,
            x: [0; PLACES],
            csrs: Csrs::new(id),
            reservation: None,
            streak: Streak::default(),
            table: Table::default(),
            stops_at_semihosting: false,
            width: PhantomData,
        }
    }

    /// Executes up to this many instructions.
    ///
    /// Every instruction is a step, also a trapped one, so that every run ends.
    pub fn run<B: Bus>(&mut self, bus: &mut B, steps: u64) -> Run {
        let mut left = steps;
        // Number of steps, from here down to `left`, that the counters don't include yet.
        let mut counted = steps;
        if left > 0
            && let Err(stop) = self.take_interrupt()
        {
            return Run { steps: 0, stop };
        }
        let mut pc = self.pc;
        while left > 0 {
            match self.step(bus, pc) {
                Ok(next) => {
                    pc = next;
                    left -= 1;
                }
                Err(pause) => {
                    self.csrs.count(counted - left);
                    self.pc = pc;
                    left -= 1;
                    counted = left;
                    let mut stop = self.resume(bus, pause);
                    if left > 0 && stop.is_ok() {
                        stop = self.take_interrupt();
                    }
                    if let Err(stop) = stop {
                        let steps = steps - left;
                        return Run { steps, stop };
                    }
                    pc = self.pc;
                }
            }
        }
        self.csrs.count(counted - left);
        self.pc = pc;
        Run {
            steps,
            stop: Stop::Steps,
        }
    }

    /// Executes a rare instruction, or enters the handler of an exception, at `self.pc`.
    #[inline(never)]
    fn resume<B: Bus>(&mut self, bus: &mut B, pause: Pause) -> Result<(), Stop> {
        let done = match pause {
            Pause::Exception(exception) => Err(exception),
            Pause::Rare(entry) => self.rare(bus, &entry),
        };
        match done {
            Ok(Rare { next, waits }) => {
                self.csrs.count(1);
                self.pc = next;
                if waits { Err(Stop::Wait) } else { Ok(()) }
            }
            Err(exception) if self.is_semihosting(bus, exception) => Err(Stop::Semihosting),
            Err(exception) => {
                self.csrs.count_trapped();
                self.take_exception(exception)
            }
        }
    }

    /// True for the `ebreak` of a trap of semihosting: the instructions around it are `slli zero,
    /// zero, 31` and `srai zero, zero, 7`.
    fn is_semihosting<B: Bus>(&self, bus: &mut B, exception: Exception) -> bool {
        if !self.stops_at_semihosting || exception.cause != Cause::Breakpoint {
            return false;
        }
        let mut instruction = |offset: u64| {
            let address = self.pc.wrapping_add(offset);
            let mut half = |at| {
                bus.fetch(X::unsigned(X::wrap(at)))
                    .ok()
                    .map(u16::from_le_bytes)
            };
            let low = half(address)?;
            let high = half(address.wrapping_add(2))?;
            Some(u32::from(high) << 16 | u32::from(low))
        };
        let sequence = [0_u64.wrapping_sub(4), 0, 4].map(&mut instruction);
        sequence == SEMIHOSTING.map(Some)
    }

    /// Enables or disables stops at traps of semihosting. When disabled, the traps are breakpoints.
    pub fn stop_at_semihosting(&mut self, stops: bool) {
        self.stops_at_semihosting = stops;
    }

    /// Raises or lowers an interrupt line.
    pub fn set_interrupt(&mut self, interrupt: Interrupt, raised: bool) {
        self.csrs.set_interrupt(interrupt, raised);
    }

    /// Address of the next instruction.
    pub fn pc(&self) -> u64 {
        self.pc
    }

    /// Continues at another address. Its lowest bit is ignored.
    pub fn set_pc(&mut self, pc: u64) {
        self.pc = X::unsigned(pc) & !1;
    }

    /// Value of register `x<number>`; 0 for numbers from 32 on.
    pub fn register(&self, number: u8) -> u64 {
        let value = self.x[..32].get(usize::from(number));
        value.map_or(0, |value| X::unsigned(*value))
    }

    /// Sets register `x<number>`. Numbers from 32 on and `x0` are ignored.
    pub fn set_register(&mut self, number: u8, value: u64) {
        if let 1..32 = number {
            self.set(number, X::wrap(value));
        }
    }

    /// Number of retired instructions, counted from the value that the program has written to
    /// `minstret`, if any.
    pub fn retired(&self) -> u64 {
        self.csrs.retired()
    }

    /// Value of a CSR as the program reads it; `None` if it does not exist.
    pub fn csr(&self, number: u16) -> Option<u64> {
        self.csrs.read::<X>(number).map(X::unsigned)
    }

    #[inline(always)]
    fn get(&self, register: u8) -> u64 {
        self.x[usize::from(register) % PLACES]
    }

    #[inline(always)]
    fn set(&mut self, register: u8, value: u64) {
        self.x[usize::from(register) % PLACES] = value;
    }
}

impl<X: Xlen> fmt::Debug for Hart<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hart")
            .field("xlen", &X::BITS)
            .field("pc", &self.pc)
            .field("x", &&self.x[..32])
            .finish_non_exhaustive()
    }
}
