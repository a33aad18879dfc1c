//! Writer of recordings.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blocks::Blocks;
use super::compressed::{Compressor, MOST_BLOCK};
use super::format::{Header, Kind, MAGIC, OLDEST_FORMAT};
use super::head::{Head, Position};
use super::kind_map::KindMap;
use super::landmark::Landmark;
use super::payload::redacted;
use super::vocabulary::{Encoded, Encoding, encode};
use super::{Payloads, TraceError};
use crate::attach::{AtExit, end_at_exit};
use crate::bus::{Event, Message as _, Observation, Tap, Ticket};
use crate::guest::OutputFile;
use crate::messages::foreign::{self, Report, Severity};

/// Tap that records all messages and replies in a file.
///
/// The file is written during the run, in blocks. It is flushed at least every second of wall time in which the system ticks, when the
/// system has been idle for a while, when the watchdog or a fatal error is reported, when the recorder is dropped, and when the process
/// exits by `exit`. If the file can't be written any more, the recording ends, and the run continues.
pub struct Recorder {
    file: PathBuf,
    output: Arc<Mutex<Output>>,
    payloads: Payloads,
    known: KindMap<Known>,
    /// Kinds of messages so far, by their numbers.
    kinds: Vec<Kind>,
    position: Position,
    /// Sequence number of the first message.
    first: Option<u64>,
    /// Root of the message that the last event answered; `None` if it was a message.
    answered: Option<u64>,
    /// State of the parts of a compressed recording; `None` for one that is not compressed.
    parts: Option<Parts>,
    failed: bool,
    on_failure: Box<dyn FnMut(&TraceError) + Send>,
}

/// File, and frames that are not written yet.
struct Output {
    file: OutputFile,
    blocks: Blocks,
    /// Number of frames so far.
    frames: u64,
    /// Compressor, if the recording is compressed.
    compressor: Option<Compressor>,
}

/// Parts of a compressed recording, each from a landmark to the next.
#[derive(Debug, Clone, Copy)]
struct Parts {
    /// Sequence numbers below are those of messages before the last landmark.
    first: u64,
    /// Largest sequence number of a message.
    largest: u64,
    /// True if the present part goes back in time.
    goes_back: bool,
    /// Number of bytes from which on a part ends with its tick.
    size: u64,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            first: 0,
            largest: 0,
            goes_back: false,
            size: PART,
        }
    }
}

/// Kind of message that has been defined.
#[derive(Debug, Clone, Copy)]
struct Known {
    number: u32,
    encoding: Encoding,
    is_report: bool,
}

/// Number of bytes that are written at a time, or a little more.
const BUFFER: usize = 64 * 1024;

/// Number of bytes from which on a part of a compressed recording ends with its tick.
const PART: u64 = 1 << 20;

impl Recorder {
    /// Starts a recording. In the file's name, `%p` is replaced by the process id and `%t` by the time of the start.
    ///
    /// # Errors
    /// Fails if the file can't be written, or if another recorder, log or process is writing it.
    pub fn create(file: impl AsRef<Path>, header: &Header) -> Result<Self, TraceError> {
        let output = OutputFile::create(file.as_ref()).map_err(|error| TraceError::Io {
            file: error.path,
            cause: error.cause,
        })?;
        let file = output.path().to_owned();
        let mut blocks = Blocks::default();
        blocks.bare(&MAGIC);
        blocks.bare(&header.format().to_le_bytes());
        let compressor = header.compressed.then(Compressor::new).transpose();
        let output = Arc::new(Mutex::new(Output {
            file: output,
            blocks,
            frames: 0,
            compressor: compressor.map_err(|cause| TraceError::Io {
                file: file.clone(),
                cause,
            })?,
        }));
        end_at_exit(&output);

        let recorder = Self {
            output,
            payloads: header.payloads,
            known: KindMap::default(),
            kinds: Vec::new(),
            position: Position::default(),
            first: None,
            answered: None,
            parts: header.compressed.then(Parts::default),
            failed: false,
            on_failure: Box::new(|error| tracing::error!("{error}")),
            file,
        };
        recorder
            .write(|frame| {
                encode(header, frame)?;
                match header.format() {
                    OLDEST_FORMAT => Ok(()),
                    _ => encode(&header.run, frame),
                }
            })
            .and_then(|()| recorder.write_out())
            .map_err(|cause| recorder.error(cause))?;
        Ok(recorder)
    }

    /// Sets a function that is called once, if the recording can't continue. By default, the error is logged.
    #[must_use]
    pub fn on_failure(mut self, tell: impl FnMut(&TraceError) + Send + 'static) -> Self {
        self.on_failure = Box::new(tell);
        self
    }

    /// Sets the number of bytes of a part.
    #[cfg(test)]
    pub(super) fn with_parts_of(mut self, bytes: u64) -> Self {
        if let Some(parts) = &mut self.parts {
            parts.size = bytes;
        }
        self
    }

    fn record(&mut self, seen: &Observation<'_>) -> io::Result<()> {
        let Observation {
            ticket,
            tick,
            awaited,
            event,
        } = *seen;
        let sequence = ticket.sequence;
        let is_message = matches!(event, Event::Message(_));
        if is_message {
            self.first.get_or_insert(sequence);
        } else if self.first.is_none_or(|first| sequence < first) {
            // Shown for a tap that was attached when the message was posted.
            return Ok(());
        }
        if self.parts.is_some() {
            self.part(seen)?;
        }
        let answers = (!is_message).then_some(ticket.root);
        let answered = std::mem::replace(&mut self.answered, answers);
        let replaced;
        let mut is_report = false;
        let (head, content) = if answers.is_some() && answers == answered {
            // A message that was forwarded: taps see the same reply again.
            (Head::Again { sequence }, None)
        } else {
            let known = self.known(&ticket)?;
            is_report = known.is_report;
            let Encoding { message, reply } = known.encoding;
            let (head, encode) = match event {
                Event::Message(_) => {
                    let head = Head::Message {
                        sequence,
                        root: ticket.root,
                        kind: known.number,
                        awaited,
                    };
                    (head, message)
                }
                Event::Reply(_) => (Head::Reply { sequence }, reply),
                Event::Dropped => (Head::Dropped { sequence }, reply),
            };
            let body = event.body();
            replaced = body.and_then(|body| redacted(body, self.payloads));
            let body = replaced.as_deref().or(body);
            (head, body.map(|body| (encode, body)))
        };
        let mut position = self.position;
        self.write(|frame| {
            position.write(head, tick, frame);
            content.map_or(Ok(()), |(encode, body)| encode(body, frame))
        })?;
        self.position = position;
        let is_fatal = is_report
            && event
                .is::<Report>()
                .is_some_and(|report| report.severity == Severity::Fatal);
        if is_fatal { self.write_out() } else { Ok(()) }
    }

    /// Ends the part of a compressed recording before an event, and gives an earlier part's message again that the event answers.
    #[inline(never)]
    fn part(&mut self, seen: &Observation<'_>) -> io::Result<()> {
        let Observation { ticket, tick, .. } = seen;
        if *tick != self.position.tick {
            self.end_part()?;
        }
        let Some(parts) = &mut self.parts else {
            return Ok(());
        };
        parts.goes_back |= *tick < self.position.tick;
        let (sequence, root) = (ticket.sequence, ticket.root);
        if let Event::Message(_) = seen.event {
            parts.largest = parts.largest.max(sequence);
        } else if sequence < parts.first {
            let position = self.position;
            let head = Head::Earlier {
                sequence,
                root,
                kind: self.known(ticket)?.number,
            };
            self.write(|frame| {
                position.clone().write(head, position.tick, frame);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Ends a part that is large enough.
    fn end_part(&mut self) -> io::Result<()> {
        let Some(parts) = &mut self.parts else {
            return Ok(());
        };
        let mut output = lock(&self.output);
        if !output.has_part_of(parts.size) {
            return Ok(());
        }
        output.end_part()?;
        let landmark = Landmark {
            frame: output.frames,
            sequence: self.position.sequence,
            tick: self.position.tick,
            goes_back: std::mem::take(&mut parts.goes_back),
            kinds: self.kinds.clone(),
        };
        output.append(|frame| {
            Position::default().write(Head::Landmark, 0, frame);
            encode(&landmark, frame)
        })?;
        // A reader that looks for a landmark unpacks its block alone.
        output.write_out()?;
        parts.first = parts.largest + 1;
        // The last reply is in the part before.
        self.answered = None;
        Ok(())
    }

    /// Returns the kind of a message. The first time, writes its definition.
    #[inline]
    fn known(&mut self, ticket: &Ticket) -> io::Result<Known> {
        match self.known.get(ticket.kind_id()) {
            Some(known) => Ok(*known),
            None => self.define(ticket),
        }
    }

    /// Writes the definition of a message's kind.
    #[cold]
    fn define(&mut self, ticket: &Ticket) -> io::Result<Known> {
        let kind = Kind {
            from: ticket.from.to_string(),
            to: ticket.to().to_string(),
            name: ticket.name().to_owned(),
        };
        let encoding = Encoding::of(&kind.to, &kind.name);
        let at = self.kinds.iter().position(|known| *known == kind);
        if at.is_none() {
            let Position { tick, .. } = self.position;
            self.write(|frame| {
                Position::default().write(Head::Kind, tick, frame);
                encode(&kind, frame)
            })?;
            self.kinds.push(kind);
        }
        // The number of kinds is bounded by the number of message types times the number of senders.
        let number = at.unwrap_or(self.kinds.len() - 1) as u32;
        let known = Known {
            number,
            encoding,
            is_report: ticket.to() == foreign::ENDPOINT && ticket.name() == Report::NAME,
        };
        self.known.insert(ticket.kind_id(), known);
        Ok(known)
    }

    /// Appends one frame to the buffer.
    #[inline]
    fn write(&self, content: impl FnOnce(&mut Vec<u8>) -> Encoded) -> io::Result<()> {
        lock(&self.output).append(content)
    }

    /// Writes the buffer to the file.
    fn write_out(&self) -> io::Result<()> {
        lock(&self.output).write_out()
    }

    /// Ends the recording after an error.
    #[cold]
    fn fail(&mut self, cause: io::Error) {
        self.failed = true;
        let error = self.error(cause);
        (self.on_failure)(&error);
    }

    fn error(&self, cause: io::Error) -> TraceError {
        TraceError::Io {
            file: self.file.clone(),
            cause,
        }
    }
}

impl Output {
    /// Appends one frame to the buffer.
    #[inline]
    fn append(&mut self, content: impl FnOnce(&mut Vec<u8>) -> Encoded) -> io::Result<()> {
        self.blocks.frame(content).map_err(encoding_error)?;
        self.frames += 1;
        match self.blocks.len() {
            0..BUFFER => Ok(()),
            _ => self.write_out(),
        }
    }

    /// Writes the buffer to the file.
    fn write_out(&mut self) -> io::Result<()> {
        self.write_to_file(Compressor::compress)
    }

    /// True if the part of a compressed recording has this number of bytes.
    fn has_part_of(&self, bytes: u64) -> bool {
        let compressor = self.compressor.as_ref();
        compressor.is_some_and(|it| it.content() + self.blocks.len() as u64 >= bytes)
    }

    /// Writes the buffer of a compressed recording to the file, and ends the frame of zstd.
    fn end_part(&mut self) -> io::Result<()> {
        self.write_to_file(Compressor::compress_and_end)
    }

    /// Writes the buffer to the file, as the compressor gives it.
    fn write_to_file(
        &mut self,
        compress: for<'a> fn(&'a mut Compressor, &[u8]) -> io::Result<&'a [u8]>,
    ) -> io::Result<()> {
        let Self {
            file,
            blocks,
            compressor,
            ..
        } = self;
        let completed = blocks.completed().map_err(encoding_error);
        let written = completed.and_then(|bytes| match compressor {
            None => file.write_all(bytes),
            Some(_) if bytes.len() > MOST_BLOCK as usize => Err(too_large()),
            Some(compressor) => file.write_all(compress(compressor, bytes)?),
        });
        blocks.clear();
        written?;
        self.file.flush()
    }

    /// Writes the buffer to the file, with the end of a compressed one.
    fn finish(&mut self) -> io::Result<()> {
        self.write_out()?;
        if let Some(compressor) = &mut self.compressor {
            self.file.write_all(compressor.finish()?)?;
        }
        self.file.flush()
    }
}

/// Error for a block that is refused when the recording is read.
#[cold]
fn too_large() -> io::Error {
    let limit = MOST_BLOCK >> 20;
    io::Error::other(format!(
        "a message has more than {limit} MiB: record it without compression"
    ))
}

#[cold]
fn encoding_error(text: Box<str>) -> io::Error {
    io::Error::other(String::from(text))
}

impl Drop for Output {
    fn drop(&mut self) {
        // Callers that can handle an error have flushed before.
        let _ = self.finish();
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Tap for Recorder {
    fn observe(&mut self, seen: &Observation<'_>) {
        if self.failed {
            return;
        }
        if let Err(cause) = self.record(seen) {
            self.fail(cause);
        }
    }

    fn flush(&mut self) {
        if self.failed {
            return;
        }
        if let Err(cause) = self.write_out() {
            self.fail(cause);
        }
    }
}

impl AtExit for Output {
    fn end(&mut self) -> io::Result<()> {
        self.finish()
    }
}

/// Locks a mutex, ignoring poison: no code panics while it holds one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
