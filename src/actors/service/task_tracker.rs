//! Operation that a channel's present request waits for.

use std::cell::RefCell;

use crate::bus::ActorContext;
use crate::messages::mailbox::{PendingCall, Task};
use crate::messages::rpc::{Provider, Target};

/// Present operation of one channel. Formatted only on request.
pub(in crate::actors) struct TaskTracker {
    context: ActorContext,
    task: RefCell<Task>,
}

impl TaskTracker {
    /// Tracker of a channel without a request.
    pub(in crate::actors) fn new(context: ActorContext) -> Self {
        Self {
            context,
            task: RefCell::new(Task::Host),
        }
    }

    /// Number of the current tick.
    pub(in crate::actors) fn now(&self) -> u64 {
        self.context.now()
    }

    /// Present operation.
    pub(in crate::actors) fn task(&self) -> Task {
        self.task.borrow().clone()
    }

    /// Sets the operation that the present request waits for.
    pub(in crate::actors) fn awaits(&self, next: Task) {
        *self.task.borrow_mut() = next;
    }

    /// Begins a call of `target` for the present request.
    pub(in crate::actors) fn asks(&self, target: &Target) {
        self.awaits(Task::Call(PendingCall {
            target: target.clone(),
            by: None,
            answers: 0,
            tick: self.context.now(),
        }));
    }

    /// Counts a poll that was answered with "pending".
    pub(in crate::actors) fn pending(&self, by: Provider) {
        if let Task::Call(asked) = &mut *self.task.borrow_mut() {
            asked.by = Some(by);
            asked.answers += 1;
            asked.tick = self.context.now();
        }
    }
}
