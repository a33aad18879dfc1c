//! Present step of a channel, its start, and recent requests, for the status.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use mailbox_rs::Index;

use super::ChannelProgress;
use crate::bus::ActorContext;
use crate::messages::ChannelId;
use crate::messages::mailbox::{ChannelStatus, End, Past, PendingCall, Step, Task};
use crate::messages::rpc::{Provider, Target};

/// Status of one channel. Formatted only on request.
pub(super) struct StatusTracker {
    channel: ChannelId,
    context: ActorContext,
    progress: Rc<ChannelProgress>,
    step: RefCell<Step>,
    /// Request queue's consumer index, as kept by the host.
    pub(super) taken: Cell<Index>,
    /// Response queue's producer index, as kept by the host.
    pub(super) put: Cell<Index>,
    recent: RefCell<VecDeque<Past>>,
}

/// Number of completed requests kept.
const RECENT: usize = 8;

impl StatusTracker {
    /// Status of a channel before its first handshake.
    pub(super) fn new(
        channel: ChannelId,
        address: u64,
        context: ActorContext,
        progress: Rc<ChannelProgress>,
    ) -> Self {
        Self {
            channel,
            context,
            progress,
            step: RefCell::new(Step::Handshake { address }),
            taken: Cell::default(),
            put: Cell::default(),
            recent: RefCell::new(VecDeque::with_capacity(RECENT)),
        }
    }

    /// Number of the current tick.
    pub(super) fn now(&self) -> u64 {
        self.context.now()
    }

    /// Records progress: the channel begins `step`.
    pub(super) fn enter(&self, step: Step) {
        self.progress.progress(self.channel, self.context.now());
        *self.step.borrow_mut() = step;
    }

    /// Ends the current request, if there is one, and keeps it among the recent ones. The channel waits for the next request.
    pub(super) fn over(&self, end: End) {
        let from = self.progress.since(self.channel);
        self.progress.progress(self.channel, self.context.now());
        let mut step = self.step.borrow_mut();
        if let Step::Serve { slot, entry, .. } = &*step {
            let mut recent = self.recent.borrow_mut();
            if recent.len() == RECENT {
                recent.pop_front();
            }
            recent.push_back(Past {
                slot: *slot,
                entry: *entry,
                from,
                to: self.context.now(),
                end,
            });
        }
        *step = Step::Request;
    }

    /// Sets the task that the current request waits for.
    pub(super) fn awaits(&self, next: Task) {
        if let Step::Serve { task, .. } = &mut *self.step.borrow_mut() {
            *task = next;
        }
    }

    /// Begins a call of `target` for the current request.
    pub(super) fn asks(&self, target: &Target) {
        self.awaits(Task::Call(PendingCall {
            target: target.clone(),
            by: None,
            answers: 0,
            tick: self.context.now(),
        }));
    }

    /// Counts a poll that was answered with "pending".
    pub(super) fn pending(&self, by: Provider) {
        if let Step::Serve {
            task: Task::Call(asked),
            ..
        } = &mut *self.step.borrow_mut()
        {
            asked.by = Some(by);
            asked.answers += 1;
            asked.tick = self.context.now();
        }
    }

    /// Status of this channel, under its name, without its words in memory.
    pub(super) fn status(&self, name: &str) -> ChannelStatus {
        ChannelStatus {
            channel: name.to_owned(),
            now: self.context.now(),
            step: self.step.borrow().clone(),
            since: self.progress.since(self.channel),
            words: None,
            taken: self.taken.get().0,
            put: self.put.get().0,
            recent: self.recent.borrow().iter().cloned().collect(),
        }
    }
}
