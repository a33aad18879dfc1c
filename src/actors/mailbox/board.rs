//! What whoever ticks may read without a message: how many channels are served, and how they ended.

use std::cell::{Cell, OnceCell, RefCell};

use crate::messages::ChannelId;

/// Kept by the mailbox server, read at the edge on every tick.
#[derive(Debug, Default)]
pub(crate) struct Board {
    served: Cell<usize>,
    exits: RefCell<Vec<Option<u32>>>,
    fatal: OnceCell<String>,
}

impl Board {
    /// For this many channels, none of which has ended.
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            served: Cell::new(channels),
            exits: RefCell::new(vec![None; channels]),
            fatal: OnceCell::new(),
        }
    }

    /// Channels that have not exited.
    pub(crate) fn served(&self) -> usize {
        self.served.get()
    }

    /// The exit code of each channel that has one.
    pub(crate) fn exits(&self) -> Vec<Option<u32>> {
        self.exits.borrow().clone()
    }

    /// What ended the service as a whole.
    pub(crate) fn fatal(&self) -> Option<&str> {
        self.fatal.get().map(String::as_str)
    }

    pub(super) fn exited(&self, channel: ChannelId, code: u32) {
        let at = usize::try_from(channel.0).unwrap_or(usize::MAX);
        if let Some(exit @ None) = self.exits.borrow_mut().get_mut(at) {
            *exit = Some(code);
            self.served.set(self.served.get().saturating_sub(1));
        }
    }

    pub(super) fn fail(&self, text: &str) {
        self.fatal.get_or_init(|| text.to_owned());
    }
}
