//! Present step of a channel, its start, and recent requests, for a status.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::{ChannelProgress, OperationTracker};
use crate::messages::AwaitedOperation;
use crate::messages::ChannelId;

/// Number of completed requests kept.
const RECENT: usize = 8;

/// Steps `S` and completed requests `R` of one channel. Formatted only on request.
pub(in crate::actors) struct StatusTracker<S, R> {
    channel: ChannelId,
    progress: Rc<ChannelProgress>,
    operation: Rc<OperationTracker>,
    step: RefCell<S>,
    recent: RefCell<VecDeque<R>>,
}

impl<S: Clone, R: Clone> StatusTracker<S, R> {
    /// Tracker of a channel in its first step.
    pub(in crate::actors) fn new(
        channel: ChannelId,
        first: S,
        progress: Rc<ChannelProgress>,
        operation: Rc<OperationTracker>,
    ) -> Self {
        Self {
            channel,
            progress,
            operation,
            step: RefCell::new(first),
            recent: RefCell::new(VecDeque::with_capacity(RECENT)),
        }
    }

    /// Records progress: the channel begins `step`.
    pub(in crate::actors) fn transition(&self, step: S) {
        self.progress.progress(self.channel, self.operation.now());
        self.wait(step);
    }

    /// Sets the step of a checkpoint, and the tick of its last progress.
    pub(in crate::actors) fn resume(&self, step: S, since: u64) {
        self.progress.progress(self.channel, since);
        self.wait(step);
    }

    /// Records progress to a step without an operation, after a request that has set none.
    pub(in crate::actors) fn advance(&self, step: S) {
        self.progress.progress(self.channel, self.operation.now());
        *self.step.borrow_mut() = step;
    }

    /// Sets the pending step, without progress.
    pub(in crate::actors) fn wait(&self, step: S) {
        self.operation.awaits(AwaitedOperation::Host);
        *self.step.borrow_mut() = step;
    }

    /// Present step.
    pub(in crate::actors) fn step(&self) -> &RefCell<S> {
        &self.step
    }

    /// Operation that the present request waits for.
    pub(in crate::actors) fn awaited(&self) -> AwaitedOperation {
        self.operation.awaited()
    }

    /// Adds a completed request to the recent ones.
    pub(in crate::actors) fn add_recent(&self, request: R) {
        let mut recent = self.recent.borrow_mut();
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(request);
    }

    /// Drops the recent requests, which a restore has undone or knows nothing of.
    pub(in crate::actors) fn forget(&self) {
        self.recent.borrow_mut().clear();
    }

    /// Completed requests, oldest first.
    pub(in crate::actors) fn recent(&self) -> Vec<R> {
        self.recent.borrow().iter().cloned().collect()
    }

    /// Tick of the last progress.
    pub(in crate::actors) fn since(&self) -> u64 {
        self.progress.since(self.channel)
    }

    /// Number of the current tick.
    pub(in crate::actors) fn now(&self) -> u64 {
        self.operation.now()
    }
}
