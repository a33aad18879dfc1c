//! Who waits for simulated time is told of each tick; who does not costs nothing.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

/// Tells its owner of ticks while the owner wants them.
#[derive(Clone)]
pub struct Alarm(Rc<Inner>);

struct Inner {
    wanted: Cell<bool>,
    ring: Box<dyn Fn(u64)>,
}

impl Alarm {
    pub(super) fn new(ring: Box<dyn Fn(u64)>) -> Self {
        Self(Rc::new(Inner {
            wanted: Cell::new(false),
            ring,
        }))
    }

    /// Says whether the next tick is of interest.
    pub fn want(&self, wanted: bool) {
        self.0.wanted.set(wanted);
    }

    #[inline]
    pub(super) fn is_wanted(&self) -> bool {
        self.0.wanted.get()
    }

    /// True if it rang.
    pub(super) fn tick(&self, tick: u64) -> bool {
        let wanted = self.0.wanted.get();
        if wanted {
            (self.0.ring)(tick);
        }
        wanted
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alarm(wanted: {})", self.0.wanted.get())
    }
}
