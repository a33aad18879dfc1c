//! The bus itself: it runs the actors, makes the foreign calls, and waits for replies.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use actix::{Actor, Handler};

use super::clock::Alarm;
use super::doorbell::{Doorbell, Looks};
use super::elision::Elision;
use super::executor::{Executor, Spawner};
use super::line::Line;
use super::outbox::Outbox;
use super::scheduler::Scheduler;
use super::seat::{Receiver, Seat};
use super::slot::Taken;
use super::tap::Tap;
use super::{BusError, Desk, Envelope, Inbox, Message, Party, Port, Ticket};

/// Actors, their tasks, and outboxes for their foreign calls.
///
/// Nothing runs by itself: [`ask`](Self::ask) and [`tick`](Self::tick) run the actors until none has
/// anything left to do.
pub struct Bus {
    pub(super) executor: Executor,
    pub(super) line: Rc<Line>,
    pub(super) scheduler: Rc<Scheduler>,
    elision: Elision,
    /// Keeps the actors.
    seats: RefCell<Vec<Rc<dyn Any>>>,
    bells: RefCell<Rc<[Doorbell]>>,
    /// A doorbell watches something that was not looked at.
    watched_anew: Rc<Cell<bool>>,
    alarms: RefCell<Rc<[Alarm]>>,
    /// Alarms that are wanted.
    wanted: Rc<Cell<usize>>,
    notified: Cell<bool>,
}

/// How often one tick looks at doorbells that began to watch something else. A memory that answers as it
/// likes could have that go on for ever.
const ROUNDS: usize = 4;

impl Bus {
    /// A bus with nobody on it.
    pub fn new() -> Self {
        let line = Rc::default();
        let scheduler = Rc::new(Scheduler::new(&line));
        Self {
            executor: Executor::new(),
            elision: Elision::new(&line, &scheduler),
            scheduler,
            line,
            seats: RefCell::default(),
            bells: RefCell::default(),
            watched_anew: Rc::default(),
            alarms: RefCell::default(),
            wanted: Rc::default(),
            notified: Cell::new(false),
        }
    }

    /// Starts an actor and gives the way to it. `make` gets that way too, for messages to itself. The actor ends with the bus.
    pub fn start<A, I>(&self, make: impl FnOnce(Port<I>) -> A) -> Result<Port<I>, BusError>
    where
        A: Actor<Context = actix::Context<A>> + Handler<I, Result = ()>,
        I: Inbox,
    {
        self.refuse_inside("start an actor")?;
        let _inside = self.scheduler.go_inside();
        let seat = Seat::new(&self.scheduler, |own| {
            make(Port::to_actor(&self.line, own).sent_by(I::PARTY))
        });
        let receiver: Rc<dyn Receiver<I>> = seat.clone();
        self.seats.borrow_mut().push(seat);
        Ok(Port::to_actor(&self.line, Rc::downgrade(&receiver)))
    }

    /// Gives the way to a party that is no actor: `callee` is called when no handler runs, so it may
    /// use the bus itself.
    pub fn foreign<I: Inbox>(&self, callee: Rc<dyn Fn(I)>) -> Port<I> {
        let line = self.line.clone();
        let callee = Rc::new(move |call| {
            line.flush_before_call();
            callee(call);
        });
        let outbox = Rc::new(Outbox::new(&self.scheduler, callee));
        self.scheduler.add_outbox(outbox.clone());
        Port::to_foreign(&self.line, outbox)
    }

    /// What an actor of this name needs to serve its inbox.
    pub fn desk(&self, party: Party) -> Desk {
        Desk::new(party, self.line.clone())
    }

    /// A doorbell that every tick looks at.
    pub fn doorbell(&self) -> Doorbell {
        let bell = Doorbell::new(&self.watched_anew);
        append(&self.bells, bell.clone());
        bell
    }

    /// An alarm that rings on every tick while it is wanted.
    pub fn alarm(&self, ring: Box<dyn Fn(u64)>) -> Alarm {
        let alarm = Alarm::new(&self.wanted, ring);
        append(&self.alarms, alarm.clone());
        alarm
    }

    /// Shows every message and reply to `tap` from now on.
    pub fn attach(&self, tap: impl Tap) {
        self.line.attach(Box::new(tap));
    }

    /// Has the taps write out what they buffer before each foreign call from now on, or no longer.
    pub(crate) fn flush_before_calls(&self, flush: bool) {
        self.line.flush_before_calls(flush);
    }

    /// True if something was shown to taps since they were last flushed.
    #[inline]
    pub(crate) fn unflushed(&self) -> bool {
        self.line.unflushed()
    }

    /// Has all taps write out what they buffer.
    pub(crate) fn flush(&self) {
        self.line.flush();
    }

    /// Shows nothing to anybody any more.
    pub fn detach(&self) {
        self.line.detach();
    }

    /// Runs code that starts tasks and actors. [`ActorTap`](super::ActorTap) makes a tap of an actor.
    ///
    /// # Errors
    /// [`BusError::Reentered`] from inside an actor or a tap.
    pub fn spawn<T>(&self, start: impl FnOnce(&Spawner) -> T) -> Result<T, BusError> {
        self.refuse_inside("start an actor")?;
        // What is started may not run the others.
        let _inside = self.scheduler.go_inside();
        Ok(start(self.executor.spawner()))
    }

    /// Spawner for an actor of this bus.
    pub(crate) fn spawner(&self) -> Spawner {
        self.executor.spawner().handle()
    }

    /// The number of ticks so far.
    pub fn now(&self) -> u64 {
        self.line.tick()
    }

    /// Whether a foreign call is being made, by which this call has come back.
    pub fn abroad(&self) -> bool {
        self.scheduler.is_abroad()
    }

    /// Time passes up to `tick`, and nothing happens in it.
    pub(crate) fn pass(&self, tick: u64) {
        self.line.pass(tick);
    }

    /// The next tick rings every doorbell, whatever it sees.
    pub fn notify(&self) {
        self.notified.set(true);
    }

    /// One clock: looks at the doorbells, tells who waits for time, and runs what follows from it.
    /// False where nothing did.
    ///
    /// # Errors
    /// [`BusError::Reentered`] from inside an actor, a tap or a foreign call.
    // An idle tick is little but the prologues of what it calls.
    #[inline(always)]
    pub fn tick(&self) -> Result<bool, BusError> {
        if self.abroad() || self.is_inside() {
            return Err(self.refuse_tick());
        }
        let alarmed = self.begin_tick();
        let worked = self.look();
        if worked || alarmed {
            self.work(worked, alarmed);
        }
        Ok(worked || alarmed)
    }

    #[cold]
    fn refuse_tick(&self) -> BusError {
        let from = "a foreign call";
        let refused = self.refuse_inside("tick").err();
        refused.unwrap_or(BusError::Reentered { what: "tick", from })
    }

    /// Runs what follows from a tick.
    #[inline(never)]
    fn work(&self, rang: bool, alarmed: bool) {
        if rang {
            self.run();
        }
        // Afterwards: what a channel waited for that was reset is not asked for any more.
        if alarmed && self.ring_alarms() {
            self.run();
        }
        // What a bell began to watch meanwhile may tell of work that is there already.
        for _ in 1..ROUNDS {
            if !self.ring_anew() {
                break;
            }
            self.run();
        }
    }

    /// One clock, as far as doorbells ring in it, and nothing runs yet.
    pub(crate) fn ring(&self) {
        self.begin_tick();
        self.look();
    }

    /// Counts a clock. True if somebody waits for it.
    #[inline(always)]
    fn begin_tick(&self) -> bool {
        self.line.advance();
        let alarmed = self.wanted.get() > 0;
        if alarmed {
            self.begin_alarms();
        }
        alarmed
    }

    #[inline(never)]
    fn begin_alarms(&self) {
        for alarm in &**self.alarms.borrow() {
            alarm.begin();
        }
    }

    /// Looks at the doorbells. False where nothing is left to do.
    #[inline(always)]
    fn look(&self) -> bool {
        let waits = self.executor.is_ready() || self.scheduler.any_waits();
        let looks = if self.notified.take() {
            Looks::Always
        } else {
            Looks::Usual
        };
        self.look_at_bells(looks) || waits
    }

    /// Tells who waits for time, once in a tick. False where nobody does.
    pub(crate) fn ring_alarms(&self) -> bool {
        // Cloned, since one that rings may come back and add another.
        let alarms = self.alarms.borrow().clone();
        let tick = self.line.tick();
        let mut rang = false;
        for alarm in &*alarms {
            rang |= alarm.tick(tick);
        }
        rang
    }

    /// Looks, in the same tick, at what a bell began to watch. False where that is nothing.
    #[inline(never)]
    pub(crate) fn ring_anew(&self) -> bool {
        self.watched_anew.take() && self.look_at_bells(Looks::First)
    }

    /// True if one rang.
    #[inline(always)]
    fn look_at_bells(&self, looks: Looks) -> bool {
        // Cloned, since a look may come back and add another.
        let bells = self.bells.borrow().clone();
        let _abroad = self.scheduler.go_abroad_from_outside();
        let mut rang = false;
        for bell in &*bells {
            rang |= bell.look(looks);
        }
        rang
    }

    /// Runs the actors and their foreign calls until nothing is left to do.
    pub fn settle(&self) -> Result<(), BusError> {
        self.refuse_inside("run the actors")?;
        self.run();
        Ok(())
    }

    /// Handles mail that was posted from outside of the actors, and makes the foreign calls that follow; polls no task.
    pub(crate) fn handle_posted(&self) {
        let _inside = self.scheduler.go_inside();
        self.scheduler.handle_backlog();
    }

    /// Sends a message and runs the bus until its answer is there.
    ///
    /// From inside a foreign call, the calls that this one brings about are made first; calls that waited
    /// already are made only where it takes them to get the answer.
    ///
    /// # Errors
    /// [`BusError::NobodyAnswers`] where nothing is left that could lead to an answer,
    /// [`BusError::Unanswered`] where the receiver panicked or dropped the reply, and
    /// [`BusError::Reentered`] from inside an actor or a tap.
    pub fn ask<I, M>(&self, port: &Port<I>, message: M) -> Result<M::Reply, BusError>
    where
        I: Inbox + From<Envelope<M>>,
        M: Message,
    {
        self.refuse_inside(M::NAME)?;
        let (receiver, ticket) = {
            let _inside = self.scheduler.go_inside();
            port.send(message)
        };
        loop {
            match receiver.take() {
                Taken::Reply(reply) => {
                    self.end_ask();
                    return Ok(reply);
                }
                Taken::Never => {
                    return Err(self.line.unanswered(ticket).into());
                }
                Taken::Nothing => {}
            }
            if !self.advance() {
                return Err(BusError::NobodyAnswers {
                    party: I::PARTY,
                    message: M::NAME,
                });
            }
        }
    }

    /// Polls the tasks that an answer has made ready: attached actors have got copies of all that was said.
    #[inline]
    pub(super) fn end_ask(&self) {
        let anything = self.executor.is_ready() || self.scheduler.any_mail_waits();
        if anything && !self.abroad() {
            self.poll();
        }
    }

    /// Replaces messages of tasks by calls.
    pub(crate) fn elision(&self) -> &Elision {
        &self.elision
    }

    /// True if a panic was caught that no asker has heard of.
    pub(crate) fn any_panics(&self) -> bool {
        self.line.any_panics()
    }

    /// Panics that were caught since the last call, and that no asker has heard of.
    pub fn take_panics(&self) -> Vec<(Ticket, String)> {
        self.line.take_panics()
    }

    fn run(&self) {
        while self.advance() {}
    }

    /// Handles mail that waits and polls tasks, or makes a foreign call where there are none. False where nothing is left to do.
    fn advance(&self) -> bool {
        self.poll() || self.scheduler.make_any_call()
    }

    /// Handles mail that waits, and polls until no task is ready. False where there was none.
    fn poll(&self) -> bool {
        let _inside = self.scheduler.go_inside();
        let handled = self.scheduler.handle_backlog();
        self.executor.run_until_stalled() || handled
    }

    #[inline]
    fn is_inside(&self) -> bool {
        self.scheduler.is_inside() || self.line.observing()
    }

    fn refuse_inside(&self, what: &'static str) -> Result<(), BusError> {
        if self.is_inside() {
            return Err(BusError::Reentered {
                what,
                from: "an actor or a tap",
            });
        }
        Ok(())
    }
}

/// Adds to a list that is read on every tick, and changed hardly ever.
fn append<T: Clone>(list: &RefCell<Rc<[T]>>, item: T) {
    let longer = list.borrow().iter().cloned().chain([item]).collect();
    list.replace(longer);
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

/// The taps go first: that messages have no answer any more, since the bus is gone, is nothing that was said on it.
impl Drop for Bus {
    fn drop(&mut self) {
        self.line.detach();
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
