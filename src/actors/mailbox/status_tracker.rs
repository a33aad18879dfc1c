//! Present step of a channel, its start, and recent requests, for the status.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use mailbox_rs::Index;

use crate::actors::service::{ChannelProgress, TaskTracker};
use crate::bus::ActorContext;
use crate::messages::ChannelId;
use crate::messages::mailbox::{ChannelStatus, End, Past, Step, Task};

/// Status of one channel. Formatted only on request.
pub(super) struct StatusTracker {
    channel: ChannelId,
    context: ActorContext,
    progress: Rc<ChannelProgress>,
    tasks: Rc<TaskTracker>,
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
        tasks: Rc<TaskTracker>,
    ) -> Self {
        Self {
            channel,
            context,
            progress,
            tasks,
            step: RefCell::new(Step::Handshake { address }),
            taken: Cell::default(),
            put: Cell::default(),
            recent: RefCell::new(VecDeque::with_capacity(RECENT)),
        }
    }

    /// Records progress: the channel begins `step`.
    pub(super) fn enter(&self, step: Step) {
        self.progress.progress(self.channel, self.context.now());
        self.tasks.awaits(Task::Host);
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

    /// Status of this channel, under its name, without its words in memory.
    pub(super) fn status(&self, name: &str) -> ChannelStatus {
        let mut step = self.step.borrow().clone();
        if let Step::Serve { task, .. } = &mut step {
            *task = self.tasks.task();
        }
        ChannelStatus {
            channel: name.to_owned(),
            now: self.context.now(),
            step,
            since: self.progress.since(self.channel),
            words: None,
            taken: self.taken.get().0,
            put: self.put.get().0,
            recent: self.recent.borrow().iter().cloned().collect(),
        }
    }
}
