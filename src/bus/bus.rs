//! Bus: runs the actors, makes the foreign calls and waits for replies.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::slice;
use std::task::Poll;

use actix::{Actor, Handler};

use super::actor_cell::{ActorCell, Receiver};
use super::doorbell::{Doorbell, Doorbells, Scan};
use super::elision::Elision;
use super::executor::{Executor, Spawner};
use super::outbox::Outbox;
use super::scheduler::Scheduler;
use super::settled_ticks::{SettledTicks, TickWork};
use super::state::BusState;
use super::tap::Tap;
use super::tick_timer::TickTimer;
use super::{ActorContext, BusError, Endpoint, Envelope, Inbox, Message, Port, Ticket};

/// Actors, their tasks, and outboxes for their foreign calls.
///
/// Without background work: [`ask`](Self::ask) and [`tick`](Self::tick) run the actors until all
/// are idle.
pub(crate) struct Bus {
    pub(super) executor: Executor,
    pub(super) state: Rc<BusState>,
    pub(super) scheduler: Rc<Scheduler>,
    elision: Elision,
    /// Owned actors.
    actors: RefCell<Vec<Rc<dyn Any>>>,
    doorbells: Doorbells,
    timers: RefCell<Rc<[TickTimer]>>,
    /// Number of enabled timers.
    enabled_timers: Rc<Cell<usize>>,
    notified: Cell<bool>,
}

/// Maximum number of polling rounds in one tick, for doorbells whose watch changes during the tick.
/// Without a maximum, a memory whose value changes on each read could prolong the tick without end.
const ROUNDS: usize = 4;

impl Bus {
    /// Creates a bus without actors.
    pub(crate) fn new() -> Self {
        let state = Rc::default();
        let scheduler = Rc::new(Scheduler::new(&state));
        let executor = Executor::new();
        Self {
            elision: Elision::new(&state, &scheduler, executor.readiness()),
            executor,
            scheduler,
            state,
            actors: RefCell::default(),
            doorbells: Doorbells::default(),
            timers: RefCell::default(),
            enabled_timers: Rc::default(),
            notified: Cell::new(false),
        }
    }

    /// Starts an actor and returns its port. `make` gets the same port, for messages of the actor
    /// to itself. The actor ends with the bus.
    pub(crate) fn start<A, I>(&self, make: impl FnOnce(Port<I>) -> A) -> Result<Port<I>, BusError>
    where
        A: Actor<Context = actix::Context<A>> + Handler<I, Result = ()>,
        I: Inbox,
    {
        self.refuse_inside("the start of an actor")?;
        let _inside = self.scheduler.enter_actor_code();
        let cell = ActorCell::new(&self.scheduler, |own| {
            make(Port::to_actor(&self.state, own).with_sender(I::ENDPOINT))
        });
        let receiver: Rc<dyn Receiver<I>> = cell.clone();
        self.actors.borrow_mut().push(cell);
        Ok(Port::to_actor(&self.state, Rc::downgrade(&receiver)))
    }

    /// Creates a port to an endpoint that is not an actor. `callee` is called while no handler
    /// runs, so it may use the bus.
    pub(crate) fn foreign<I: Inbox>(&self, callee: Rc<dyn Fn(I)>) -> Port<I> {
        let state = self.state.clone();
        let callee = Rc::new(move |call| {
            state.flush_before_call();
            callee(call);
        });
        let outbox = Rc::new(Outbox::new(&self.scheduler, callee));
        self.scheduler.add_outbox(outbox.clone());
        Port::to_foreign(&self.state, outbox)
    }

    /// Context in which an actor of this name runs its handlers.
    pub(crate) fn context(&self, endpoint: Endpoint) -> ActorContext {
        ActorContext::new(endpoint, self.state.clone())
    }

    /// Creates a doorbell, polled on every tick.
    pub(crate) fn doorbell(&self) -> Doorbell {
        self.doorbells.add()
    }

    /// Creates a timer whose callback is called on every tick while it is enabled.
    pub(crate) fn timer(&self, on_tick: Box<dyn Fn(u64)>) -> TickTimer {
        let timer = TickTimer::new(&self.enabled_timers, &self.state, on_tick);
        let longer = [&self.timers.borrow()[..], slice::from_ref(&timer)].concat();
        self.timers.replace(longer.into());
        timer
    }

    /// Attaches a tap. It observes every later message and reply.
    pub(crate) fn attach(&self, tap: impl Tap) {
        self.attach_boxed(Box::new(tap));
    }

    /// Attaches a tap of any type.
    pub(crate) fn attach_boxed(&self, tap: Box<dyn Tap>) {
        self.state.attach(tap);
    }

    /// Turns flushing of the taps before each foreign call on or off.
    pub(crate) fn flush_before_calls(&self, flush: bool) {
        self.state.flush_before_calls(flush);
    }

    /// True if the taps have had an observation since their last flush.
    #[inline]
    pub(crate) fn unflushed(&self) -> bool {
        self.state.unflushed()
    }

    /// Flushes all taps.
    pub(crate) fn flush(&self) {
        self.state.flush();
    }

    /// Detaches all taps.
    pub(crate) fn detach(&self) {
        self.state.detach();
    }

    /// Runs `start`, which may start tasks and actors. [`ActorTap`](super::ActorTap) makes a tap
    /// from an actor.
    ///
    /// # Errors
    /// [`BusError::Reentrant`] from inside an actor or a tap.
    pub(crate) fn spawn<T>(&self, start: impl FnOnce(&Spawner) -> T) -> Result<T, BusError> {
        self.refuse_inside("a task or attachment")?;
        // A new task or actor must not run the others.
        let _inside = self.scheduler.enter_actor_code();
        Ok(start(self.executor.spawner()))
    }

    /// Spawner for an actor of this bus.
    pub(crate) fn spawner(&self) -> Spawner {
        self.executor.spawner().handle()
    }

    /// Number of ticks so far.
    pub(crate) fn now(&self) -> u64 {
        self.state.tick()
    }

    /// True if the caller runs inside a foreign call.
    pub(crate) fn in_foreign_call(&self) -> bool {
        self.scheduler.in_foreign_call()
    }

    /// Advances the time to `tick`, without a poll and without running actors.
    pub(crate) fn advance_to(&self, tick: u64) {
        self.state.advance_to(tick);
    }

    /// Sets the time, which may go back, without a poll and without running actors. Enabled timers
    /// are called from the next tick on.
    pub(crate) fn set_now(&self, tick: u64) {
        self.state.set_tick(tick);
        for timer in &**self.timers.borrow() {
            timer.set_enabled_at(tick);
        }
    }

    /// Makes the next tick call every doorbell's callback, also without a change.
    pub(crate) fn notify(&self) {
        self.notified.set(true);
    }

    /// Enables or disables the call of every doorbell's callback in the next tick.
    pub(crate) fn set_notified(&self, is_notified: bool) {
        self.notified.set(is_notified);
    }

    /// True if the next tick calls every doorbell's callback.
    pub(crate) fn is_notified(&self) -> bool {
        self.notified.get()
    }

    /// Advances the time by one tick: polls the doorbells, calls the enabled timers, and runs the
    /// resulting work. Returns false if there was no work.
    ///
    /// # Errors
    /// [`BusError::Reentrant`] from inside an actor, a tap or a foreign call.
    // An idle tick costs little more than the prologues of the functions that it calls.
    #[inline(always)]
    pub(crate) fn tick(&self) -> Result<bool, BusError> {
        if self.in_foreign_call() || self.in_actor_or_tap() {
            return Err(self.refuse_tick());
        }
        let timed = self.begin_tick();
        let worked = self.poll_doorbells();
        if worked || timed {
            self.work(worked, timed);
        }
        Ok(worked || timed)
    }

    #[cold]
    fn refuse_tick(&self) -> BusError {
        let from = "a foreign call";
        let refused = self.refuse_inside("a tick").err();
        refused.unwrap_or(BusError::Reentrant {
            what: "a tick",
            from,
        })
    }

    /// Runs the work that results from a tick.
    #[inline(never)]
    fn work(&self, has_work: bool, timed: bool) {
        if has_work {
            self.run();
        }
        // Timers follow the doorbells: a channel that was reset must not poll its pending call
        // again.
        if timed && self.run_timers() {
            self.run();
        }
        // A watch that was set in this tick may already have work.
        for _ in 1..ROUNDS {
            if !self.poll_new_watches() {
                break;
            }
            self.run();
        }
    }

    /// Counts a tick and polls the doorbells. Does not run the resulting work.
    pub(crate) fn begin_tick_and_poll(&self) {
        self.begin_tick();
        self.poll_doorbells();
    }

    /// Counts a tick. Returns true if a timer is enabled.
    #[inline(always)]
    fn begin_tick(&self) -> bool {
        self.state.advance();
        self.enabled_timers.get() > 0
    }

    /// Polls the doorbells. Returns false if no work results and none is pending.
    #[inline(always)]
    fn poll_doorbells(&self) -> bool {
        let waits = self.executor.is_ready() || self.scheduler.any_pending();
        let scan = if self.notified.take() {
            Scan::All
        } else {
            Scan::Changed
        };
        self.scan_doorbells(scan) || waits
    }

    /// Calls the enabled timers, each once per tick. Returns false if none is enabled.
    pub(crate) fn run_timers(&self) -> bool {
        // Cloned, since a callback may re-enter the bus and add a timer.
        let timers = self.timers.borrow().clone();
        let tick = self.state.tick();
        let mut any_called = false;
        for timer in &*timers {
            any_called |= timer.tick(tick);
        }
        any_called
    }

    /// Polls the watches that were set in the same tick. Returns false if no callback was called.
    #[inline(never)]
    pub(crate) fn poll_new_watches(&self) -> bool {
        self.doorbells.any_new() && {
            let _call = self.scheduler.begin_outer_call();
            self.doorbells.poll_new()
        }
    }

    /// True if a callback was called.
    #[inline(always)]
    fn scan_doorbells(&self, scan: Scan) -> bool {
        let _call = self.scheduler.begin_outer_call();
        self.doorbells.poll(scan)
    }

    /// True if the next tick only polls the doorbells and calls the timers, unless the bus is used
    /// before.
    pub(crate) fn is_settled(&self) -> bool {
        let any_work = self.executor.is_ready() || self.scheduler.any_pending();
        let any_due = self.notified.get() || self.doorbells.any_new();
        !any_work && !any_due && !self.unflushed()
    }

    /// Ticks of this bus while it is [settled](Self::is_settled).
    pub(crate) fn settled_ticks(&self) -> SettledTicks {
        SettledTicks {
            state: self.state.clone(),
            scheduler: self.scheduler.clone(),
            enabled_timers: self.enabled_timers.clone(),
            readiness: self.executor.readiness(),
            watches: self.doorbells.watches(),
        }
    }

    /// True if `ticks` belongs to this bus, and no watch has changed since it was made.
    pub(crate) fn has_settled_ticks(&self, ticks: &SettledTicks) -> bool {
        self.doorbells.are_watches(&ticks.watches)
    }

    /// Carries out the work of a tick that [began settled](SettledTicks::finish_poll).
    pub(crate) fn finish_tick(&self, TickWork { has_work, timed }: TickWork) {
        self.work(has_work, timed);
    }

    /// Runs the actors and their foreign calls until all are idle.
    pub(crate) fn run_until_idle(&self) -> Result<(), BusError> {
        self.refuse_inside("a run of the actors")?;
        self.run();
        Ok(())
    }

    /// Handles messages posted from outside of the actors and makes the resulting foreign calls.
    /// Does not poll tasks.
    pub(crate) fn handle_posted(&self) {
        let _inside = self.scheduler.enter_actor_code();
        self.scheduler.handle_backlog();
    }

    /// Sends a message and runs the bus until its reply arrives.
    ///
    /// Inside of a foreign call, the calls that result from this message are made first. Earlier
    /// pending calls are made only as far as the reply depends on them.
    ///
    /// # Errors
    /// [`BusError::Stalled`] if no task, message or call is left that could lead to a reply,
    /// [`BusError::NoReply`] if the receiver panicked or dropped the reply, and
    /// [`BusError::Reentrant`] from inside an actor or a tap.
    pub(crate) fn ask<I, M>(&self, port: &Port<I>, message: M) -> Result<M::Reply, BusError>
    where
        I: Inbox + From<Envelope<M>>,
        M: Message,
    {
        self.refuse_inside(M::NAME)?;
        let (receiver, ticket) = {
            let _inside = self.scheduler.enter_actor_code();
            port.send(message)
        };
        loop {
            match receiver.take() {
                Poll::Ready(Some(reply)) => {
                    self.end_ask();
                    return Ok(reply);
                }
                Poll::Ready(None) => return Err(self.state.unanswered(ticket).into()),
                Poll::Pending => {}
            }
            if !self.advance() {
                return Err(BusError::Stalled {
                    endpoint: I::ENDPOINT,
                    message: M::NAME,
                });
            }
        }
    }

    /// Polls the tasks that have become ready, at the end of an ask. Afterwards, attached actors
    /// have received copies of all messages.
    #[inline]
    pub(super) fn end_ask(&self) {
        let anything = self.executor.is_ready() || self.scheduler.any_message_pending();
        if anything && !self.in_foreign_call() {
            self.poll();
        }
    }

    /// Elision of messages by calls.
    pub(crate) fn elision(&self) -> &Elision {
        &self.elision
    }

    /// True if a caught panic was not returned to an asker.
    pub(crate) fn any_panics(&self) -> bool {
        self.state.any_panics()
    }

    /// Panics caught since the last call that were not returned to an asker.
    pub(crate) fn take_panics(&self) -> Vec<(Ticket, String)> {
        self.state.take_panics()
    }

    fn run(&self) {
        while self.advance() {}
    }

    /// Handles pending messages and polls tasks. If there are none, makes a foreign call. Returns
    /// false if all is idle.
    fn advance(&self) -> bool {
        self.poll() || self.scheduler.make_any_call()
    }

    /// Handles pending messages, then polls until no task is ready. Returns false if there was
    /// neither a message nor a ready task.
    #[inline]
    fn poll(&self) -> bool {
        (self.executor.is_ready() || self.scheduler.any_message_pending()) && self.poll_ready()
    }

    fn poll_ready(&self) -> bool {
        let _inside = self.scheduler.enter_actor_code();
        let handled = self.scheduler.handle_backlog();
        self.executor.run_until_stalled() || handled
    }

    /// True if an actor or a tap is running: the caller can't wait.
    #[inline]
    pub(super) fn in_actor_or_tap(&self) -> bool {
        self.scheduler.in_actor_code() || self.state.observing()
    }

    fn refuse_inside(&self, what: &'static str) -> Result<(), BusError> {
        if self.in_actor_or_tap() {
            return Err(BusError::Reentrant {
                what,
                from: "an actor or a tap",
            });
        }
        Ok(())
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

/// Detaches the taps first: replies that are dropped with the bus are not observations of the run.
impl Drop for Bus {
    fn drop(&mut self) {
        self.state.detach();
        self.scheduler.clear();
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("tick", &self.now())
            .field("scheduler", &self.scheduler)
            .finish()
    }
}
