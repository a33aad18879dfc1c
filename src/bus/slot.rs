//! Slot of one reply: the answerer fills it, the asker takes from it.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Recipient of a reply.
pub(super) enum Sender<R> {
    /// An asker that takes it when it likes.
    Slot(Rc<RefCell<State<R>>>),
    /// A function that is given it at once; nothing where there is no reply.
    Then(Box<dyn FnOnce(Option<R>)>),
}

/// The asker's side of a slot.
#[derive(Debug)]
pub(super) struct Receiver<R>(Rc<RefCell<State<R>>>);

/// Content of a slot.
#[derive(Debug)]
pub(super) enum State<R> {
    /// Nothing yet; wakes the asker's task, where it waits.
    Empty(Option<Waker>),
    Full(R),
    /// The reply was dropped, or taken.
    Closed,
}

/// State of a slot, as its asker takes it.
#[derive(Debug)]
pub(super) enum Taken<R> {
    Reply(R),
    /// Nothing yet.
    Nothing,
    /// There will be none.
    Never,
}

/// An empty slot.
pub(super) fn slot<R>() -> (Sender<R>, Receiver<R>) {
    let state = Rc::new(RefCell::new(State::Empty(None)));
    (Sender::Slot(state.clone()), Receiver(state))
}

impl<R> Sender<R> {
    /// True unless the asker has gone away.
    pub(super) fn has_receiver(&self) -> bool {
        match self {
            Self::Slot(state) => Rc::strong_count(state) > 1,
            Self::Then(_) => true,
        }
    }

    /// Gives the reply, or says that there will be none.
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
    /// Takes the reply.
    pub(super) fn take(&self) -> Taken<R> {
        let mut state = self.0.borrow_mut();
        if matches!(*state, State::Empty(_)) {
            return Taken::Nothing;
        }
        match std::mem::replace(&mut *state, State::Closed) {
            State::Full(reply) => Taken::Reply(reply),
            State::Closed | State::Empty(_) => Taken::Never,
        }
    }

    /// Takes the reply, or has the task woken when it is there. `None` where there will be none.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<R>> {
        match self.take() {
            Taken::Reply(reply) => Poll::Ready(Some(reply)),
            Taken::Never => Poll::Ready(None),
            Taken::Nothing => {
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
