//! Requests that firmware has put into a queue of a mailbox and that have no answer.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use mailbox_rs::{Request, RequestEntry};
use vhost::messages::announced::{DoorbellRang, RestoreBegun};
use vhost::messages::checkpoint::{SavedChannel, SavedFrontEnd};
use vhost::messages::front_end::Restore;
use vhost::trace::Content;

use super::channels::Channels;
use super::entry_reader::DecodedEntry;

/// Most requests of a channel without an answer: those of a queue, and the one in service, whose slot is free again.
const MOST_OPEN: usize = 9;

/// Most channels with such requests. Those of further channels are not followed.
const MOST_CHANNELS: usize = 1 << 17;

/// Request without an answer so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenRequest {
    /// Tick in which the host saw it, or took it before a checkpoint.
    pub(crate) seen: u64,
    entry: RequestEntry,
}

/// Requests of each channel, oldest first.
#[derive(Debug, Default)]
pub(crate) struct OpenRequests {
    /// Names of the served channels, by their numbers.
    names: Vec<Arc<str>>,
    channels: HashMap<Arc<str>, VecDeque<OpenRequest>>,
}

impl OpenRequest {
    /// Kind of the request.
    pub(crate) fn kind(&self) -> &'static str {
        Request::try_from(&self.entry).map_or("malformed", |request| request.kind())
    }

    /// Request in the terms of the protocol.
    pub(crate) fn text(&self) -> String {
        match Request::try_from(&self.entry) {
            Ok(request) => request.to_string(),
            Err(problem) => format!("{}: {problem}", self.entry),
        }
    }

    /// Words of the request.
    #[cfg(feature = "parquet")]
    pub(crate) fn args(&self) -> &[u64] {
        self.entry.counted_args()
    }
}

impl OpenRequests {
    /// Requests of the channels of a recording.
    pub(crate) fn of(channels: &Channels) -> Self {
        Self {
            names: channels.names().map(Arc::from).collect(),
            channels: HashMap::new(),
        }
    }

    /// Follows an entry. A restore drops all requests, which are returned: they get no answer. Then it brings back those in service at the
    /// checkpoint.
    pub(crate) fn follow(&mut self, decoded: &DecodedEntry) -> Vec<(Arc<str>, OpenRequest)> {
        if !matches!(decoded.entry.content, Content::Message { .. }) {
            return Vec::new();
        }
        if decoded.body.is_err() {
            // It may be the answer of any of them.
            self.channels.clear();
            return Vec::new();
        }
        if decoded.is::<RestoreBegun>().is_some() {
            return self.take();
        }
        if let Some(Restore { channels }) = decoded.is() {
            channels.iter().for_each(|saved| self.resume(saved));
        }
        if let Some(channel) = &decoded.channel {
            if let Some(served) = decoded.served() {
                self.answered(channel, served.since());
            } else if let Some(rang) = decoded.is::<DoorbellRang>() {
                self.rang(channel, rang, decoded.entry.tick);
            }
        }
        Vec::new()
    }

    /// Oldest request of a channel.
    pub(crate) fn oldest(&self, channel: &str) -> Option<&OpenRequest> {
        self.channels.get(channel)?.front()
    }

    /// Takes all requests, by channel, oldest first.
    pub(crate) fn take(&mut self) -> Vec<(Arc<str>, OpenRequest)> {
        let all = std::mem::take(&mut self.channels).into_iter();
        let mut all: Vec<_> = all
            .flat_map(|(channel, open)| open.into_iter().map(move |it| (channel.clone(), it)))
            .collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    fn answered(&mut self, channel: &Arc<str>, since: u64) {
        // The answer of one that is unknown, as in a recording that begins in the middle of the run, is not that of a later one.
        if let Some(open) = self.channels.get_mut(channel)
            && open.front().is_some_and(|first| first.seen <= since)
        {
            open.pop_front();
        }
    }

    fn rang(&mut self, channel: &Arc<str>, rang: &DoorbellRang, tick: u64) {
        if self.channels.len() >= MOST_CHANNELS && !self.channels.contains_key(channel) {
            return;
        }
        let open = self.channels.entry(channel.clone()).or_default();
        if rang.words.is_some_and(|words| words.handshake.is_some()) {
            // Firmware has reset the channel, and expects no answer.
            open.clear();
        }
        let entries = rang.entries.iter();
        open.extend(entries.map(|entry| OpenRequest {
            seen: tick,
            entry: *entry,
        }));
        let surplus = open.len().saturating_sub(MOST_OPEN);
        open.drain(..surplus);
    }

    /// Request in service of a channel at a checkpoint. Those in the queue are announced when the host reads it anew.
    fn resume(&mut self, saved: &SavedChannel) {
        let SavedFrontEnd::Mailbox(Some(session)) = &saved.front_end else {
            return;
        };
        let name = usize::try_from(saved.channel.0)
            .ok()
            .and_then(|number| self.names.get(number));
        if let (Some(name), Some(request)) = (name, &session.request) {
            let open = OpenRequest {
                seen: request.since,
                entry: request.entry,
            };
            let all = self.channels.entry(name.clone()).or_default();
            all.push_front(open);
            all.truncate(MOST_OPEN);
        }
    }
}
