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

    /// Sets the tick of the last enable to `tick`, if the timer is enabled.
    pub(super) fn begin_anew(&self, tick: u64) {
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
