//! Per-tick callbacks. A disabled timer adds no per-tick cost.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

/// A per-tick callback, called while its owner has it enabled.
#[derive(Clone)]
pub struct TickTimer(Rc<Inner>);

struct Inner {
    /// Number of enabled timers on the bus.
    count: Rc<Cell<usize>>,
    wanted: Cell<bool>,
    /// Enabled at the beginning of the current tick.
    due: Cell<bool>,
    ring: Box<dyn Fn(u64)>,
}

impl TickTimer {
    /// Creates a disabled timer. `count` includes it while it is enabled.
    pub(super) fn new(count: &Rc<Cell<usize>>, ring: Box<dyn Fn(u64)>) -> Self {
        Self(Rc::new(Inner {
            count: count.clone(),
            wanted: Cell::new(false),
            due: Cell::new(false),
            ring,
        }))
    }

    /// Enables or disables the timer from the next tick on.
    pub fn set_enabled(&self, wanted: bool) {
        let before = self.0.wanted.replace(wanted);
        let count = self.0.count.get() + usize::from(wanted) - usize::from(before);
        self.0.count.set(count);
    }

    /// Marks the beginning of a tick.
    pub(super) fn begin(&self) {
        self.0.due.set(self.0.wanted.get());
    }

    /// Calls the callback if the timer was enabled at the beginning of the tick and still is. False if it does not call.
    pub(super) fn tick(&self, tick: u64) -> bool {
        let rings = self.0.due.take() && self.0.wanted.get();
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
