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
    wanted: Cell<bool>,
    /// Tick in which the timer was last enabled.
    since: Cell<u64>,
    ring: Box<dyn Fn(u64)>,
}

impl TickTimer {
    /// Creates a disabled timer. `count` includes the timer while it is enabled.
    pub(super) fn new(
        count: &Rc<Cell<usize>>,
        state: &Rc<BusState>,
        ring: Box<dyn Fn(u64)>,
    ) -> Self {
        Self(Rc::new(Inner {
            count: count.clone(),
            state: state.clone(),
            wanted: Cell::new(false),
            since: Cell::new(0),
            ring,
        }))
    }

    /// Enables or disables the timer from the next tick on.
    pub(crate) fn set_enabled(&self, wanted: bool) {
        let Inner { count, .. } = &*self.0;
        if self.0.wanted.replace(wanted) == wanted {
            return;
        }
        if wanted {
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
        let rings = self.0.wanted.get() && self.0.since.get() < tick;
        if rings {
            (self.0.ring)(tick);
        }
        rings
    }
}

impl fmt::Debug for TickTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TickTimer(wanted: {})", self.0.wanted.get())
    }
}
