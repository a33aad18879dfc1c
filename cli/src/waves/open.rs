//! Requests that firmware has put into a queue and that have no answer.

use std::collections::{HashMap, VecDeque};

use mailbox_rs::{Request, RequestEntry};
use vhost::messages::announced::{DoorbellRang, RestoreBegun};
use vhost::trace::Content;

use super::LONGEST;
use super::requests::{Lanes, Timed};
use super::steps::Steps;
use crate::output::{Sanitized, truncated};
use crate::trace::DecodedEntry;

/// Most requests of a channel without an answer: those of a queue, and the one in service, whose slot is free again.
const MOST_OPEN: usize = 9;

/// Requests of each channel, with the ticks in which the host saw them.
#[derive(Debug, Default)]
pub(super) struct OpenRequests {
    lanes: HashMap<usize, VecDeque<(u64, RequestEntry)>>,
    /// True behind the begin of a restore, which drops them. Until the next entry they can be taken.
    are_dropped: bool,
}

/// Request in service at the end of a segment. Its end is its begin.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) timed: Timed,
    /// Tick in which the host saw it.
    pub(super) tick: u64,
    pub(super) kind: &'static str,
    pub(super) text: String,
}

impl OpenRequests {
    /// Follows an entry.
    pub(super) fn follow(&mut self, decoded: &DecodedEntry, lanes: &mut Lanes) {
        if std::mem::take(&mut self.are_dropped) {
            self.lanes.clear();
        }
        let is_message = matches!(decoded.entry.content, Content::Message { .. });
        // Also one that begins no segment.
        self.are_dropped = is_message && decoded.is::<RestoreBegun>().is_some();
        let Some(channel) = &decoded.channel else {
            return;
        };
        if let Some(served) = decoded.served() {
            // One that was in service at a checkpoint, or in front of a cut, is not among them.
            if let Some(open) = self.lanes.get_mut(&lanes.number(channel))
                && open
                    .front()
                    .is_some_and(|(seen, _)| *seen <= served.since())
            {
                open.pop_front();
            }
            return;
        }
        let Some(rang) = decoded.is::<DoorbellRang>().filter(|_| is_message) else {
            return;
        };
        let open = self.lanes.entry(lanes.number(channel)).or_default();
        if rang.words.is_some_and(|words| words.handshake.is_some()) {
            // Firmware has reset the channel.
            open.clear();
        }
        let tick = decoded.entry.tick;
        open.extend(rang.entries.iter().map(|entry| (tick, *entry)));
        let surplus = open.len().saturating_sub(MOST_OPEN);
        open.drain(..surplus);
    }

    /// Ends a segment: takes the oldest request of each channel.
    pub(super) fn take(&mut self, lanes: &Lanes, steps: &Steps) -> Vec<Unanswered> {
        let all = std::mem::take(&mut self.lanes);
        let oldest = all.into_iter().filter_map(|(lane, mut open)| {
            let (tick, entry) = open.pop_front()?;
            let (kind, text) = match Request::try_from(&entry) {
                Ok(request) => (request.kind(), request.to_string()),
                Err(problem) => ("malformed", format!("{entry}: {problem}")),
            };
            Some(Unanswered {
                timed: lanes.unanswered(lane, steps.begin_of(tick))?,
                tick,
                kind,
                text: truncated(format_args!("{}", Sanitized(&text)), LONGEST),
            })
        });
        let mut oldest: Vec<Unanswered> = oldest.collect();
        oldest.sort_by_key(|unanswered| unanswered.timed.lane);
        oldest
    }
}
