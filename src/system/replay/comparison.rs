//! Comparison of a replay with its recording, and the first divergence.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde::de::DeserializeOwned;

use super::description::{describe, describe_entry};
use super::matching::Matching;
use super::posted::PostedMessages;
use super::replayed_actors::ReplayedActors;
use super::upcoming::Upcoming;
use super::{Divergence, ReplayError, ReplaySummary};
use crate::bus::{Endpoint, Message, Observation, Tap};
use crate::trace::{ContentRef, Entry, EntryRef, FrameError, Trace, TraceError, deserialize};

/// State of a recording under replay.
pub(super) struct Comparison {
    upcoming: Upcoming,
    actors: ReplayedActors,
    /// Current tick.
    tick: u64,
    matching: Matching,
    recent: RecentFrames,
    matched: u64,
    /// True while the state of the system is saved or replaced, which is not recorded.
    is_suspended: bool,
    /// Messages of that time without a reply so far.
    posted: PostedMessages,
    over: Option<ReplayEnd>,
}

/// Next entry to be played.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// Frame number.
    pub(super) frame: u64,
    pub(super) sequence: u64,
    pub(super) tick: u64,
    pub(super) is_message: bool,
    /// True for a message from outside of the bus.
    pub(super) is_external: bool,
}

/// Result of a replay.
enum ReplayEnd {
    /// Complete replay.
    Played,
    Diverged(Box<Divergence>),
    Damaged(TraceError),
}

/// Number of preceding entries shown in a divergence.
const RECENT: usize = 12;

/// Frames of the last entries that were compared, in a ring.
#[derive(Default)]
struct RecentFrames {
    /// 0, the header's frame, in slots without an entry.
    frames: [u64; RECENT],
    next: usize,
}

impl RecentFrames {
    fn push(&mut self, frame: u64) {
        self.frames[self.next] = frame;
        self.next = (self.next + 1) % RECENT;
    }
}

/// Look-ahead limit in entries: for a reply given by an actor itself, and for output of an actor
/// that may come before that of others.
const AHEAD: usize = 256;

/// Position in the recording, shared with the tap.
#[derive(Clone)]
pub(super) struct SharedComparison(Arc<Mutex<Comparison>>);

impl Comparison {
    pub(super) fn shared(trace: Trace, actors: ReplayedActors) -> SharedComparison {
        SharedComparison(Arc::new(Mutex::new(Self {
            upcoming: Upcoming::new(trace, actors),
            actors,
            tick: 0,
            matching: Matching::default(),
            recent: RecentFrames::default(),
            matched: 0,
            is_suspended: false,
            posted: PostedMessages::default(),
            over: None,
        })))
    }

    /// Next entry to be played.
    fn next(&mut self) -> Option<EntryRef<'_>> {
        self.nth(0)
    }

    fn nth(&mut self, place: usize) -> Option<EntryRef<'_>> {
        self.reaches(place)
            .then(|| self.upcoming.get(place))
            .flatten()
    }

    /// True if there is an entry at this place behind the next. Ends the replay if there is none at
    /// all.
    #[inline]
    fn reaches(&mut self, place: usize) -> bool {
        if self.is_suspended || self.over.is_some() {
            return false;
        }
        let reaches = self.upcoming.reaches(place);
        if !reaches {
            self.take_end();
        }
        reaches
    }

    /// Ends the replay if the last entry has been played.
    #[cold]
    fn take_end(&mut self) {
        self.over = self.upcoming.take_end().map(|end| match end {
            Ok(()) => ReplayEnd::Played,
            Err(error) => ReplayEnd::Damaged(error),
        });
    }

    /// Position of the next entry from or to the replayed actors.
    fn next_expected(&mut self, output: bool) -> Option<usize> {
        let actors = self.actors;
        if let ReplayedActors::All = actors {
            return self.reaches(0).then_some(0);
        }
        for place in 0..AHEAD {
            if actors.is_output(&self.nth(place)?) == output {
                return Some(place);
            }
        }
        None
    }

    /// Takes the next entry as a message that was sent while the comparison was suspended. Returns
    /// false if there is none.
    fn match_posted(&mut self) -> bool {
        if !self.reaches(0) {
            return false;
        }
        let Some(entry) = self.upcoming.get(0) else {
            return false;
        };
        let Some(sequence) = self.posted.take(&entry) else {
            self.missing();
            return false;
        };
        self.matching.open.insert(sequence, entry.sequence);
        self.upcoming.remove(0);
        self.matched += 1;
        true
    }

    /// Compares an observation with the recording.
    fn compare(&mut self, seen: &Observation<'_>) {
        if self.is_suspended {
            return self.posted.note(seen);
        }
        if !self.reaches(0) {
            return;
        }
        let is_output = self.actors.is_observed_output(seen);
        let place = match self.actors {
            ReplayedActors::All => Some(0),
            ReplayedActors::One(_) => self.next_expected(is_output),
        };
        let Some(place) = place else {
            // The recording may have been cut off here.
            if !self.upcoming.is_ended()
                && let Some(frame) = self.upcoming.frame()
            {
                self.set_divergence(frame, None, Some(describe(seen)));
            }
            return;
        };
        let Some(entry) = self.upcoming.get(place) else {
            return;
        };
        let frame = entry.frame;
        if !self.matching.matches(entry, seen) {
            let recorded = describe_entry(entry);
            return self.set_divergence(frame, Some(recorded), Some(describe(seen)));
        }
        self.upcoming.remove(place);
        self.matched += u64::from(is_output);
        self.recent.push(frame);
    }

    /// Entry at this place, if it is the event `M`. Ends the replay if it can't be decoded.
    fn event_at<M: Message>(&mut self, place: usize) -> Option<M> {
        let entry = self.nth(place)?;
        let ContentRef::Message { body, .. } = entry.content else {
            return None;
        };
        if entry.kind.to != Endpoint::EVENT.name() || entry.kind.name != M::NAME {
            return None;
        }
        let (frame, event) = (entry.frame, deserialize(body));
        self.decoded(frame, event)
    }

    /// Decoded entry of a frame; ends the replay if it can't be decoded.
    fn decoded<T>(&mut self, frame: u64, decoded: Result<T, FrameError>) -> Option<T> {
        decoded.map_err(|damage| self.damaged(frame, damage)).ok()
    }

    /// Ends the replay: an entry can't be decoded.
    fn damaged(&mut self, frame: u64, damage: FrameError) {
        if self.over.is_none() {
            let error = self.upcoming.damage_of(frame, damage);
            self.over = Some(ReplayEnd::Damaged(error));
        }
    }

    /// Ends the replay: the next recorded entry is not reached.
    fn missing(&mut self) {
        if let Some(entry) = self.next() {
            let (frame, recorded) = (entry.frame, describe_entry(entry));
            self.set_divergence(frame, Some(recorded), None);
        }
    }

    /// Ends the replay with a divergence from `recorded`.
    fn set_divergence(&mut self, frame: u64, recorded: Option<String>, replayed: Option<String>) {
        if self.over.is_some() {
            return;
        }
        self.over = Some(ReplayEnd::Diverged(Box::new(Divergence {
            frame,
            recorded,
            replayed,
            before: self
                .upcoming
                .describe_again(&self.recent.frames, describe_entry),
        })));
    }
}

impl SharedComparison {
    fn lock(&self) -> MutexGuard<'_, Comparison> {
        self.0.lock()
    }

    /// Acts without a comparison: requests to the environment are not in the recording.
    pub(super) fn suspended<T>(&self, act: impl FnOnce() -> T) -> T {
        {
            let mut comparison = self.lock();
            comparison.is_suspended = true;
            comparison.posted = PostedMessages::default();
        }
        let done = act();
        self.lock().is_suspended = false;
        done
    }

    /// Takes this number of entries as messages that were sent while the comparison was suspended.
    pub(super) fn match_open(&self, count: usize) {
        let mut comparison = self.lock();
        let mut left = 0..count;
        while left.next().is_some() && comparison.match_posted() {}
    }

    /// True while the comparison is suspended.
    pub(super) fn is_suspended(&self) -> bool {
        self.lock().is_suspended
    }

    /// Tap that compares all observations.
    pub(super) fn tap(&self) -> impl Tap + use<> {
        let shared = self.clone();
        move |seen: &Observation<'_>| shared.lock().compare(seen)
    }

    /// Next entry to be played; `None` after the end of the replay.
    pub(super) fn next(&self) -> Option<Entry> {
        let mut comparison = self.lock();
        let is_there = comparison.reaches(0);
        is_there.then(|| comparison.upcoming.get_owned(0)).flatten()
    }

    /// Description of the next entry to be played; `None` after the end of the replay.
    pub(super) fn due(&self) -> Option<Due> {
        let mut comparison = self.lock();
        let entry = comparison.next()?;
        let is_message = matches!(entry.content, ContentRef::Message { .. });
        Some(Due {
            frame: entry.frame,
            sequence: entry.sequence,
            tick: entry.tick,
            is_message,
            is_external: is_message && entry.kind.from == Endpoint::EXTERNAL.name(),
        })
    }

    /// True if the entry of a frame has not been played.
    pub(super) fn is_next(&self, frame: u64) -> bool {
        let mut comparison = self.lock();
        comparison.reaches(0) && comparison.upcoming.frame() == Some(frame)
    }

    /// True if an entry is output of the replayed actors.
    pub(super) fn is_output(&self, entry: &Entry) -> bool {
        self.lock().actors.is_output(&entry.borrowed())
    }

    /// Marks the next entry as played: it is not observable.
    pub(super) fn played(&self) {
        self.lock().upcoming.remove(0);
    }

    /// Starts this tick.
    pub(super) fn begin_tick(&self, tick: u64) {
        self.lock().tick = tick;
    }

    /// Frame of the next entry, if it is in the current tick.
    pub(super) fn next_frame(&self) -> Option<u64> {
        let mut comparison = self.lock();
        let tick = comparison.tick;
        let next = comparison.next().filter(|next| next.tick == tick)?;
        Some(next.frame)
    }

    /// Next entry, if it is the event `M`. Ends the replay if it can't be decoded.
    pub(super) fn next_event<M: Message>(&self) -> Option<M> {
        self.lock().event_at(0)
    }

    /// Next entry, if it is a reply: the result of a foreign call, which the caller gives. Ends the
    /// replay if it can't be decoded.
    pub(super) fn next_reply<T: DeserializeOwned>(&self) -> Option<T> {
        let mut comparison = self.lock();
        let entry = comparison.next()?;
        let ContentRef::Reply { body } = entry.content else {
            return None;
        };
        let (frame, sequence, reply) = (entry.frame, entry.sequence, deserialize(body));
        let reply = comparison.decoded(frame, reply)?;
        comparison.matching.given = Some(sequence);
        Some(reply)
    }

    /// Next event of the replayed actors, if it is an `M`; entries of others may precede it.
    pub(super) fn next_own_event<M: Message>(&self) -> Option<M> {
        let mut comparison = self.lock();
        let place = comparison.next_expected(true)?;
        comparison.event_at(place)
    }

    /// Next event after a frame, with its own frame, if it is an `M`.
    pub(super) fn next_event_after<M: Message>(&self, frame: u64) -> Option<(u64, M)> {
        let mut comparison = self.lock();
        for place in 0..AHEAD {
            let entry = comparison.nth(place)?;
            if entry.frame <= frame || entry.kind.name != M::NAME {
                continue;
            }
            let ContentRef::Message { body, .. } = entry.content else {
                return None;
            };
            let (frame, event) = (entry.frame, deserialize(body));
            return Some((frame, comparison.decoded(frame, event)?));
        }
        None
    }

    /// Recorded reply to the message of this number in the replay.
    pub(super) fn reply<T: DeserializeOwned>(&self, sequence: u64) -> Option<T> {
        let mut comparison = self.lock();
        let recorded = *comparison.matching.open.get(sequence)?;
        for place in 0..AHEAD {
            let entry = comparison.nth(place)?;
            if let ContentRef::Reply { body } = entry.content
                && entry.sequence == recorded
            {
                return deserialize(body).ok();
            }
        }
        None
    }

    /// Recorded number of an unanswered message.
    pub(super) fn recorded(&self, sequence: u64) -> Option<u64> {
        self.lock().matching.open.get(sequence).copied()
    }

    /// Ends the replay: an entry can't be decoded.
    pub(super) fn damaged(&self, entry: &Entry, damage: FrameError) {
        self.lock().damaged(entry.frame, damage);
    }

    /// Ends the replay: the next recorded entry is not reached.
    pub(super) fn missing(&self) {
        self.lock().missing();
    }

    /// Result of the replay, after this number of ticks.
    pub(super) fn end(&self, ticks: u64) -> Result<ReplaySummary, ReplayError> {
        let mut comparison = self.lock();
        match comparison.over.take() {
            Some(ReplayEnd::Diverged(divergence)) => Err(ReplayError::Divergence(divergence)),
            Some(ReplayEnd::Damaged(error)) => Err(error.into()),
            Some(ReplayEnd::Played) | None => Ok(ReplaySummary {
                messages: comparison.matched,
                ticks,
                is_truncated: comparison.upcoming.is_truncated(),
            }),
        }
    }
}
