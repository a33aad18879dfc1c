//! `vhost trace export --perfetto`: converts a recording to a trace-event file for trace viewers.
//!
//! One microsecond in the viewer is one tick. Messages within a tick follow each other at distances
//! of a nanosecond, up to the end of the tick.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use vhost::trace::Content;

use super::entry::{MOST, served_text, text};
use super::entry_reader::{DecodedEntry, EntryReader};
use crate::Outcome;
use crate::output::out;

/// Time steps within a tick.
const STEPS: u64 = 1000;

/// Writes a recording to `output`, or to standard output.
pub(super) fn write(recording: &Path, output: Option<&Path>) -> Result<Outcome> {
    let entry_reader = EntryReader::of(recording, output.is_none())?;
    let Some(file) = output else {
        return export(entry_reader, "standard output", out());
    };
    let name = file.display().to_string();
    if is_same(recording, file) {
        bail!("{name} is the recording; give the output another name");
    }
    let to = File::create(file).with_context(|| cant_write(&name))?;
    export(entry_reader, &name, BufWriter::new(to))
}

/// True if both paths are the same file.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(Path::canonicalize);
    matches!((one, other), (Ok(one), Ok(other)) if one == other)
}

fn cant_write(name: &str) -> String {
    format!("can't write {name}")
}

/// Writes the events to `to`, a file or stream called `name`.
fn export(mut entry_reader: EntryReader, name: &str, to: impl Write) -> Result<Outcome> {
    let failed = || cant_write(name);
    let mut events = Events::begin(to).with_context(failed)?;
    let mut builder = EventBuilder::default();
    let end = entry_reader.try_for_each(|decoded| match decoded {
        Ok(decoded) => builder.add(&decoded, &mut events).with_context(failed),
        Err(error) => Err(error).context("what follows is left out"),
    });
    // Entries before the damage are kept.
    events.end().with_context(failed)?;
    end?;
    Ok(Outcome::Passed)
}

/// The two groups of tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Group {
    Actors = 1,
    Channels = 2,
}

/// Track of the viewer.
#[derive(Debug, Clone, Copy)]
struct Track {
    pid: u32,
    tid: u32,
}

/// Event of the trace-event format. Times are in microseconds.
#[derive(Default, Serialize)]
struct Event<'a> {
    ph: &'static str,
    pid: u32,
    tid: u32,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    /// Common identifier of both ends of a flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    /// Binding point of a flow's end: the enclosing slice.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'static str>,
    /// Scope of an instant event: its own track.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Arguments<'a>>,
}

/// Properties that the viewer shows of a selected event; for metadata events, the name of the
/// track.
#[derive(Default, Serialize)]
struct Arguments<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tick: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// Writes events, one per line.
struct Events<W> {
    to: W,
    first: bool,
}

impl<W: Write> Events<W> {
    fn begin(mut to: W) -> io::Result<Self> {
        write!(to, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        Ok(Self { to, first: true })
    }

    fn write(&mut self, event: &Event<'_>) -> io::Result<()> {
        let separator: &[u8] = if self.first { b"\n" } else { b",\n" };
        self.first = false;
        self.to.write_all(separator)?;
        Ok(serde_json::to_writer(&mut self.to, event)?)
    }

    fn end(mut self) -> io::Result<()> {
        self.to.write_all(b"\n]}\n")?;
        self.to.flush()
    }
}

/// Converts entries to events.
#[derive(Default)]
struct EventBuilder {
    tracks: HashMap<(Group, Arc<str>), Track>,
    actors: u32,
    channels: u32,
    /// Time of the last entry, in steps.
    now: u64,
    /// End of each channel's last request, in steps.
    ends: HashMap<u32, u64>,
    /// Messages whose reply is awaited.
    awaited: HashSet<u64>,
}

impl EventBuilder {
    fn add<W: Write>(&mut self, decoded: &DecodedEntry, events: &mut Events<W>) -> io::Result<()> {
        self.advance(decoded.entry.tick);
        if let (Some(served), Some(channel)) = (decoded.served(), &decoded.channel) {
            let track = self.track(Group::Channels, channel, events)?;
            let request = (served.since(), served.kind(), served_text(served));
            return self.request(request, track, decoded, events);
        }
        let kind = &decoded.entry.kind;
        match (&decoded.entry.content, &decoded.channel) {
            (Content::Message { .. }, channel) if kind.to == "nobody" => {
                let track = match channel {
                    Some(channel) => self.track(Group::Channels, channel, events),
                    None => self.track(Group::Actors, &kind.from, events),
                }?;
                events.write(&Event {
                    ph: "i",
                    s: Some("t"),
                    cat: Some("announcement"),
                    args: Some(arguments(decoded)),
                    ..self.at(track, &kind.name)
                })
            }
            (Content::Message { awaited, .. }, _) => {
                let track = self.track(Group::Actors, &kind.to, events)?;
                self.slice("message", track, decoded, events)?;
                if *awaited && self.awaited.insert(decoded.entry.sequence) {
                    events.write(&Event {
                        ph: "s",
                        cat: Some("reply"),
                        id: Some(decoded.entry.sequence),
                        ..self.at(track, &kind.name)
                    })?;
                }
                Ok(())
            }
            (Content::Reply { .. } | Content::Dropped, _) => {
                if !self.awaited.remove(&decoded.entry.sequence) {
                    return Ok(());
                }
                let track = self.track(Group::Actors, &kind.from, events)?;
                self.slice("reply", track, decoded, events)?;
                events.write(&Event {
                    ph: "f",
                    bp: Some("e"),
                    cat: Some("reply"),
                    id: Some(decoded.entry.sequence),
                    ..self.at(track, &kind.name)
                })
            }
        }
    }

    /// Advances to the next time step.
    fn advance(&mut self, tick: u64) {
        let begin = tick.saturating_mul(STEPS);
        let last = begin.saturating_add(STEPS - 1);
        // Never backwards, even in a damaged file.
        self.now = if self.now < begin {
            begin
        } else {
            self.now.max(self.now.saturating_add(1).min(last))
        };
    }

    /// Slice of a message: one time step.
    fn slice<W: Write>(
        &self,
        what: &'static str,
        track: Track,
        decoded: &DecodedEntry,
        events: &mut Events<W>,
    ) -> io::Result<()> {
        events.write(&Event {
            ph: "X",
            cat: Some(what),
            dur: Some(time(1)),
            args: Some(arguments(decoded)),
            ..self.at(track, &decoded.entry.kind.name)
        })
    }

    /// Slice of a request, from its arrival to its response. Requests of one channel do not
    /// overlap.
    fn request<W: Write>(
        &mut self,
        (since, kind, text): (u64, &'static str, String),
        track: Track,
        decoded: &DecodedEntry,
        events: &mut Events<W>,
    ) -> io::Result<()> {
        let end = self.now.saturating_add(1);
        let before = self.ends.insert(track.tid, end).unwrap_or_default();
        let begin = since.saturating_mul(STEPS).max(before).min(self.now);
        events.write(&Event {
            ph: "X",
            cat: Some("request"),
            ts: Some(time(begin)),
            dur: Some(time(end - begin)),
            args: Some(Arguments {
                text: Some(text),
                ..arguments(decoded)
            }),
            ..self.at(track, kind)
        })
    }

    fn at<'a>(&self, track: Track, name: &'a str) -> Event<'a> {
        Event {
            pid: track.pid,
            tid: track.tid,
            name,
            ts: Some(time(self.now)),
            ..Event::default()
        }
    }

    /// Track of this name. The first use writes its name to the file.
    fn track<W: Write>(
        &mut self,
        group: Group,
        name: &str,
        events: &mut Events<W>,
    ) -> io::Result<Track> {
        let key = (group, Arc::from(name));
        if let Some(track) = self.tracks.get(&key) {
            return Ok(*track);
        }
        let pid = group as u32;
        let count = match group {
            Group::Actors => &mut self.actors,
            Group::Channels => &mut self.channels,
        };
        *count = count.saturating_add(1);
        let tid = *count;
        let track = Track { pid, tid };
        self.tracks.insert(key, track);
        let mut write_name = |what, name| {
            events.write(&Event {
                ph: "M",
                pid,
                tid,
                name: what,
                args: Some(Arguments {
                    name: Some(name),
                    ..Arguments::default()
                }),
                ..Event::default()
            })
        };
        if tid == 1 {
            let group = match group {
                Group::Actors => "actors",
                Group::Channels => "channels",
            };
            write_name("process_name", group)?;
        }
        write_name("thread_name", name)?;
        Ok(track)
    }
}

fn arguments(decoded: &DecodedEntry) -> Arguments<'_> {
    let entry = &decoded.entry;
    Arguments {
        name: None,
        channel: decoded.channel.as_deref(),
        from: Some(&entry.kind.from),
        sequence: Some(entry.sequence),
        tick: Some(entry.tick),
        text: Some(text(decoded, MOST)),
    }
}

/// Converts steps to microseconds.
fn time(steps: u64) -> f64 {
    steps as f64 / STEPS as f64
}
