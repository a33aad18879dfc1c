//! The RPC dispatcher: who answers a call, and when it is asked.
//!
//! A target that the host program has offered is the host program's; any other method is Python's, or else the
//! testbench's. A call is one poll: the dispatcher hands it on together with its reply and keeps nothing of it, but for
//! those that are to be made on the next tick.

use std::collections::HashSet;

use actix::{Actor, Handler};

use crate::bus::{Alarm, Desk, Envelope, Port};
use crate::messages::foreign::{self, HostCall, MethodCall, PyCancel, PyTick};
use crate::messages::rpc::{Call, Callee, Inbox, Progress, Target, When};

/// Dispatches calls.
#[derive(Debug)]
pub(crate) struct Rpc {
    desk: Desk,
    foreign: Port<foreign::Inbox>,
    /// What the host program answers itself.
    offered: HashSet<Target>,
    /// Calls for a later tick, in order of arrival, each with the tick in which it came.
    waiting: Vec<(u64, Envelope<Call>)>,
    /// Python has tasks that only time brings forward.
    py_tasks: bool,
    /// Rings while there are any calls or tasks of these.
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
            py_tasks: false,
            alarm,
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
        if self.offered.contains(&target) {
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

    fn cancel(&mut self, channel: String) {
        self.waiting
            .retain(|(_, call)| call.message.channel != channel);
        self.set_alarm();
        self.foreign.post(PyCancel { channel });
    }

    fn set_alarm(&self) {
        self.alarm.want(self.py_tasks || !self.waiting.is_empty());
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

#[cfg(test)]
mod tests;
