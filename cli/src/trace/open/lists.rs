//! Limited lists of open requests, by channel.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::OpenRequest;

/// Maximum number of channels with open requests. Requests of further channels are ignored.
const MAX_CHANNELS: usize = 1 << 17;

/// Open requests of each channel, oldest first.
#[derive(Debug, Default)]
pub(super) struct Lists(HashMap<Arc<str>, VecDeque<OpenRequest>>);

impl Lists {
    /// Requests of a channel, if it has a list.
    pub(super) fn get(&self, channel: &str) -> Option<&VecDeque<OpenRequest>> {
        self.0.get(channel)
    }

    /// Requests of a channel, if it has a list.
    pub(super) fn get_mut(&mut self, channel: &str) -> Option<&mut VecDeque<OpenRequest>> {
        self.0.get_mut(channel)
    }

    /// Adds the newest request of a channel. With more than `most` requests, the oldest is dropped.
    pub(super) fn add(&mut self, channel: &Arc<str>, request: OpenRequest, most: usize) {
        if self.0.len() >= MAX_CHANNELS && !self.0.contains_key(channel) {
            return;
        }
        let open = self.0.entry(channel.clone()).or_default();
        open.push_back(request);
        let surplus = open.len().saturating_sub(most);
        open.drain(..surplus);
    }

    /// Removes and returns all requests, by channel, oldest first.
    pub(super) fn take(&mut self) -> Vec<(Arc<str>, OpenRequest)> {
        let all = std::mem::take(&mut self.0).into_iter();
        let mut all: Vec<_> = all
            .flat_map(|(channel, open)| open.into_iter().map(move |it| (channel.clone(), it)))
            .collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }
}
