//! Times of the requests of one segment, the same in both passes.

use vhost::messages::ServedRequest;

use crate::trace::{DecodedEntry, EntryReader, OpenRequests};
use crate::waves::requests::{Lanes, Timed, Unanswered};
use crate::waves::segments::Segments;
use crate::waves::steps::{Steps, TimeBase};

/// Tracker of times, fed with the entries of a recording.
pub(super) struct Timing {
    lanes: Lanes,
    steps: Steps,
    open: OpenRequests,
    segments: Segments,
    /// Number of the segment.
    chosen: u64,
    /// Time of the last entry of the segment.
    now: u64,
    /// Last tick of the segment.
    last: u64,
}

impl Timing {
    /// Creates the tracker of a segment. `lanes`: channels that are known before their first
    /// request.
    pub(super) fn new(reader: &EntryReader, base: TimeBase, chosen: u64, mut lanes: Lanes) -> Self {
        lanes.restart();
        Self {
            lanes,
            steps: Steps::new(base.per_tick),
            open: OpenRequests::of(reader.channels()),
            segments: Segments::new(),
            chosen,
            now: 0,
            last: 0,
        }
    }

    /// Request of an entry, if the entry is its event in this segment.
    pub(super) fn request<'a>(
        &mut self,
        decoded: &'a DecodedEntry,
    ) -> Option<(Timed, &'a dyn ServedRequest)> {
        if !self.is_chosen() {
            return None;
        }
        let tick = decoded.entry.tick;
        self.last = self.last.max(tick);
        self.now = self.now.max(self.steps.begin_of(tick));
        decoded.served()?;
        self.now = self.steps.advance(tick);
        self.lanes.request(decoded, self.now, &self.steps)
    }

    /// Processes an entry. Returns the requests that get no response because of it, and true if the
    /// segment ends with it.
    pub(super) fn go_on(&mut self, decoded: &DecodedEntry) -> (Vec<Unanswered>, bool) {
        let dropped = self.open.follow(decoded);
        let is_chosen = self.is_chosen();
        let is_last = self.segments.follow(decoded);
        if !is_chosen {
            return (Vec::new(), false);
        }
        let unanswered = self.lanes.unanswered(dropped, self.now, &self.steps);
        (unanswered, is_last)
    }

    /// Requests without a response at the end of the recording.
    pub(super) fn end(&mut self) -> Vec<Unanswered> {
        let dropped = self.open.take();
        if !self.is_chosen() {
            return Vec::new();
        }
        self.lanes.unanswered(dropped, self.now, &self.steps)
    }

    /// Beginning of the tick after the last one of the segment.
    pub(super) fn after(&self) -> u64 {
        self.steps.begin_of(self.last.saturating_add(1))
    }

    /// Returns the channels so far, and the number of segments.
    pub(super) fn into_parts(self) -> (Lanes, u64) {
        (self.lanes, self.segments.present().number)
    }

    fn is_chosen(&self) -> bool {
        self.segments.present().number == self.chosen
    }
}
