//! Attached taps, and their calls.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::panics::{CaughtPanics, panic_text};
use super::tap::Tap;
use super::ticket::Ticket;

/// Taps of a bus. A tap that panics is detached.
#[derive(Debug, Default)]
pub(super) struct Taps {
    /// True if a tap is attached.
    any: Cell<bool>,
    /// True if the taps have had an observation since their last flush.
    unflushed: Cell<bool>,
    /// True if taps are flushed before each foreign call.
    before_calls: Cell<bool>,
    /// True while a tap is being called.
    observing: Cell<bool>,
    /// Attached taps. The list is borrowed while taps are called.
    attached: RefCell<Vec<Box<dyn Tap>>>,
    /// Taps attached while others are being called.
    pending_taps: RefCell<Vec<Box<dyn Tap>>>,
    /// Positions of the taps that panicked in the current round of calls.
    panicked: RefCell<Vec<usize>>,
    /// True if taps must be attached or detached after the current round of calls.
    has_changes: Cell<bool>,
}

impl Taps {
    /// True if a tap is attached.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.any.get()
    }

    /// True while a tap is being called.
    #[inline]
    pub(super) fn observing(&self) -> bool {
        self.observing.get()
    }

    /// True if a tap may have buffered output.
    #[inline]
    pub(super) fn unflushed(&self) -> bool {
        self.unflushed.get()
    }

    /// Turns flushing before each foreign call on or off.
    pub(super) fn flush_before_calls(&self, flush: bool) {
        self.before_calls.set(flush);
    }

    /// True if taps are flushed before a foreign call.
    #[inline]
    pub(super) fn flushes_before_calls(&self) -> bool {
        self.before_calls.get() && self.unflushed()
    }

    /// Attaches a tap. While taps are called, it is attached after the current round of calls.
    pub(super) fn attach(&self, tap: Box<dyn Tap>) {
        if self.observing() {
            self.pending_taps.borrow_mut().push(tap);
            self.has_changes.set(true);
            return;
        }
        self.attached.borrow_mut().push(tap);
        self.any.set(true);
    }

    /// Detaches all taps. Inside of a tap, only their observations end; the taps are dropped with
    /// the bus.
    pub(super) fn detach(&self, panics: &CaughtPanics) {
        self.any.set(false);
        if self.observing() {
            return;
        }
        let mut taps = self.attached.take();
        for tap in &mut taps {
            panics.catch(Ticket::of_tap(), || tap.finish());
        }
        release(taps, panics);
    }

    /// Calls each tap with an observation.
    #[inline]
    pub(super) fn observe(&self, panics: &CaughtPanics, observe: impl FnMut(&mut dyn Tap)) {
        self.unflushed.set(true);
        self.each(panics, observe);
    }

    /// Flushes all taps, unless one is being called.
    pub(super) fn flush(&self, panics: &CaughtPanics) {
        if !self.observing() {
            self.unflushed.set(false);
            self.each(panics, |tap| tap.flush());
        }
    }

    /// Calls each tap. Detaches those that panic.
    #[inline]
    fn each(&self, panics: &CaughtPanics, mut call: impl FnMut(&mut dyn Tap)) {
        self.observing.set(true);
        for (at, tap) in self.attached.borrow_mut().iter_mut().enumerate() {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| call(&mut **tap))) {
                self.keep_panic(at, payload, panics);
            }
        }
        if self.has_changes.take() {
            self.apply_changes(panics);
        }
        self.observing.set(false);
    }

    /// Stores the panic of the tap at this position, and marks the tap to be detached.
    #[cold]
    fn keep_panic(&self, at: usize, payload: Box<dyn Any + Send>, panics: &CaughtPanics) {
        let text = panic_text(payload.as_ref());
        panics.keep(Ticket::of_tap(), format!("{text} (it is detached)"));
        self.panicked.borrow_mut().push(at);
        self.has_changes.set(true);
    }

    /// Detaches the taps that panicked, and attaches the pending ones.
    #[cold]
    fn apply_changes(&self, panics: &CaughtPanics) {
        let mut taps = self.attached.borrow_mut();
        let panicked = self.panicked.take();
        let last_first = panicked.iter().rev();
        let detached = last_first.map(|at| taps.remove(*at)).collect();
        taps.append(&mut self.pending_taps.borrow_mut());
        self.any.set(!taps.is_empty());
        drop(taps);
        release(detached, panics);
    }
}

/// Drops taps. A panic in a destructor is caught.
fn release(taps: Vec<Box<dyn Tap>>, panics: &CaughtPanics) {
    for tap in taps {
        panics.catch(Ticket::of_tap(), || drop(tap));
    }
}
