//! Present step of a channel, its start, and recent commands, for the status.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use crate::actors::service::{ChannelProgress, TaskTracker};
use crate::messages::ChannelId;
use crate::messages::htif::{
    Command, CommandServed, HtifStatus, HtifStep, PastCommand, SystemCall,
};
use crate::messages::mailbox::Task;

/// Number of completed commands kept.
const RECENT: usize = 8;

/// Status of one channel. Formatted only on request.
pub(super) struct StatusTracker {
    channel: ChannelId,
    progress: Rc<ChannelProgress>,
    tasks: Rc<TaskTracker>,
    step: RefCell<HtifStep>,
    pub(super) reads: Cell<usize>,
    recent: RefCell<VecDeque<PastCommand>>,
}

impl StatusTracker {
    /// Status of a channel before its first command.
    pub(super) fn new(
        channel: ChannelId,
        tohost: u64,
        progress: Rc<ChannelProgress>,
        tasks: Rc<TaskTracker>,
    ) -> Self {
        Self {
            channel,
            progress,
            tasks,
            step: RefCell::new(HtifStep::Command { tohost }),
            reads: Cell::new(0),
            recent: RefCell::new(VecDeque::with_capacity(RECENT)),
        }
    }

    /// Records progress: the channel begins `step`.
    pub(super) fn enter(&self, step: HtifStep) {
        self.progress.progress(self.channel, self.tasks.now());
        self.waits(step);
    }

    /// Sets the step that the channel waits for, without progress.
    pub(super) fn waits(&self, step: HtifStep) {
        self.tasks.awaits(Task::Host);
        *self.step.borrow_mut() = step;
    }

    /// Sets the system call of the command in service.
    pub(super) fn calls(&self, known: SystemCall) {
        if let HtifStep::Serve { call, .. } = &mut *self.step.borrow_mut() {
            *call = Some(known);
        }
    }

    /// System call of the command in service.
    pub(super) fn call(&self) -> Option<SystemCall> {
        match &*self.step.borrow() {
            HtifStep::Serve { call, .. } => *call,
            _ => None,
        }
    }

    /// Keeps a completed command among the recent ones.
    pub(super) fn over(&self, served: &CommandServed) {
        let CommandServed {
            command,
            call,
            since,
            result,
            ..
        } = *served;
        let mut recent = self.recent.borrow_mut();
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(PastCommand {
            command,
            call,
            from: since,
            to: self.tasks.now(),
            result,
        });
    }

    /// Command in service as a step.
    pub(super) fn serve(command: Command) -> HtifStep {
        HtifStep::Serve {
            command,
            call: None,
            task: Task::Host,
        }
    }

    /// Status of this channel, under its name.
    pub(super) fn status(&self, name: &str) -> HtifStatus {
        let mut step = self.step.borrow().clone();
        if let HtifStep::Serve { task, .. } = &mut step {
            *task = self.tasks.task();
        }
        HtifStatus {
            channel: name.to_owned(),
            now: self.tasks.now(),
            step,
            since: self.progress.since(self.channel),
            reads: self.reads.get(),
            recent: self.recent.borrow().iter().cloned().collect(),
        }
    }
}
