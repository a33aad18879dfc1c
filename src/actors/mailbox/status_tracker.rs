//! Status of a channel: its step, and recent requests.

use super::queues::Queues;
use crate::actors::service::StatusTracker;
use crate::messages::mailbox::{ChannelStatus, MailboxStep, PastRequest, RequestEnd};

/// Status of one channel. Formatted only on request.
pub(super) struct MailboxTracker {
    steps: StatusTracker<MailboxStep, PastRequest>,
}

impl MailboxTracker {
    /// Status of a channel before its first handshake.
    pub(super) fn new(steps: StatusTracker<MailboxStep, PastRequest>) -> Self {
        Self { steps }
    }

    /// Drops the recent requests.
    pub(super) fn forget(&self) {
        self.steps.forget();
    }

    /// Records progress: the channel begins `step`.
    pub(super) fn transition(&self, step: MailboxStep) {
        self.steps.transition(step);
    }

    /// Sets the step of a checkpoint, and the tick of its last progress.
    pub(super) fn resume(&self, step: MailboxStep, since: u64) {
        self.steps.resume(step, since);
    }

    /// Tick of the last progress: in a request, the one in which it was taken.
    pub(super) fn since(&self) -> u64 {
        self.steps.since()
    }

    /// Ends the current request, if there is one, and keeps it among the recent ones. The channel
    /// waits for the next request.
    pub(super) fn complete(&self, end: RequestEnd) {
        let (from, to) = (self.steps.since(), self.steps.now());
        if let MailboxStep::Serve { slot, entry, .. } = &*self.steps.step().borrow() {
            self.steps.add_recent(PastRequest {
                slot: *slot,
                entry: *entry,
                from,
                to,
                end,
            });
        }
        self.steps.advance(MailboxStep::Request);
    }

    /// Present step, with the operation that it waits for.
    pub(super) fn step(&self) -> MailboxStep {
        let mut step = self.steps.step().borrow().clone();
        if let MailboxStep::Serve { awaits, .. } = &mut step {
            *awaits = self.steps.awaited();
        }
        step
    }

    /// Status of this channel, under its name, without its words in memory.
    pub(super) fn status(&self, name: &str, queues: &Queues) -> ChannelStatus {
        ChannelStatus {
            channel: name.to_owned(),
            now: self.steps.now(),
            step: self.step(),
            since: self.steps.since(),
            words: None,
            request_consumer: queues.requests.consumer().0,
            response_producer: queues.responses.producer().0,
            recent: self.steps.recent(),
        }
    }
}
