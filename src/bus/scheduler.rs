//! Run state shared by all ports of a bus: handlers and calls on the stack, pending messages and
//! foreign calls.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::{Rc, Weak};

use super::state::BusState;
use super::ticket::Ticket;

/// Scheduler of messages and foreign calls, which decides on immediate delivery.
///
/// A message to an idle actor is handled while it is posted, unless it is posted from outside of
/// the actors. A foreign call is made as soon as no handler is on the stack. It may re-enter the
/// bus, where every actor is idle.
pub(super) struct Scheduler {
    state: Rc<BusState>,
    /// True while actor code runs above the innermost foreign call.
    in_actor_code: Cell<bool>,
    /// Number of handlers on the stack above the innermost foreign call.
    handlers: Cell<u32>,
    /// Number of foreign calls on the stack.
    foreign_calls: Cell<u32>,
    /// Number of posted foreign calls, which is also the number of the next one.
    posted: Cell<u64>,
    /// Number of foreign calls made.
    made: Cell<u64>,
    /// Number of foreign calls posted before the innermost one on the stack began.
    posted_before_call: Cell<u64>,
    outboxes: RefCell<Vec<Rc<dyn PendingCalls>>>,
    /// Actors with messages posted from outside.
    backlog: RefCell<VecDeque<Weak<dyn Backlog>>>,
}

/// Pending foreign calls of one type, each with its number.
pub(super) trait PendingCalls {
    /// Number of the oldest call numbered `since` or more.
    fn oldest(&self, since: u64) -> Option<u64>;
    /// Makes the oldest call numbered `since` or more. A panic of the callee is caught. Returns
    /// false if there is no such call.
    fn make_oldest(&self, since: u64) -> bool;
}

/// Actor with queued messages.
pub(super) trait Backlog {
    /// Handles all queued messages.
    fn handle_all(&self);
}

impl Scheduler {
    pub(super) fn new(state: &Rc<BusState>) -> Self {
        Self {
            state: state.clone(),
            in_actor_code: Cell::new(false),
            handlers: Cell::new(0),
            foreign_calls: Cell::new(0),
            posted: Cell::new(0),
            made: Cell::new(0),
            posted_before_call: Cell::new(0),
            outboxes: RefCell::default(),
            backlog: RefCell::default(),
        }
    }

    /// True while actor code runs.
    pub(super) fn in_actor_code(&self) -> bool {
        self.in_actor_code.get()
    }

    /// True while a foreign call is on the stack.
    pub(super) fn in_foreign_call(&self) -> bool {
        self.foreign_calls.get() > 0
    }

    /// True if a message to an idle actor is handled at once.
    pub(super) fn delivers_at_once(&self) -> bool {
        self.in_actor_code.get() && !self.state.observing()
    }

    /// True if a message or a foreign call is pending.
    pub(super) fn any_pending(&self) -> bool {
        self.any_call_pending() || self.any_message_pending()
    }

    /// True if a message posted from outside of the actors is pending.
    pub(super) fn any_message_pending(&self) -> bool {
        !self.backlog.borrow().is_empty()
    }

    /// True if a foreign call is pending.
    pub(super) fn any_call_pending(&self) -> bool {
        self.made.get() < self.posted.get()
    }

    /// Marks actor code as running until the guard is dropped.
    pub(super) fn enter_actor_code(&self) -> ActorCodeGuard<'_> {
        ActorCodeGuard {
            of: self,
            was_in_actor_code: self.in_actor_code.replace(true),
        }
    }

    /// Puts a foreign call on the stack until the guard is dropped.
    pub(super) fn begin_foreign_call(&self) -> ForeignCallGuard<'_> {
        self.foreign_calls.set(self.foreign_calls.get() + 1);
        ForeignCallGuard {
            of: self,
            in_actor_code: self.in_actor_code.replace(false),
            handlers: self.handlers.replace(0),
            posted_before_call: self.posted_before_call.replace(self.posted.get()),
        }
    }

    /// Puts a foreign call on the stack until the guard is dropped. No actor code runs at its
    /// beginning: it is a doorbell's poll of simulated memory, or an access from outside. It may
    /// re-enter the bus.
    #[inline]
    pub(super) fn begin_outer_call(&self) -> OuterCallGuard<'_> {
        debug_assert!(!self.in_actor_code.get() && self.handlers.get() == 0);
        self.foreign_calls.set(self.foreign_calls.get() + 1);
        OuterCallGuard {
            of: self,
            posted_before_call: self.posted_before_call.replace(self.posted.get()),
        }
    }

    /// As [`begin_outer_call`](Self::begin_outer_call), while no foreign call is pending.
    #[inline(always)]
    pub(super) fn begin_settled_poll(&self) -> SettledPollGuard<'_> {
        debug_assert!(!self.any_call_pending());
        self.foreign_calls.set(self.foreign_calls.get() + 1);
        SettledPollGuard(self)
    }

    /// Puts a handler on the stack until the guard is dropped.
    pub(super) fn begin_handler(&self) -> HandlerGuard<'_> {
        self.handlers.set(self.handlers.get() + 1);
        HandlerGuard(self)
    }

    /// Adds the pending calls of another type.
    pub(super) fn add_outbox(&self, outbox: Rc<dyn PendingCalls>) {
        self.outboxes.borrow_mut().push(outbox);
    }

    /// Drops the pending calls of all types. Their outboxes hold a reference to this scheduler.
    pub(super) fn clear(&self) {
        drop(self.outboxes.take());
    }

    /// Takes the number of a posted call.
    pub(super) fn take_call_number(&self) -> u64 {
        let number = self.posted.get();
        self.posted.set(number + 1);
        number
    }

    /// Number of posted foreign calls.
    pub(super) fn calls_posted(&self) -> u64 {
        self.posted.get()
    }

    /// Adds an actor with messages posted from outside.
    pub(super) fn add_backlog(&self, actor: Weak<dyn Backlog>) {
        self.backlog.borrow_mut().push_back(actor);
    }

    /// Handles messages posted from outside. Returns false if there are none.
    pub(super) fn handle_backlog(&self) -> bool {
        let next = || self.backlog.borrow_mut().pop_front();
        let mut handled = false;
        while let Some(actor) = next() {
            handled = true;
            if let Some(actor) = actor.upgrade() {
                actor.handle_all();
            }
        }
        handled
    }

    /// Makes the foreign calls posted since the innermost one began. Does nothing while a handler
    /// is on the stack or no actor code runs.
    #[inline]
    pub(super) fn make_calls(&self) {
        if self.any_call_pending() && self.handlers.get() == 0 && self.delivers_at_once() {
            while self.make_oldest(self.posted_before_call.get()) && self.any_call_pending() {}
        }
    }

    /// Makes one foreign call. Returns false if none is pending.
    ///
    /// Calls posted since the innermost foreign call began are made first: while a testbench method
    /// fetches a string, no method of another channel must run inside of it.
    pub(super) fn make_any_call(&self) -> bool {
        self.any_call_pending()
            && (self.make_oldest(self.posted_before_call.get()) || self.make_oldest(0))
    }

    fn make_oldest(&self, since: u64) -> bool {
        let found = {
            let outboxes = self.outboxes.borrow();
            match &outboxes[..] {
                [only] => Some(only.clone()),
                all => all
                    .iter()
                    .filter_map(|outbox| Some((outbox.oldest(since)?, outbox)))
                    .min_by_key(|(number, _)| *number)
                    .map(|(_, outbox)| outbox.clone()),
            }
        };
        found.is_some_and(|outbox| outbox.make_oldest(since))
    }

    /// Makes a foreign call and counts it as made. A panic is caught.
    pub(super) fn make_call(&self, of: Ticket, call: impl FnOnce()) {
        self.made.set(self.made.get() + 1);
        let _call = self.begin_foreign_call();
        self.state.catch_panic(of, call);
    }

    /// True if a call posted now can be made at once, before all others.
    pub(super) fn can_call_now(&self) -> bool {
        self.handlers.get() == 0 && !self.any_call_pending() && self.delivers_at_once()
    }
}

/// Guard while actor code runs.
pub(crate) struct ActorCodeGuard<'a> {
    of: &'a Scheduler,
    was_in_actor_code: bool,
}

impl Drop for ActorCodeGuard<'_> {
    fn drop(&mut self) {
        self.of.in_actor_code.set(self.was_in_actor_code);
    }
}

/// Guard while a foreign call is on the stack.
pub(super) struct ForeignCallGuard<'a> {
    of: &'a Scheduler,
    in_actor_code: bool,
    handlers: u32,
    posted_before_call: u64,
}

impl Drop for ForeignCallGuard<'_> {
    fn drop(&mut self) {
        self.of.foreign_calls.set(self.of.foreign_calls.get() - 1);
        self.of.in_actor_code.set(self.in_actor_code);
        self.of.handlers.set(self.handlers);
        self.of.posted_before_call.set(self.posted_before_call);
    }
}

/// Guard while a foreign call is on the stack that began while no actor code ran.
pub(super) struct OuterCallGuard<'a> {
    of: &'a Scheduler,
    posted_before_call: u64,
}

impl Drop for OuterCallGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.of.foreign_calls.set(self.of.foreign_calls.get() - 1);
        self.of.posted_before_call.set(self.posted_before_call);
    }
}

/// Guard while doorbells of a settled bus are polled.
pub(super) struct SettledPollGuard<'a>(&'a Scheduler);

impl Drop for SettledPollGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.foreign_calls.set(self.0.foreign_calls.get() - 1);
    }
}

/// Guard while a handler is on the stack.
pub(super) struct HandlerGuard<'a>(&'a Scheduler);

impl Drop for HandlerGuard<'_> {
    fn drop(&mut self) {
        self.0.handlers.set(self.0.handlers.get() - 1);
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("in_actor_code", &self.in_actor_code)
            .field("foreign_calls", &self.foreign_calls)
            .finish_non_exhaustive()
    }
}
