//! The RPC dispatcher: who answers a call, and when it is asked.
//!
//! A method is looked for in the host program first and in the testbench next; a custom command only in the host
//! program. Who answers "pending" is asked again on every tick until there is a result.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use actix::{Actor, Handler};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::bus::{Alarm, Desk, Envelope, Port, Unanswered};
use crate::messages::ChannelId;
use crate::messages::foreign::{self, HostCall, SvCall};
use crate::messages::rpc::{Call, CallError, Inbox, Poll, Progress, Target};

/// The most arguments that `mb_sv_call` takes (C ABI, `SV_CALL_MAX_ARGS`).
pub const SV_CALL_MAX_ARGS: usize = 16;

/// Dispatches calls.
#[derive(Debug)]
pub struct Rpc {
    dispatcher: Rc<Dispatcher>,
    /// What each channel waits for: at most one call.
    calls: HashMap<ChannelId, AbortHandle>,
}

#[derive(Debug)]
struct Dispatcher {
    desk: Desk,
    foreign: Port<foreign::Inbox>,
    channels: Vec<String>,
    /// What the host program answers itself.
    offered: RefCell<HashSet<Target>>,
    ticks: Notify,
    alarm: Alarm,
    waiting: Cell<usize>,
}

impl Rpc {
    /// Calls for these channels, by their names; `alarm` brings the [`Tick`](crate::messages::rpc::Tick)s.
    pub fn new(
        desk: Desk,
        foreign: &Port<foreign::Inbox>,
        channels: Vec<String>,
        alarm: Alarm,
    ) -> Self {
        let foreign = foreign.sent_by(desk.party());
        let dispatcher = Dispatcher {
            desk,
            foreign,
            channels,
            offered: RefCell::default(),
            ticks: Notify::new(),
            alarm,
            waiting: Cell::new(0),
        };
        Self {
            dispatcher: Rc::new(dispatcher),
            calls: HashMap::new(),
        }
    }

    fn call(&mut self, envelope: Envelope<Call>) {
        let Envelope {
            message:
                Call {
                    channel,
                    target,
                    args,
                },
            reply,
        } = envelope;
        let dispatcher = self.dispatcher.clone();
        let task = tokio::task::spawn_local(async move {
            let call = dispatcher.call(channel, &target, args);
            let outcome = dispatcher.desk.shelter(call).await;
            reply.send(outcome.unwrap_or_else(|panic| raised(&target, panic)));
        });
        self.calls.insert(channel, task.abort_handle());
    }

    fn poll(&self, envelope: Envelope<Poll>) {
        let Envelope {
            message:
                Poll {
                    channel,
                    method,
                    args,
                },
            reply,
        } = envelope;
        let dispatcher = self.dispatcher.clone();
        tokio::task::spawn_local(async move {
            let target = Target::Method(method);
            let ask = dispatcher.ask(&channel, &target, &args);
            let outcome = dispatcher.desk.shelter(ask).await;
            reply.send(outcome.unwrap_or_else(|panic| raised(&target, panic)));
        });
    }
}

impl Dispatcher {
    /// Asks until there is a result.
    async fn call(
        &self,
        channel: ChannelId,
        target: &Target,
        args: Vec<u64>,
    ) -> Result<u64, CallError> {
        let name = usize::try_from(channel.0)
            .ok()
            .and_then(|at| self.channels.get(at));
        let name = name.map_or("", String::as_str);
        loop {
            match self.ask(name, target, &args).await? {
                Progress::Ready(result) => return Ok(result),
                Progress::Pending => self.next_tick().await,
                Progress::Absent => return Err(CallError::Absent(target.clone())),
                Progress::Failed => return Err(CallError::Failed(target.clone())),
            }
        }
    }

    /// Asks once: the host program, and the testbench where that has no such method.
    async fn ask(
        &self,
        channel: &str,
        target: &Target,
        args: &[u64],
    ) -> Result<Progress, CallError> {
        let (channel, args) = (channel.to_owned(), args.to_vec());
        let silent = |unanswered: Unanswered| raised(target, unanswered.to_string());
        let offered = self.offered.borrow().contains(target);
        if offered {
            let answer = self.foreign.ask(HostCall {
                channel: channel.clone(),
                target: target.clone(),
                args: args.clone(),
            });
            let progress = answer.await.unwrap_or_else(silent)?;
            if progress != Progress::Absent {
                return Ok(progress);
            }
        }
        let Target::Method(method) = target else {
            return Ok(Progress::Absent);
        };
        if args.len() > SV_CALL_MAX_ARGS {
            let (target, given) = (target.clone(), args.len());
            return Err(CallError::TooManyArguments { target, given });
        }
        let answer = self.foreign.ask(SvCall {
            channel,
            method: method.clone(),
            args,
        });
        answer.await.unwrap_or_else(silent)
    }

    async fn next_tick(&self) {
        let _waiting = Waiting::on(self);
        self.ticks.notified().await;
    }
}

fn raised<T>(target: &Target, cause: String) -> Result<T, CallError> {
    Err(CallError::Raised {
        target: target.clone(),
        cause,
    })
}

/// Counts one who waits for the next tick; the alarm is off while there is none.
struct Waiting<'a>(&'a Dispatcher);

impl<'a> Waiting<'a> {
    fn on(dispatcher: &'a Dispatcher) -> Self {
        dispatcher.waiting.set(dispatcher.waiting.get() + 1);
        dispatcher.alarm.want(true);
        Self(dispatcher)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let left = self.0.waiting.get() - 1;
        self.0.waiting.set(left);
        self.0.alarm.want(left > 0);
    }
}

impl Actor for Rpc {
    type Context = actix::Context<Self>;
}

impl Handler<Inbox> for Rpc {
    type Result = ();

    fn handle(&mut self, mail: Inbox, _: &mut Self::Context) {
        let desk = self.dispatcher.desk.clone();
        desk.open(mail, |mail| match mail {
            Inbox::Call(envelope) => self.call(envelope),
            Inbox::Poll(envelope) => self.poll(envelope),
            Inbox::Offer(Envelope { message, reply }) => {
                self.dispatcher.offered.borrow_mut().insert(message.target);
                reply.send(());
            }
            Inbox::Cancel(Envelope { message, reply }) => {
                if let Some(call) = self.calls.remove(&message.channel) {
                    call.abort();
                }
                reply.send(());
            }
            Inbox::Tick(envelope) => {
                // In the order in which they began to wait.
                self.dispatcher.ticks.notify_waiters();
                envelope.reply.send(());
            }
        });
    }
}

#[cfg(test)]
mod tests;
