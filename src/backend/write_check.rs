//! Check of writes through VPI, by samples that are read back.

use std::cell::{Cell, RefCell};

use crate::sim::vecval::Vecval;

/// Samples of writes. Some simulators drop a write without an error; others execute it later in the
/// same time step.
#[derive(Debug, Default)]
pub(super) struct WriteCheck {
    writes: Cell<u64>,
    /// True until a write that changes the content is read back.
    is_armed: Cell<bool>,
    unverified: RefCell<Option<UnverifiedWrite>>,
    /// True after the report on a dropped write.
    is_reported: Cell<bool>,
}

/// Write without an effect so far.
#[derive(Debug)]
pub(super) struct UnverifiedWrite {
    pub(super) instance: usize,
    pub(super) word: u64,
    /// Value before the write.
    pub(super) before: Vec<Vecval>,
    /// Simulated time of the write.
    pub(super) since: Option<u64>,
}

/// Interval of samples: of this many writes, the first one whose first word changes is read back.
const SAMPLE_INTERVAL: u64 = 1024;

impl WriteCheck {
    /// Counts a write. Returns true if it is to be compared with the content before it.
    pub(super) fn is_due(&self) -> bool {
        let count = self.writes.get();
        self.writes.set(count.wrapping_add(1));
        if count.is_multiple_of(SAMPLE_INTERVAL) {
            self.is_armed.set(true);
        }
        self.is_armed.get() && !self.is_reported.get() && self.unverified.borrow().is_none()
    }

    /// Ends the current sample: a write that changes the content is read back.
    pub(super) fn disarm(&self) {
        self.is_armed.set(false);
    }

    /// Stops the check, after the report on a dropped write.
    pub(super) fn set_reported(&self) {
        self.is_reported.set(true);
    }

    /// Stores a write that had no effect at once.
    pub(super) fn watch(&self, unverified: UnverifiedWrite) {
        self.unverified.replace(Some(unverified));
    }

    /// Takes the unverified write if simulated time has advanced since.
    #[inline]
    pub(super) fn take_due(&self, now: impl FnOnce() -> Option<u64>) -> Option<UnverifiedWrite> {
        let mut unverified = self.unverified.borrow_mut();
        let since = unverified.as_ref()?.since;
        if now() == since {
            return None;
        }
        unverified.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unverified(since: Option<u64>) -> UnverifiedWrite {
        UnverifiedWrite {
            instance: 0,
            word: 0,
            before: vec![],
            since,
        }
    }

    #[test]
    fn the_first_change_and_one_of_many_writes_is_read_back() {
        let check = WriteCheck::default();
        let changes = || {
            let due = check.is_due();
            check.disarm();
            due
        };
        assert!((0..5).all(|_| check.is_due()), "nothing has changed");
        assert_eq!((5..=2 * SAMPLE_INTERVAL).filter(|_| changes()).count(), 3);
        check.is_armed.set(true);
        check.watch(unverified(Some(0)));
        assert!(
            (0..SAMPLE_INTERVAL).all(|_| !check.is_due()),
            "one at a time"
        );
        check.unverified.take();
        check.set_reported();
        assert!(
            (0..SAMPLE_INTERVAL).all(|_| !check.is_due()),
            "it was reported"
        );
    }

    #[test]
    fn a_write_is_looked_at_again_when_time_has_passed() {
        let check = WriteCheck::default();
        assert!(check.take_due(|| Some(5)).is_none());
        check.watch(unverified(Some(5)));
        assert!(check.take_due(|| Some(5)).is_none());
        assert!(check.take_due(|| Some(6)).is_some());
        assert!(check.take_due(|| Some(7)).is_none());
    }
}
