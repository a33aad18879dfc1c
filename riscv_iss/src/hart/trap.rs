//! Traps: causes, entry into handlers, and handlers that trap themselves.

use std::fmt;

use crate::{Hart, Stop, Xlen};

/// Number of consecutive equal exceptions that are a loop.
const LOOP: u32 = 1000;

/// Maximum number of instructions between two exceptions of a loop.
const LOOP_INSTRUCTIONS: u64 = 64;

/// Interrupt of machine mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interrupt {
    /// Software interrupt, code 3.
    Software,
    /// Timer interrupt, code 7.
    Timer,
    /// External interrupt, code 11.
    External,
}

impl Interrupt {
    pub(super) const BY_PRIORITY: [Self; 3] = [Self::External, Self::Software, Self::Timer];

    /// Bits of all interrupts in `mie` and `mip`.
    pub(super) const ALL_BITS: u64 = 1 << 3 | 1 << 7 | 1 << 11;

    const fn code(self) -> u64 {
        match self {
            Self::Software => 3,
            Self::Timer => 7,
            Self::External => 11,
        }
    }

    pub(super) const fn bit(self) -> u64 {
        1 << self.code()
    }
}

/// Cause of a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Fetch from an unmapped or non-executable address.
    InstructionAccessFault,
    /// Illegal instruction, or access to a CSR that does not exist or is read-only.
    IllegalInstruction,
    /// `ebreak`
    Breakpoint,
    /// Load from an address that is not a multiple of its size.
    LoadMisaligned,
    /// Load from outside of memory.
    LoadAccessFault,
    /// Store or atomic operation at an address that is not a multiple of its size.
    StoreMisaligned,
    /// Store or atomic operation outside of memory.
    StoreAccessFault,
    /// `ecall` in machine mode.
    EnvironmentCall,
    /// Interrupt of machine mode.
    Interrupt(Interrupt),
}

impl Cause {
    /// Code in `mcause`, without the bit that marks interrupts.
    pub const fn code(self) -> u64 {
        match self {
            Self::InstructionAccessFault => 1,
            Self::IllegalInstruction => 2,
            Self::Breakpoint => 3,
            Self::LoadMisaligned => 4,
            Self::LoadAccessFault => 5,
            Self::StoreMisaligned => 6,
            Self::StoreAccessFault => 7,
            Self::EnvironmentCall => 11,
            Self::Interrupt(interrupt) => interrupt.code(),
        }
    }

    /// True for an interrupt.
    pub const fn is_interrupt(self) -> bool {
        matches!(self, Self::Interrupt(_))
    }
}

/// Trap: an exception of an instruction, or an interrupt before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    /// Cause of the trap.
    pub cause: Cause,
    /// Address of the instruction.
    pub pc: u64,
    /// Faulting address, or bits of an illegal instruction, or 0: the content of `mtval`.
    pub value: u64,
}

impl std::error::Error for Trap {}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, pc, value } = self;
        match cause {
            Cause::InstructionAccessFault => {
                write!(f, "no instruction can be fetched at {value:#x}")
            }
            Cause::IllegalInstruction => {
                write!(f, "illegal instruction {value:#010x} at {pc:#x}")
            }
            Cause::Breakpoint => write!(f, "breakpoint (ebreak) at {pc:#x}"),
            Cause::LoadMisaligned => write!(f, "misaligned load from {value:#x} at {pc:#x}"),
            Cause::LoadAccessFault => {
                write!(f, "load from {value:#x}, which is no memory, at {pc:#x}")
            }
            Cause::StoreMisaligned => write!(f, "misaligned store to {value:#x} at {pc:#x}"),
            Cause::StoreAccessFault => {
                write!(f, "store to {value:#x}, which is no memory, at {pc:#x}")
            }
            Cause::EnvironmentCall => write!(f, "environment call (ecall) at {pc:#x}"),
            Cause::Interrupt(Interrupt::Software) => write!(f, "software interrupt at {pc:#x}"),
            Cause::Interrupt(Interrupt::Timer) => write!(f, "timer interrupt at {pc:#x}"),
            Cause::Interrupt(Interrupt::External) => write!(f, "external interrupt at {pc:#x}"),
        }
    }
}

/// Exception without the address of its instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) cause: Cause,
    value: u64,
}

impl Exception {
    pub(super) const fn new(cause: Cause, value: u64) -> Self {
        Self { cause, value }
    }
}

/// Consecutive exceptions of one instruction without an `mret` between them.
#[derive(Debug, Clone, Default)]
pub(super) struct Streak {
    /// Cause and address of the instruction. The faulting address may change: a growing stack has
    /// another one each time.
    last: Option<(Cause, u64)>,
    /// Number of retired instructions at the last exception.
    retired: u64,
    length: u32,
}

impl Streak {
    /// Ends the sequence, at an `mret`.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// Adds an exception. Returns true if the handler traps in a loop.
    fn add(&mut self, trap: Trap, retired: u64) -> bool {
        let passed = retired.wrapping_sub(self.retired);
        let this = Some((trap.cause, trap.pc));
        let same = self.last == this && passed <= LOOP_INSTRUCTIONS;
        self.length = if same { self.length + 1 } else { 0 };
        self.last = this;
        self.retired = retired;
        self.length >= LOOP
    }
}

impl<X: Xlen> Hart<X> {
    /// Enters the handler of an exception of the instruction at `self.pc`.
    pub(super) fn take_exception(&mut self, exception: Exception) -> Result<(), Stop> {
        let Exception { cause, value } = exception;
        let trap = Trap {
            cause,
            pc: self.pc,
            value,
        };
        if self.streak.add(trap, self.csrs.retired()) {
            self.streak.end();
            return Err(Stop::TrapLoop(trap));
        }
        self.enter(trap)
    }

    /// Enters the handler of an interrupt before the instruction at `self.pc`, if one is due.
    #[inline(always)]
    pub(super) fn take_interrupt(&mut self) -> Result<(), Stop> {
        match self.csrs.due_interrupt() {
            None => Ok(()),
            Some(interrupt) => self.enter(Trap {
                cause: Cause::Interrupt(interrupt),
                pc: self.pc,
                value: 0,
            }),
        }
    }

    #[inline(never)]
    fn enter(&mut self, trap: Trap) -> Result<(), Stop> {
        let Trap { cause, pc, value } = trap;
        let is_interrupt = cause.is_interrupt();
        let Some(handler) = self.csrs.handler(cause.code(), is_interrupt) else {
            return Err(Stop::Unhandled(trap));
        };
        let mark = u64::from(is_interrupt) << (X::BITS - 1);
        self.csrs.enter_handler(pc, cause.code() | mark, value);
        self.pc = X::unsigned(handler);
        Ok(())
    }
}
