//! RpcClient of the RPC dispatcher: asks by messages, or makes the calls that they would lead to.

use std::rc::Rc;

use super::Dispatch;
use crate::bus::{Desk, Elision, Inbox as _, Port, Ticket, Unanswered};
use crate::messages::Name;
use crate::messages::foreign::{self, HostCall, MethodCall};
use crate::messages::rpc::{Answered, Call, CallError, Callee, Inbox, Progress, Target, When};

/// RpcClient of the dispatcher, for one party.
#[derive(Clone)]
pub(crate) struct RpcClient {
    desk: Desk,
    port: Port<Inbox>,
    elided: Option<Rc<ElidedPolls>>,
}

/// Polls in place of messages.
pub(crate) struct ElidedPolls {
    pub(crate) elision: Elision,
    pub(crate) dispatch: Rc<Dispatch>,
    pub(crate) poll: Box<ForeignPoll>,
}

/// Foreign call that polls a target once, of channel, target and arguments; `true` where the host program has offered the target.
pub(crate) type ForeignPoll = dyn Fn(&str, &Target, &[u64], bool) -> Result<Answered, CallError>;

type Answer = Result<Answered, CallError>;

impl RpcClient {
    /// RpcClient of the dispatcher at `port`. Without `elided` it always sends messages, as in a replay.
    pub(crate) fn new(desk: Desk, port: &Port<Inbox>, elided: Option<Rc<ElidedPolls>>) -> Self {
        Self {
            port: port.sent_by(desk.party()),
            desk,
            elided,
        }
    }

    /// RpcClient for another party.
    pub(crate) fn sent_by(&self, desk: Desk) -> Self {
        Self::new(desk, &self.port, self.elided.clone())
    }

    /// Way to the dispatcher.
    pub(crate) fn port(&self) -> &Port<Inbox> {
        &self.port
    }

    /// Polls a target once, for an actor's task.
    ///
    /// # Errors
    /// [`Unanswered`] where it panics.
    pub(crate) async fn poll(
        &self,
        channel: &Name,
        target: &Target,
        args: &[u64],
        when: When,
    ) -> Result<Answer, Unanswered> {
        let call = |when| Call {
            channel: channel.clone(),
            target: target.clone(),
            args: args.to_vec(),
            when,
        };
        let Some(ElidedPolls {
            elision, dispatch, ..
        }) = self.elided()
        else {
            return self.port.ask(call(when)).await;
        };
        let asked = elision.ticket::<Inbox, Call>(self.desk.party());
        if when == When::NextTick {
            dispatch.next_tick(self.desk.now()).await;
        }
        match self.elided() {
            Some(elided) => elided.poll(asked, channel, target, args),
            // A tap was attached meanwhile.
            None => self.port.ask(call(When::Now)).await,
        }
    }

    /// The elision, where it is possible for a task.
    #[inline]
    fn elided(&self) -> Option<&ElidedPolls> {
        let elided = self.elided.as_deref();
        elided.filter(|elided| elided.elision.is_possible())
    }
}

impl ElidedPolls {
    /// Polls a target as the dispatcher does.
    fn poll(
        &self,
        asked: Ticket,
        channel: &str,
        target: &Target,
        args: &[u64],
    ) -> Result<Answer, Unanswered> {
        let is_offered = self.dispatch.is_offered(target);
        if !is_offered && matches!(target, Target::Command(_)) {
            return Ok(Ok(Callee::HostProgram.says(Progress::Absent)));
        }
        let handed_on = match is_offered {
            true => self
                .elision
                .ticket_under::<foreign::Inbox, HostCall>(Inbox::PARTY, asked),
            false => self
                .elision
                .ticket_under::<foreign::Inbox, MethodCall>(Inbox::PARTY, asked),
        };
        let poll = || (self.poll)(channel, target, args, is_offered);
        self.elision.call(handed_on, poll)
    }
}
