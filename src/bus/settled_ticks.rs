//! Ticks of a settled bus: nothing waits, so that a tick polls the doorbells and asks whether a timer is enabled or a task is ready.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use super::doorbell::{Bytes, Polled, Scan, Watch};
use super::executor::Readiness;
use super::scheduler::Scheduler;
use super::state::BusState;

/// Parts of a bus that its ticks use while it is settled, found once. They stay valid until a watch changes.
pub(crate) struct SettledTicks {
    pub(super) state: Rc<BusState>,
    pub(super) scheduler: Rc<Scheduler>,
    /// Number of enabled timers.
    pub(super) wanted: Rc<Cell<usize>>,
    pub(super) readiness: Readiness,
    pub(super) watches: Rc<[Rc<Watch>]>,
}

/// Work of a tick.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TickWork {
    /// A doorbell rang, or a task is ready.
    pub(super) rang: bool,
    /// A timer is enabled.
    pub(super) timed: bool,
}

/// Words that a poll has read, and the changes among them.
#[derive(Debug, Default)]
pub(crate) struct PolledWords {
    /// Not cleared between doorbells, each of which reads whole words.
    read: Bytes,
    /// Result for the doorbell that was polled last.
    last: Polled,
    /// Number of doorbells after it.
    left: usize,
}

impl SettledTicks {
    /// Number of ticks so far.
    #[inline(always)]
    pub(crate) fn now(&self) -> u64 {
        self.state.tick()
    }

    /// Advances the time by one tick and polls the doorbells, up to the first one that has changed. True if one has: then
    /// [`ring`](Self::ring) polls the others. The thread is inside the strand.
    #[inline(always)]
    pub(crate) fn poll(&self, polled: &mut PolledWords) -> bool {
        self.state.advance();
        let _outer = self.scheduler.begin_settled_poll();
        let mut watches = self.watches.iter();
        while let Some(watch) = watches.next() {
            let last = watch.look_again(&mut polled.read, true);
            if last != Polled::Unchanged {
                (polled.last, polled.left) = (last, watches.len());
                return true;
            }
        }
        false
    }

    /// True if a timer is enabled or a task is ready.
    #[inline(always)]
    pub(crate) fn any_work(&self) -> bool {
        // A waker may be used by any thread.
        self.wanted.get() > 0 || self.readiness.is_ready()
    }

    /// Calls the callback of the doorbell that has changed, if one has, and polls those after it. Returns the resulting work.
    pub(crate) fn ring(&self, polled: &PolledWords) -> TickWork {
        let rang = polled.last != Polled::Unchanged;
        if rang {
            let _outer = self.scheduler.begin_outer_call();
            let mut due = self.watches.iter().rev().take(polled.left + 1).rev();
            if let Some(watch) = due.next() {
                watch.ring(polled.last, &polled.read);
            }
            for watch in due {
                watch.poll(Scan::Changed);
            }
        }
        TickWork {
            rang: rang || self.readiness.is_ready(),
            timed: self.wanted.get() > 0,
        }
    }
}

impl fmt::Debug for SettledTicks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettledTicks")
            .field("watches", &self.watches.len())
            .finish_non_exhaustive()
    }
}
