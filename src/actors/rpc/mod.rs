//! The RPC dispatcher: selects the provider of a call's target, and the tick of each poll.
//!
//! Targets that the host program has registered are polled there. Any other method is polled in
//! Python, and if Python lacks it in the testbench. A call is one poll: the dispatcher forwards it
//! with its reply. It keeps only calls for the next tick.

mod client;
mod dispatch;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use actix::{Actor, Handler};

use crate::bus::{ActorContext, Envelope, Port};
use crate::messages::Name;
use crate::messages::foreign::{self, HostCall, MethodCall, PyCancel, PyTick};
use crate::messages::rpc::{Call, Inbox, Progress, Provider, Schedule, Target};

pub(crate) use client::{ElidedPolls, ForeignPoll, RpcClient};
pub(crate) use dispatch::Dispatch;

/// Forwards calls to their providers.
#[derive(Debug)]
pub(crate) struct Rpc {
    context: ActorContext,
    foreign: Port<foreign::Inbox>,
    dispatch: Rc<Dispatch>,
    /// Calls for a later tick in order of arrival, each with the tick of its arrival.
    waiting: Vec<(u64, Envelope<Call>)>,
    /// True if Python has tasks that wait for simulated time.
    py_tasks: bool,
}

impl Rpc {
    /// Creates a dispatcher. The timer of `dispatch` sends it a
    /// [`Tick`](crate::messages::rpc::Tick).
    pub(crate) fn new(
        context: ActorContext,
        foreign: &Port<foreign::Inbox>,
        dispatch: Rc<Dispatch>,
    ) -> Self {
        Self {
            foreign: foreign.with_sender(context.endpoint()),
            context,
            dispatch,
            waiting: Vec::new(),
            py_tasks: false,
        }
    }

    fn call(&mut self, call: Envelope<Call>) {
        match call.message.schedule {
            Schedule::Now => self.dispatch(call),
            Schedule::NextTick => {
                self.waiting.push((self.context.now(), call));
                self.set_timer();
            }
        }
    }

    fn dispatch(&self, call: Envelope<Call>) {
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
            Target::Command(_) => reply.send(Ok(Provider::HostProgram.outcome(Progress::Absent))),
        }
    }

    /// Runs Python's tasks before the calls are polled, so that a task's result is returned in the
    /// tick in which the task ends.
    fn tick(&mut self) {
        if self.py_tasks {
            self.foreign.post(PyTick);
        }
        let now = self.context.now();
        let due = self.waiting.partition_point(|(since, _)| *since < now);
        // Allocates nothing if all are due.
        let later = self.waiting.split_off(due);
        for (_, call) in std::mem::replace(&mut self.waiting, later) {
            self.dispatch(call);
        }
        self.set_timer();
    }

    fn cancel(&mut self, channel: Name) {
        self.waiting
            .retain(|(_, call)| call.message.channel != channel);
        self.set_timer();
        self.foreign.post(PyCancel { channel });
    }

    fn set_timer(&self) {
        self.dispatch
            .need_tick(self.py_tasks || !self.waiting.is_empty());
    }
}

impl Actor for Rpc {
    type Context = actix::Context<Self>;
}

impl Handler<Inbox> for Rpc {
    type Result = ();

    fn handle(&mut self, message: Inbox, _: &mut Self::Context) {
        let context = self.context.clone();
        context.handle(message, |message| match message {
            Inbox::Call(call) => self.call(call),
            Inbox::RegisterTarget(Envelope { message, reply }) => {
                self.dispatch.offer(message.target);
                reply.send(());
            }
            Inbox::Cancel(Envelope { message, reply }) => {
                self.cancel(message.channel);
                reply.send(());
            }
            Inbox::PyTasks(Envelope { message, reply }) => {
                self.py_tasks = message.alive;
                self.set_timer();
                reply.send(());
            }
            Inbox::Tick(envelope) => {
                self.tick();
                envelope.reply.send(());
            }
        });
    }
}
