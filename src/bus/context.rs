//! Context of an actor, which runs its handlers and catches their panics.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use futures_util::FutureExt;

use super::panics::panic_text;
use super::state::BusState;
use super::tap::Content;
use super::ticket::MessageKind;
use super::{Endpoint, Inbox, Message};

/// Access of an actor to the bus. Without it, a panic in a handler would silently end the actor.
/// Here the text of the panic is stored for the sender of the message, and the actor continues.
#[derive(Debug, Clone)]
pub(crate) struct ActorContext {
    endpoint: Endpoint,
    state: Rc<BusState>,
}

impl ActorContext {
    pub(super) fn new(endpoint: Endpoint, state: Rc<BusState>) -> Self {
        Self { endpoint, state }
    }

    /// Runs the handler of one message.
    pub(crate) fn handle<I: Inbox>(&self, message: I, handler: impl FnOnce(I)) {
        self.state
            .catch_panic(message.ticket(), || handler(message));
    }

    /// Runs a task of the actor.
    ///
    /// # Errors
    /// Text of the task's panic.
    pub(crate) async fn catch_panic<T>(&self, task: impl Future<Output = T>) -> Result<T, String> {
        let caught = AssertUnwindSafe(task).catch_unwind().await;
        caught.map_err(|payload| panic_text(payload.as_ref()))
    }

    /// Shows an event, which is a message without a receiver, to the taps. Without taps, the
    /// sequence number is taken, but the message is not built.
    pub(crate) fn emit<M: Message>(&self, what: impl FnOnce() -> M) {
        let kind = const { &MessageKind::new(Endpoint::EVENT, M::NAME) };
        let ticket = self.state.ticket(self.endpoint, kind);
        if self.state.shows() {
            self.state.show(ticket, false, Content::Message(&what()));
        }
    }

    /// True if a tap observes events.
    pub(crate) fn has_taps(&self) -> bool {
        self.state.shows()
    }

    /// Number of ticks so far.
    pub(crate) fn now(&self) -> u64 {
        self.state.tick()
    }

    /// Name of the actor on the bus.
    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint
    }
}
