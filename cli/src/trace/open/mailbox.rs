//! Entries of a mailbox's queue without a response.

use std::collections::VecDeque;
use std::sync::Arc;

use mailbox_rs::{Index, Request, RequestEntry};
use vhost::messages::checkpoint::SavedSession;
use vhost::messages::events::{DoorbellRang, Served};

use super::lists::Lists;
use super::{OpenRequest, ProtocolRequest};
use crate::trace::DecodedEntry;

/// Maximum number of requests of a channel without a response: those of a queue, and the one in
/// service, whose slot is free again.
const MAX_OPEN_REQUESTS: usize = 9;

/// Entry of the request queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenEntry {
    slot: u32,
    entry: RequestEntry,
}

impl OpenEntry {
    pub(super) fn kind(&self) -> &'static str {
        Request::try_from(&self.entry).map_or("malformed", |request| request.kind())
    }

    pub(super) fn text(&self) -> String {
        match Request::try_from(&self.entry) {
            Ok(request) => request.to_string(),
            Err(problem) => format!("{}: {problem}", self.entry),
        }
    }

    #[cfg(feature = "parquet")]
    pub(super) fn args(&self) -> &[u64] {
        self.entry.counted_args()
    }
}

/// Processes a message.
pub(super) fn follow(decoded: &DecodedEntry, lists: &mut Lists) {
    let Some(channel) = &decoded.channel else {
        return;
    };
    if let Some(served) = decoded.is::<Served>() {
        if let Some(open) = lists.get_mut(channel) {
            answered(served, open);
        }
    } else if let Some(rang) = decoded.is::<DoorbellRang>() {
        if rang.words.is_some_and(|words| words.handshake.is_some())
            && let Some(open) = lists.get_mut(channel)
        {
            // Firmware has reset the channel, and expects no response.
            open.clear();
        }
        let put = rang.words.map_or(0, |words| words.request_producer);
        let first = put.wrapping_sub(rang.entries.len() as u32);
        for (at, entry) in rang.entries.iter().enumerate() {
            let slot = Index(first.wrapping_add(at as u32)).slot();
            lists.add(
                channel,
                open(decoded.entry.tick, slot, *entry),
                MAX_OPEN_REQUESTS,
            );
        }
    }
}

/// Removes a served request, and those before it, which the host has skipped.
///
/// An unknown request removes none: a recording that begins in the middle of a run has events of
/// requests that were in the queue before.
fn answered(served: &Served, open: &mut VecDeque<OpenRequest>) {
    let position = open.iter().position(|it| match &it.request {
        ProtocolRequest::Mailbox(asked) => asked.slot == served.slot && it.seen <= served.since,
        _ => false,
    });
    if let Some(position) = position {
        open.drain(..=position);
    }
}

/// Restores the request in service at a checkpoint. Its session begins after a restore, when no
/// request is open.
pub(super) fn resume(session: &SavedSession, channel: &Arc<str>, lists: &mut Lists) {
    if let Some(request) = &session.request {
        let request = open(request.since, request.slot, request.entry);
        lists.add(channel, request, MAX_OPEN_REQUESTS);
    }
}

fn open(seen: u64, slot: u32, entry: RequestEntry) -> OpenRequest {
    OpenRequest {
        seen,
        request: ProtocolRequest::Mailbox(OpenEntry { slot, entry }),
    }
}
