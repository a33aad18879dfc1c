//! Plain calls in place of messages.
//!
//! A message to an idle actor is handled while it is posted, and the resulting foreign call is made
//! at the same time. This is indistinguishable from a plain call, which costs far less. The caller
//! makes the plain call, takes the sequence numbers of the replaced messages, and shows the same
//! messages and replies to the taps, if there are any.

use std::rc::Rc;

use super::executor::Readiness;
use super::observed_elision::ObservedRequest;
use super::scheduler::{ActorCodeGuard, Scheduler};
use super::state::BusState;
use super::ticket::MessageKind;
use super::{Endpoint, Inbox, Message, NoReply, Ticket};

/// Replaces messages of actors' tasks by calls.
#[derive(Debug, Clone)]
pub(crate) struct Elision {
    state: Rc<BusState>,
    scheduler: Rc<Scheduler>,
    readiness: Readiness,
}

impl Elision {
    pub(super) fn new(
        state: &Rc<BusState>,
        scheduler: &Rc<Scheduler>,
        readiness: Readiness,
    ) -> Self {
        Self {
            state: state.clone(),
            scheduler: scheduler.clone(),
            readiness,
        }
    }

    /// True if a task is ready: it would run before a task that is woken now.
    #[inline]
    pub(crate) fn any_task_ready(&self) -> bool {
        self.readiness.is_ready()
    }

    /// Form in which a message of a task can be elided now; `None` if the message would not be
    /// handled at once, or if another foreign call would precede the resulting one.
    #[inline]
    pub(crate) fn form(&self) -> Option<ElidedForm> {
        let is_possible = self.scheduler.can_call_now() && !self.scheduler.any_message_pending();
        is_possible.then(|| match self.state.shows() {
            true => ElidedForm::Shown,
            false => ElidedForm::Silent,
        })
    }

    /// Shows an elided message, whose sender waits for the reply, to the taps.
    pub(crate) fn show<I: Inbox, M: Message>(
        &self,
        from: Endpoint,
        message: &M,
    ) -> ObservedRequest<'_> {
        ObservedRequest::new::<I, M>((&self.state, &self.scheduler), from, true, message)
    }

    /// Shows an elided message, whose sender does not wait, to the taps.
    pub(crate) fn show_post<I: Inbox, M: Message>(
        &self,
        from: Endpoint,
        message: &M,
    ) -> ObservedRequest<'_> {
        ObservedRequest::new::<I, M>((&self.state, &self.scheduler), from, false, message)
    }

    /// Starts calls in place of a message of a timer's callback. `None` if the difference would be
    /// observable.
    pub(crate) fn begin_elided_poll(&self) -> Option<ActorCodeGuard<'_>> {
        let scheduler = &*self.scheduler;
        let busy =
            scheduler.in_actor_code() || scheduler.in_foreign_call() || scheduler.any_pending();
        let seen = self.state.shows() || self.state.observing();
        (!busy && !seen).then(|| scheduler.enter_actor_code())
    }

    /// Ticket of an elided message.
    pub(crate) fn ticket<I: Inbox, M: Message>(&self, from: Endpoint) -> Ticket {
        self.state.ticket(from, MessageKind::of::<I, M>())
    }

    /// Ticket of an elided message that is forwarded: its reply also answers `of`.
    pub(crate) fn ticket_under<I: Inbox, M: Message>(&self, from: Endpoint, of: Ticket) -> Ticket {
        self.ticket::<I, M>(from).forwarded(of.root)
    }

    /// Runs a handler.
    ///
    /// # Errors
    /// [`NoReply`] if the handler panics.
    pub(crate) fn handle<T>(&self, of: Ticket, handler: impl FnOnce() -> T) -> Result<T, NoReply> {
        let mut result = None;
        self.state.catch_panic(of, || result = Some(handler()));
        result.ok_or_else(|| self.state.unanswered(of))
    }

    /// Runs the handler of a message whose sender does not wait, then makes the foreign calls that
    /// it posts. A panic is stored.
    pub(crate) fn handle_post(&self, of: Ticket, handler: impl FnOnce()) {
        let handling = self.scheduler.begin_handler();
        self.state.catch_panic(of, handler);
        drop(handling);
        self.scheduler.make_calls();
    }

    /// Makes a foreign call, then the calls that it posts.
    ///
    /// # Errors
    /// [`NoReply`] if the call panics or has no result.
    pub(crate) fn call<T>(
        &self,
        of: Ticket,
        call: impl FnOnce() -> Option<T>,
    ) -> Result<T, NoReply> {
        let mut result = None;
        self.scheduler.take_call_number();
        self.scheduler.make_call(of, || result = call());
        self.scheduler.make_calls();
        result.ok_or_else(|| self.state.unanswered(of))
    }

    /// Makes a foreign call for a sender that does not wait. Calls that it posts are made later,
    /// and a panic is stored.
    pub(crate) fn call_post(&self, of: Ticket, call: impl FnOnce()) {
        self.scheduler.take_call_number();
        self.scheduler.make_call(of, call);
    }
}

/// Form of elided messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ElidedForm {
    /// No tap is attached: the messages are not built.
    Silent,
    /// The messages and their replies are shown to taps.
    Shown,
}
