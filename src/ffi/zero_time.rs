//! Detection of zero-time loops: loops in the testbench that call the library without an advance of
//! simulated time.
//!
//! Such a loop keeps the simulator from its next clock edge, and the library can't end it. Its
//! calls are counted. The simulator is asked for the time once in [`INTERVAL`] calls, because a
//! testbench may use the backdoor at many times without a tick.

use std::cell::Cell;

/// Number of calls at one simulated time that is reported, and again after each doubling. A check
/// of 64 MiB word by word stays below it.
const LIMIT: u64 = 1 << 25;

/// Number of calls between two queries of the simulated time.
const INTERVAL: u64 = 1 << 20;

/// Count of calls since the last tick, or since the last advance of simulated time.
pub(super) struct ZeroTimeLoop {
    tick: Cell<u64>,
    calls: Cell<u64>,
    time: Cell<Option<u64>>,
}

impl ZeroTimeLoop {
    pub(super) const fn new() -> Self {
        Self {
            tick: Cell::new(0),
            calls: Cell::new(0),
            time: Cell::new(None),
        }
    }

    /// Counts a call in tick `tick`. `time` returns the simulated time, or `None` without a
    /// simulation. Returns the count if it is to be reported.
    #[inline]
    pub(super) fn count(&self, tick: u64, time: impl FnOnce() -> Option<u64>) -> Option<u64> {
        if self.tick.replace(tick) != tick {
            self.calls.set(0);
        }
        let calls = self.calls.get() + 1;
        self.calls.set(calls);
        if !calls.is_multiple_of(INTERVAL) {
            return None;
        }
        self.judge(calls, time())
    }

    /// Restarts the count if time has advanced since the last query, or if there is no time.
    #[cold]
    fn judge(&self, calls: u64, time: Option<u64>) -> Option<u64> {
        let passed = self.time.replace(time) != time;
        if passed || time.is_none() {
            self.calls.set(0);
            return None;
        }
        (calls >= LIMIT && calls.is_power_of_two()).then_some(calls)
    }
}

/// Text of the report. The status of the channels in it names pending methods.
pub(super) fn text(calls: u64, tick: u64, status: &str) -> String {
    format!(
        "zero-time loop: {calls} calls in tick {tick} without progress of simulated time: a loop \
         that calls the library neither yields nor takes time; in a method's `execute`, wait for a \
         clock or yield in the loop:\n{status}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(
        zero_time: &ZeroTimeLoop,
        tick: u64,
        calls: u64,
        time: impl Fn() -> Option<u64>,
    ) -> Vec<u64> {
        (0..calls)
            .filter_map(|_| zero_time.count(tick, &time))
            .collect()
    }

    /// Count shortly before `calls`, at time 5.
    fn before(calls: u64) -> ZeroTimeLoop {
        let zero_time = ZeroTimeLoop::new();
        zero_time.calls.set(calls - 10);
        zero_time.time.set(Some(5));
        zero_time
    }

    #[test]
    fn calls_at_one_time_are_reported_at_the_limit_and_after_each_doubling() {
        for calls in [LIMIT, 2 * LIMIT, 4 * LIMIT] {
            assert_eq!(reported(&before(calls), 0, 20, || Some(5)), [calls]);
        }
        assert!(reported(&before(3 * LIMIT), 0, 20, || Some(5)).is_empty());
    }

    #[test]
    fn a_tick_ends_the_count() {
        let zero_time = before(LIMIT);
        assert!(reported(&zero_time, 1, 20, || Some(5)).is_empty());
        assert_eq!(zero_time.calls.get(), 20);
    }

    /// A testbench that uses the backdoor and never ticks.
    #[test]
    fn time_that_passes_ends_the_count() {
        let zero_time = before(LIMIT);
        assert!(reported(&zero_time, 0, 20, || Some(6)).is_empty());
        assert_eq!(zero_time.calls.get(), 10);
        zero_time.calls.set(LIMIT - 10);
        assert_eq!(reported(&zero_time, 0, 20, || Some(6)), [LIMIT]);
    }

    /// A program in C.
    #[test]
    fn without_a_simulation_nothing_is_reported() {
        let zero_time = before(LIMIT);
        zero_time.time.set(None);
        assert!(reported(&zero_time, 0, 20, || None).is_empty());
        assert_eq!(zero_time.calls.get(), 10);
    }

    #[test]
    fn the_simulator_is_seldom_asked_for_the_time() {
        let (zero_time, asked) = (ZeroTimeLoop::new(), Cell::new(0));
        let time = || {
            asked.set(asked.get() + 1);
            Some(0)
        };
        assert!(reported(&zero_time, 0, 3 * INTERVAL, time).is_empty());
        assert_eq!(asked.get(), 3);
    }
}
