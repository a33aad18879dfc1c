//! Operation that a channel's present request waits for, for a status.

use std::cell::RefCell;

use crate::bus::ActorContext;
use crate::messages::rpc::{Provider, Target};
use crate::messages::{AwaitedOperation, PendingCall};

/// Present operation of one channel. Formatted only on request.
pub(in crate::actors) struct OperationTracker {
    context: ActorContext,
    awaited: RefCell<AwaitedOperation>,
}

impl OperationTracker {
    /// Tracker of a channel without a request.
    pub(in crate::actors) fn new(context: ActorContext) -> Self {
        Self {
            context,
            awaited: RefCell::new(AwaitedOperation::Host),
        }
    }

    /// Number of the current tick.
    pub(in crate::actors) fn now(&self) -> u64 {
        self.context.now()
    }

    /// Present operation.
    pub(in crate::actors) fn awaited(&self) -> AwaitedOperation {
        self.awaited.borrow().clone()
    }

    /// Sets the operation that the present request waits for.
    pub(in crate::actors) fn awaits(&self, next: AwaitedOperation) {
        *self.awaited.borrow_mut() = next;
    }

    /// Begins a call of `target` for the present request.
    pub(in crate::actors) fn begin_call(&self, target: &Target) {
        self.awaits(AwaitedOperation::Call(PendingCall {
            target: target.clone(),
            by: None,
            answers: 0,
            tick: self.context.now(),
        }));
    }

    /// Counts a poll that was answered with "pending".
    pub(in crate::actors) fn count_poll(&self, by: Provider) {
        if let AwaitedOperation::Call(asked) = &mut *self.awaited.borrow_mut() {
            asked.by = Some(by);
            asked.answers += 1;
            asked.tick = self.context.now();
        }
    }
}
