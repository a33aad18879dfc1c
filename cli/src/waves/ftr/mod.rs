//! `vhost trace export --ftr`: converts the requests of a recording to transactions in FTR.
//!
//! A channel is a stream, a kind of request is a generator, and a request is a transaction. There
//! are no relations: a transaction contains both the request and its response.
//!
//! - `strings`: texts by number.
//! - `chunks`: parts of the file, in CBOR.

mod chunks;
mod strings;

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use vhost::messages::ServedRequest;

use super::export::{self, Destination, Export};
use super::requests::{Dropped, Lanes, Timed};
use super::segments::Segment;
use super::steps::{Steps, TimeBase};
use super::{UNANSWERED, period, request_text, result_text};
use crate::ExitOutcome;
use crate::output::Sanitized;
use crate::trace::{DecodedEntry, EntryReader};
use chunks::{Attribute, AttributeTime, Chunks, Transaction};

/// Arguments of a request that have names.
const ARGUMENTS: [&str; 8] = [
    "argument 0",
    "argument 1",
    "argument 2",
    "argument 3",
    "argument 4",
    "argument 5",
    "argument 6",
    "argument 7",
];

/// Writes a recording to `output`, or to standard output. `period_given`: period of a tick in
/// picoseconds.
pub(crate) fn write(
    recording: &Path,
    output: Option<&Path>,
    period_given: Option<u64>,
) -> Result<ExitOutcome> {
    let reader = EntryReader::of(recording, output.is_none())?;
    let base = TimeBase::of(period(period_given, &reader));
    let destination = Destination::of(recording, output)?;
    // From the recording, so that the same recording gives the same file.
    let changed = recording.metadata().and_then(|of| of.modified()).ok();
    let since = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let created = since.map_or(0, |since| since.as_secs());
    let chunks = Chunks::begin(destination.writer()?, base.exponent, created);
    let transactions = Transactions {
        chunks: chunks.with_context(|| destination.cant_write())?,
        base,
        steps: Steps::new(base.per_tick),
        lanes: Lanes::default(),
        now: 0,
        streams: HashMap::new(),
        generators: HashMap::new(),
        transactions: 0,
    };
    export::write(reader, destination, transactions)
}

/// Export in progress.
struct Transactions<W: Write> {
    chunks: Chunks<W>,
    base: TimeBase,
    steps: Steps,
    lanes: Lanes,
    /// Time of the last entry or request.
    now: u64,
    /// Streams of the current segment, by the number of the channel.
    streams: HashMap<usize, u64>,
    generators: HashMap<(usize, &'static str), u64>,
    transactions: u64,
}

impl<W: Write> Export for Transactions<W> {
    fn add(&mut self, decoded: &DecodedEntry, segment: Segment) -> io::Result<()> {
        let tick = decoded.entry.tick;
        self.now = self.now.max(self.steps.begin_of(tick));
        if decoded.served().is_some() {
            let now = self.steps.advance(tick);
            if let Some((timed, served)) = self.lanes.request(decoded, now, &self.steps) {
                self.now = self.now.max(timed.end);
                self.request(&timed, served, tick, segment)?;
            }
        }
        Ok(())
    }

    fn unanswered(&mut self, dropped: Dropped, segment: Segment, _: bool) -> io::Result<()> {
        for unanswered in self.lanes.unanswered(dropped, self.now, &self.steps) {
            let timed = unanswered.timed;
            let attributes = [
                (
                    AttributeTime::Begin,
                    "request",
                    Attribute::Text(&unanswered.text),
                ),
                (
                    AttributeTime::Begin,
                    "number",
                    Attribute::Number(timed.number),
                ),
                (
                    AttributeTime::Begin,
                    "seen",
                    Attribute::Number(unanswered.seen),
                ),
                (AttributeTime::End, "result", Attribute::Text(UNANSWERED)),
            ];
            self.transaction(&timed, unanswered.kind, segment, &attributes)?;
        }
        Ok(())
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        self.now = 0;
        self.steps = Steps::new(self.base.per_tick);
        self.lanes.restart();
        self.streams.clear();
        self.generators.clear();
        self.chunks.flush()
    }

    fn finish(self) -> io::Result<()> {
        self.chunks.finish()
    }
}

impl<W: Write> Transactions<W> {
    fn request(
        &mut self,
        timed: &Timed,
        served: &dyn ServedRequest,
        tick: u64,
        segment: Segment,
    ) -> io::Result<()> {
        let (request, result) = (request_text(served), result_text(served));
        let mut attributes = vec![
            (AttributeTime::Begin, "request", Attribute::Text(&request)),
            (
                AttributeTime::Begin,
                "number",
                Attribute::Number(timed.number),
            ),
            (
                AttributeTime::Begin,
                "taken",
                Attribute::Number(served.since()),
            ),
        ];
        let arguments = ARGUMENTS.into_iter().zip(served.args());
        attributes.extend(arguments.map(|(name, value)| {
            let value = Attribute::Number(*value);
            (AttributeTime::Begin, name, value)
        }));
        attributes.push((AttributeTime::End, "result", Attribute::Text(&result)));
        attributes.push((AttributeTime::End, "answered", Attribute::Number(tick)));
        self.transaction(timed, served.kind(), segment, &attributes)
    }

    fn transaction(
        &mut self,
        timed: &Timed,
        kind: &'static str,
        segment: Segment,
        attributes: &[(AttributeTime, &'static str, Attribute<'_>)],
    ) -> io::Result<()> {
        let stream = match self.streams.get(&timed.lane) {
            Some(stream) => *stream,
            None => {
                let name = self.lanes.names().get(timed.lane);
                let name = Sanitized(name.map_or("", |name| name));
                let name = format!("{name}{}", segment.suffix());
                let stream = self.chunks.stream(&name, "channel")?;
                self.streams.insert(timed.lane, stream);
                stream
            }
        };
        let generator = match self.generators.get(&(timed.lane, kind)) {
            Some(generator) => *generator,
            None => {
                let generator = self.chunks.generator(kind, stream)?;
                self.generators.insert((timed.lane, kind), generator);
                generator
            }
        };
        self.transactions += 1;
        self.chunks.transaction(
            stream,
            &Transaction {
                number: self.transactions,
                generator,
                begin: timed.begin,
                end: timed.end,
                attributes,
            },
        )
    }
}
