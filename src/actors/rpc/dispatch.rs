//! State shared by the dispatcher and its clients: targets of the host program, and calls waiting
//! for the next tick.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use crate::bus::{Bus, Port, TickTimer};
use crate::messages::rpc::{Inbox, Target, Tick};

/// Registered targets, and elided calls that wait for ticks.
pub(crate) struct Dispatch {
    /// Targets registered by the host program.
    offered: RefCell<HashSet<Target>>,
    /// True if any target is registered.
    any_offered: Cell<bool>,
    /// Enabled while anything waits for the next tick.
    timer: TickTimer,
    /// Port of the dispatcher.
    port: OnceCell<Port<Inbox>>,
    /// True if the dispatcher needs a message on each tick.
    needs_tick: Cell<bool>,
    /// Calls waiting for a tick after their last poll, in order of that poll.
    waiting: RefCell<VecDeque<TickWait>>,
}

/// A call waiting for ticks.
struct TickWait {
    /// Tick of its last poll.
    since: u64,
    shared: Rc<Shared>,
}

/// State shared by a waiting call and its task.
struct Shared {
    /// Polls the call. Returns true if the task is to continue, and false while the call is
    /// pending.
    poll: Box<dyn Fn() -> bool>,
    task: RefCell<Option<Waker>>,
    is_over: Cell<bool>,
}

impl Dispatch {
    /// Creates the state and its timer on a bus.
    pub(crate) fn on(bus: &Bus) -> Rc<Self> {
        Rc::new_cyclic(|own: &Weak<Self>| {
            let own = own.clone();
            let on_tick = move |now| {
                if let Some(dispatch) = own.upgrade() {
                    dispatch.begin_tick(now);
                }
            };
            Self {
                offered: RefCell::default(),
                any_offered: Cell::new(false),
                timer: bus.timer(Box::new(on_tick)),
                port: OnceCell::new(),
                needs_tick: Cell::new(false),
                waiting: RefCell::default(),
            }
        })
    }

    /// Sets the port of the dispatcher.
    pub(crate) fn serve(&self, port: Port<Inbox>) {
        self.port.get_or_init(|| port);
    }

    /// Registers a target of the host program.
    pub(super) fn offer(&self, target: Target) {
        self.offered.borrow_mut().insert(target);
        self.any_offered.set(true);
    }

    /// True if the host program has registered the target.
    // Inlined up to the search: a pending call asks on every tick.
    #[inline(always)]
    pub(super) fn is_offered(&self, target: &Target) -> bool {
        self.any_offered.get() && self.has_offered(target)
    }

    #[inline(never)]
    fn has_offered(&self, target: &Target) -> bool {
        self.offered.borrow().contains(target)
    }

    /// True if the dispatcher needs a message on each tick.
    pub(super) fn needs_tick(&self) -> bool {
        self.needs_tick.get()
    }

    /// Sets if the dispatcher needs a message on each tick.
    pub(super) fn need_tick(&self, needed: bool) {
        self.needs_tick.set(needed);
        self.set_timer();
    }

    /// Polls a call on each tick after `now`, until `poll` returns true.
    pub(super) fn wait(
        self: &Rc<Self>,
        now: u64,
        poll: impl Fn() -> bool + 'static,
    ) -> WaitingCall {
        let shared = Rc::new(Shared {
            poll: Box::new(poll),
            task: RefCell::default(),
            is_over: Cell::new(false),
        });
        self.waiting.borrow_mut().push_back(TickWait {
            since: now,
            shared: shared.clone(),
        });
        self.set_timer();
        WaitingCall {
            dispatch: self.clone(),
            shared,
        }
    }

    /// Sends the dispatcher its tick, or elides that message, and polls the waiting calls.
    fn begin_tick(&self, now: u64) {
        if let Some(port) = self.port.get() {
            match self.needs_tick.get() {
                true => port.post(Tick { now }),
                false => port.skip_number::<Tick>(),
            }
        }
        let waiting = self.waiting.borrow().len();
        for _ in 0..waiting {
            // Taken out before its poll, which may re-enter the bus and cancel this or another
            // call.
            let Some(next) = self.take_due(now) else {
                break;
            };
            let shared = &next.shared;
            if (shared.poll)() {
                shared.is_over.set(true);
                if let Some(task) = shared.task.take() {
                    task.wake();
                }
            } else if !shared.is_over.get() {
                let next = TickWait { since: now, ..next };
                self.waiting.borrow_mut().push_back(next);
            }
        }
        self.set_timer();
    }

    /// Takes the next call last polled before `now`.
    fn take_due(&self, now: u64) -> Option<TickWait> {
        let mut waiting = self.waiting.borrow_mut();
        waiting.pop_front_if(|next| next.since < now)
    }

    fn set_timer(&self) {
        let waits = self.needs_tick.get() || !self.waiting.borrow().is_empty();
        self.timer.set_enabled(waits);
    }
}

impl fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatch")
            .field("waiting", &self.waiting.borrow().len())
            .finish_non_exhaustive()
    }
}

/// Future of a waiting call. It completes when the call's poll returns true.
pub(super) struct WaitingCall {
    dispatch: Rc<Dispatch>,
    shared: Rc<Shared>,
}

impl Future for WaitingCall {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.shared.is_over.get() {
            return Poll::Ready(());
        }
        self.shared.task.replace(Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for WaitingCall {
    fn drop(&mut self) {
        if !self.shared.is_over.replace(true) {
            let mut waiting = self.dispatch.waiting.borrow_mut();
            waiting.retain(|it| !Rc::ptr_eq(&it.shared, &self.shared));
            drop(waiting);
            self.dispatch.set_timer();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waiting calls by number, and the numbers of the polled ones.
    struct Fixture {
        bus: Bus,
        dispatch: Rc<Dispatch>,
        polled: Rc<RefCell<Vec<u64>>>,
    }

    impl Fixture {
        fn new() -> Self {
            let bus = Bus::new();
            let dispatch = Dispatch::on(&bus);
            let polled = Rc::default();
            Self {
                bus,
                dispatch,
                polled,
            }
        }

        /// A call that is pending until `end` returns true.
        fn wait(&self, number: u64, end: impl Fn() -> bool + 'static) -> WaitingCall {
            let polled = self.polled.clone();
            self.dispatch.wait(self.bus.now(), move || {
                polled.borrow_mut().push(number);
                end()
            })
        }

        fn tick(&self) -> Vec<u64> {
            self.bus.tick().unwrap();
            self.polled.take()
        }
    }

    #[test]
    fn calls_are_polled_in_order_once_a_tick_until_they_are_over() {
        let fixture = Fixture::new();
        let turns = Rc::new(Cell::new(0));
        let first = fixture.wait(1, move || turns.replace(turns.get() + 1) == 1);
        let second = fixture.wait(2, || false);
        assert_eq!(fixture.tick(), [1, 2]);
        assert_eq!(fixture.tick(), [1, 2]);
        assert!(first.shared.is_over.get());
        assert_eq!(fixture.tick(), [2]);
        drop(second);
        assert!(fixture.tick().is_empty());
    }

    /// A poll may re-enter the bus and cancel other calls: the remaining ones are kept, and
    /// cancelled ones are not polled again.
    #[test]
    fn a_call_that_ends_others_loses_none() {
        let fixture = Fixture::new();
        let held = Rc::new(RefCell::new(Vec::<WaitingCall>::new()));
        let ended = held.clone();
        let first = fixture.wait(1, move || {
            ended.take();
            false
        });
        held.borrow_mut().push(fixture.wait(2, || false));
        held.borrow_mut().push(fixture.wait(3, || false));
        let last = fixture.wait(4, || false);
        for _ in 0..3 {
            assert_eq!(fixture.tick(), [1, 4]);
        }
        drop((first, last));
        let own = Rc::new(RefCell::new(None));
        let itself = own.clone();
        let call = fixture.wait(5, move || {
            drop(itself.take());
            false
        });
        own.replace(Some(call));
        assert_eq!(fixture.tick(), [5]);
        assert!(fixture.tick().is_empty());
    }
}
