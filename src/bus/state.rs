//! State shared by all ports of one bus: message counter, time, taps, caught panics.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::tap::{Event, Observation, Tap};
use super::ticket::{Kind, Ticket};
use super::{Endpoint, NoReply};

/// State shared by every port of a bus.
#[derive(Debug, Default)]
pub(super) struct BusState {
    sequence: Cell<u64>,
    tick: Cell<u64>,
    tapped: Cell<bool>,
    /// True if the taps have been shown anything since their last flush.
    unflushed: Cell<bool>,
    /// True if taps are flushed before each foreign call.
    before_calls: Cell<bool>,
    /// True while a tap is being called.
    observing: Cell<bool>,
    /// Attached taps. Borrowed while they are called.
    taps: RefCell<Vec<Box<dyn Tap>>>,
    /// Taps attached while others are being called.
    newcomers: RefCell<Vec<Box<dyn Tap>>>,
    /// Positions of the taps that panicked in the present call of all.
    panicked: RefCell<Vec<usize>>,
    /// True if taps are to be attached or detached after the present call of all.
    changing: Cell<bool>,
    panics: RefCell<Vec<(Ticket, String)>>,
}

/// Maximum number of kept panics. The oldest one goes first.
const PANICS_KEPT: usize = 64;

impl BusState {
    pub(super) fn ticket(&self, from: Endpoint, kind: &'static Kind) -> Ticket {
        let sequence = self.sequence.get() + 1;
        self.sequence.set(sequence);
        Ticket::new(sequence, from, kind)
    }

    pub(super) fn tick(&self) -> u64 {
        self.tick.get()
    }

    pub(super) fn advance(&self) -> u64 {
        let tick = self.tick() + 1;
        self.tick.set(tick);
        tick
    }

    pub(super) fn pass(&self, tick: u64) {
        self.tick.set(tick.max(self.tick()));
    }

    pub(super) fn set_tick(&self, tick: u64) {
        self.tick.set(tick);
    }

    pub(super) fn tapped(&self) -> bool {
        self.tapped.get()
    }

    /// True if a message posted now is shown to taps. Messages posted by taps are not.
    #[inline]
    pub(super) fn shows(&self) -> bool {
        // A benchmark compares this with a library without support for taps.
        !cfg!(vhost_untapped) && self.tapped() && !self.observing()
    }

    pub(super) fn attach(&self, tap: Box<dyn Tap>) {
        if self.observing() {
            self.newcomers.borrow_mut().push(tap);
            self.changing.set(true);
            return;
        }
        self.taps.borrow_mut().push(tap);
        self.tapped.set(true);
    }

    /// Detaches all taps.
    pub(super) fn detach(&self) {
        self.tapped.set(false);
        // Called by a tap. All taps are dropped along with this state.
        if self.observing() {
            return;
        }
        let mut taps = self.taps.take();
        for tap in &mut taps {
            self.catch_panic(Ticket::of_tap(), || tap.finish());
        }
        self.release(taps);
    }

    pub(super) fn observing(&self) -> bool {
        self.observing.get()
    }

    /// Shows an event to the taps, unless a tap causes it.
    pub(super) fn show(&self, ticket: Ticket, awaited: bool, event: Event<'_>) {
        if self.observing() {
            return;
        }
        let seen = Observation {
            ticket,
            tick: self.tick(),
            awaited,
            event,
        };
        self.unflushed.set(true);
        self.each_tap(|tap| tap.observe(&seen));
    }

    /// True if a tap may have buffered output.
    #[inline]
    pub(super) fn unflushed(&self) -> bool {
        self.unflushed.get()
    }

    pub(super) fn flush_before_calls(&self, flush: bool) {
        self.before_calls.set(flush);
    }

    /// Flushes the taps before a foreign call, if that is turned on.
    #[inline]
    pub(super) fn flush_before_call(&self) {
        if self.before_calls.get() && self.unflushed() {
            self.flush();
        }
    }

    /// Flushes all taps.
    pub(super) fn flush(&self) {
        if !self.observing() {
            self.unflushed.set(false);
            self.each_tap(|tap| tap.flush());
        }
    }

    /// Calls each tap. Detaches those that panic.
    #[inline]
    fn each_tap(&self, mut call: impl FnMut(&mut dyn Tap)) {
        self.observing.set(true);
        for (at, tap) in self.taps.borrow_mut().iter_mut().enumerate() {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| call(&mut **tap))) {
                self.keep_tap_panic(at, payload);
            }
        }
        if self.changing.take() {
            self.change_taps();
        }
        self.observing.set(false);
    }

    /// Keeps the panic of the tap at this position, which is to be detached.
    #[cold]
    fn keep_tap_panic(&self, at: usize, payload: Box<dyn Any + Send>) {
        let text = panic_text(payload.as_ref());
        self.keep_panic(Ticket::of_tap(), format!("{text} (it is detached)"));
        self.panicked.borrow_mut().push(at);
        self.changing.set(true);
    }

    /// Detaches the taps that panicked, and attaches the pending ones.
    #[cold]
    fn change_taps(&self) {
        let mut taps = self.taps.borrow_mut();
        let panicked = self.panicked.take();
        let last_first = panicked.iter().rev();
        let detached = last_first.map(|at| taps.remove(*at)).collect();
        taps.append(&mut self.newcomers.borrow_mut());
        self.tapped.set(!taps.is_empty());
        drop(taps);
        self.release(detached);
    }

    /// Drops taps. A panic in their destructors is caught too.
    fn release(&self, taps: Vec<Box<dyn Tap>>) {
        for tap in taps {
            self.catch_panic(Ticket::of_tap(), || drop(tap));
        }
    }

    /// Runs a handler and keeps the text of its panic for the asker.
    pub(super) fn catch_panic(&self, ticket: Ticket, handler: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(handler)) {
            self.keep_panic(ticket, panic_text(payload.as_ref()));
        }
    }

    #[cold]
    fn keep_panic(&self, ticket: Ticket, text: String) {
        let mut panics = self.panics.borrow_mut();
        if panics.len() == PANICS_KEPT {
            panics.remove(0);
        }
        panics.push((ticket, text));
    }

    /// Error of the dropped reply to `ticket`. For a forwarded message it names the endpoint that panicked.
    pub(super) fn unanswered(&self, ticket: Ticket) -> NoReply {
        let mut panics = self.panics.borrow_mut();
        let found = panics.iter().position(|(of, _)| of.root == ticket.root);
        let (by, panic) = match found.map(|at| panics.remove(at)) {
            Some((by, text)) => (by, Some(text)),
            None => (ticket, None),
        };
        NoReply {
            endpoint: by.to(),
            message: by.name(),
            panic,
        }
    }

    /// True if a caught panic was not returned to an asker.
    pub(super) fn any_panics(&self) -> bool {
        !self.panics.borrow().is_empty()
    }

    /// Takes the panics that were not returned to an asker.
    pub(super) fn take_panics(&self) -> Vec<(Ticket, String)> {
        self.panics.take()
    }
}

/// Text of a panic.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
