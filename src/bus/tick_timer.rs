//! Per-tick callbacks. A disabled timer adds no per-tick cost.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use super::state::BusState;

/// Callback on every tick while the timer is enabled.
#[derive(Clone)]
pub(crate) struct TickTimer(Rc<Inner>);

struct Inner {
    /// Number of enabled timers on the bus.
    count: Rc<Cell<usize>>,
    state: Rc<BusState>,
    is_enabled: Cell<bool>,
    /// Tick in which the timer was last enabled.
    since: Cell<u64>,
    on_tick: Box<dyn Fn(u64)>,
}

impl TickTimer {
    /// Creates a disabled timer. `count` includes the timer while it is enabled.
    pub(super) fn new(
        count: &Rc<Cell<usize>>,
        state: &Rc<BusState>,
        on_tick: Box<dyn Fn(u64)>,
    ) -> Self {
        Self(Rc::new(Inner {
            count: count.clone(),
            state: state.clone(),
            is_enabled: Cell::new(false),
            since: Cell::new(0),
            on_tick,
        }))
    }

    /// Enables or disables the timer from the next tick on.
    pub(crate) fn set_enabled(&self, is_enabled: bool) {
        let Inner { count, .. } = &*self.0;
        if self.0.is_enabled.replace(is_enabled) == is_enabled {
            return;
        }
        if is_enabled {
            self.0.since.set(self.0.state.tick());
            count.set(count.get() + 1);
        } else {
            count.set(count.get() - 1);
        }
    }

    /// Sets the tick of the last enable, after a change of the time.
    pub(super) fn set_enabled_at(&self, tick: u64) {
        self.0.since.set(tick);
    }

    /// Calls the callback if the timer was enabled in an earlier tick and still is. Returns false
    /// without a call.
    pub(super) fn tick(&self, tick: u64) -> bool {
        let is_due = self.0.is_enabled.get() && self.0.since.get() < tick;
        if is_due {
            (self.0.on_tick)(tick);
        }
        is_due
    }
}

impl fmt::Debug for TickTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TickTimer(is_enabled: {})", self.0.is_enabled.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Bus;

    /// A change of the time delays an enabled timer by a tick, and has no effect on a disabled one.
    #[test]
    fn a_change_of_the_time_leaves_disabled_timers_alone() {
        let bus = Bus::new();
        let ticks = Rc::new(Cell::new(0));
        let count = ticks.clone();
        let timer = bus.timer(Box::new(move |_| count.set(count.get() + 1)));
        for (tick, calls) in [(7, 1), (3, 2)] {
            bus.set_now(tick);
            bus.tick().unwrap();
            assert_eq!(ticks.get(), calls - 1, "it is disabled");
            timer.set_enabled(true);
            bus.set_now(tick);
            bus.tick().unwrap();
            assert_eq!(ticks.get(), calls);
            timer.set_enabled(false);
        }
    }
}
