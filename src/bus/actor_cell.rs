//! Actor on the bus: its state and its message queue.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use actix::{Actor, Context, Handler};

use super::Inbox;
use super::scheduler::{Backlog, Scheduler};

/// Actor, and its queue of messages that could not be handled at once.
///
/// Time is simulated, and there is no background work. The context that handlers get is never
/// polled, so handlers can't use its timers and streams. Tasks are spawned on the bus.
pub(super) struct ActorCell<A: Actor<Context = Context<A>>, I> {
    scheduler: Rc<Scheduler>,
    actor: RefCell<(A, Context<A>)>,
    queue: RefCell<VecDeque<I>>,
    own: Weak<Self>,
}

/// Receiver of messages of any type.
pub(super) trait Receiver<I> {
    /// Handles the message at once or queues it.
    fn receive(&self, message: I);
}

impl<A, I> ActorCell<A, I>
where
    A: Actor<Context = Context<A>> + Handler<I, Result = ()>,
    I: Inbox,
{
    /// Creates and starts an actor.
    pub(super) fn new(
        scheduler: &Rc<Scheduler>,
        make: impl FnOnce(Weak<dyn Receiver<I>>) -> A,
    ) -> Rc<Self> {
        let cell = Rc::new_cyclic(|own: &Weak<Self>| Self {
            scheduler: scheduler.clone(),
            actor: RefCell::new((make(own.clone()), Context::new())),
            queue: RefCell::default(),
            own: own.clone(),
        });
        {
            let (actor, context) = &mut *cell.actor.borrow_mut();
            actor.started(context);
        }
        cell
    }

    /// Handles `first`, then the queued messages.
    fn handle_from(&self, mut at: RefMut<'_, (A, Context<A>)>, first: I) {
        let handling = self.scheduler.begin_handler();
        let (actor, context) = &mut *at;
        actor.handle(first, context);
        while let Some(next) = self.pop() {
            actor.handle(next, context);
        }
        drop(at);
        drop(handling);
        self.scheduler.make_calls();
    }

    fn enqueue(&self, message: I) {
        self.queue.borrow_mut().push_back(message);
    }

    fn pop(&self) -> Option<I> {
        self.queue.borrow_mut().pop_front()
    }
}

impl<A, I> Receiver<I> for ActorCell<A, I>
where
    A: Actor<Context = Context<A>> + Handler<I, Result = ()>,
    I: Inbox,
{
    fn receive(&self, message: I) {
        if !self.scheduler.delivers_at_once() {
            self.enqueue(message);
            self.scheduler.add_backlog(self.own.clone());
            return;
        }
        let Ok(at) = self.actor.try_borrow_mut() else {
            // The caller of the running handler handles the queue afterwards.
            self.enqueue(message);
            return;
        };
        let first = match self.pop() {
            None => message,
            Some(earlier) => {
                self.enqueue(message);
                earlier
            }
        };
        self.handle_from(at, first);
    }
}

impl<A, I> Backlog for ActorCell<A, I>
where
    A: Actor<Context = Context<A>> + Handler<I, Result = ()>,
    I: Inbox,
{
    fn handle_all(&self) {
        if let Ok(at) = self.actor.try_borrow_mut()
            && let Some(first) = self.pop()
        {
            self.handle_from(at, first);
        }
    }
}
