//! What all ports of one bus share: the count of messages, the time, the taps, what went wrong.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::tap::{Event, Observation, Tap};
use super::{Body, Party, Unanswered};

/// The identity of one message on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Position in the order in which messages were posted, from 1.
    pub sequence: u64,
    /// Who posted it.
    pub from: Party,
    /// Whom it is for.
    pub to: Party,
    /// The message's name.
    pub name: &'static str,
}

/// Shared by every port. One thread uses it; atomics and locks, never contended, make it `Send`,
/// which actix asks of all that a message carries.
#[derive(Debug, Default)]
pub(super) struct Line {
    sequence: AtomicU64,
    tick: AtomicU64,
    tapped: AtomicBool,
    taps: Mutex<Vec<Box<dyn Tap>>>,
    panics: Mutex<Vec<(Ticket, String)>>,
    panicked: AtomicBool,
}

/// Panics whose asker never came to hear of them are forgotten past this number.
const PANICS_KEPT: usize = 64;

impl Line {
    pub(super) fn ticket(&self, from: Party, to: Party, name: &'static str) -> Ticket {
        let sequence = self.sequence.load(Ordering::Relaxed) + 1;
        self.sequence.store(sequence, Ordering::Relaxed);
        Ticket {
            sequence,
            from,
            to,
            name,
        }
    }

    pub(super) fn tick(&self) -> u64 {
        self.tick.load(Ordering::Relaxed)
    }

    pub(super) fn advance(&self) -> u64 {
        let tick = self.tick() + 1;
        self.tick.store(tick, Ordering::Relaxed);
        tick
    }

    pub(super) fn tapped(&self) -> bool {
        self.tapped.load(Ordering::Relaxed)
    }

    pub(super) fn attach(&self, tap: Box<dyn Tap>) {
        lock(&self.taps).push(tap);
        self.tapped.store(true, Ordering::Relaxed);
    }

    pub(super) fn show_message(&self, ticket: Ticket, message: &dyn Body) {
        self.show(ticket, Event::Message(message));
    }

    pub(super) fn show_reply(&self, ticket: Ticket, reply: &dyn Body) {
        self.show(ticket, Event::Reply(reply));
    }

    fn show(&self, ticket: Ticket, event: Event<'_>) {
        // Held already where a tap posts a message of its own: taps are not shown what taps do.
        let Ok(mut taps) = self.taps.try_lock() else {
            return;
        };
        let seen = Observation {
            ticket,
            tick: self.tick(),
            event,
        };
        // Whoever sends must not suffer from a tap that panics, which sees nothing more.
        let of_tap = Ticket {
            sequence: 0,
            to: Party::TAP,
            ..ticket
        };
        taps.retain_mut(|tap| self.shelter(of_tap, || tap.observe(&seen)));
    }

    /// Runs a handler and keeps the text of a panic, for whoever waits for its reply. False where there was one.
    pub(super) fn shelter(&self, ticket: Ticket, handler: impl FnOnce()) -> bool {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(handler));
        let done = caught.is_ok();
        if let Err(payload) = caught {
            let mut panics = lock(&self.panics);
            if panics.len() == PANICS_KEPT {
                panics.remove(0);
            }
            panics.push((ticket, panic_text(payload.as_ref())));
            self.panicked.store(true, Ordering::Relaxed);
        }
        done
    }

    /// Why nobody answered `ticket`.
    pub(super) fn unanswered(&self, ticket: Ticket) -> Unanswered {
        let mut panics = lock(&self.panics);
        let found = panics
            .iter()
            .position(|(of, _)| of.sequence == ticket.sequence);
        let panic = found.map(|at| panics.remove(at).1);
        Unanswered {
            party: ticket.to,
            message: ticket.name,
            panic,
        }
    }

    /// Panics that no asker has heard of.
    pub(super) fn take_panics(&self) -> Vec<(Ticket, String)> {
        if !self.panicked.load(Ordering::Relaxed) {
            return Vec::new();
        }
        self.panicked.store(false, Ordering::Relaxed);
        std::mem::take(&mut lock(&self.panics))
    }
}

/// No panic happens under these locks but that of a tap's destructor: what they guard is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The text that a panic was raised with.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
