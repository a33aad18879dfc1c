//! `vhost trace export --perfetto`: converts a recording to packets for Perfetto's trace viewer.
//!
//! One microsecond in the viewer is one tick. Messages within a tick have distances of one
//! nanosecond, up to the end of the tick.
//!
//! - `packets`: written messages of Perfetto's format.
//! - `interned`: frequent texts, by number.
//! - `writer`: tracks and events.

mod interned;
mod packets;
mod writer;

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use vhost::trace::Content;

use super::export::{self, Destination, Export};
use super::requests::{Dropped, Lanes};
use super::segments::Segment;
use super::steps::Steps;
use super::{MAX_NAMES, UNANSWERED};
use crate::ExitOutcome;
use crate::trace::{DecodedEntry, EntryReader, MAX_CHARACTERS, entry_text, served_text};
use packets::EventType;
use writer::{Event, Flow, TrackId, Value, Writer};

/// Number of nanoseconds of a tick.
const STEPS: u64 = 1000;

/// Maximum number of messages that await a reply at the same time. Further ones have no arrow to
/// their reply.
const MAX_AWAITED_REPLIES: usize = 1 << 20;

/// Writes a recording to `output`, or to standard output.
pub(crate) fn write(recording: &Path, output: Option<&Path>) -> Result<ExitOutcome> {
    let reader = EntryReader::of(recording, output.is_none())?;
    let destination = Destination::of(recording, output)?;
    let packets = Packets::new(destination.writer()?);
    export::write(reader, destination, packets)
}

/// The two groups of tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Group {
    Actors,
    Channels,
}

impl Group {
    fn name(self) -> &'static str {
        match self {
            Self::Actors => "actors",
            Self::Channels => "channels",
        }
    }
}

/// Export in progress.
struct Packets<W> {
    writer: Writer<W>,
    steps: Steps,
    /// Time of the last entry.
    now: u64,
    lanes: Lanes,
    /// Tracks of the current segment.
    groups: HashMap<Group, TrackId>,
    tracks: HashMap<(Group, Arc<str>), TrackId>,
    /// Messages that await a reply.
    awaited: HashSet<u64>,
}

impl<W: Write> Export for Packets<W> {
    fn add(&mut self, decoded: &DecodedEntry, segment: Segment) -> io::Result<()> {
        self.now = self.steps.advance(decoded.entry.tick);
        if decoded.served().is_some() && decoded.channel.is_some() {
            self.request(decoded, segment)
        } else {
            self.event(decoded, segment)
        }
    }

    /// Begins slices for requests without a response. The last one of a track has no end.
    fn unanswered(&mut self, dropped: Dropped, segment: Segment, is_last: bool) -> io::Result<()> {
        for unanswered in self.lanes.unanswered(dropped, self.now, &self.steps) {
            let Some(name) = self.lanes.names().get(unanswered.timed.lane).cloned() else {
                continue;
            };
            let track = self.track(Group::Channels, &name, segment)?;
            let text = format!("{}; {UNANSWERED}", unanswered.text);
            let (timed, kind) = (unanswered.timed, unanswered.kind);
            self.writer.event(&Event {
                values: &[
                    ("channel", Value::Text(&name)),
                    ("text", Value::Text(&text)),
                ],
                ..Event::at(EventType::SliceBegin, timed.begin, track, kind, "request")
            })?;
            if !is_last {
                self.writer.end_slice(timed.end, track)?;
            }
        }
        Ok(())
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        (self.steps, self.now) = (Steps::new(STEPS), 0);
        self.lanes.restart();
        self.groups.clear();
        self.tracks.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl<W: Write> Packets<W> {
    fn new(to: W) -> Self {
        Self {
            writer: Writer::new(to),
            steps: Steps::new(STEPS),
            now: 0,
            lanes: Lanes::default(),
            groups: HashMap::new(),
            tracks: HashMap::new(),
            awaited: HashSet::new(),
        }
    }

    fn event(&mut self, decoded: &DecodedEntry, segment: Segment) -> io::Result<()> {
        let now = self.now;
        let entry = &decoded.entry;
        let kind = &entry.kind;
        let text = entry_text(decoded, MAX_CHARACTERS);
        let values = values(decoded, &text);
        let instant = |track, category, flow| Event {
            flow,
            values: &values,
            ..Event::at(EventType::Instant, now, track, &kind.name, category)
        };
        match (&entry.content, &decoded.channel) {
            (Content::Message { .. }, channel) if kind.to == "nobody" => {
                let track = match channel {
                    Some(channel) => self.track(Group::Channels, channel, segment)?,
                    None => self.track(Group::Actors, &kind.from, segment)?,
                };
                self.writer
                    .event(&instant(track, "announcement", Flow::None))
            }
            (Content::Message { awaited, .. }, _) => {
                let track = self.track(Group::Actors, &kind.to, segment)?;
                let begins = *awaited
                    && self.awaited.len() < MAX_AWAITED_REPLIES
                    && self.awaited.insert(entry.sequence);
                let flow = if begins {
                    Flow::From(entry.sequence)
                } else {
                    Flow::None
                };
                self.writer.event(&instant(track, "message", flow))
            }
            (Content::Reply { .. } | Content::Dropped, _) => {
                if !self.awaited.remove(&entry.sequence) {
                    return Ok(());
                }
                let track = self.track(Group::Actors, &kind.from, segment)?;
                let flow = Flow::To(entry.sequence);
                self.writer.event(&instant(track, "reply", flow))
            }
        }
    }

    /// Slice of a request, from its arrival to its response.
    fn request(&mut self, decoded: &DecodedEntry, segment: Segment) -> io::Result<()> {
        let request = self.lanes.request(decoded, self.now, &self.steps);
        let (Some((timed, served)), Some(channel)) = (request, &decoded.channel) else {
            return Ok(());
        };
        let track = self.track(Group::Channels, channel, segment)?;
        let text = served_text(served);
        let values = values(decoded, &text);
        let kind = served.kind();
        self.writer.event(&Event {
            values: &values,
            ..Event::at(EventType::SliceBegin, timed.begin, track, kind, "request")
        })?;
        self.writer.end_slice(timed.end, track)
    }

    /// Track with this name. Its first use in a segment describes it.
    fn track(&mut self, group: Group, name: &str, segment: Segment) -> io::Result<TrackId> {
        let key = (group, Arc::from(name));
        if let Some(track) = self.tracks.get(&key) {
            return Ok(*track);
        }
        let parent = match self.groups.get(&group) {
            Some(parent) => *parent,
            None => {
                let name = format!("{}{}", group.name(), segment.suffix());
                let parent = self.writer.track(None, &name)?;
                self.groups.insert(group, parent);
                parent
            }
        };
        if self.tracks.len() >= MAX_NAMES {
            return Ok(parent);
        }
        let track = self.writer.track(Some(parent), name)?;
        self.tracks.insert(key, track);
        Ok(track)
    }
}

/// Properties of an event that the viewer shows.
fn values<'a>(decoded: &'a DecodedEntry, text: &'a str) -> Vec<(&'static str, Value<'a>)> {
    let entry = &decoded.entry;
    let mut values = vec![
        ("from", Value::Text(&entry.kind.from)),
        ("sequence", Value::Number(entry.sequence)),
        ("text", Value::Text(text)),
    ];
    if let Some(channel) = &decoded.channel {
        values.push(("channel", Value::Text(channel)));
    }
    values
}
