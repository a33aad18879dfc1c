//! The recording, as far as it has been played, and the first difference from it.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;

use super::part::Part;
use super::{ReplayError, Replayed};
use crate::bus::{Event, Message, Observation, Party, Tap};
use crate::trace::{Damage, Encodings, Entry, Said, Trace, TraceError, decode, whole};

/// Something came out otherwise than it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The number of the frame that differs.
    pub frame: u64,
    /// What was recorded; none where the replay said something that was not.
    pub recorded: Option<String>,
    /// What came out; none where nothing did.
    pub replayed: Option<String>,
    /// What was said before, the oldest first.
    pub before: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nothing = || "nothing".to_owned();
        writeln!(f, "frame {} differs", self.frame)?;
        writeln!(
            f,
            "  recorded: {}",
            self.recorded.clone().unwrap_or_else(nothing)
        )?;
        write!(
            f,
            "  replayed: {}",
            self.replayed.clone().unwrap_or_else(nothing)
        )?;
        if !self.before.is_empty() {
            write!(f, "\n  before:")?;
        }
        for line in &self.before {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Difference {}

/// A recording while it is replayed.
pub(super) struct Score {
    trace: Trace,
    part: Part,
    /// Entries of the part that were read already, and not played.
    ahead: VecDeque<Entry>,
    /// What comes behind them, once it was met.
    end: Option<End>,
    /// The tick that is played.
    tick: u64,
    /// Recorded numbers of messages that are not answered, by their numbers in the replay.
    open: FxHashMap<u64, u64>,
    encodings: Encodings,
    /// What is heard, serialized; kept for the next.
    bytes: Vec<u8>,
    /// Answers that are waited for on behalf of those who are not there, by the recorded numbers of the messages.
    awaited: HashMap<u64, Box<dyn Any + Send>>,
    recent: VecDeque<Entry>,
    matched: u64,
    over: Option<End>,
}

/// How a replay ends.
enum End {
    /// All was played.
    Played,
    Different(Box<Difference>),
    Damaged(TraceError),
}

/// Entries that a difference tells of.
const RECENT: usize = 12;

/// How far ahead is looked: for the answer to a message, where an actor gives it itself, and for what an actor says before
/// others do who were first.
const AHEAD: usize = 256;

/// The score, which the tap has a part in.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Score>>);

impl Score {
    pub(super) fn shared(trace: Trace, part: Part) -> Shared {
        Shared(Arc::new(Mutex::new(Self {
            trace,
            part,
            ahead: VecDeque::new(),
            end: None,
            tick: 0,
            open: FxHashMap::default(),
            encodings: Encodings::default(),
            bytes: Vec::new(),
            awaited: HashMap::new(),
            recent: VecDeque::new(),
            matched: 0,
            over: None,
        })))
    }

    /// The next entry that is to be played.
    fn next(&mut self) -> Option<&Entry> {
        self.nth(0)
    }

    fn nth(&mut self, ahead: usize) -> Option<&Entry> {
        if self.over.is_some() {
            return None;
        }
        while self.end.is_none() && self.ahead.len() <= ahead {
            match self.trace.next() {
                Some(Ok(entry)) if self.part.has(&entry) => self.ahead.push_back(entry),
                Some(Ok(_)) => {}
                Some(Err(error)) => self.end = Some(End::Damaged(error)),
                None => self.end = Some(End::Played),
            }
        }
        if self.ahead.is_empty() {
            self.over = self.end.take();
        }
        self.ahead.get(ahead)
    }

    /// Where the next entry is that those who are played say, or that is said to them.
    fn due(&mut self, said: bool) -> Option<usize> {
        let part = self.part;
        for place in 0..AHEAD {
            if part.says(self.nth(place)?) == said {
                return Some(place);
            }
        }
        None
    }

    /// Compares what is said with what was recorded.
    fn hear(&mut self, seen: &Observation<'_>) {
        let Some(next) = self.next().map(|entry| entry.frame) else {
            return;
        };
        let said = self.part.hears(seen);
        let Some(due) = self.due(said) else {
            // Where there is nothing more, the recording may have been cut off.
            if self.end.is_none() {
                self.differ(next, None, Some(tell(seen)));
            }
            return;
        };
        let Some(entry) = self.ahead.remove(due) else {
            return;
        };
        if !self.is_same(&entry, seen) {
            self.differ(entry.frame, Some(&entry), Some(tell(seen)));
            return;
        }
        match entry.said {
            Said::Message { .. } if seen.ticket.to() != Party::NOBODY => {
                self.open.insert(seen.ticket.sequence, entry.sequence);
            }
            Said::Message { .. } => {}
            Said::Reply { .. } | Said::Dropped => {
                self.open.remove(&seen.ticket.sequence);
                self.awaited.remove(&entry.sequence);
            }
        }
        self.matched += u64::from(said);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(entry);
    }

    fn is_same(&mut self, entry: &Entry, seen: &Observation<'_>) -> bool {
        let ticket = &seen.ticket;
        let kind = &entry.kind;
        let same_kind = (kind.from.as_str(), kind.to.as_str(), kind.name.as_str())
            == (*ticket.from.0, *ticket.to().0, ticket.name());
        if !same_kind || entry.tick != seen.tick {
            return false;
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let encoded = self.encodings.encode(seen, &mut bytes).is_ok();
        let same = match (&entry.said, seen.event) {
            (Said::Message { body, awaited }, Event::Message(_)) => {
                let root = if ticket.root == ticket.sequence {
                    Some(entry.sequence)
                } else {
                    self.open.get(&ticket.root).copied()
                };
                *awaited == seen.awaited && root == Some(entry.root) && encoded && bytes == *body
            }
            (Said::Reply { body }, Event::Reply(_)) => {
                self.open.get(&ticket.sequence) == Some(&entry.sequence)
                    && encoded
                    && bytes == *body
            }
            (Said::Dropped, Event::Dropped) => {
                self.open.get(&ticket.sequence) == Some(&entry.sequence)
            }
            _ => false,
        };
        self.bytes = bytes;
        same
    }

    /// The replay is over, since `recorded` is not what came out.
    fn differ(&mut self, frame: u64, recorded: Option<&Entry>, replayed: Option<String>) {
        if self.over.is_some() {
            return;
        }
        self.over = Some(End::Different(Box::new(Difference {
            frame,
            recorded: recorded.map(tell_entry),
            replayed,
            before: self.recent.iter().map(tell_entry).collect(),
        })));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Score> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What shows the score all that is said.
    pub(super) fn tap(&self) -> impl Tap + use<> {
        let shared = self.clone();
        move |seen: &Observation<'_>| shared.lock().hear(seen)
    }

    /// The next entry that is to be played; none when the replay is over.
    pub(super) fn next(&self) -> Option<Entry> {
        self.lock().next().cloned()
    }

    /// Whether an entry is still to be played.
    pub(super) fn is_next(&self, entry: &Entry) -> bool {
        let mut score = self.lock();
        score.next().is_some_and(|next| next.frame == entry.frame)
    }

    /// Whether it is those who are played who say an entry.
    pub(super) fn is_said(&self, entry: &Entry) -> bool {
        self.lock().part.says(entry)
    }

    /// The next entry was played, and can't be heard.
    pub(super) fn played(&self) {
        self.lock().ahead.pop_front();
    }

    /// Keeps the place for an answer until that was given, on behalf of whoever asked.
    pub(super) fn wait_for(&self, recorded: u64, answer: Box<dyn Any + Send>) {
        self.lock().awaited.insert(recorded, answer);
    }

    /// This tick is played from now on.
    pub(super) fn begin(&self, tick: u64) {
        self.lock().tick = tick;
    }

    /// What is announced next within the tick, if it is an `M`.
    pub(super) fn announced<M: Message>(&self) -> Option<M> {
        let entry = {
            let mut score = self.lock();
            let tick = score.tick;
            score.next().filter(|next| next.tick == tick)?.clone()
        };
        self.announcement(&entry)
    }

    /// What those who are played announce next, if it is an `M`; what others say may come before it.
    pub(super) fn announced_by_it<M: Message>(&self) -> Option<M> {
        let entry = {
            let mut score = self.lock();
            let place = score.due(true)?;
            score.nth(place)?.clone()
        };
        self.announcement(&entry)
    }

    fn announcement<M: Message>(&self, entry: &Entry) -> Option<M> {
        let Said::Message { body, .. } = &entry.said else {
            return None;
        };
        let is = entry.kind.to == *Party::NOBODY.0 && entry.kind.name == M::NAME;
        is.then(|| self.decode(entry, body)).flatten()
    }

    /// What is announced next behind a frame, with its own frame, if it is an `M`.
    pub(super) fn announced_behind<M: Message>(&self, frame: u64) -> Option<(u64, M)> {
        let entry = (0..AHEAD).find_map(|ahead| {
            let mut score = self.lock();
            let entry = score.nth(ahead)?;
            (entry.frame > frame && entry.kind.name == M::NAME).then(|| entry.clone())
        })?;
        let Said::Message { body, .. } = &entry.said else {
            return None;
        };
        Some((entry.frame, self.decode(&entry, body)?))
    }

    /// The recorded answer to the message that has this number in the replay.
    pub(super) fn answer<T: DeserializeOwned>(&self, sequence: u64) -> Option<T> {
        let recorded = self.recorded(sequence)?;
        let answer = (0..AHEAD).find_map(|ahead| match self.lock().nth(ahead)? {
            entry if entry.sequence != recorded => None,
            Entry {
                said: Said::Reply { body },
                ..
            } => Some(body.clone()),
            _ => None,
        })?;
        whole(&answer).ok()
    }

    /// The recorded number of a message that is not answered.
    pub(super) fn recorded(&self, sequence: u64) -> Option<u64> {
        self.lock().open.get(&sequence).copied()
    }

    /// What an entry carries; the replay is over where it can't be read.
    pub(super) fn decode<T: DeserializeOwned>(&self, entry: &Entry, body: &[u8]) -> Option<T> {
        whole(body)
            .map_err(|damage| self.damaged(entry, damage))
            .ok()
    }

    /// An entry can't be read.
    pub(super) fn damaged(&self, entry: &Entry, damage: Damage) {
        let mut score = self.lock();
        if score.over.is_none() {
            let error = score.trace.damage_of(entry, damage);
            score.over = Some(End::Damaged(error));
        }
    }

    /// This entry was recorded, and the replay does not come to it.
    pub(super) fn missing(&self, entry: &Entry) {
        self.lock().differ(entry.frame, Some(entry), None);
    }

    /// How the replay ended, after so many ticks.
    pub(super) fn end(&self, ticks: u64) -> Result<Replayed, ReplayError> {
        let mut score = self.lock();
        match score.over.take() {
            Some(End::Different(difference)) => Err(ReplayError::Difference(difference)),
            Some(End::Damaged(error)) => Err(error.into()),
            Some(End::Played) | None => Ok(Replayed {
                messages: score.matched,
                ticks,
            }),
        }
    }
}

/// One line.
fn tell(seen: &Observation<'_>) -> String {
    let ticket = &seen.ticket;
    let (from, to, name) = (ticket.from, ticket.to(), ticket.name());
    let tick = seen.tick;
    match seen.event {
        Event::Message(body) => format!("tick {tick}: {from} to {to}: {}", short(body)),
        Event::Reply(body) => format!("tick {tick}: {to} to {from}: {name} gives {}", short(body)),
        Event::Dropped => format!("tick {tick}: {to} to {from}: {name} has no answer"),
    }
}

fn tell_entry(entry: &Entry) -> String {
    let (from, to, name) = (&entry.kind.from, &entry.kind.to, &entry.kind.name);
    let tick = entry.tick;
    let body = match decode(entry) {
        Ok(Some(body)) => short(&*body),
        Ok(None) => String::new(),
        Err(damage) => damage.to_string(),
    };
    match entry.said {
        Said::Message { .. } => format!("tick {tick}: {from} to {to}: {body}"),
        Said::Reply { .. } => format!("tick {tick}: {to} to {from}: {name} gives {body}"),
        Said::Dropped => format!("tick {tick}: {to} to {from}: {name} has no answer"),
    }
}

/// A message or reply, cut where it gets long.
fn short(body: &(impl fmt::Debug + ?Sized)) -> String {
    const MOST: usize = 300;
    let text = format!("{body:?}");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
