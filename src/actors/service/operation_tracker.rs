//! Operation that a channel's present request waits for, for a status.

use std::cell::RefCell;

use crate::bus::ActorContext;
use crate::messages::rpc::{Provider, Target};
use crate::messages::{AwaitedOperation, PendingCall};

/// Present operation of one channel. Formatted only on request.
pub(in crate::actors) struct OperationTracker {
    context: ActorContext,
    task: RefCell<AwaitedOperation>,
}

impl OperationTracker {
    /// Tracker of a channel without a request.
    pub(in crate::actors) fn new(context: ActorContext) -> Self {
        Self {
            context,
            task: RefCell::new(AwaitedOperation::Host),
        }
    }

    /// Number of the current tick.
    pub(in crate::actors) fn now(&self) -> u64 {
        self.context.now()
    }

    /// Present operation.
    pub(in crate::actors) fn task(&self) -> AwaitedOperation {
        self.task.borrow().clone()
    }

    /// Sets the operation that the present request waits for.
    pub(in crate::actors) fn awaits(&self, next: AwaitedOperation) {
        *self.task.borrow_mut() = next;
    }

    /// Begins a call of `target` for the present request.
    pub(in crate::actors) fn asks(&self, target: &Target) {
        self.awaits(AwaitedOperation::Call(PendingCall {
            target: target.clone(),
            by: None,
            answers: 0,
            tick: self.context.now(),
        }));
    }

    /// Counts a poll that was answered with "pending".
    pub(in crate::actors) fn pending(&self, by: Provider) {
        if let AwaitedOperation::Call(asked) = &mut *self.task.borrow_mut() {
            asked.by = Some(by);
            asked.answers += 1;
            asked.tick = self.context.now();
        }
    }
}
