//! What a channel does, since when, and what it did last: for whoever asks why it is stuck.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use mailbox_rs::Index;

use super::Board;
use crate::bus::Desk;
use crate::messages::ChannelId;
use crate::messages::mailbox::{ChannelStatus, End, Past, PendingCall, Step, Task};
use crate::messages::rpc::{Callee, Target};

/// Kept while the channel is served, and put into words only where somebody asks.
pub(super) struct Journal {
    channel: ChannelId,
    desk: Desk,
    board: Rc<Board>,
    step: RefCell<Step>,
    /// How far the host has taken requests.
    pub(super) taken: Cell<Index>,
    /// How far it has put responses.
    pub(super) put: Cell<Index>,
    recent: RefCell<VecDeque<Past>>,
}

/// Requests that are remembered.
const RECENT: usize = 8;

impl Journal {
    /// Of a channel that nothing was done with.
    pub(super) fn new(channel: ChannelId, address: u64, desk: Desk, board: Rc<Board>) -> Self {
        Self {
            channel,
            desk,
            board,
            step: RefCell::new(Step::Handshake { address }),
            taken: Cell::default(),
            put: Cell::default(),
            recent: RefCell::new(VecDeque::with_capacity(RECENT)),
        }
    }

    /// The channel makes progress: this comes next.
    pub(super) fn enter(&self, step: Step) {
        self.board.progress(self.channel, self.desk.now());
        *self.step.borrow_mut() = step;
    }

    /// The request that is served, where there is one, is over: it is remembered, and another one comes next.
    pub(super) fn over(&self, end: End) {
        let from = self.board.since(self.channel);
        self.board.progress(self.channel, self.desk.now());
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
                to: self.desk.now(),
                end,
            });
        }
        *step = Step::Request;
    }

    /// The request that is served waits for this.
    pub(super) fn awaits(&self, next: Task) {
        if let Step::Serve { task, .. } = &mut *self.step.borrow_mut() {
            *task = next;
        }
    }

    /// The request that is served asks for a target.
    pub(super) fn asks(&self, target: &Target) {
        self.awaits(Task::Call(PendingCall {
            target: target.clone(),
            by: None,
            answers: 0,
            tick: self.desk.now(),
        }));
    }

    /// Somebody said that it is pending, and is asked again.
    pub(super) fn pending(&self, by: Callee) {
        if let Step::Serve {
            task: Task::Call(asked),
            ..
        } = &mut *self.step.borrow_mut()
        {
            asked.by = Some(by);
            asked.answers += 1;
            asked.tick = self.desk.now();
        }
    }

    /// State of the channel of this name, without its words in memory.
    pub(super) fn status(&self, name: &str) -> ChannelStatus {
        ChannelStatus {
            channel: name.to_owned(),
            now: self.desk.now(),
            step: self.step.borrow().clone(),
            since: self.board.since(self.channel),
            words: None,
            taken: self.taken.get().0,
            put: self.put.get().0,
            recent: self.recent.borrow().iter().cloned().collect(),
        }
    }
}
