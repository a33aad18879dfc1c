//! Foreign calls wait here until no actor runs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::Inbox;
use super::line::Line;

/// The calls to one foreign party, in order, and the one who can make them.
pub(super) struct Outbox<I> {
    waiting: RefCell<VecDeque<I>>,
    callee: Rc<dyn Fn(I)>,
}

/// An outbox of any type, as the bus drains it.
pub(super) trait Drain {
    /// Makes the oldest waiting call. False where none waits. A panic of the callee is caught.
    fn run_one(&self, line: &Line) -> bool;
}

impl<I: Inbox> Outbox<I> {
    pub(super) fn new(callee: Rc<dyn Fn(I)>) -> Self {
        Self {
            waiting: RefCell::default(),
            callee,
        }
    }

    pub(super) fn push(&self, call: I) {
        self.waiting.borrow_mut().push_back(call);
    }
}

impl<I: Inbox> Drain for Outbox<I> {
    fn run_one(&self, line: &Line) -> bool {
        // The borrow ends before the call: it may come back and post more.
        let Some(call) = self.waiting.borrow_mut().pop_front() else {
            return false;
        };
        line.shelter(call.ticket(), || (self.callee)(call));
        true
    }
}

impl<I> std::fmt::Debug for Outbox<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outbox({} waiting)", self.waiting.borrow().len())
    }
}
