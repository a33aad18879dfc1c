//! State that the dispatcher shares with its clients: who answers which target, and what waits for the next tick.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use crate::bus::{Alarm, Bus, Port};
use crate::messages::rpc::{Inbox, Target, Tick};

/// Targets, and waiters for ticks.
#[derive(Debug)]
pub(crate) struct Dispatch {
    /// Targets that the host program answers.
    offered: RefCell<HashSet<Target>>,
    /// Rings on the next tick while something waits for it.
    alarm: Alarm,
    /// Way to the dispatcher.
    port: OnceCell<Port<Inbox>>,
    /// The dispatcher needs a message on each tick.
    needs_tick: Cell<bool>,
    /// Tick in which the alarm rang last.
    rung: Cell<u64>,
    /// Tasks that wait for a later tick than that of their registration, in its order.
    waiters: RefCell<VecDeque<Waiter>>,
    /// Number of the next waiter.
    next: Cell<u64>,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    since: u64,
    waker: Waker,
}

impl Dispatch {
    /// Dispatch of a bus, with an alarm there. Nothing is offered, and nothing waits.
    pub(crate) fn on(bus: &Bus) -> Rc<Self> {
        Rc::new_cyclic(|own: &Weak<Self>| {
            let own = own.clone();
            let ring = move |now| {
                if let Some(dispatch) = own.upgrade() {
                    dispatch.ring(now);
                }
            };
            Self {
                offered: RefCell::default(),
                alarm: bus.alarm(Box::new(ring)),
                port: OnceCell::new(),
                needs_tick: Cell::new(false),
                rung: Cell::new(0),
                waiters: RefCell::default(),
                next: Cell::new(0),
            }
        })
    }

    /// The dispatcher is at `port`.
    pub(crate) fn serve(&self, port: Port<Inbox>) {
        self.port.get_or_init(|| port);
    }

    /// The host program answers a target from now on.
    pub(super) fn offer(&self, target: Target) {
        self.offered.borrow_mut().insert(target);
    }

    /// True where the host program answers a target.
    pub(super) fn is_offered(&self, target: &Target) -> bool {
        self.offered.borrow().contains(target)
    }

    /// Sets whether the dispatcher needs a message on each tick.
    pub(super) fn need_tick(&self, needed: bool) {
        self.needs_tick.set(needed);
        self.set_alarm();
    }

    /// Sends the dispatcher the message of a tick, or elides it, and wakes the tasks that wait.
    fn ring(&self, now: u64) {
        self.rung.set(now);
        if let Some(port) = self.port.get() {
            match self.needs_tick.get() {
                true => port.post(Tick { now }),
                false => port.elide::<Tick>(),
            }
        }
        for waiter in &*self.waiters.borrow() {
            if waiter.since < now {
                waiter.waker.wake_by_ref();
            }
        }
    }

    /// Waits for a tick after `now`.
    pub(super) fn next_tick(self: &Rc<Self>, now: u64) -> NextTick {
        NextTick {
            dispatch: self.clone(),
            since: now,
            number: None,
        }
    }

    fn remove(&self, number: u64) {
        self.waiters
            .borrow_mut()
            .retain(|waiter| waiter.number != number);
        self.set_alarm();
    }

    fn set_alarm(&self) {
        let waits = self.needs_tick.get() || !self.waiters.borrow().is_empty();
        self.alarm.want(waits);
    }
}

/// Future of a later tick.
pub(super) struct NextTick {
    dispatch: Rc<Dispatch>,
    since: u64,
    number: Option<u64>,
}

impl Future for NextTick {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let dispatch = self.dispatch.clone();
        if dispatch.rung.get() > self.since {
            return Poll::Ready(());
        }
        let mut waiters = dispatch.waiters.borrow_mut();
        let number = *self.number.get_or_insert_with(|| dispatch.next.get());
        match waiters.iter_mut().find(|waiter| waiter.number == number) {
            Some(known) => known.waker.clone_from(context.waker()),
            None => {
                dispatch.next.set(number + 1);
                waiters.push_back(Waiter {
                    number,
                    since: self.since,
                    waker: context.waker().clone(),
                });
                drop(waiters);
                dispatch.set_alarm();
            }
        }
        Poll::Pending
    }
}

impl Drop for NextTick {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.dispatch.remove(number);
        }
    }
}
