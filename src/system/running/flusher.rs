//! Schedule of writing out the taps' buffers.
//!
//! There is no thread for it: ticks check the time. A process that is killed while its simulation
//! goes on loses no more than [`PERIOD`] of a recording, and one whose firmware hangs loses
//! nothing. One that hangs or ends without another tick loses nothing of a short burst: in each
//! period the first [`AT_ONCE`] ticks with work are written at once, then as many pauses.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Longest wall time for which something stays buffered while the system ticks.
const PERIOD: Duration = Duration::from_millis(500);

/// Writes at once in a period, after ticks with work and after pauses each; behind that, one for each doubling.
const AT_ONCE: u32 = 32;

/// Ticks without any work after which buffers are written out.
const IDLE_TICKS: u32 = 10_000;

/// Most ticks from one look at the clock to the next.
const MOST_UNSEEN: u32 = 64;

/// Ticks that take less than this from one look at the clock to the next are fast: the clock is looked at more seldom.
const FAST: Duration = Duration::from_millis(5);

/// Policy for one system.
#[derive(Debug, Default)]
pub(in crate::system) struct Flusher {
    /// Ticks without work since the last one with some.
    idle: Cell<u32>,
    /// Ticks with work, and pauses behind them, in this period.
    worked: Cell<u32>,
    pauses: Cell<u32>,
    /// Ticks until the next look at the clock, and from one look to the next.
    unseen: Cell<(u32, u32)>,
    /// Time of the last write, or else of the first look.
    flushed: Cell<Option<Instant>>,
    /// Time of the last look.
    looked: Cell<Option<Instant>>,
}

impl Flusher {
    /// Counts one tick while something is buffered. `worked`: the tick had some work. Returns true
    /// if the buffers are to be written out.
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

/// Counts one. True for the first [`AT_ONCE`], and for powers of two.
fn is_early(count: &Cell<u32>) -> bool {
    let counted = count.get().saturating_add(1);
    count.set(counted);
    counted <= AT_ONCE || counted.is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks of one length, each of which buffers something, up to `end`: the writes, and the looks at the clock.
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
    fn nothing_stays_for_a_second_whatever_a_tick_takes() {
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
            let most = 5 * (AT_ONCE as usize + 24);
            assert!(writes.len() <= most, "{length:?}: {}", writes.len());
        }
    }

    #[test]
    fn the_clock_is_looked_at_seldom_where_ticks_are_fast() {
        let length = Duration::from_nanos(100);
        let end = Duration::from_millis(100);
        let (_, looks) = written(length, end, |_| true);
        assert!(looks <= 1_000_000 / MOST_UNSEEN + 10, "{looks}");
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
