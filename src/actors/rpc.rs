//! The RPC dispatcher: who answers a call, and when it is asked.
//!
//! A target that the host program has offered is the host program's; any other method is Python's, or else the
//! testbench's. A call is one poll: the dispatcher hands it on together with its reply and keeps nothing of it, but for
//! those that are to be made on the next tick.

mod client;
mod dispatch;
#[cfg(test)]
mod tests;
use std::rc::Rc;

use actix::{Actor, Handler};

use crate::bus::{Desk, Envelope, Port};
use crate::messages::Name;
use crate::messages::foreign::{self, HostCall, MethodCall, PyCancel, PyTick};
use crate::messages::rpc::{Call, Callee, Inbox, Progress, Target, When};

pub(crate) use client::{ElidedPolls, ForeignPoll, RpcClient};
pub(crate) use dispatch::Dispatch;

/// Dispatches calls.
#[derive(Debug)]
pub(crate) struct Rpc {
    desk: Desk,
    foreign: Port<foreign::Inbox>,
    dispatch: Rc<Dispatch>,
    /// Calls for a later tick, in order of arrival, each with the tick in which it came.
    waiting: Vec<(u64, Envelope<Call>)>,
    /// Python has tasks that only time brings forward.
    py_tasks: bool,
}

impl Rpc {
    /// A dispatcher. The alarm of `dispatch` brings it the [`Tick`](crate::messages::rpc::Tick)s.
    pub(crate) fn new(desk: Desk, foreign: &Port<foreign::Inbox>, dispatch: Rc<Dispatch>) -> Self {
        Self {
            foreign: foreign.sent_by(desk.party()),
            desk,
            dispatch,
            waiting: Vec::new(),
            py_tasks: false,
        }
    }

    fn call(&mut self, call: Envelope<Call>) {
        match call.message.when {
            When::Now => self.make(call),
            When::NextTick => {
                self.waiting.push((self.desk.now(), call));
                self.set_alarm();
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
        if self.dispatch.is_offered(&target) {
            let call = HostCall {
                channel,
                target,
                args,
            };
            return self.foreign.forward(call, reply);
        }
        match target {
            Target::Method(method) => {
                let call = MethodCall {
                    channel,
                    method,
                    args,
                };
                self.foreign.forward(call, reply);
            }
            Target::Command(_) => reply.send(Ok(Callee::HostProgram.says(Progress::Absent))),
        }
    }

    /// Python's turn comes first: what has ended in it is found in the same tick.
    fn tick(&mut self) {
        if self.py_tasks {
            self.foreign.post(PyTick);
        }
        let now = self.desk.now();
        let due = self.waiting.partition_point(|(since, _)| *since < now);
        // Nothing is allocated where all are due.
        let later = self.waiting.split_off(due);
        for (_, call) in std::mem::replace(&mut self.waiting, later) {
            self.make(call);
        }
        self.set_alarm();
    }

    fn cancel(&mut self, channel: Name) {
        self.waiting
            .retain(|(_, call)| call.message.channel != channel);
        self.set_alarm();
        self.foreign.post(PyCancel { channel });
    }

    fn set_alarm(&self) {
        self.dispatch
            .need_tick(self.py_tasks || !self.waiting.is_empty());
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
                self.dispatch.offer(message.target);
                reply.send(());
            }
            Inbox::Cancel(Envelope { message, reply }) => {
                self.cancel(message.channel);
                reply.send(());
            }
            Inbox::PyTasks(Envelope { message, reply }) => {
                self.py_tasks = message.alive;
                self.set_alarm();
                reply.send(());
            }
            Inbox::Tick(envelope) => {
                self.tick();
                envelope.reply.send(());
            }
        });
    }
}
