//! Who waits for simulated time is told of each tick; who does not costs nothing.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

/// Tells its owner of ticks while the owner wants them.
#[derive(Clone)]
pub struct Alarm(Rc<Inner>);

struct Inner {
    /// Alarms of the bus that are wanted.
    count: Rc<Cell<usize>>,
    wanted: Cell<bool>,
    /// It was wanted when this tick began.
    due: Cell<bool>,
    ring: Box<dyn Fn(u64)>,
}

impl Alarm {
    /// An alarm that is not wanted, and counted in `count` while it is.
    pub(super) fn new(count: &Rc<Cell<usize>>, ring: Box<dyn Fn(u64)>) -> Self {
        Self(Rc::new(Inner {
            count: count.clone(),
            wanted: Cell::new(false),
            due: Cell::new(false),
            ring,
        }))
    }

    /// Says whether the next tick is of interest.
    pub fn want(&self, wanted: bool) {
        let before = self.0.wanted.replace(wanted);
        let count = self.0.count.get() + usize::from(wanted) - usize::from(before);
        self.0.count.set(count);
    }

    /// A tick begins.
    pub(super) fn begin(&self) {
        self.0.due.set(self.0.wanted.get());
    }

    /// Rings, if it was wanted when the tick began, and is still. False where it does not.
    pub(super) fn tick(&self, tick: u64) -> bool {
        let rings = self.0.due.take() && self.0.wanted.get();
        if rings {
            (self.0.ring)(tick);
        }
        rings
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alarm(wanted: {})", self.0.wanted.get())
    }
}
