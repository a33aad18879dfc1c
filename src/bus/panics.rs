//! Caught panics of handlers, foreign calls and taps, for askers and reports.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::NoReply;
use super::ticket::Ticket;

/// Maximum number of stored panics. The oldest one is dropped first.
const MAX_PANICS: usize = 64;

/// Panics that were not returned to an asker, each with the ticket of the handled message.
#[derive(Debug, Default)]
pub(super) struct CaughtPanics(RefCell<Vec<(Ticket, String)>>);

impl CaughtPanics {
    /// Runs code and stores the text of its panic.
    pub(super) fn catch(&self, ticket: Ticket, code: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
            self.keep(ticket, panic_text(payload.as_ref()));
        }
    }

    /// Adds a panic.
    #[cold]
    pub(super) fn keep(&self, ticket: Ticket, text: String) {
        let mut panics = self.0.borrow_mut();
        if panics.len() == MAX_PANICS {
            panics.remove(0);
        }
        panics.push((ticket, text));
    }

    /// Error of the dropped reply to `ticket`. For a forwarded message the error names the endpoint
    /// that panicked.
    pub(super) fn unanswered(&self, ticket: Ticket) -> NoReply {
        let mut panics = self.0.borrow_mut();
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

    /// True if a panic is stored.
    pub(super) fn any(&self) -> bool {
        !self.0.borrow().is_empty()
    }

    /// Takes all panics.
    pub(super) fn take(&self) -> Vec<(Ticket, String)> {
        self.0.take()
    }
}

/// Text of a panic.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
