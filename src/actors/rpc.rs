//! The RPC dispatcher: who answers a call, and when it is asked.
//!
//! A target that the host program has offered is the host program's; any other method is the testbench's. A call is one
//! poll: the dispatcher hands it on together with its reply and keeps nothing of it, but for those that are to be made on
//! the next tick.

use std::collections::HashSet;

use actix::{Actor, Handler};

use crate::bus::{Alarm, Desk, Envelope, Port};
use crate::messages::foreign::{self, HostCall, SvCall};
use crate::messages::rpc::{Call, CallError, Inbox, Progress, Target, When};

/// The most arguments that `mb_sv_call` takes (C ABI, `SV_CALL_MAX_ARGS`).
pub(crate) const SV_CALL_MAX_ARGS: usize = 16;

/// Dispatches calls.
#[derive(Debug)]
pub(crate) struct Rpc {
    desk: Desk,
    foreign: Port<foreign::Inbox>,
    /// What the host program answers itself.
    offered: HashSet<Target>,
    /// Calls for the next tick, in order of arrival.
    waiting: Vec<Envelope<Call>>,
    /// Rings while there are any.
    alarm: Alarm,
}

impl Rpc {
    /// A dispatcher whom `alarm` brings the [`Tick`](crate::messages::rpc::Tick)s.
    pub(crate) fn new(desk: Desk, foreign: &Port<foreign::Inbox>, alarm: Alarm) -> Self {
        Self {
            foreign: foreign.sent_by(desk.party()),
            desk,
            offered: HashSet::new(),
            waiting: Vec::new(),
            alarm,
        }
    }

    fn call(&mut self, call: Envelope<Call>) {
        match call.message.when {
            When::Now => self.make(call),
            When::NextTick => {
                self.waiting.push(call);
                self.alarm.want(true);
            }
        }
    }

    fn make(&self, call: Envelope<Call>) {
        let Envelope { message, reply } = call;
        let Call {
            channel,
            target,
            args,
            ..
        } = message;
        if self.offered.contains(&target) {
            let call = HostCall {
                channel,
                target,
                args,
            };
            return self.foreign.forward(call, reply);
        }
        match target {
            Target::Method(_) if args.len() > SV_CALL_MAX_ARGS => {
                let given = args.len();
                reply.send(Err(CallError::TooManyArguments { target, given }));
            }
            Target::Method(method) => {
                let call = SvCall {
                    channel,
                    method,
                    args,
                };
                self.foreign.forward(call, reply);
            }
            Target::Command(_) => reply.send(Ok(Progress::Absent)),
        }
    }

    fn tick(&mut self) {
        self.alarm.want(false);
        for call in std::mem::take(&mut self.waiting) {
            self.make(call);
        }
    }

    fn cancel(&mut self, channel: &str) {
        self.waiting.retain(|call| call.message.channel != channel);
        self.alarm.want(!self.waiting.is_empty());
    }
}

impl Actor for Rpc {
    type Context = actix::Context<Self>;
}

impl Handler<Inbox> for Rpc {
    type Result = ();

    fn handle(&mut self, mail: Inbox, _: &mut Self::Context) {
        let desk = self.desk.clone();
        desk.open(mail, |mail| match mail {
            Inbox::Call(call) => self.call(call),
            Inbox::Offer(Envelope { message, reply }) => {
                self.offered.insert(message.target);
                reply.send(());
            }
            Inbox::Cancel(Envelope { message, reply }) => {
                self.cancel(&message.channel);
                reply.send(());
            }
            Inbox::Tick(envelope) => {
                self.tick();
                envelope.reply.send(());
            }
        });
    }
}

#[cfg(test)]
mod tests;
