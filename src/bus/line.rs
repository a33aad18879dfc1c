//! State that all ports of one bus share: the count of messages, the time, the taps, panics.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use super::tap::{Event, Observation, Tap};
use super::{Inbox, Message, Party, Unanswered};

/// The identity of one message on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Position in the order in which messages were posted, from 1; 0 of one that a tap's own actor posted.
    pub sequence: u64,
    /// The message that the answer is for in the end: an earlier one where a reply was handed on, else itself.
    pub root: u64,
    /// Who posted it.
    pub from: Party,
    kind: &'static Kind,
}

/// Stands for a sender, a receiver and a name while the process runs: messages that have the same agree in all three. The reverse
/// is not so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KindId {
    from: usize,
    kind: usize,
}

/// What all messages of one type to one party have in common; apart, since a ticket goes along with every message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) to: Party,
    pub(super) name: &'static str,
}

impl Kind {
    /// Kind of the messages `M` to the party of `I`.
    pub(super) fn of<I: Inbox, M: Message>() -> &'static Self {
        const {
            &Self {
                to: I::PARTY,
                name: M::NAME,
            }
        }
    }
}

impl Ticket {
    /// Whom the message is for.
    pub fn to(&self) -> Party {
        self.kind.to
    }

    /// What tells the message's kind, quickly.
    pub fn kind_id(&self) -> KindId {
        KindId {
            from: ptr::from_ref(self.from.0).addr(),
            kind: ptr::from_ref(self.kind).addr(),
        }
    }

    /// The message's name.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }

    /// `ticket`, of a message whose answer is for whoever waits for the answer of this one.
    pub(super) fn handed_on(self, ticket: Self) -> Self {
        Self {
            root: self.root,
            ..ticket
        }
    }

    /// Of a message that is not counted.
    pub(super) fn uncounted(from: Party, kind: &'static Kind) -> Self {
        Self {
            sequence: 0,
            root: 0,
            from,
            kind,
        }
    }

    /// For a panic of a tap, which is no answer to the message that it saw.
    fn of_tap() -> Self {
        let kind = &Kind {
            to: Party::TAP,
            name: "Observation",
        };
        Self::uncounted(Party::TAP, kind)
    }
}

/// State that every port of a bus shares.
#[derive(Debug, Default)]
pub(super) struct Line {
    sequence: Cell<u64>,
    tick: Cell<u64>,
    tapped: Cell<bool>,
    /// Something was shown to the taps since they were flushed.
    unflushed: Cell<bool>,
    /// Taps are flushed before each foreign call.
    before_calls: Cell<bool>,
    /// A tap is being called.
    observing: Cell<bool>,
    /// Borrowed while they are called.
    taps: RefCell<Vec<Box<dyn Tap>>>,
    /// Those that were attached meanwhile.
    newcomers: RefCell<Vec<Box<dyn Tap>>>,
    panics: RefCell<Vec<(Ticket, String)>>,
}

/// Panics whose asker never came to hear of them are forgotten past this number.
const PANICS_KEPT: usize = 64;

impl Line {
    pub(super) fn ticket(&self, from: Party, kind: &'static Kind) -> Ticket {
        let sequence = self.sequence.get() + 1;
        self.sequence.set(sequence);
        Ticket {
            sequence,
            root: sequence,
            from,
            kind,
        }
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

    pub(super) fn tapped(&self) -> bool {
        self.tapped.get()
    }

    /// Whether what is posted now is shown: what taps post is not.
    #[inline]
    pub(super) fn shows(&self) -> bool {
        // A bench compares with a library in which nothing can be attached.
        !cfg!(vhost_untapped) && self.tapped() && !self.observing()
    }

    pub(super) fn attach(&self, tap: Box<dyn Tap>) {
        if self.observing() {
            self.newcomers.borrow_mut().push(tap);
            return;
        }
        self.taps.borrow_mut().push(tap);
        self.tapped.set(true);
    }

    /// Shows nothing to anybody any more.
    pub(super) fn detach(&self) {
        self.tapped.set(false);
        // One that is being called does this; all are dropped with the line.
        if self.observing() {
            return;
        }
        let mut taps = self.taps.take();
        for tap in &mut taps {
            self.shelter(Ticket::of_tap(), || tap.finish());
        }
        self.release(taps);
    }

    pub(super) fn observing(&self) -> bool {
        self.observing.get()
    }

    /// Shows an event to the taps, unless one of them causes it.
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

    /// True if a tap may have something buffered.
    #[inline]
    pub(super) fn unflushed(&self) -> bool {
        self.unflushed.get()
    }

    pub(super) fn flush_before_calls(&self, flush: bool) {
        self.before_calls.set(flush);
    }

    /// Has the taps write out what they buffer, where that was asked for: a foreign call follows.
    #[inline]
    pub(super) fn flush_before_call(&self) {
        if self.before_calls.get() && self.unflushed() {
            self.flush();
        }
    }

    /// Has the taps write out what they buffer.
    pub(super) fn flush(&self) {
        if !self.observing() {
            self.unflushed.set(false);
            self.each_tap(|tap| tap.flush());
        }
    }

    /// Calls each tap, and detaches those that panic.
    fn each_tap(&self, mut call: impl FnMut(&mut dyn Tap)) {
        self.observing.set(true);
        let mut panicked = Vec::new();
        for (at, tap) in self.taps.borrow_mut().iter_mut().enumerate() {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| call(&mut **tap))) {
                let text = panic_text(payload.as_ref());
                self.keep_panic(Ticket::of_tap(), format!("{text} (it is detached)"));
                panicked.push(at);
            }
        }
        if !panicked.is_empty() || !self.newcomers.borrow().is_empty() {
            self.change_taps(&panicked);
        }
        self.observing.set(false);
    }

    /// Detaches the taps at these positions, and attaches the newcomers.
    #[cold]
    fn change_taps(&self, detached: &[usize]) {
        let mut taps = self.taps.borrow_mut();
        let last_first = detached.iter().rev();
        let detached = last_first.map(|at| taps.remove(*at)).collect();
        taps.append(&mut self.newcomers.borrow_mut());
        self.tapped.set(!taps.is_empty());
        drop(taps);
        self.release(detached);
    }

    /// Drops taps, which may panic then, too.
    fn release(&self, taps: Vec<Box<dyn Tap>>) {
        for tap in taps {
            self.shelter(Ticket::of_tap(), || drop(tap));
        }
    }

    /// Runs a handler and keeps the text of a panic, for whoever waits for its reply.
    pub(super) fn shelter(&self, ticket: Ticket, handler: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(handler)) {
            self.keep_panic(ticket, panic_text(payload.as_ref()));
        }
    }

    #[cold]
    pub(super) fn keep_panic(&self, ticket: Ticket, text: String) {
        let mut panics = self.panics.borrow_mut();
        if panics.len() == PANICS_KEPT {
            panics.remove(0);
        }
        panics.push((ticket, text));
    }

    /// Why nobody answered `ticket`. Where its reply was handed on, the one who panicked is named.
    pub(super) fn unanswered(&self, ticket: Ticket) -> Unanswered {
        let mut panics = self.panics.borrow_mut();
        let found = panics.iter().position(|(of, _)| of.root == ticket.root);
        let (by, panic) = match found.map(|at| panics.remove(at)) {
            Some((by, text)) => (by, Some(text)),
            None => (ticket, None),
        };
        Unanswered {
            party: by.to(),
            message: by.name(),
            panic,
        }
    }

    /// True if there is a panic that no asker has heard of.
    pub(super) fn any_panics(&self) -> bool {
        !self.panics.borrow().is_empty()
    }

    /// Panics that no asker has heard of.
    pub(super) fn take_panics(&self) -> Vec<(Ticket, String)> {
        self.panics.take()
    }
}

/// The text that a panic was raised with.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
