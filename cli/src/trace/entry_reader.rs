//! Iterator over a recording, with message, channel and memories of each entry.

use std::ops::RangeInclusive;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use indicatif::ProgressBar;
use vhost::bus::Body;
use vhost::mem::MemoryMap;
use vhost::messages::foreign::{Report, report_in};
use vhost::messages::{ServedRequest, printed_bytes, served_request};
use vhost::trace::{Entry, FrameError, Trace, TraceError, decode};

use super::channels::Channels;
use crate::output::progress;

/// Number of entries between two updates of the progress bar.
const BETWEEN: u32 = 4096;

/// Reads a recording and shows the progress.
pub(crate) struct EntryReader {
    trace: Trace,
    channels: Channels,
    bar: ProgressBar,
    since: u32,
}

/// Entry with its decoded message.
pub(crate) struct DecodedEntry {
    pub(crate) entry: Entry,
    /// The message or reply; `None` for a message without reply.
    pub(crate) body: Result<Option<Box<dyn Body>>, FrameError>,
    /// Channel of the entry, if known.
    pub(crate) channel: Option<Arc<str>>,
    /// Memories of the run, as far as known.
    pub(crate) map: Rc<MemoryMap>,
}

impl EntryReader {
    /// Opens the recording in `file`. `among_output`: entries are printed while they are read.
    pub(crate) fn of(file: &Path, among_output: bool) -> Result<Self, TraceError> {
        let trace = Trace::open(file)?;
        Ok(Self {
            channels: Channels::of(trace.header()),
            bar: progress(Some(trace.remaining_bytes()), among_output),
            since: 0,
            trace,
        })
    }

    /// Skips chunks of a compressed recording that have no entry of these ticks. Must be called
    /// before the first entry is read.
    pub(crate) fn skip_to(&mut self, ticks: RangeInclusive<u64>) -> Result<(), TraceError> {
        self.trace.skip_to(ticks)
    }

    /// The recording.
    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The channels of the recording.
    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    fn show_progress(&mut self) {
        self.since += 1;
        if self.since == BETWEEN {
            self.since = 0;
            let len = self.bar.length().unwrap_or_default();
            self.bar
                .set_position(len.saturating_sub(self.trace.remaining_bytes()));
        }
    }
}

impl Iterator for EntryReader {
    type Item = Result<DecodedEntry, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.show_progress();
        let entry = match self.trace.next()? {
            Ok(entry) => entry,
            Err(error) => return Some(Err(error)),
        };
        let body = decode(&entry);
        let shown = body.as_ref().ok().and_then(Option::as_deref);
        let channel = self.channels.channel_of(&entry, shown);
        Some(Ok(DecodedEntry {
            entry,
            body,
            channel,
            map: self.channels.map().clone(),
        }))
    }
}

impl Drop for EntryReader {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl DecodedEntry {
    /// Served request, if the message is its event.
    pub(crate) fn served(&self) -> Option<&dyn ServedRequest> {
        served_request(self.body.as_ref().ok()?.as_deref()?)
    }

    /// Number of bytes of text that a request prints by this message.
    pub(crate) fn printed_bytes(&self) -> Option<u64> {
        let (_, bytes) = printed_bytes(self.body.as_ref().ok()?.as_deref()?)?;
        Some(bytes)
    }

    /// Report that the message prints.
    pub(crate) fn report(&self) -> Option<&Report> {
        report_in(self.body.as_ref().ok()?.as_deref()?)
    }

    /// The message or reply, if it is a `T`.
    pub(crate) fn is<T: 'static>(&self) -> Option<&T> {
        self.body.as_ref().ok()?.as_deref()?.downcast_ref()
    }
}
