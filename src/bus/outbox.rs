//! Foreign calls wait here until no actor runs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::Inbox;
use super::line::Line;

/// What the outboxes of one bus count together.
#[derive(Debug, Default)]
pub(super) struct Calls {
    posted: Cell<u64>,
    made: Cell<u64>,
}

impl Calls {
    /// How many were ever posted: the number of the next one.
    pub(super) fn posted(&self) -> u64 {
        self.posted.get()
    }

    /// Whether one waits.
    pub(super) fn any_waits(&self) -> bool {
        self.made.get() < self.posted.get()
    }
}

/// The calls to one foreign party, each with its number, in order, and the one who can make them.
pub(super) struct Outbox<I> {
    calls: Rc<Calls>,
    waiting: RefCell<VecDeque<(u64, I)>>,
    callee: Rc<dyn Fn(I)>,
}

/// An outbox of any type, as the bus drains it.
pub(super) trait Drain {
    /// The number of the oldest waiting call, of those numbered `since` or more.
    fn oldest(&self, since: u64) -> Option<u64>;
    /// Makes the waiting call of this number. A panic of the callee is caught.
    fn make(&self, number: u64, line: &Line);
}

impl<I: Inbox> Outbox<I> {
    pub(super) fn new(calls: &Rc<Calls>, callee: Rc<dyn Fn(I)>) -> Self {
        Self {
            calls: calls.clone(),
            waiting: RefCell::default(),
            callee,
        }
    }

    pub(super) fn push(&self, call: I) {
        let number = self.calls.posted.get();
        self.calls.posted.set(number + 1);
        self.waiting.borrow_mut().push_back((number, call));
    }
}

impl<I: Inbox> Drain for Outbox<I> {
    fn oldest(&self, since: u64) -> Option<u64> {
        let waiting = self.waiting.borrow();
        let at = waiting.partition_point(|(number, _)| *number < since);
        waiting.get(at).map(|(number, _)| *number)
    }

    fn make(&self, number: u64, line: &Line) {
        // The borrow ends before the call: it may come back and post more.
        let call = {
            let mut waiting = self.waiting.borrow_mut();
            let at = waiting.partition_point(|(other, _)| *other < number);
            waiting.remove(at)
        };
        if let Some((_, call)) = call {
            self.calls.made.set(self.calls.made.get() + 1);
            line.shelter(call.ticket(), || (self.callee)(call));
        }
    }
}

impl<I> std::fmt::Debug for Outbox<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outbox({} waiting)", self.waiting.borrow().len())
    }
}
