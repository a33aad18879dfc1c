//! When taps write out what they buffer.
//!
//! There is no thread for it: ticks are where it is looked at. A process that is killed while its simulation goes on loses no more
//! than [`PERIOD`] of a recording, and one whose firmware hangs loses nothing.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Longest wall time for which something stays buffered while the system ticks.
const PERIOD: Duration = Duration::from_millis(500);

/// Ticks without any work after which what is buffered is written out.
const IDLE_TICKS: u32 = 10_000;

/// Most ticks from one look at the clock to the next.
const MOST_UNSEEN: u32 = 64;

/// Ticks that take less than this from one look at the clock to the next are fast: the clock is looked at more seldom.
const FAST: Duration = Duration::from_millis(5);

/// Policy for one system.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    /// Ticks without work since the last one with some.
    idle: Cell<u32>,
    /// Ticks until the next look at the clock, and from one look to the next.
    unseen: Cell<(u32, u32)>,
    /// Time of the last write, or else of the first look.
    flushed: Cell<Option<Instant>>,
    /// Time of the last look.
    looked: Cell<Option<Instant>>,
}

impl Flusher {
    /// Counts one tick while something is buffered; `worked` says that the tick had some work. True where it is to be written out.
    pub(super) fn tick(&self, worked: bool, now: impl FnOnce() -> Instant) -> bool {
        let idle = if worked { 0 } else { self.idle.get() + 1 };
        self.idle.set(idle);
        let due = idle >= IDLE_TICKS || self.is_late(now);
        if due {
            self.idle.set(0);
        }
        due
    }

    /// True where the last write was a [`PERIOD`] ago.
    fn is_late(&self, now: impl FnOnce() -> Instant) -> bool {
        let (left, step) = self.unseen.get();
        if left > 1 {
            self.unseen.set((left - 1, step));
            return false;
        }
        let now = now();
        let last = self.looked.replace(Some(now)).unwrap_or(now);
        let flushed = self.flushed.get().unwrap_or(now);
        let step = match now.duration_since(last) < FAST {
            true => (2 * step).clamp(1, MOST_UNSEEN),
            false => 1,
        };
        self.unseen.set((step, step));
        let late = now.duration_since(flushed) >= PERIOD;
        self.flushed.set(Some(if late { now } else { flushed }));
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks of one length, each of which buffers something, until what is buffered is written out.
    fn ticks_until_flushed(length: Duration, worked: bool) -> (u32, u32) {
        let (flusher, start) = (Flusher::default(), Instant::now());
        let looks = Cell::new(0);
        let ticks = (1..100_000_000).find(|tick| {
            flusher.tick(worked, || {
                looks.set(looks.get() + 1);
                start + length * *tick
            })
        });
        (ticks.unwrap_or(u32::MAX), looks.get())
    }

    #[test]
    fn nothing_stays_for_a_second_whatever_a_tick_takes() {
        for nanoseconds in [50, 1_000, 70_000, 1_000_000, 20_000_000, 400_000_000] {
            let length = Duration::from_nanos(nanoseconds);
            let (ticks, _) = ticks_until_flushed(length, true);
            let passed = length * (ticks - 1);
            assert!(passed >= PERIOD, "{length:?}: {passed:?}");
            assert!(passed <= Duration::from_secs(1), "{length:?}: {passed:?}");
        }
    }

    #[test]
    fn the_clock_is_looked_at_seldom_where_ticks_are_fast() {
        let (ticks, looks) = ticks_until_flushed(Duration::from_nanos(100), true);
        assert!(looks <= ticks / MOST_UNSEEN + 10, "{looks} of {ticks}");
    }

    #[test]
    fn an_idle_system_is_flushed_long_before() {
        let (ticks, _) = ticks_until_flushed(Duration::from_nanos(1), false);
        assert_eq!(ticks, IDLE_TICKS);
    }

    #[test]
    fn ticks_of_seconds_are_flushed_each() {
        let (flusher, start) = (Flusher::default(), Instant::now());
        let tick = Duration::from_secs(3);
        let flushed = (0..5).filter(|number| flusher.tick(true, || start + tick * *number));
        assert_eq!(flushed.collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn each_interval_counts_anew() {
        let (flusher, start) = (Flusher::default(), Instant::now());
        let tick = Duration::from_millis(100);
        let flushed = (1..=60).filter(|number| flusher.tick(true, || start + tick * *number));
        let flushed: Vec<u32> = flushed.collect();
        assert_eq!(flushed.len(), 11, "{flushed:?}");
    }
}
