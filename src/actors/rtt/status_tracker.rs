//! Status of a channel: its step, and the number of bytes that each buffer has transferred.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::actors::service::StatusTracker;
use crate::messages::rtt::{BufferName, Direction, RttStatus, RttStep};

/// Status of one channel. Formatted only on request.
pub(super) struct RttTracker {
    steps: StatusTracker<RttStep, ()>,
    /// Name and number of bytes of each buffer, by direction and number.
    buffers: RefCell<BTreeMap<(bool, u32), (BufferName, u64)>>,
}

impl RttTracker {
    /// Status of a channel before its control block is found.
    pub(super) fn new(steps: StatusTracker<RttStep, ()>) -> Self {
        Self {
            steps,
            buffers: RefCell::default(),
        }
    }

    /// Records progress: the channel begins `step`.
    pub(super) fn transition(&self, step: RttStep) {
        self.steps.transition(step);
    }

    /// Sets the step of a checkpoint, and the tick of its last progress.
    pub(super) fn resume(&self, step: RttStep, since: u64) {
        self.steps.resume(step, since);
    }

    /// Replaces the numbers of transferred bytes by those of a checkpoint.
    pub(super) fn restore(&self, saved: &[(Direction, BufferName, u64)]) {
        let buffers = saved.iter().map(|(direction, name, bytes)| {
            let key = (*direction == Direction::Down, name.number);
            (key, (name.clone(), *bytes))
        });
        self.buffers.replace(buffers.collect());
    }

    /// Switches between the two steps of a channel that waits for firmware, without progress.
    pub(super) fn waits_for_room(&self, is_full: bool) {
        let step = self.steps.step().borrow().clone();
        match (step, is_full) {
            (RttStep::Bytes { address }, true) => self.steps.wait(RttStep::Room { address }),
            (RttStep::Room { address }, false) => self.steps.wait(RttStep::Bytes { address }),
            _ => {}
        }
    }

    /// Adds transferred bytes.
    pub(super) fn transferred(&self, direction: Direction, buffer: &BufferName, bytes: u64) {
        let key = (direction == Direction::Down, buffer.number);
        let mut buffers = self.buffers.borrow_mut();
        let (name, sum) = buffers.entry(key).or_insert_with(|| (buffer.clone(), 0));
        if name != buffer {
            *name = buffer.clone();
        }
        *sum = sum.saturating_add(bytes);
    }

    /// Status of this channel, under its name.
    pub(super) fn status(&self, name: &str) -> RttStatus {
        let buffers = self.buffers.borrow();
        let buffers = buffers.iter().map(|((is_down, _), (name, bytes))| {
            let direction = match is_down {
                true => Direction::Down,
                false => Direction::Up,
            };
            (direction, name.clone(), *bytes)
        });
        RttStatus {
            channel: name.to_owned(),
            now: self.steps.now(),
            step: self.steps.step().borrow().clone(),
            since: self.steps.since(),
            buffers: buffers.collect(),
        }
    }
}
