//! Times of viewers, computed from ticks.
//!
//! Entries of one tick have distances of one step, up to the end of the tick. Further entries are
//! all at that end.

/// Maximum time: viewers have signed numbers of 64 bits.
pub(super) const LATEST: u64 = i64::MAX.cast_unsigned();

/// Minimum period in picoseconds for which the unit is a picosecond: a tick has a thousand steps.
const PICOSECOND_FROM: u64 = 1000;

/// Unit of times, and length of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeBase {
    /// Length of a step: 10 to the power of this, in seconds.
    pub(super) exponent: i8,
    /// Number of steps of a tick; at least 1000.
    pub(super) per_tick: u64,
}

impl TimeBase {
    /// Creates a time base for a period in picoseconds.
    pub(super) fn of(period: u64) -> Self {
        let (exponent, per_tick) = if period >= PICOSECOND_FROM {
            (-12, period)
        } else {
            (-15, period.max(1).saturating_mul(1000))
        };
        Self { exponent, per_tick }
    }
}

/// Time of the current entry.
#[derive(Debug)]
pub(super) struct Steps {
    per_tick: u64,
    now: u64,
}

impl Steps {
    pub(super) fn new(per_tick: u64) -> Self {
        Self {
            per_tick: per_tick.max(1),
            now: 0,
        }
    }

    /// Beginning of a tick.
    pub(super) fn begin_of(&self, tick: u64) -> u64 {
        // The step behind the last one is a time, too.
        tick.saturating_mul(self.per_tick).min(LATEST - 1)
    }

    /// Advances to an entry in `tick`, and returns its time.
    pub(super) fn advance(&mut self, tick: u64) -> u64 {
        let begin = self.begin_of(tick);
        let last = begin.saturating_add(self.per_tick - 1).min(LATEST - 1);
        // Never backwards, also in a damaged file.
        self.now = if self.now < begin {
            begin
        } else {
            self.now.max(self.now.saturating_add(1).min(last))
        };
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_has_at_least_a_thousand_steps() {
        for (period, exponent, per_tick) in [
            (0, -15, 1000),
            (1, -15, 1000),
            (999, -15, 999_000),
            (1000, -12, 1000),
            (1_000_000_000_000, -12, 1_000_000_000_000),
        ] {
            assert_eq!(TimeBase::of(period), TimeBase { exponent, per_tick });
        }
    }

    #[test]
    fn entries_of_a_tick_stay_in_it() {
        let mut steps = Steps::new(4);
        let times = [0, 0, 0, 0, 0, 0, 2, 2, 1, 3].map(|tick| steps.advance(tick));
        assert_eq!(times, [1, 2, 3, 3, 3, 3, 8, 9, 9, 12]);
    }

    #[test]
    fn times_end_at_the_latest_one() {
        let mut steps = Steps::new(u64::MAX);
        assert_eq!(steps.advance(u64::MAX), LATEST - 1);
        assert_eq!(steps.advance(u64::MAX), LATEST - 1);
        assert_eq!(steps.begin_of(u64::MAX), LATEST - 1);
        assert_eq!(steps.begin_of(0), 0);
    }
}
