//! Where an actor opens its mail: one place that keeps an actor alive through a panic.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use futures_util::FutureExt;

use super::line::{Kind, Line, panic_text};
use super::tap::Event;
use super::{Inbox, Message, Party};

/// Serves an actor's inbox. A handler that panics would silently end its actor; here the text of the
/// panic is kept for whoever asked, and the actor goes on.
#[derive(Debug, Clone)]
pub struct Desk {
    party: Party,
    line: Rc<Line>,
}

impl Desk {
    pub(super) fn new(party: Party, line: Rc<Line>) -> Self {
        Self { party, line }
    }

    /// Runs the handler of one message.
    pub fn open<I: Inbox>(&self, mail: I, handler: impl FnOnce(I)) {
        self.line.shelter(mail.ticket(), || handler(mail));
    }

    /// Runs a task of the actor's; where it panics, the answer is the text of the panic.
    pub async fn shelter<T>(&self, task: impl Future<Output = T>) -> Result<T, String> {
        let caught = AssertUnwindSafe(task).catch_unwind().await;
        caught.map_err(|payload| panic_text(payload.as_ref()))
    }

    /// Shows the taps something that is a message to nobody. With no tap attached it is counted, and not even made.
    pub fn announce<M: Message>(&self, what: impl FnOnce() -> M) {
        let kind = const {
            &Kind {
                to: Party::NOBODY,
                name: M::NAME,
            }
        };
        let ticket = self.line.ticket(self.party, kind);
        if self.line.shows() {
            self.line.show(ticket, false, Event::Message(&what()));
        }
    }

    /// Whether somebody sees what is announced.
    pub fn is_watched(&self) -> bool {
        self.line.shows()
    }

    /// The number of ticks so far.
    pub fn now(&self) -> u64 {
        self.line.tick()
    }

    /// The actor's name on the bus.
    pub fn party(&self) -> Party {
        self.party
    }
}
