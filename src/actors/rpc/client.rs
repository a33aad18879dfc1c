//! Client of the RPC dispatcher: sends messages, or makes the calls that they would cause.

use std::cell::Cell;
use std::rc::Rc;

use super::Dispatch;
use crate::bus::{
    ActorContext, ElidedForm, Elision, Inbox as _, NoReply, Port, ReplyFuture, Ticket,
};
use crate::messages::Name;
use crate::messages::foreign::{self, HostCall, MethodCall};
use crate::messages::rpc::{
    Call, CallError, Inbox, PollOutcome, Progress, Provider, Schedule, Target,
};

/// Client of the dispatcher, for one sender.
#[derive(Clone)]
pub(crate) struct RpcClient {
    context: ActorContext,
    port: Port<Inbox>,
    elided: Option<Rc<ElidedPolls>>,
}

/// Polls in place of messages.
pub(crate) struct ElidedPolls {
    pub(crate) elision: Elision,
    pub(crate) dispatch: Rc<Dispatch>,
    pub(crate) poll: Box<ForeignPoll>,
    /// Port of foreign calls.
    pub(crate) foreign: Port<foreign::Inbox>,
}

/// Foreign call that polls a target once. Arguments: ticket of the message, channel, target,
/// arguments of the call, and true if the host program has registered the target. Returns `None`
/// without a result.
pub(crate) type ForeignPoll = dyn Fn(Ticket, &str, &Target, &[u64], bool) -> Option<PollReply>;

type PollReply = Result<PollOutcome, CallError>;

/// Last poll of a call that waited for ticks.
enum Polled {
    /// By a call.
    Replied(Result<PollReply, NoReply>),
    /// By a message.
    Asked(ReplyFuture<PollReply>),
}

impl RpcClient {
    /// Creates a client of the dispatcher at `port`. Without `elided`, as in a replay of one actor,
    /// it always sends messages.
    pub(crate) fn new(
        context: ActorContext,
        port: &Port<Inbox>,
        elided: Option<Rc<ElidedPolls>>,
    ) -> Self {
        Self {
            port: port.with_sender(context.endpoint()),
            context,
            elided,
        }
    }

    /// Client for another sender.
    pub(crate) fn with_sender(&self, context: ActorContext) -> Self {
        Self::new(context, &self.port, self.elided.clone())
    }

    /// Port of the dispatcher.
    pub(crate) fn port(&self) -> &Port<Inbox> {
        &self.port
    }

    /// Calls a target from an actor's task: polls it `first` now or on the next tick, then on each
    /// tick while it is pending. `on_pending` is called after each poll answered with "pending".
    ///
    /// # Errors
    /// [`NoReply`] if the call panics.
    pub(crate) async fn call(
        &self,
        channel: &Name,
        target: &Target,
        args: &[u64],
        first: Schedule,
        on_pending: impl Fn(Provider) + Clone + 'static,
    ) -> Result<PollReply, NoReply> {
        let mut reply = match (first, self.elided()) {
            (Schedule::NextTick, _) => {
                let later = self.poll_later(channel, target, args, on_pending.clone());
                later.await?
            }
            (Schedule::Now, Some((elided, ElidedForm::Silent))) => {
                elided.poll(self.ticket(elided), channel, target, args)?
            }
            (Schedule::Now, Some((elided, ElidedForm::Shown))) => {
                match self.poll_shown(elided, channel, target, args) {
                    Ok(reply) => reply?,
                    Err(reply) => reply.await?,
                }
            }
            (Schedule::Now, None) => self.ask(channel, target, args, Schedule::Now).await?,
        };
        while let Ok(PollOutcome {
            by,
            progress: Progress::Pending,
        }) = reply
        {
            on_pending(by);
            let later = self.poll_later(channel, target, args, on_pending.clone());
            reply = later.await?;
        }
        Ok(reply)
    }

    /// Polls a target on the next tick. While nothing is shown to taps, polls it on each tick until
    /// it is no longer pending.
    async fn poll_later(
        &self,
        channel: &Name,
        target: &Target,
        args: &[u64],
        on_pending: impl Fn(Provider) + 'static,
    ) -> Result<PollReply, NoReply> {
        match self.elided() {
            Some((elided, ElidedForm::Silent)) if !elided.dispatch.needs_tick() => {
                self.wait(elided, channel, target, args, on_pending).await
            }
            _ => self.ask(channel, target, args, Schedule::NextTick).await,
        }
    }

    /// Sends a call to the dispatcher.
    fn ask(
        &self,
        channel: &Name,
        target: &Target,
        args: &[u64],
        schedule: Schedule,
    ) -> ReplyFuture<PollReply> {
        self.port.ask(call(channel, target, args, schedule))
    }

    /// Polls a target once, by a call whose messages are shown to taps. Returns the future of its
    /// reply if a tap has posted a message that must be delivered first.
    fn poll_shown(
        &self,
        elided: &ElidedPolls,
        channel: &Name,
        target: &Target,
        args: &[u64],
    ) -> Result<Result<PollReply, NoReply>, ReplyFuture<PollReply>> {
        let ElidedPolls {
            elision,
            dispatch,
            poll,
            foreign,
        } = elided;
        let ask = call(channel, target, args, Schedule::Now);
        let request = elision.show::<Inbox, _>(self.context.endpoint(), &ask);
        if !request.is_undisturbed() {
            return Err(request.deliver(&self.port, ask));
        }
        let Call {
            channel,
            target,
            args,
            ..
        } = ask;
        match target {
            target if dispatch.is_offered(&target) => {
                let ask = HostCall {
                    channel,
                    target,
                    args,
                };
                let poll =
                    |of, ask: &HostCall| poll(of, &ask.channel, &ask.target, &ask.args, true);
                request.forward_call(foreign, ask, poll)
            }
            Target::Method(method) => {
                let target = Target::Method(method.clone());
                let ask = MethodCall {
                    channel,
                    method,
                    args,
                };
                let poll = |of, ask: &MethodCall| poll(of, &ask.channel, &target, &ask.args, false);
                request.forward_call(foreign, ask, poll)
            }
            Target::Command(_) => {
                let absent = Provider::HostProgram.outcome(Progress::Absent);
                Ok(request.handle(|| Ok(absent)))
            }
        }
    }

    /// Polls a target on each tick until it is no longer pending, or until other tasks are ready,
    /// whose polls would precede this one. Once calls can no longer replace messages, as with a tap
    /// that was attached meanwhile, a message requests the poll of the tick: the messages of all
    /// calls are sent before any task continues.
    async fn wait(
        &self,
        elided: &Rc<ElidedPolls>,
        channel: &Name,
        target: &Target,
        args: &[u64],
        on_pending: impl Fn(Provider) + 'static,
    ) -> Result<PollReply, NoReply> {
        let polled = Rc::new(Cell::new(None));
        let asked = Cell::new(self.ticket(elided));
        let poll = {
            let (client, elided, polled) = (self.clone(), elided.clone(), polled.clone());
            let (channel, target, args) = (channel.clone(), target.clone(), args.to_vec());
            move || {
                let Some(_inside) = elided.elision.begin_elided_poll() else {
                    let asked = client.ask(&channel, &target, &args, Schedule::Now);
                    polled.set(Some(Polled::Asked(asked)));
                    return true;
                };
                match elided.poll(asked.get(), &channel, &target, &args) {
                    Ok(Ok(PollOutcome {
                        by,
                        progress: Progress::Pending,
                    })) if !elided.elision.any_task_ready() => {
                        on_pending(by);
                        asked.set(client.ticket(&elided));
                        false
                    }
                    over => {
                        polled.set(Some(Polled::Replied(over)));
                        true
                    }
                }
            }
        };
        elided.dispatch.wait(self.context.now(), poll).await;
        match polled.take() {
            Some(Polled::Replied(reply)) => reply,
            Some(Polled::Asked(asked)) => asked.await,
            // It is set before the wait is over.
            None => self.ask(channel, target, args, Schedule::Now).await,
        }
    }

    /// Ticket of the call's elided message.
    fn ticket(&self, elided: &ElidedPolls) -> Ticket {
        elided
            .elision
            .ticket::<Inbox, Call>(self.context.endpoint())
    }

    /// Elided polls and their form, if a task may elide messages now.
    #[inline]
    fn elided(&self) -> Option<(&Rc<ElidedPolls>, ElidedForm)> {
        let elided = self.elided.as_ref()?;
        Some((elided, elided.elision.form()?))
    }
}

fn call(channel: &Name, target: &Target, args: &[u64], schedule: Schedule) -> Call {
    Call {
        channel: channel.clone(),
        target: target.clone(),
        args: args.to_vec(),
        schedule,
    }
}

impl ElidedPolls {
    /// Polls a target like the dispatcher.
    fn poll(
        &self,
        asked: Ticket,
        channel: &str,
        target: &Target,
        args: &[u64],
    ) -> Result<PollReply, NoReply> {
        let is_offered = self.dispatch.is_offered(target);
        if !is_offered && matches!(target, Target::Command(_)) {
            return Ok(Ok(Provider::HostProgram.outcome(Progress::Absent)));
        }
        let (from, elision) = (Inbox::ENDPOINT, &self.elision);
        let handed_on = match is_offered {
            true => elision.ticket_under::<foreign::Inbox, HostCall>(from, asked),
            false => elision.ticket_under::<foreign::Inbox, MethodCall>(from, asked),
        };
        elision.call(handed_on, || {
            (self.poll)(handed_on, channel, target, args, is_offered)
        })
    }
}
