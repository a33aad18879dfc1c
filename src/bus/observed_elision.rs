//! Elided messages that taps observe.

use std::rc::Rc;

use super::scheduler::Scheduler;
use super::state::BusState;
use super::tap::Content;
use super::ticket::{MessageKind, Ticket};
use super::{Body, Endpoint, Envelope, Inbox, Message, NoReply, Port, ReplyFuture, ReplySender};

/// Message in whose place a call is made, and its forwarded message, both shown to the taps. The
/// reply, or its loss, is shown once.
pub(crate) struct ObservedRequest<'a> {
    state: &'a Rc<BusState>,
    scheduler: &'a Scheduler,
    /// True if the sender waits for the reply.
    awaited: bool,
    first: ShownMessage,
    forwarded: Option<ShownMessage>,
    /// Number of foreign calls that were posted before the first message was shown.
    calls_before: u64,
    /// True once the reply or its loss is shown, or the receiver of a delivered message has to show
    /// it.
    is_over: bool,
}

/// Ticket of a message, and a flag that its reply is shown.
#[derive(Clone, Copy)]
struct ShownMessage {
    ticket: Ticket,
    shown: bool,
}

impl<'a> ObservedRequest<'a> {
    /// Shows the first message.
    pub(super) fn new<I: Inbox, M: Message>(
        (state, scheduler): (&'a Rc<BusState>, &'a Scheduler),
        from: Endpoint,
        awaited: bool,
        message: &M,
    ) -> Self {
        let first = ShownMessage {
            ticket: state.ticket(from, MessageKind::of::<I, M>()),
            shown: state.shows(),
        };
        let request = Self {
            state,
            scheduler,
            awaited,
            first,
            forwarded: None,
            calls_before: scheduler.calls_posted(),
            is_over: false,
        };
        request.show(first, Content::Message(message));
        request
    }

    /// Forwards the request to `port`: shows the message of a foreign call, and makes the call with
    /// its ticket. If a tap has posted a message that comes first, the message is delivered
    /// instead, and the future of its reply is returned.
    pub(crate) fn forward_call<I, M>(
        mut self,
        port: &Port<I>,
        message: M,
        call: impl FnOnce(Ticket, &M) -> Option<M::Reply>,
    ) -> Result<Result<M::Reply, NoReply>, ReplyFuture<M::Reply>>
    where
        I: Inbox + From<Envelope<M>>,
        M: Message,
    {
        let first = self.first.ticket;
        let ticket = self.state.ticket(first.to(), MessageKind::of::<I, M>());
        let posted = ShownMessage {
            ticket: ticket.forwarded(first.root),
            shown: self.state.shows(),
        };
        self.show(posted, Content::Message(&message));
        self.forwarded = Some(posted);
        if !self.is_undisturbed() {
            return Err(self.deliver(port, message));
        }
        Ok(self.call(|| call(posted.ticket, &message)))
    }

    /// False if a tap has posted a message that must be handled before the last message.
    pub(crate) fn is_undisturbed(&self) -> bool {
        self.scheduler.calls_posted() == self.calls_before && !self.scheduler.any_message_pending()
    }

    /// Ticket of the last message.
    pub(crate) fn ticket(&self) -> Ticket {
        self.last().ticket
    }

    /// Delivers the last message in place of a call, without showing it again.
    pub(crate) fn deliver<I, M>(mut self, port: &Port<I>, message: M) -> ReplyFuture<M::Reply>
    where
        I: Inbox + From<Envelope<M>>,
        M: Message,
    {
        self.is_over = true;
        let state = |posted: ShownMessage| posted.shown.then_some(self.state);
        let ShownMessage { ticket, .. } = self.first;
        let (mut reply, receiver) = ReplySender::new(state(self.first), ticket);
        if let Some(forwarded) = self.forwarded {
            reply = reply.forwarded(state(forwarded), forwarded.ticket);
        }
        port.deliver_shown(Envelope { message, reply });
        self.scheduler.make_calls();
        ReplyFuture {
            receiver,
            ticket,
            state: self.state.clone(),
        }
    }

    /// Delivers a message whose sender does not wait, in place of a call and without showing it
    /// again.
    pub(crate) fn deliver_post<I, M>(mut self, port: &Port<I>, message: M)
    where
        I: Inbox + From<Envelope<M>>,
        M: Message,
    {
        self.is_over = true;
        let ShownMessage { ticket, shown } = self.first;
        let reply = ReplySender::without_receiver(shown.then_some(self.state), ticket);
        port.deliver_shown(Envelope { message, reply });
    }

    /// Runs the handler of the last message.
    ///
    /// # Errors
    /// [`NoReply`] if the handler panics.
    pub(crate) fn handle<R: Body>(self, handler: impl FnOnce() -> R) -> Result<R, NoReply> {
        let (of, state) = (self.ticket(), self.state);
        self.run(handler).ok_or_else(|| state.unanswered(of))
    }

    /// Runs the handler of a message whose sender does not wait. A panic is stored.
    pub(crate) fn handle_post<R: Body>(self, handler: impl FnOnce() -> R) {
        self.run(handler);
    }

    /// Runs a handler, then makes the foreign calls that it posts; `None` if it panics.
    fn run<R: Body>(self, handler: impl FnOnce() -> R) -> Option<R> {
        let (of, state, scheduler) = (self.ticket(), self.state, self.scheduler);
        let mut result = None;
        let handling = scheduler.begin_handler();
        state.catch_panic(of, || result = self.show_result(|| Some(handler())));
        drop(handling);
        scheduler.make_calls();
        result
    }

    /// Makes the foreign call of a message whose sender does not wait. Calls that it posts are made
    /// later, and a panic is stored.
    pub(crate) fn call_post<R: Body>(self, call: impl FnOnce() -> Option<R>) {
        self.make_call(call);
    }

    /// Makes the foreign call of the last message, then the calls that it posts.
    fn call<R: Body>(self, call: impl FnOnce() -> Option<R>) -> Result<R, NoReply> {
        let (of, state, scheduler) = (self.ticket(), self.state, self.scheduler);
        let result = self.make_call(call);
        scheduler.make_calls();
        result.ok_or_else(|| state.unanswered(of))
    }

    /// Makes a foreign call; `None` if it panics or has no result.
    fn make_call<R: Body>(self, call: impl FnOnce() -> Option<R>) -> Option<R> {
        let (of, state, scheduler) = (self.ticket(), self.state, self.scheduler);
        let mut result = None;
        scheduler.take_call_number();
        scheduler.make_call(of, || {
            state.flush_before_call();
            result = self.show_result(call);
        });
        result
    }

    /// Runs `act` and shows its result as the reply. Without a result, the loss of the reply is
    /// shown.
    fn show_result<R: Body>(mut self, act: impl FnOnce() -> Option<R>) -> Option<R> {
        let reply = act()?;
        self.close(Content::Reply(&reply));
        Some(reply)
    }

    fn last(&self) -> ShownMessage {
        self.forwarded.unwrap_or(self.first)
    }

    /// Shows the reply, or its loss: first as that of the forwarded message, then of the first
    /// message.
    fn close(&mut self, content: Content<'_>) {
        self.is_over = true;
        if let Some(forwarded) = self.forwarded {
            self.show(forwarded, content);
        }
        self.show(self.first, content);
    }

    fn show(&self, ShownMessage { ticket, shown }: ShownMessage, content: Content<'_>) {
        if shown {
            self.state.show(ticket, self.awaited, content);
        }
    }
}

impl Drop for ObservedRequest<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.close(Content::Dropped);
        }
    }
}
