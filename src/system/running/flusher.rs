//! Schedule of the flushes of the taps.
//!
//! Ticks check the time; there is no thread. A process that is killed during its simulation loses
//! at most [`PERIOD`] of a recording. If firmware hangs, nothing is lost. A process that hangs or
//! ends without another tick loses nothing of a short burst: in each period, the first
//! [`IMMEDIATE_FLUSHES`] ticks with work are flushed at once, and then the same number of pauses.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Maximum wall time for which data stays buffered while the system ticks.
const PERIOD: Duration = Duration::from_millis(500);

/// Number of immediate flushes in a period, after ticks with work and also after pauses. Later
/// flushes follow at each doubling of the count.
const IMMEDIATE_FLUSHES: u32 = 32;

/// Ticks without work after which buffers are flushed.
const IDLE_TICKS: u32 = 10_000;

/// Maximum number of ticks from one read of the clock to the next.
const MAX_UNREAD_TICKS: u32 = 64;

/// Threshold of fast ticks: if less time is between two reads of the clock, the clock is read less
/// often.
const FAST: Duration = Duration::from_millis(5);

/// Flush policy of one system.
#[derive(Debug, Default)]
pub(in crate::system) struct Flusher {
    /// Ticks without work since the last tick with work.
    idle: Cell<u32>,
    /// Ticks with work, and pauses after them, in this period.
    worked: Cell<u32>,
    pauses: Cell<u32>,
    /// Ticks until the next read of the clock, and from one read to the next.
    unseen: Cell<(u32, u32)>,
    /// Time of the last flush, or else of the first read of the clock.
    flushed: Cell<Option<Instant>>,
    /// Time of the last read of the clock.
    looked: Cell<Option<Instant>>,
}

impl Flusher {
    /// Counts one tick while data is buffered. `worked` is true for a tick with work. Returns true
    /// if the buffers must be flushed.
    pub(in crate::system) fn tick(&self, worked: bool, now: impl FnOnce() -> Instant) -> bool {
        let idle = if worked { 0 } else { self.idle.get() + 1 };
        self.idle.set(idle);
        let at_once = match (worked, idle) {
            (true, _) => is_early(&self.worked),
            (false, 1) => is_early(&self.pauses),
            (false, _) => false,
        };
        let late = self.is_late(now);
        if late {
            self.worked.set(0);
            self.pauses.set(0);
        }
        let due = late || idle >= IDLE_TICKS;
        if due {
            self.idle.set(0);
        }
        due || at_once
    }

    /// True if the last flush was a [`PERIOD`] ago.
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
            true => (2 * step).clamp(1, MAX_UNREAD_TICKS),
            false => 1,
        };
        self.unseen.set((step, step));
        let late = now.duration_since(flushed) >= PERIOD;
        self.flushed.set(Some(if late { now } else { flushed }));
        late
    }
}

/// Increments a count. Returns true for the first [`IMMEDIATE_FLUSHES`] values, and for powers of
/// two.
fn is_early(count: &Cell<u32>) -> bool {
    let counted = count.get().saturating_add(1);
    count.set(counted);
    counted <= IMMEDIATE_FLUSHES || counted.is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs ticks of one length up to `end`, each with buffered data. Returns the ticks of the
    /// flushes, and the number of reads of the clock.
    fn written(length: Duration, end: Duration, works: impl Fn(u32) -> bool) -> (Vec<u32>, u32) {
        let (flusher, start) = (Flusher::default(), Instant::now());
        let looks = Cell::new(0);
        let writes = (1..)
            .take_while(|tick| length * *tick <= end)
            .filter(|tick| {
                flusher.tick(works(*tick), || {
                    looks.set(looks.get() + 1);
                    start + length * *tick
                })
            });
        (writes.collect(), looks.get())
    }

    #[test]
    fn nothing_stays_unwritten_for_a_second_with_ticks_of_any_length() {
        for nanoseconds in [300, 1_000, 70_000, 1_000_000, 20_000_000, 400_000_000] {
            let length = Duration::from_nanos(nanoseconds);
            let end = Duration::from_secs(2);
            let (mut writes, _) = written(length, end, |_| true);
            let ticks = (end.as_nanos() / length.as_nanos()) as u32;
            writes.push(ticks);
            let longest = writes.windows(2).map(|two| two[1] - two[0]).max();
            let longest = length * longest.unwrap_or(ticks);
            assert!(longest <= Duration::from_secs(1), "{length:?}: {longest:?}");
            // Two periods at least, three at most, and those that begin at once.
            let most = 5 * (IMMEDIATE_FLUSHES as usize + 24);
            assert!(writes.len() <= most, "{length:?}: {}", writes.len());
        }
    }

    #[test]
    fn the_clock_is_looked_at_seldom_where_ticks_are_fast() {
        let length = Duration::from_nanos(100);
        let end = Duration::from_millis(100);
        let (_, looks) = written(length, end, |_| true);
        assert!(looks <= 1_000_000 / MAX_UNREAD_TICKS + 10, "{looks}");
    }

    #[test]
    fn a_short_burst_is_written_at_once() {
        let (length, end) = (Duration::from_nanos(100), Duration::from_micros(10));
        let (writes, _) = written(length, end, |tick| tick <= 20);
        assert_eq!(writes, (1..=21).collect::<Vec<_>>());
        let (writes, _) = written(length, end, |tick| tick <= 70);
        assert_eq!(writes[32..], [64, 71], "behind a longer one, the pause");
    }

    #[test]
    fn an_idle_system_is_written_long_before() {
        let length = Duration::from_nanos(1);
        let (writes, _) = written(length, length * 2 * IDLE_TICKS, |_| false);
        assert_eq!(writes, [1, IDLE_TICKS, IDLE_TICKS + 1, 2 * IDLE_TICKS]);
    }

    #[test]
    fn ticks_of_seconds_are_written_each() {
        let (flusher, start) = (Flusher::default(), Instant::now());
        let tick = Duration::from_secs(3);
        let flushed = (0..5).filter(|number| flusher.tick(true, || start + tick * *number));
        assert_eq!(flushed.collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }
}
