//! Text of all channels on its way to a sink.
//!
//! It is separate from the actor, so that a process can print the incomplete lines at its exit.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use mailbox_rs::Errno;

use crate::guest::quietly;
use crate::messages::checkpoint::{SavedLine, SavedSource, SavedText};
use crate::messages::{ChannelId, Name};

/// Maximum length of a line, in bytes of text. A longer one is printed in pieces. This bounds the
/// memory for text without an end of line.
pub(crate) const LINE_MAX: usize = 64 * 1024;

/// Mark of lines of standard error.
const ERROR_MARK: &str = "stderr: ";

/// Source of text within a channel. Each has lines of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// Printed text, and standard output.
    Output,
    /// Standard error.
    Error,
    /// Further source, by its number. It has a mark.
    Marked(u32),
}

/// Incomplete lines of the channels, and the sink for complete ones.
pub(crate) struct Text {
    names: Vec<Name>,
    /// Incomplete lines, by source.
    begun: BTreeMap<(ChannelId, Source), Vec<u8>>,
    /// Marks of further sources.
    marks: BTreeMap<(ChannelId, u32), String>,
    sink: Box<dyn Write + Send>,
    /// Sink for unchanged bytes of standard error.
    error_sink: Box<dyn Write + Send>,
    lines: Vec<u8>,
    /// Failed writes since the last [`take_failures`](Self::take_failures), by sink: true is that
    /// of standard error.
    failures: BTreeMap<bool, Errno>,
    /// Error of the first failed write.
    first_failure: Option<Errno>,
    /// True for each sink whose failure was reported.
    reported: [bool; 2],
}

/// Passes a line on, with its channel's name. Returns false for a line that belongs to the sink.
type Elsewhere<'a> = dyn FnMut(&str, &str) -> bool + 'a;

impl Text {
    /// Creates the text of channels, whose names are in the order of [`ChannelId`].
    pub(crate) fn new(names: Vec<Name>, sink: Box<dyn Write + Send>) -> Self {
        Self {
            names,
            begun: BTreeMap::new(),
            marks: BTreeMap::new(),
            sink,
            error_sink: Box::new(io::sink()),
            lines: Vec::new(),
            failures: BTreeMap::new(),
            first_failure: None,
            reported: [false; 2],
        }
    }

    /// Adds a sink for unchanged bytes of standard error. Without one they are dropped.
    pub(crate) fn with_error_sink(self, error_sink: Box<dyn Write + Send>) -> Self {
        Self { error_sink, ..self }
    }

    /// Writes bytes to a sink unchanged, after the lines that were put before.
    pub(super) fn raw(&mut self, is_error: bool, data: &[u8]) {
        self.flush();
        let sink = match is_error {
            true => &mut self.error_sink,
            false => &mut self.sink,
        };
        let written = quietly(|| sink.write_all(data).and_then(|()| sink.flush()));
        self.note_failure(is_error, written);
    }

    /// True if a write has failed since the last [`take_failures`](Self::take_failures).
    #[inline]
    pub(super) fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Takes the writes that have failed since the last call. Each has three values: true for the
    /// sink of standard error, its error, and true for the first failure of that sink.
    pub(super) fn take_failures(&mut self) -> Vec<(bool, Errno, bool)> {
        let Self {
            failures, reported, ..
        } = self;
        let mut is_first =
            |is_error: bool| !std::mem::replace(&mut reported[usize::from(is_error)], true);
        let failures = std::mem::take(failures).into_iter();
        failures
            .map(|(is_error, errno)| (is_error, errno, is_first(is_error)))
            .collect()
    }

    /// Error of the first failed write.
    pub(super) fn first_failure(&self) -> Option<Errno> {
        self.first_failure
    }

    /// Sets the mark of a further source, also for its incomplete line.
    pub(super) fn set_mark(&mut self, channel: ChannelId, source: u32, mark: &str) {
        let known = self.marks.entry((channel, source)).or_default();
        if known != mark {
            mark.clone_into(known);
        }
    }

    /// Incomplete lines, and marks.
    pub(super) fn saved(&self) -> SavedText {
        let begun = self.begun.iter().filter(|(_, text)| !text.is_empty());
        let lines = begun.map(|((channel, source), text)| SavedLine {
            channel: *channel,
            source: match source {
                Source::Output => SavedSource::Output,
                Source::Error => SavedSource::Error,
                Source::Marked(number) => SavedSource::Marked(*number),
            },
            text: text.clone().into(),
        });
        let marks = self.marks.iter();
        let marks = marks.map(|((channel, number), mark)| (*channel, *number, mark.clone()));
        SavedText {
            lines: lines.collect(),
            marks: marks.collect(),
        }
    }

    /// Replaces the incomplete lines and the marks. A line that is too long is cut.
    pub(super) fn restore(&mut self, saved: SavedText) {
        let lines = saved.lines.into_iter().map(|line| {
            let source = match line.source {
                SavedSource::Output => Source::Output,
                SavedSource::Error => Source::Error,
                SavedSource::Marked(number) => Source::Marked(number),
            };
            let text = line.text.get(..LINE_MAX).unwrap_or(&line.text).to_vec();
            ((line.channel, source), text)
        });
        self.begun = lines.collect();
        let marks = saved.marks.into_iter();
        self.marks = marks
            .map(|(channel, number, mark)| ((channel, number), mark))
            .collect();
    }

    /// Adds text of a channel's source, and prints the lines that it completes.
    pub(super) fn add(
        &mut self,
        channel: ChannelId,
        source: Source,
        text: &[u8],
        elsewhere: &mut Elsewhere<'_>,
    ) {
        let source = (channel, source);
        let begun = self.begun.get_mut(&source).filter(|it| !it.is_empty());
        let mut begun = begun.map(std::mem::take).unwrap_or_default();
        for piece in text.split_inclusive(|&byte| byte == b'\n') {
            let (mut text, ends) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            while begun.len() + text.len() > LINE_MAX {
                let (head, tail) = text.split_at(LINE_MAX - begun.len());
                begun.extend_from_slice(head);
                let cut = whole_characters(&begun);
                self.put(source, &begun[..cut], elsewhere);
                begun.drain(..cut);
                text = tail;
            }
            if ends && begun.is_empty() {
                self.put(source, without_return(text), elsewhere);
                continue;
            }
            begun.extend_from_slice(text);
            if ends {
                self.put(source, without_return(&begun), elsewhere);
                begun.clear();
            }
        }
        if !begun.is_empty() {
            self.begun.insert(source, begun);
        }
    }

    /// Prints the incomplete line of a channel, or of every channel if `channel` is `None`.
    pub(super) fn finish(&mut self, channel: Option<ChannelId>, elsewhere: &mut Elsewhere<'_>) {
        let begun = self.begun.extract_if(.., |of, begun| {
            channel.is_none_or(|channel| channel == of.0) && !begun.is_empty()
        });
        for (of, begun) in begun.collect::<Vec<_>>() {
            self.put(of, without_return(&begun), elsewhere);
        }
    }

    /// Writes the incomplete lines of all channels to the sink and flushes it.
    pub(crate) fn end(&mut self) {
        self.finish(None, &mut |_, _| false);
        self.flush();
        for (is_error, errno, is_first) in self.take_failures() {
            // No observer is left for a report.
            if is_first {
                tracing::warn!("{}", failure_text(is_error, errno));
            }
        }
    }

    /// Writes the completed lines, if there are any, and flushes the sink.
    pub(super) fn flush(&mut self) {
        if !self.lines.is_empty() {
            self.write();
        }
    }

    fn put(
        &mut self,
        (channel, source): (ChannelId, Source),
        line: &[u8],
        elsewhere: &mut Elsewhere<'_>,
    ) {
        let at = usize::try_from(channel.0).ok();
        let name = at.and_then(|at| self.names.get(at));
        let name = name.map_or_else(
            || format!("channel {}", channel.0).into(),
            |name| Cow::from(&**name),
        );
        let line = match str::from_utf8(line) {
            Ok(line) => Cow::Borrowed(line),
            Err(_) => String::from_utf8_lossy(line),
        };
        let line = match source {
            Source::Output => line,
            Source::Error => Cow::Owned(format!("{ERROR_MARK}{line}")),
            Source::Marked(number) => {
                let mark = self.marks.get(&(channel, number));
                let mark = mark.map_or("", String::as_str);
                Cow::Owned(format!("{mark}: {line}"))
            }
        };
        if elsewhere(&name, &line) {
            return;
        }
        let lines = &mut self.lines;
        lines.push(b'[');
        lines.extend_from_slice(name.as_bytes());
        lines.extend_from_slice(b"] ");
        lines.extend_from_slice(line.as_bytes());
        lines.push(b'\n');
        if self.lines.len() >= LINE_MAX {
            self.write();
        }
    }

    /// Writes the lines and flushes them, with one panic guard.
    fn write(&mut self) {
        let Self { sink, lines, .. } = self;
        let written = quietly(|| sink.write_all(lines).and_then(|()| sink.flush()));
        lines.clear();
        self.note_failure(false, written);
    }

    fn note_failure(&mut self, is_error: bool, result: io::Result<()>) {
        if let Err(error) = result {
            let errno = match (error.raw_os_error(), error.kind()) {
                (Some(number), _) => Errno(number),
                (None, io::ErrorKind::BrokenPipe) => Errno::EPIPE,
                (None, _) => Errno::EIO,
            };
            self.failures.entry(is_error).or_insert(errno);
            self.first_failure.get_or_insert(errno);
        }
    }
}

/// Text of the report on a failed write.
pub(super) fn failure_text(is_error: bool, errno: Errno) -> String {
    let stream = if is_error { "error" } else { "output" };
    let reason = io::Error::from_raw_os_error(errno.0);
    format!(
        "firmware's text can't be written to standard {stream}: {reason}; some of it is lost, and later failures are not reported"
    )
}

/// Length of `text` without an incomplete character at its end.
fn whole_characters(text: &[u8]) -> usize {
    let broken = text
        .utf8_chunks()
        .last()
        .map_or(0, |chunk| chunk.invalid().len());
    text.len() - broken
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
