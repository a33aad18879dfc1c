//! Pending foreign calls of one type.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use super::Inbox;
use super::scheduler::{PendingCalls, Scheduler};

/// Pending calls to one foreign endpoint, in order of posting, and the function that makes them.
pub(super) struct Outbox<I> {
    scheduler: Rc<Scheduler>,
    waiting: RefCell<VecDeque<(u64, I)>>,
    callee: Rc<dyn Fn(I)>,
}

impl<I: Inbox> Outbox<I> {
    pub(super) fn new(scheduler: &Rc<Scheduler>, callee: Rc<dyn Fn(I)>) -> Self {
        Self {
            scheduler: scheduler.clone(),
            waiting: RefCell::default(),
            callee,
        }
    }

    /// Makes the call at once if possible; otherwise queues it.
    pub(super) fn push(&self, call: I) {
        let at_once = self.scheduler.can_call_now();
        let number = self.scheduler.take_call_number();
        if at_once {
            self.make(call);
        } else {
            self.waiting.borrow_mut().push_back((number, call));
        }
    }

    fn make(&self, call: I) {
        self.scheduler
            .make_call(call.ticket(), || (self.callee)(call));
    }
}

impl<I: Inbox> PendingCalls for Outbox<I> {
    fn oldest(&self, since: u64) -> Option<u64> {
        let waiting = self.waiting.borrow();
        let at = waiting.partition_point(|(number, _)| *number < since);
        waiting.get(at).map(|(number, _)| *number)
    }

    fn make_oldest(&self, since: u64) -> bool {
        // The borrow ends before the call, which may re-enter the bus and post more.
        let call = {
            let mut waiting = self.waiting.borrow_mut();
            match waiting.front() {
                Some((front, _)) if *front >= since => waiting.pop_front(),
                _ => {
                    let at = waiting.partition_point(|(number, _)| *number < since);
                    waiting.remove(at)
                }
            }
        };
        let Some((_, call)) = call else {
            return false;
        };
        self.make(call);
        true
    }
}

impl<I> fmt::Debug for Outbox<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbox({} waiting)", self.waiting.borrow().len())
    }
}
