//! Entries of a mailbox's queue without a response.

use std::sync::Arc;

use mailbox_rs::{Request, RequestEntry};
use vhost::messages::announced::{DoorbellRang, Served};
use vhost::messages::checkpoint::SavedSession;

use super::lists::Lists;
use super::{Asked, OpenRequest};
use crate::trace::DecodedEntry;

/// Most requests of a channel without an answer: those of a queue, and the one in service, whose slot is free again.
const MOST_OPEN: usize = 9;

/// Entry of the request queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenEntry(RequestEntry);

impl OpenEntry {
    pub(super) fn kind(&self) -> &'static str {
        Request::try_from(&self.0).map_or("malformed", |request| request.kind())
    }

    pub(super) fn text(&self) -> String {
        match Request::try_from(&self.0) {
            Ok(request) => request.to_string(),
            Err(problem) => format!("{}: {problem}", self.0),
        }
    }

    #[cfg(feature = "parquet")]
    pub(super) fn args(&self) -> &[u64] {
        self.0.counted_args()
    }
}

/// Follows a message.
pub(super) fn follow(decoded: &DecodedEntry, lists: &mut Lists) {
    let Some(channel) = &decoded.channel else {
        return;
    };
    if let Some(served) = decoded.is::<Served>() {
        // The answer of one that is unknown, as in a recording that begins in the middle of the run, is not that of a later one.
        if let Some(open) = lists.get_mut(channel)
            && open.front().is_some_and(|first| first.seen <= served.since)
        {
            open.pop_front();
        }
    } else if let Some(rang) = decoded.is::<DoorbellRang>() {
        if rang.words.is_some_and(|words| words.handshake.is_some())
            && let Some(open) = lists.get_mut(channel)
        {
            // Firmware has reset the channel, and expects no answer.
            open.clear();
        }
        for entry in &rang.entries {
            lists.add(channel, open(decoded.entry.tick, *entry), MOST_OPEN);
        }
    }
}

/// Brings back the request in service at a checkpoint. Its session begins behind a restore, when nothing is open.
pub(super) fn resume(session: &SavedSession, channel: &Arc<str>, lists: &mut Lists) {
    if let Some(request) = &session.request {
        lists.add(channel, open(request.since, request.entry), MOST_OPEN);
    }
}

fn open(seen: u64, entry: RequestEntry) -> OpenRequest {
    OpenRequest {
        seen,
        asked: Asked::Mailbox(OpenEntry(entry)),
    }
}
