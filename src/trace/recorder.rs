//! Writer of recordings.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::codec::{Encode, Encoding, encode};
use super::format::{Header, Kind};
use super::frame_header::{FrameHeader, Position};
use super::kind_map::KindMap;
use super::output::{Chunks, Output};
use super::payload::redacted;
use super::{Payloads, TraceError};
use crate::attach::end_at_exit;
use crate::bus::{Body, Content, Message as _, Observation, Tap, Ticket};
use crate::messages::foreign::{self, Report, Severity};

/// Tap that records all messages and replies in a file.
///
/// The file is written during the run, in blocks. It is flushed at least every second of wall time
/// in which the system ticks, when the system has been idle for a while, and when the watchdog or a
/// fatal error is reported. It is also flushed when the recorder is dropped, and when the process
/// calls `exit`. If the file can't be written any more, the recording ends, and the run continues.
pub struct Recorder {
    file: PathBuf,
    output: Arc<Mutex<Output>>,
    payloads: Payloads,
    known: KindMap<DefinedKind>,
    /// Kinds of messages so far, by their numbers.
    kinds: Vec<Kind>,
    position: Position,
    /// Sequence number of the first message; the maximum number before that.
    first: u64,
    /// Root of the message that the last event answered; `None` if it was a message.
    last_replied: Option<u64>,
    /// State of the chunks of a compressed recording; `None` for one that is not compressed.
    chunks: Option<Chunks>,
    failed: bool,
    on_failure: Box<dyn FnMut(&TraceError) + Send>,
}

/// Kind of message with a definition in the recording.
#[derive(Debug, Clone, Copy)]
struct DefinedKind {
    number: u32,
    encoding: Encoding,
    is_report: bool,
}

impl Recorder {
    /// Starts a recording. The file's name may have `%p` for the process id, `%t` for the time of
    /// the start, `%s` for the system's name.
    ///
    /// # Errors
    /// Fails if the file can't be written, or if another recorder, log or process is writing it.
    pub fn create(file: impl AsRef<Path>, header: &Header) -> Result<Self, TraceError> {
        let output = Output::create(file.as_ref(), header)?;
        let file = output.path().to_owned();
        let output = Arc::new(Mutex::new(output));
        end_at_exit(&output);

        Ok(Self {
            output,
            payloads: header.payloads,
            known: KindMap::default(),
            kinds: Vec::new(),
            position: Position::default(),
            first: u64::MAX,
            last_replied: None,
            chunks: header.compressed.then(Chunks::default),
            failed: false,
            on_failure: Box::new(|error| tracing::error!("{error}")),
            file,
        })
    }

    /// Sets a function that is called once, if the recording can't continue. By default, the error
    /// is logged.
    #[must_use]
    pub fn on_failure(mut self, tell: impl FnMut(&TraceError) + Send + 'static) -> Self {
        self.on_failure = Box::new(tell);
        self
    }

    /// Sets the number of bytes of a chunk.
    #[cfg(test)]
    pub(super) fn with_chunks_of(mut self, bytes: u64) -> Self {
        if let Some(chunks) = &mut self.chunks {
            chunks.set_size(bytes);
        }
        self
    }

    fn record(&mut self, seen: &Observation<'_>) -> io::Result<()> {
        let (ticket, tick) = (&seen.ticket, seen.tick);
        let reply = match seen.content {
            Content::Message(message) => return self.record_message(seen, message),
            Content::Reply(reply) => Some(reply),
            Content::Dropped => None,
        };
        let sequence = ticket.sequence;
        if sequence < self.first {
            // Reply to a message from before the attachment of this tap.
            return Ok(());
        }
        if self.chunks.is_some() {
            self.chunk(seen)?;
        }
        let last_replied = self.last_replied.replace(ticket.root);
        if last_replied == Some(ticket.root) {
            // Forwarded message: taps see the same reply again.
            return self.append_header(FrameHeader::Again { sequence }, tick);
        }
        let encode = self.known(ticket)?.encoding.reply;
        match reply {
            Some(reply) => self.append_body(FrameHeader::Reply { sequence }, tick, encode, reply),
            None => self.append_header(FrameHeader::Dropped { sequence }, tick),
        }
    }

    fn record_message(&mut self, seen: &Observation<'_>, message: &dyn Body) -> io::Result<()> {
        let Observation {
            ticket,
            tick,
            awaited,
            ..
        } = *seen;
        if self.first == u64::MAX {
            self.first = ticket.sequence;
        }
        if self.chunks.is_some() {
            self.chunk(seen)?;
        }
        self.last_replied = None;
        let DefinedKind {
            number: kind,
            encoding,
            is_report,
        } = self.known(&ticket)?;
        let header = FrameHeader::Message {
            sequence: ticket.sequence,
            root: ticket.root,
            kind,
            awaited,
        };
        self.append_body(header, tick, encoding.message, message)?;
        let is_fatal = |report: &Report| report.severity == Severity::Fatal;
        if is_report && message.downcast_ref().is_some_and(is_fatal) {
            self.write_out()?;
        }
        Ok(())
    }

    /// Appends the frame of a message or reply, whose payload is replaced if that is configured.
    #[inline(always)]
    fn append_body(
        &mut self,
        header: FrameHeader,
        tick: u64,
        encode: Encode,
        body: &dyn Body,
    ) -> io::Result<()> {
        let replaced = redacted(body, self.payloads);
        let body = replaced.as_deref().unwrap_or(body);
        let mut output = self.output.lock();
        let (frame, bytes) = output.begin_frame();
        self.position.write(header, tick, bytes);
        let written = encode(body, bytes);
        output.end_frame(frame, written)
    }

    /// Appends a frame without content.
    #[inline(never)]
    fn append_header(&mut self, header: FrameHeader, tick: u64) -> io::Result<()> {
        let mut output = self.output.lock();
        let (frame, bytes) = output.begin_frame();
        self.position.write(header, tick, bytes);
        output.end_frame(frame, Ok(()))
    }

    /// Ends the chunk of a compressed recording before an event. If the event answers a message of
    /// an earlier chunk, repeats that message.
    #[inline(never)]
    fn chunk(&mut self, seen: &Observation<'_>) -> io::Result<()> {
        let Observation { ticket, tick, .. } = seen;
        let Some(chunks) = &mut self.chunks else {
            return Ok(());
        };
        let Position { tick: last, .. } = self.position;
        if *tick != last && chunks.end(&mut self.output.lock(), self.position, &self.kinds)? {
            // The last reply is in the previous chunk.
            self.last_replied = None;
        }
        let is_message = matches!(seen.content, Content::Message(_));
        let (sequence, root) = (ticket.sequence, ticket.root);
        if !chunks.is_earlier(sequence, is_message, *tick < last) {
            return Ok(());
        }
        let kind = self.known(ticket)?.number;
        let header = FrameHeader::Earlier {
            sequence,
            root,
            kind,
        };
        self.append_header(header, last)
    }

    /// Returns the kind of a message. The first time, writes its definition.
    #[inline]
    fn known(&mut self, ticket: &Ticket) -> io::Result<DefinedKind> {
        match self.known.get(ticket.kind_id()) {
            Some(known) => Ok(*known),
            None => self.define(ticket),
        }
    }

    /// Writes the definition of a message's kind.
    #[cold]
    fn define(&mut self, ticket: &Ticket) -> io::Result<DefinedKind> {
        let kind = Kind {
            from: ticket.from.to_string(),
            to: ticket.to().to_string(),
            name: ticket.name().to_owned(),
        };
        let encoding = Encoding::of(&kind.to, &kind.name);
        let at = self.kinds.iter().position(|known| *known == kind);
        if at.is_none() {
            let Position { tick, .. } = self.position;
            self.output.lock().append(|frame| {
                Position::default().write(FrameHeader::Kind, tick, frame);
                encode(&kind, frame)
            })?;
            self.kinds.push(kind);
        }
        // The number of kinds is bounded by the number of message types times the number of
        // senders.
        let number = at.unwrap_or(self.kinds.len() - 1) as u32;
        let known = DefinedKind {
            number,
            encoding,
            is_report: ticket.to() == foreign::ENDPOINT && ticket.name() == Report::NAME,
        };
        self.known.insert(ticket.kind_id(), known);
        Ok(known)
    }

    /// Writes the buffer to the file.
    fn write_out(&self) -> io::Result<()> {
        self.output.lock().write_out()
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
