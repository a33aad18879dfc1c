//! Control and status registers of machine mode.
//!
//! Registers of other modes do not exist. Physical memory protection has no usable entries: its
//! registers are 0 after every write, so that programs that set it up run.

use crate::Xlen;

use super::state::CSRS;
use super::trap::Interrupt;

const MSTATUS_MIE: u64 = 1 << 3;
const MSTATUS_MPIE: u64 = 1 << 7;
/// Previous mode: machine mode, the only one.
const MSTATUS_MPP: u64 = 3 << 11;

/// Extensions A, C, I and M.
const MISA: u64 = 1 << 0 | 1 << 2 | 1 << 8 | 1 << 12;

const MSTATUS: u16 = 0x300;
const MISA_NUMBER: u16 = 0x301;
const MIE: u16 = 0x304;
const MTVEC: u16 = 0x305;
const MSTATUSH: u16 = 0x310;
const MCOUNTINHIBIT: u16 = 0x320;
const MSCRATCH: u16 = 0x340;
const MEPC: u16 = 0x341;
const MCAUSE: u16 = 0x342;
const MTVAL: u16 = 0x343;
const MIP: u16 = 0x344;
const MCYCLE: u16 = 0xb00;
const MINSTRET: u16 = 0xb02;
const MCYCLEH: u16 = 0xb80;
const MINSTRETH: u16 = 0xb82;
const CYCLE: u16 = 0xc00;
const TIME: u16 = 0xc01;
const INSTRET: u16 = 0xc02;
const CYCLEH: u16 = 0xc80;
const TIMEH: u16 = 0xc81;
const INSTRETH: u16 = 0xc82;
const MHARTID: u16 = 0xf14;

/// Control and status registers.
#[derive(Debug, Clone, Default)]
pub(super) struct Csrs {
    id: u64,
    /// Bits MIE and MPIE.
    mstatus: u64,
    mie: u64,
    /// Interrupt lines.
    mip: u64,
    /// `None` until the program has written it.
    mtvec: Option<u64>,
    mscratch: u64,
    mepc: u64,
    mcause: u64,
    mtval: u64,
    mcycle: u64,
    minstret: u64,
}

impl Csrs {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    /// All registers as words.
    pub(super) fn words(&self) -> [u64; CSRS] {
        [
            self.id,
            self.mstatus,
            self.mie,
            self.mip,
            self.mtvec.is_some().into(),
            self.mtvec.unwrap_or_default(),
            self.mscratch,
            self.mepc,
            self.mcause,
            self.mtval,
            self.mcycle,
            self.minstret,
        ]
    }

    /// Sets all registers. Bits that do not exist are cleared.
    pub(super) fn set_words(&mut self, words: [u64; CSRS]) {
        let [
            id,
            mstatus,
            mie,
            mip,
            has_mtvec,
            mtvec,
            mscratch,
            mepc,
            mcause,
            mtval,
            mcycle,
            minstret,
        ] = words;
        *self = Self {
            id,
            mstatus: mstatus & (MSTATUS_MIE | MSTATUS_MPIE),
            mie: mie & Interrupt::ALL_BITS,
            mip: mip & Interrupt::ALL_BITS,
            mtvec: (has_mtvec != 0).then_some(mtvec & !2),
            mscratch,
            mepc: mepc & !1,
            mcause,
            mtval,
            mcycle,
            minstret,
        };
    }

    /// Counts retired instructions, of one cycle each.
    #[inline(always)]
    pub(super) fn count(&mut self, instructions: u64) {
        self.mcycle = self.mcycle.wrapping_add(instructions);
        self.minstret = self.minstret.wrapping_add(instructions);
    }

    /// Counts the cycle of a trapped instruction.
    pub(super) fn count_trapped(&mut self) {
        self.mcycle = self.mcycle.wrapping_add(1);
    }

    pub(super) fn retired(&self) -> u64 {
        self.minstret
    }

    /// Value of a register, sign-extended; `None` if it does not exist.
    pub(super) fn read<X: Xlen>(&self, number: u16) -> Option<u64> {
        let narrow = X::BITS == 32;
        let value = match number {
            MSTATUS => self.mstatus | MSTATUS_MPP,
            MISA_NUMBER => MISA | u64::from(X::BITS / 32) << (X::BITS - 2),
            MIE => self.mie,
            MTVEC => self.mtvec.unwrap_or_default(),
            MSCRATCH => self.mscratch,
            MEPC => self.mepc,
            MCAUSE => self.mcause,
            MTVAL => self.mtval,
            MIP => self.mip,
            MHARTID => self.id,
            // The timer counts cycles.
            MCYCLE | CYCLE | TIME => self.mcycle,
            MINSTRET | INSTRET => self.minstret,
            MCYCLEH | CYCLEH | TIMEH if narrow => self.mcycle >> 32,
            MINSTRETH | INSTRETH if narrow => self.minstret >> 32,
            MSTATUSH if narrow => 0,
            // mvendorid, marchid, mimpid, mconfigptr.
            0xf11..=0xf13 | 0xf15 => 0,
            // Performance counters and their events.
            MCOUNTINHIBIT | 0x323..=0x33f | 0xb03..=0xb1f | 0xc03..=0xc1f => 0,
            0xb83..=0xb9f | 0xc83..=0xc9f if narrow => 0,
            // pmpcfg0 to pmpcfg3, of which RV64 has the even ones; pmpaddr0 to pmpaddr15.
            0x3a0..=0x3a3 if narrow || number.is_multiple_of(2) => 0,
            0x3b0..=0x3bf => 0,
            _ => return None,
        };
        Some(X::wrap(value))
    }

    /// Writes a register; `None` if it does not exist or is read-only. A field that can't have the
    /// written value keeps a legal one.
    pub(super) fn write<X: Xlen>(&mut self, number: u16, value: u64) -> Option<()> {
        self.read::<X>(number)?;
        if number >> 10 == 3 {
            return None;
        }
        let value = X::unsigned(value);
        // The write replaces the count of its own instruction, which follows.
        let counter = |old: u64| {
            let new = if X::BITS == 32 {
                old >> 32 << 32 | value
            } else {
                value
            };
            new.wrapping_sub(1)
        };
        let counter_high = |old: u64| (value << 32 | old & u64::from(u32::MAX)).wrapping_sub(1);
        match number {
            MSTATUS => self.mstatus = value & (MSTATUS_MIE | MSTATUS_MPIE),
            MIE => self.mie = value & Interrupt::ALL_BITS,
            // Direct or vectored.
            MTVEC => self.mtvec = Some(value & !2),
            MSCRATCH => self.mscratch = value,
            MEPC => self.mepc = value & !1,
            MCAUSE => self.mcause = value,
            MTVAL => self.mtval = value,
            MCYCLE => self.mcycle = counter(self.mcycle),
            MCYCLEH => self.mcycle = counter_high(self.mcycle),
            MINSTRET => self.minstret = counter(self.minstret),
            MINSTRETH => self.minstret = counter_high(self.minstret),
            _ => {}
        }
        Some(())
    }

    pub(super) fn set_interrupt(&mut self, interrupt: Interrupt, raised: bool) {
        if raised {
            self.mip |= interrupt.bit();
        } else {
            self.mip &= !interrupt.bit();
        }
    }

    /// True if an interrupt is pending and enabled in `mie`, independent of `mstatus`.
    pub(super) fn any_enabled_interrupt(&self) -> bool {
        self.mip & self.mie != 0
    }

    /// Interrupt to take now.
    #[inline(always)]
    pub(super) fn due_interrupt(&self) -> Option<Interrupt> {
        if self.mstatus & MSTATUS_MIE == 0 || !self.any_enabled_interrupt() {
            return None;
        }
        let due = self.mip & self.mie;
        let by_priority = Interrupt::BY_PRIORITY.into_iter();
        by_priority.into_iter().find(|it| due & it.bit() != 0)
    }

    /// Address of the handler of a trap with this code; `None` if the program has not set one.
    pub(super) fn handler(&self, code: u64, is_interrupt: bool) -> Option<u64> {
        let mtvec = self.mtvec?;
        let base = mtvec & !3;
        let vectored = mtvec & 1 != 0 && is_interrupt;
        Some(base.wrapping_add(if vectored { 4 * code } else { 0 }))
    }

    /// Saves the state before a trap.
    pub(super) fn enter_handler(&mut self, pc: u64, cause: u64, value: u64) {
        self.mepc = pc;
        self.mcause = cause;
        self.mtval = value;
        let enabled = self.mstatus & MSTATUS_MIE != 0;
        self.mstatus = if enabled { MSTATUS_MPIE } else { 0 };
    }

    /// Restores the state before a trap. Returns the address to continue at.
    pub(super) fn leave_handler(&mut self) -> u64 {
        let enabled = self.mstatus & MSTATUS_MPIE != 0;
        self.mstatus = MSTATUS_MPIE | if enabled { MSTATUS_MIE } else { 0 };
        self.mepc
    }
}
