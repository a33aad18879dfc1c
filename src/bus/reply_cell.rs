//! Cell of one reply, between its sender and its receiver.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Sending side of a reply.
pub(super) enum CellSender<R> {
    /// Stores the reply for a receiver.
    Cell(Rc<RefCell<CellState<R>>>),
    /// Passes the reply to a function at once; `None` if it is dropped.
    Then(Box<dyn FnOnce(Option<R>)>),
}

/// Receiving side of a reply.
#[derive(Debug)]
pub(super) struct CellReceiver<R>(Rc<RefCell<CellState<R>>>);

/// Content of a reply cell.
#[derive(Debug)]
pub(super) enum CellState<R> {
    /// No reply yet. The waker is that of a waiting task.
    Empty(Option<Waker>),
    Full(R),
    /// The reply was dropped or taken.
    Closed,
}

/// Creates an empty cell.
pub(super) fn reply_cell<R>() -> (CellSender<R>, CellReceiver<R>) {
    let state = Rc::new(RefCell::new(CellState::Empty(None)));
    (CellSender::Cell(state.clone()), CellReceiver(state))
}

impl<R> CellSender<R> {
    /// True if the receiver still exists.
    pub(super) fn has_receiver(&self) -> bool {
        match self {
            Self::Cell(state) => Rc::strong_count(state) > 1,
            Self::Then(_) => true,
        }
    }

    /// Passes on the reply, or its loss.
    pub(super) fn close(self, reply: Option<R>) {
        match self {
            Self::Cell(state) => {
                let next = reply.map_or(CellState::Closed, CellState::Full);
                // The borrow ends before the task is woken.
                let before = state.replace(next);
                if let CellState::Empty(Some(waker)) = before {
                    waker.wake();
                }
            }
            Self::Then(then) => then(reply),
        }
    }
}

impl<R> CellReceiver<R> {
    /// Takes the reply if there is one. `Ready(None)` if it was dropped or taken.
    pub(super) fn take(&self) -> Poll<Option<R>> {
        let mut state = self.0.borrow_mut();
        if matches!(*state, CellState::Empty(_)) {
            return Poll::Pending;
        }
        Poll::Ready(match std::mem::replace(&mut *state, CellState::Closed) {
            CellState::Full(reply) => Some(reply),
            CellState::Closed | CellState::Empty(_) => None,
        })
    }

    /// Takes the reply, or registers the task to be woken by it. `Ready(None)` if it was dropped.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<R>> {
        let taken = self.take();
        if taken.is_pending() {
            let waker = Some(context.waker().clone());
            self.0.replace(CellState::Empty(waker));
        }
        taken
    }
}

impl<R> fmt::Debug for CellSender<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cell(_) => "Cell",
            Self::Then(_) => "Then",
        })
    }
}
