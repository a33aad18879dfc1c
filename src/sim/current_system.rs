//! Selection of a system of the C ABI, for the process and for the call in progress.
//!
//! The *selected* system is that of later calls. The *current* one is that of the call in progress,
//! with the state that each system has ([`StrandLocal`](super::strand::StrandLocal)). Both are the
//! first system unless others were opened. They are state of the strand, so only the thread inside
//! of it changes them.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Identity of a system: its number, and the number of earlier systems with that number. The first
/// system has number 0, which is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SystemId(usize);

/// Number of bits for the number.
const NUMBER_BITS: u32 = 12;

/// Number of bits for the generation. Together with the number they fit into a pointer with a mark.
const GENERATION_BITS: u32 = 20;

/// Number of systems, including the first.
pub(crate) const NUMBERS: usize = 1 << NUMBER_BITS;

impl SystemId {
    /// Only system of a process that opens no other.
    pub(crate) const FIRST: Self = Self(0);

    /// Identity of a further system. Generations repeat after 2²⁰.
    pub(crate) fn further(number: usize, generation: usize) -> Self {
        let generation = generation % (1 << GENERATION_BITS);
        Self((generation << NUMBER_BITS) | (number % NUMBERS))
    }

    /// Identity of the next system with the same number.
    pub(crate) fn next(self) -> Self {
        Self::further(self.number(), (self.0 >> NUMBER_BITS) + 1)
    }

    /// Number of the system.
    #[inline]
    pub(crate) fn number(self) -> usize {
        self.0 % NUMBERS
    }

    /// All bits, as a number below 2³².
    pub(crate) fn bits(self) -> usize {
        self.0
    }

    /// Identity with these bits; `None` if they exceed an identity.
    pub(crate) fn of_bits(bits: usize) -> Option<Self> {
        (bits >> (NUMBER_BITS + GENERATION_BITS - 1) < 2).then_some(Self(bits))
    }
}

static CURRENT: AtomicUsize = AtomicUsize::new(0);

static SELECTED: AtomicUsize = AtomicUsize::new(0);

/// System of the call in progress.
#[inline]
pub(crate) fn current() -> SystemId {
    SystemId(CURRENT.load(Ordering::Relaxed))
}

/// Sets the system of the call in progress.
#[inline]
pub(crate) fn set_current(id: SystemId) {
    CURRENT.store(id.0, Ordering::Relaxed);
}

/// System of later calls.
#[inline]
pub(crate) fn selected() -> SystemId {
    SystemId(SELECTED.load(Ordering::Relaxed))
}

/// Sets the system of later calls.
#[inline]
pub(crate) fn select(id: SystemId) {
    SELECTED.store(id.0, Ordering::Relaxed);
}

/// Runs `act` for another system.
pub(crate) fn during<T>(id: SystemId, act: impl FnOnce() -> T) -> T {
    let _restore = RestoreCurrent(current());
    set_current(id);
    act()
}

/// Restores the current system on drop.
struct RestoreCurrent(SystemId);

impl Drop for RestoreCurrent {
    fn drop(&mut self) {
        set_current(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_number_and_generation() {
        let ids = [
            (1, 1),
            (1, 2),
            (NUMBERS - 1, 1),
            (NUMBERS - 1, (1 << 20) - 1),
        ]
        .map(|(number, generation)| SystemId::further(number, generation));
        for (index, id) in ids.iter().enumerate() {
            assert_eq!(ids.iter().position(|other| other == id), Some(index));
            assert_eq!(SystemId::of_bits(id.bits()), Some(*id));
            assert!((id.bits() as u64) < 1 << 32);
        }
        assert_eq!(SystemId::further(7, 1 << 20), SystemId::further(7, 0));
        assert_eq!(ids[2].number(), NUMBERS - 1);
        assert_eq!(SystemId::of_bits(usize::MAX), None);
    }
}
