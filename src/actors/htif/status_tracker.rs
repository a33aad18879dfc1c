//! Status of a channel: its step, console reads, and recent commands.

use std::cell::Cell;

use crate::actors::service::StatusTracker;
use crate::messages::AwaitedOperation;
use crate::messages::htif::{
    Command, CommandServed, HtifStatus, HtifStep, PastCommand, SystemCall,
};

/// Status of one channel. Formatted only on request.
pub(super) struct HtifTracker {
    steps: StatusTracker<HtifStep, PastCommand>,
    /// Number of console reads that wait for a character.
    pub(super) reads: Cell<usize>,
}

impl HtifTracker {
    /// Status of a channel before its first command.
    pub(super) fn new(steps: StatusTracker<HtifStep, PastCommand>) -> Self {
        Self {
            steps,
            reads: Cell::new(0),
        }
    }

    /// Drops the recent commands.
    pub(super) fn forget(&self) {
        self.steps.forget();
    }

    /// Records progress: the channel begins `step`.
    pub(super) fn transition(&self, step: HtifStep) {
        self.steps.transition(step);
    }

    /// Sets the step of a checkpoint, and the tick of its last progress.
    pub(super) fn resume(&self, step: HtifStep, since: u64) {
        self.steps.resume(step, since);
    }

    /// Tick of the last progress: in a command, the one in which it was taken.
    pub(super) fn since(&self) -> u64 {
        self.steps.since()
    }

    /// Sets the pending step, without progress.
    pub(super) fn wait(&self, step: HtifStep) {
        self.steps.wait(step);
    }

    /// Sets the system call of the command in service.
    pub(super) fn calls(&self, known: SystemCall) {
        if let HtifStep::Serve { call, .. } = &mut *self.steps.step().borrow_mut() {
            *call = Some(known);
        }
    }

    /// System call of the command in service.
    pub(super) fn call(&self) -> Option<SystemCall> {
        match &*self.steps.step().borrow() {
            HtifStep::Serve { call, .. } => *call,
            _ => None,
        }
    }

    /// Adds a completed command to the recent ones.
    pub(super) fn complete(&self, served: &CommandServed) {
        let CommandServed {
            command,
            call,
            since,
            result,
            ..
        } = *served;
        self.steps.add_recent(PastCommand {
            command,
            call,
            from: since,
            to: self.steps.now(),
            result,
        });
    }

    /// Step of a channel that serves this command.
    pub(super) fn serve(command: Command) -> HtifStep {
        HtifStep::Serve {
            command,
            call: None,
            awaits: AwaitedOperation::Host,
        }
    }

    /// Present step, with the operation that it waits for.
    pub(super) fn step(&self) -> HtifStep {
        let mut step = self.steps.step().borrow().clone();
        if let HtifStep::Serve { awaits, .. } = &mut step {
            *awaits = self.steps.awaited();
        }
        step
    }

    /// Status of this channel, under its name.
    pub(super) fn status(&self, name: &str) -> HtifStatus {
        HtifStatus {
            channel: name.to_owned(),
            now: self.steps.now(),
            step: self.step(),
            since: self.steps.since(),
            reads: self.reads.get(),
            recent: self.steps.recent(),
        }
    }
}
