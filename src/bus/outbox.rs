//! Foreign calls of one type, until they are made.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use super::Inbox;
use super::line::Line;
use super::scheduler::{Scheduler, Waiting};

/// Calls to one foreign party, in order of posting, and the function that makes them.
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

    /// Adds a call. It is made at once where that is possible.
    pub(super) fn push(&self, call: I) {
        let number = self.scheduler.number();
        self.waiting.borrow_mut().push_back((number, call));
        self.scheduler.make_calls();
    }

    fn take(&self, number: u64) -> Option<I> {
        let mut waiting = self.waiting.borrow_mut();
        let call = match waiting.front() {
            Some((front, _)) if *front == number => waiting.pop_front(),
            _ => {
                let at = waiting.partition_point(|(other, _)| *other < number);
                waiting.remove(at)
            }
        };
        call.map(|(_, call)| call)
    }
}

impl<I: Inbox> Waiting for Outbox<I> {
    fn oldest(&self, since: u64) -> Option<u64> {
        let waiting = self.waiting.borrow();
        let at = waiting.partition_point(|(number, _)| *number < since);
        waiting.get(at).map(|(number, _)| *number)
    }

    fn make(&self, number: u64, line: &Line) {
        // The borrow ends before the call: it may come back and post more.
        if let Some(call) = self.take(number) {
            line.shelter(call.ticket(), || (self.callee)(call));
        }
    }
}

impl<I> fmt::Debug for Outbox<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbox({} waiting)", self.waiting.borrow().len())
    }
}
