//! Slot of one reply, between its sender and its receiver.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Sending side of a reply.
pub(super) enum Sender<R> {
    /// Stores the reply for a receiver.
    Slot(Rc<RefCell<State<R>>>),
    /// Passes the reply to a function at once; `None` if it is dropped.
    Then(Box<dyn FnOnce(Option<R>)>),
}

/// Receiving side of a slot.
#[derive(Debug)]
pub(super) struct Receiver<R>(Rc<RefCell<State<R>>>);

/// Content of a slot.
#[derive(Debug)]
pub(super) enum State<R> {
    /// No reply yet. The waker is that of a waiting task.
    Empty(Option<Waker>),
    Full(R),
    /// The reply was dropped or taken.
    Closed,
}

/// State of a slot at a take.
#[derive(Debug)]
pub(super) enum TakenReply<R> {
    Reply(R),
    /// No reply yet.
    Nothing,
    /// Reply dropped or taken.
    Never,
}

/// Creates an empty slot.
pub(super) fn slot<R>() -> (Sender<R>, Receiver<R>) {
    let state = Rc::new(RefCell::new(State::Empty(None)));
    (Sender::Slot(state.clone()), Receiver(state))
}

impl<R> Sender<R> {
    /// True if the receiver still exists.
    pub(super) fn has_receiver(&self) -> bool {
        match self {
            Self::Slot(state) => Rc::strong_count(state) > 1,
            Self::Then(_) => true,
        }
    }

    /// Passes on the reply, or its loss.
    pub(super) fn close(self, reply: Option<R>) {
        match self {
            Self::Slot(state) => {
                let next = reply.map_or(State::Closed, State::Full);
                // The borrow ends before the task is woken.
                let before = state.replace(next);
                if let State::Empty(Some(waker)) = before {
                    waker.wake();
                }
            }
            Self::Then(then) => then(reply),
        }
    }
}

impl<R> Receiver<R> {
    /// Takes the reply if there is one.
    pub(super) fn take(&self) -> TakenReply<R> {
        let mut state = self.0.borrow_mut();
        if matches!(*state, State::Empty(_)) {
            return TakenReply::Nothing;
        }
        match std::mem::replace(&mut *state, State::Closed) {
            State::Full(reply) => TakenReply::Reply(reply),
            State::Closed | State::Empty(_) => TakenReply::Never,
        }
    }

    /// Takes the reply, or registers the task to be woken by it. `None` if it was dropped.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<R>> {
        match self.take() {
            TakenReply::Reply(reply) => Poll::Ready(Some(reply)),
            TakenReply::Never => Poll::Ready(None),
            TakenReply::Nothing => {
                let waker = Some(context.waker().clone());
                self.0.replace(State::Empty(waker));
                Poll::Pending
            }
        }
    }
}

impl<R> fmt::Debug for Sender<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slot(_) => "Slot",
            Self::Then(_) => "Then",
        })
    }
}
