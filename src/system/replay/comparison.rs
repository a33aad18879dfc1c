//! Position in the recording, and the first divergence.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde::de::DeserializeOwned;

use super::posted::PostedMessages;
use super::scope::Scope;
use super::{Difference, ReplayError, Replayed};
use crate::bus::{Endpoint, Event, Message, Observation, Tap, Ticket};
use crate::trace::{
    Content, Damage, Encoding, Entry, Kind, KindMap, OpenMessages, Trace, TraceError, decode,
    deserialize,
};

/// State of a recording under replay.
pub(super) struct Comparison {
    trace: Trace,
    scope: Scope,
    /// Entries in scope, read but not yet played.
    ahead: VecDeque<Entry>,
    /// First entry behind them, once read.
    end: Option<End>,
    /// Current tick.
    tick: u64,
    /// Recorded numbers of unanswered messages, by their numbers in the replay.
    open: OpenMessages<u64>,
    known: KindMap<Known>,
    /// Recorded number of the last message to which the player gave the recorded reply. That reply is not compared.
    given: Option<u64>,
    /// Serialization buffer, reused.
    bytes: Vec<u8>,
    recent: VecDeque<Entry>,
    matched: u64,
    /// True while the state of the system is saved or replaced, which no recording has.
    is_suspended: bool,
    /// Messages of that time without a reply so far.
    posted: PostedMessages,
    over: Option<End>,
}

/// Kind of message that has been observed.
struct Known {
    encoding: Encoding,
    /// Recorded kind that is equal.
    recorded: Option<Arc<Kind>>,
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
enum End {
    /// Complete replay.
    Played,
    Different(Box<Difference>),
    Damaged(TraceError),
}

/// Number of preceding entries shown in a divergence.
const RECENT: usize = 12;

/// Look-ahead limit in entries: for a reply given by an actor itself, and for output of an actor that may come before that of
/// others.
const AHEAD: usize = 256;

/// Position in the recording, shared with the tap.
#[derive(Clone)]
pub(super) struct SharedComparison(Arc<Mutex<Comparison>>);

impl Comparison {
    pub(super) fn shared(trace: Trace, scope: Scope) -> SharedComparison {
        SharedComparison(Arc::new(Mutex::new(Self {
            trace,
            scope,
            ahead: VecDeque::new(),
            end: None,
            tick: 0,
            open: OpenMessages::default(),
            known: KindMap::default(),
            given: None,
            bytes: Vec::new(),
            recent: VecDeque::new(),
            matched: 0,
            is_suspended: false,
            posted: PostedMessages::default(),
            over: None,
        })))
    }

    /// Next entry to be played.
    fn next(&mut self) -> Option<&Entry> {
        self.nth(0)
    }

    #[inline]
    fn nth(&mut self, ahead: usize) -> Option<&Entry> {
        if self.is_suspended {
            return None;
        }
        if self.over.is_none() && self.ahead.len() <= ahead {
            self.read_ahead(ahead);
        }
        match self.over {
            None => self.ahead.get(ahead),
            Some(_) => None,
        }
    }

    /// Reads entries up to this one behind the next. Ends the replay if there is none at all.
    #[inline(never)]
    fn read_ahead(&mut self, ahead: usize) {
        while self.end.is_none() && self.ahead.len() <= ahead {
            let (scope, entries) = (self.scope, &mut self.ahead);
            let read = self.trace.read(|entry| {
                if scope.has(&entry) {
                    entries.push_back(entry);
                }
            });
            match read {
                Ok(true) => {}
                Ok(false) => self.end = Some(End::Played),
                Err(error) => self.end = Some(End::Damaged(error)),
            }
        }
        if self.ahead.is_empty() {
            self.over = self.end.take();
        }
    }

    /// Position of the next entry from or to the replayed actors.
    fn next_expected(&mut self, output: bool) -> Option<usize> {
        let scope = self.scope;
        if let Scope::All = scope {
            return self.next().map(|_| 0);
        }
        for place in 0..AHEAD {
            if scope.is_output(self.nth(place)?) == output {
                return Some(place);
            }
        }
        None
    }

    /// Takes the next entry as a message that was sent while the comparison was suspended. Returns false if there is none.
    fn match_posted(&mut self) -> bool {
        let Some(entry) = self.next().cloned() else {
            return false;
        };
        let Some(sequence) = self.posted.take(&entry) else {
            self.set_divergence(entry.frame, Some(&entry), None);
            return false;
        };
        self.open.insert(sequence, entry.sequence);
        self.ahead.pop_front();
        self.matched += 1;
        true
    }

    /// Compares an observation with the recording.
    fn compare(&mut self, seen: &Observation<'_>) {
        if self.is_suspended {
            return self.posted.note(seen);
        }
        let Some(next) = self.next().map(|entry| entry.frame) else {
            return;
        };
        let is_output = self.scope.is_observed_output(seen);
        let Some(due) = self.next_expected(is_output) else {
            // The recording may have been cut off here.
            if self.end.is_none() {
                self.set_divergence(next, None, Some(describe(seen)));
            }
            return;
        };
        let entry = match due {
            0 => self.ahead.pop_front(),
            due => self.ahead.remove(due),
        };
        let Some(entry) = entry else {
            return;
        };
        if !self.is_same(&entry, seen) {
            self.set_divergence(entry.frame, Some(&entry), Some(describe(seen)));
            return;
        }
        match entry.content {
            Content::Message { .. } if seen.ticket.to() != Endpoint::EVENT => {
                self.open.insert(seen.ticket.sequence, entry.sequence);
            }
            Content::Message { .. } => {}
            Content::Reply { .. } | Content::Dropped => {
                self.open.remove(seen.ticket.sequence);
            }
        }
        self.matched += u64::from(is_output);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(entry);
    }

    /// Tests whether an observation is the recorded entry.
    fn is_same(&mut self, entry: &Entry, seen: &Observation<'_>) -> bool {
        let ticket = &seen.ticket;
        let id = ticket.kind_id();
        let known = match self.known.get(id) {
            Some(known) => known,
            None => self.known.insert(id, Known::of(ticket)),
        };
        if entry.tick != seen.tick || !known.is(&entry.kind, ticket) {
            return false;
        }
        let (open, given) = (&self.open, self.given);
        let mut is_encoded = |encoded: &[u8]| {
            self.bytes.clear();
            known.encoding.encode(seen, &mut self.bytes).is_ok() && self.bytes == encoded
        };
        match (&entry.content, seen.event) {
            (Content::Message { body, awaited }, Event::Message(_)) => {
                let root = if ticket.root == ticket.sequence {
                    Some(entry.sequence)
                } else {
                    open.get(ticket.root).copied()
                };
                *awaited == seen.awaited && root == Some(entry.root) && is_encoded(body)
            }
            (Content::Reply { body }, Event::Reply(_)) => {
                open.get(ticket.sequence) == Some(&entry.sequence)
                    && (given == Some(entry.sequence) || is_encoded(body))
            }
            (Content::Dropped, Event::Dropped) => {
                open.get(ticket.sequence) == Some(&entry.sequence)
            }
            _ => false,
        }
    }

    /// Ends the replay with a divergence from `recorded`.
    fn set_divergence(&mut self, frame: u64, recorded: Option<&Entry>, replayed: Option<String>) {
        if self.over.is_some() {
            return;
        }
        self.over = Some(End::Different(Box::new(Difference {
            frame,
            recorded: recorded.map(describe_entry),
            replayed,
            before: self.recent.iter().map(describe_entry).collect(),
        })));
    }
}

impl Known {
    fn of(ticket: &Ticket) -> Self {
        Self {
            encoding: Encoding::of(ticket.to().name(), ticket.name()),
            recorded: None,
        }
    }

    /// Tests whether a recorded kind is this one, the ticket's.
    fn is(&mut self, kind: &Arc<Kind>, ticket: &Ticket) -> bool {
        if let Some(recorded) = &self.recorded
            && Arc::ptr_eq(recorded, kind)
        {
            return true;
        }
        let same = (kind.from.as_str(), kind.to.as_str(), kind.name.as_str())
            == (ticket.from.name(), ticket.to().name(), ticket.name());
        if same {
            self.recorded = Some(kind.clone());
        }
        same
    }
}

impl SharedComparison {
    fn lock(&self) -> MutexGuard<'_, Comparison> {
        self.0.lock()
    }

    /// Acts without a comparison: what the environment is asked for is not in the recording.
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
        self.lock().next().cloned()
    }

    /// Description of the next entry to be played; `None` after the end of the replay.
    pub(super) fn due(&self) -> Option<Due> {
        let mut comparison = self.lock();
        let entry = comparison.next()?;
        let is_message = matches!(entry.content, Content::Message { .. });
        Some(Due {
            frame: entry.frame,
            sequence: entry.sequence,
            tick: entry.tick,
            is_message,
            is_external: is_message && entry.kind.from == Endpoint::EXTERNAL.name(),
        })
    }

    /// Tests whether the entry of a frame is still to be played.
    pub(super) fn is_next(&self, frame: u64) -> bool {
        let mut comparison = self.lock();
        comparison.next().is_some_and(|next| next.frame == frame)
    }

    /// Tests whether an entry is output of the replayed actors.
    pub(super) fn is_output(&self, entry: &Entry) -> bool {
        self.lock().scope.is_output(entry)
    }

    /// Marks the next entry as played: it is not observable.
    pub(super) fn played(&self) {
        self.lock().ahead.pop_front();
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

    /// Next entry, if it is the event `M`.
    pub(super) fn next_event<M: Message>(&self) -> Option<M> {
        let entry = {
            let mut comparison = self.lock();
            let entry = comparison.next()?;
            let decoded = event_body::<M>(entry).map(deserialize);
            match decoded? {
                Ok(event) => return Some(event),
                Err(_) => entry.clone(),
            }
        };
        self.announcement(&entry)
    }

    /// Next entry, if it is a reply: the result of a foreign call, which the caller gives. Ends the replay if it can't be decoded.
    pub(super) fn next_reply<T: DeserializeOwned>(&self) -> Option<T> {
        let mut comparison = self.lock();
        let entry = comparison.next()?;
        let Content::Reply { body } = &entry.content else {
            return None;
        };
        match deserialize(body) {
            Ok(reply) => {
                comparison.given = Some(entry.sequence);
                Some(reply)
            }
            Err(damage) => {
                let entry = entry.clone();
                drop(comparison);
                self.damaged(&entry, damage);
                None
            }
        }
    }

    /// Next event of the replayed actors, if it is an `M`; entries of others may precede it.
    pub(super) fn next_own_event<M: Message>(&self) -> Option<M> {
        let entry = {
            let mut comparison = self.lock();
            let place = comparison.next_expected(true)?;
            comparison.nth(place)?.clone()
        };
        self.announcement(&entry)
    }

    fn announcement<M: Message>(&self, entry: &Entry) -> Option<M> {
        let body = event_body::<M>(entry)?;
        self.decode(entry, body)
    }

    /// Next event after a frame, with its own frame, if it is an `M`.
    pub(super) fn next_event_after<M: Message>(&self, frame: u64) -> Option<(u64, M)> {
        let entry = (0..AHEAD).find_map(|ahead| {
            let mut comparison = self.lock();
            let entry = comparison.nth(ahead)?;
            (entry.frame > frame && entry.kind.name == M::NAME).then(|| entry.clone())
        })?;
        let Content::Message { body, .. } = &entry.content else {
            return None;
        };
        Some((entry.frame, self.decode(&entry, body)?))
    }

    /// Recorded reply to the message of this number in the replay.
    pub(super) fn answer<T: DeserializeOwned>(&self, sequence: u64) -> Option<T> {
        let recorded = self.recorded(sequence)?;
        let answer = (0..AHEAD).find_map(|ahead| match self.lock().nth(ahead)? {
            entry if entry.sequence != recorded => None,
            Entry {
                content: Content::Reply { body },
                ..
            } => Some(body.clone()),
            _ => None,
        })?;
        deserialize(&answer).ok()
    }

    /// Recorded number of an unanswered message.
    pub(super) fn recorded(&self, sequence: u64) -> Option<u64> {
        self.lock().open.get(sequence).copied()
    }

    /// Content of an entry; ends the replay if it can't be decoded.
    pub(super) fn decode<T: DeserializeOwned>(&self, entry: &Entry, body: &[u8]) -> Option<T> {
        deserialize(body)
            .map_err(|damage| self.damaged(entry, damage))
            .ok()
    }

    /// Ends the replay: an entry can't be decoded.
    pub(super) fn damaged(&self, entry: &Entry, damage: Damage) {
        let mut comparison = self.lock();
        if comparison.over.is_none() {
            let error = comparison.trace.damage_of(entry, damage);
            comparison.over = Some(End::Damaged(error));
        }
    }

    /// Ends the replay: the next recorded entry is not reached.
    pub(super) fn missing(&self) {
        let mut comparison = self.lock();
        if let Some(entry) = comparison.next().cloned() {
            comparison.set_divergence(entry.frame, Some(&entry), None);
        }
    }

    /// Result of the replay, after this number of ticks.
    pub(super) fn end(&self, ticks: u64) -> Result<Replayed, ReplayError> {
        let mut comparison = self.lock();
        match comparison.over.take() {
            Some(End::Different(difference)) => Err(ReplayError::Difference(difference)),
            Some(End::Damaged(error)) => Err(error.into()),
            Some(End::Played) | None => Ok(Replayed {
                messages: comparison.matched,
                ticks,
                is_cut: comparison.trace.is_cut(),
            }),
        }
    }
}

/// Serialized event of an entry, if it is an `M`.
fn event_body<M: Message>(entry: &Entry) -> Option<&[u8]> {
    let Content::Message { body, .. } = &entry.content else {
        return None;
    };
    let is = entry.kind.to == Endpoint::EVENT.name() && entry.kind.name == M::NAME;
    is.then_some(body)
}

/// Single-line text.
fn describe(seen: &Observation<'_>) -> String {
    let ticket = &seen.ticket;
    let (from, to, name) = (ticket.from, ticket.to(), ticket.name());
    let tick = seen.tick;
    match seen.event {
        Event::Message(body) => format!("tick {tick}: {from} to {to}: {}", short(body)),
        Event::Reply(body) => format!("tick {tick}: {to} to {from}: {name} gives {}", short(body)),
        Event::Dropped => format!("tick {tick}: {to} to {from}: {name} has no reply"),
    }
}

fn describe_entry(entry: &Entry) -> String {
    let (from, to, name) = (&entry.kind.from, &entry.kind.to, &entry.kind.name);
    let tick = entry.tick;
    let body = match decode(entry) {
        Ok(Some(body)) => short(&*body),
        Ok(None) => String::new(),
        Err(damage) => damage.to_string(),
    };
    match entry.content {
        Content::Message { .. } => format!("tick {tick}: {from} to {to}: {body}"),
        Content::Reply { .. } => format!("tick {tick}: {to} to {from}: {name} gives {body}"),
        Content::Dropped => format!("tick {tick}: {to} to {from}: {name} has no reply"),
    }
}

/// Message or reply, shortened.
fn short(body: &(impl fmt::Debug + ?Sized)) -> String {
    const MOST: usize = 300;
    let text = format!("{body:?}");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
