//! Detection of loops in the testbench that take no simulated time.
//!
//! Such a loop keeps the simulator from its next clock, and no code of the library can end it. One that calls the library is counted,
//! since no tick comes between its calls.

use std::cell::Cell;

/// Number of calls in one tick that is reported, then after each doubling. A check of 64 MiB word by word stays below.
const LIMIT: u64 = 1 << 25;

/// Count of calls since the last tick.
pub(super) struct Standstill {
    tick: Cell<u64>,
    calls: Cell<u64>,
}

impl Standstill {
    pub(super) const fn new() -> Self {
        Self {
            tick: Cell::new(0),
            calls: Cell::new(0),
        }
    }

    /// Counts a call in tick `now`. Returns the count where it is to be reported.
    #[inline]
    pub(super) fn count(&self, now: u64) -> Option<u64> {
        if self.tick.replace(now) != now {
            self.calls.set(0);
        }
        let calls = self.calls.get() + 1;
        self.calls.set(calls);
        (calls >= LIMIT && calls.is_power_of_two()).then_some(calls)
    }
}

/// Text of the report, with the status of the channels, which names methods that are pending.
pub(super) fn text(calls: u64, now: u64, status: &str) -> String {
    format!(
        "{calls} calls in tick {now}, and simulated time does not go on: a loop that calls the library neither yields nor takes time; \
         in a method's `execute`, let it wait for a clock or yield:\n{status}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(standstill: &Standstill, now: u64, calls: u64) -> Vec<u64> {
        (0..calls).filter_map(|_| standstill.count(now)).collect()
    }

    #[test]
    fn calls_of_one_tick_are_reported_at_the_limit_and_after_each_doubling() {
        let standstill = Standstill::new();
        standstill.calls.set(LIMIT - 10);
        assert_eq!(reported(&standstill, 0, 20), [LIMIT]);
        standstill.calls.set(2 * LIMIT - 10);
        assert_eq!(reported(&standstill, 0, 20), [2 * LIMIT]);
    }

    #[test]
    fn a_tick_ends_the_count() {
        let standstill = Standstill::new();
        standstill.calls.set(LIMIT - 1);
        assert!(reported(&standstill, 1, 20).is_empty());
        assert_eq!(standstill.calls.get(), 20);
    }
}
