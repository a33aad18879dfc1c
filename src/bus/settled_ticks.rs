//! Ticks of a settled bus. No work is pending: a tick polls the doorbells, and checks for an
//! enabled timer or a ready task.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use super::doorbell::{Bytes, Polled, Scan, Watch};
use super::executor::Readiness;
use super::scheduler::Scheduler;
use super::state::BusState;

/// Parts of a bus that its ticks use while the bus is settled. They are collected once, and valid
/// until a watch changes.
pub(crate) struct SettledTicks {
    pub(super) state: Rc<BusState>,
    pub(super) scheduler: Rc<Scheduler>,
    /// Number of enabled timers.
    pub(super) enabled_timers: Rc<Cell<usize>>,
    pub(super) readiness: Readiness,
    pub(super) watches: Rc<[Rc<Watch>]>,
}

/// Work of a tick.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TickWork {
    /// True if a doorbell's callback was called, or a task is ready.
    pub(super) has_work: bool,
    /// True if a timer is enabled.
    pub(super) timed: bool,
}

/// Words read by a poll, and the result for the last polled doorbell.
#[derive(Debug, Default)]
pub(crate) struct PolledWords {
    /// Words of the last polled doorbell. They are not cleared between doorbells, since each reads
    /// whole words.
    read: Bytes,
    /// Result for the doorbell that was polled last.
    last: Polled,
    /// Number of doorbells after the last polled one.
    left: usize,
}

impl SettledTicks {
    /// Number of ticks so far.
    #[inline(always)]
    pub(crate) fn now(&self) -> u64 {
        self.state.tick()
    }

    /// Advances the time by one tick and polls the doorbells up to the first changed one. Returns
    /// true if one has changed; [`finish_poll`](Self::finish_poll) then polls the others. The
    /// calling thread owns the strand.
    #[inline(always)]
    pub(crate) fn poll(&self, polled: &mut PolledWords) -> bool {
        self.state.advance();
        let _outer = self.scheduler.begin_settled_poll();
        let mut watches = self.watches.iter();
        while let Some(watch) = watches.next() {
            let last = watch.read_and_compare(&mut polled.read, true);
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
        // Any thread may call a waker.
        self.enabled_timers.get() > 0 || self.readiness.is_ready()
    }

    /// Calls the callback of the changed doorbell, if there is one, and polls the doorbells after
    /// it. Returns the resulting work.
    pub(crate) fn finish_poll(&self, polled: &PolledWords) -> TickWork {
        let any_changed = polled.last != Polled::Unchanged;
        if any_changed {
            let _outer = self.scheduler.begin_outer_call();
            let mut due = self.watches.iter().rev().take(polled.left + 1).rev();
            if let Some(watch) = due.next() {
                watch.call_changed(polled.last, &polled.read);
            }
            for watch in due {
                watch.poll(Scan::Changed);
            }
        }
        TickWork {
            has_work: any_changed || self.readiness.is_ready(),
            timed: self.enabled_timers.get() > 0,
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
