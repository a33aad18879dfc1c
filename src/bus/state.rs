//! State shared by all ports of one bus: message counter, time, taps, caught panics.

use std::cell::Cell;

use super::panics::CaughtPanics;
use super::tap::{Content, Observation, Tap};
use super::taps::Taps;
use super::ticket::{MessageKind, Ticket};
use super::{Endpoint, NoReply};

/// State shared by every port of a bus.
#[derive(Debug, Default)]
pub(super) struct BusState {
    sequence: Cell<u64>,
    tick: Cell<u64>,
    taps: Taps,
    panics: CaughtPanics,
}

impl BusState {
    pub(super) fn ticket(&self, from: Endpoint, kind: &'static MessageKind) -> Ticket {
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

    pub(super) fn advance_to(&self, tick: u64) {
        self.tick.set(tick.max(self.tick()));
    }

    pub(super) fn set_tick(&self, tick: u64) {
        self.tick.set(tick);
    }

    pub(super) fn tapped(&self) -> bool {
        self.taps.any()
    }

    /// True if a message posted now is shown to taps. Messages posted by taps are not.
    #[inline]
    pub(super) fn shows(&self) -> bool {
        // A benchmark compares this with a library without support for taps.
        !cfg!(vhost_untapped) && self.tapped() && !self.observing()
    }

    pub(super) fn attach(&self, tap: Box<dyn Tap>) {
        self.taps.attach(tap);
    }

    /// Detaches all taps.
    pub(super) fn detach(&self) {
        self.taps.detach(&self.panics);
    }

    pub(super) fn observing(&self) -> bool {
        self.taps.observing()
    }

    /// Shows a message or its reply to the taps, unless a tap causes it.
    pub(super) fn show(&self, ticket: Ticket, awaited: bool, content: Content<'_>) {
        if self.observing() {
            return;
        }
        let seen = Observation {
            ticket,
            tick: self.tick(),
            awaited,
            content,
        };
        self.taps.observe(&self.panics, |tap| tap.observe(&seen));
    }

    /// True if a tap may have buffered output.
    #[inline]
    pub(super) fn unflushed(&self) -> bool {
        self.taps.unflushed()
    }

    pub(super) fn flush_before_calls(&self, flush: bool) {
        self.taps.flush_before_calls(flush);
    }

    /// Flushes the taps before a foreign call, if this flush is enabled.
    #[inline]
    pub(super) fn flush_before_call(&self) {
        if self.taps.flushes_before_calls() {
            self.flush();
        }
    }

    /// Flushes all taps.
    pub(super) fn flush(&self) {
        self.taps.flush(&self.panics);
    }

    /// Runs a handler and stores the text of its panic for the asker.
    pub(super) fn catch_panic(&self, ticket: Ticket, handler: impl FnOnce()) {
        self.panics.catch(ticket, handler);
    }

    /// Error of the dropped reply to `ticket`. For a forwarded message the error names the endpoint
    /// that panicked.
    pub(super) fn unanswered(&self, ticket: Ticket) -> NoReply {
        self.panics.unanswered(ticket)
    }

    /// True if a caught panic was not returned to an asker.
    pub(super) fn any_panics(&self) -> bool {
        self.panics.any()
    }

    /// Takes the panics that were not returned to an asker.
    pub(super) fn take_panics(&self) -> Vec<(Ticket, String)> {
        self.panics.take()
    }
}
