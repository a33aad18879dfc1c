//! Formats that are written from the begin of a recording to its end.

use std::io;
use std::path::Path;

use anyhow::{Context, Result};

use super::cant_write;
use super::requests::Dropped;
use super::segments::{Segment, Segments};
use crate::Outcome;
use crate::trace::{DecodedEntry, EntryReader, OpenRequests};

/// Export in progress. Times of each segment begin anew.
pub(super) trait Export {
    /// Writes an entry.
    fn add(&mut self, decoded: &DecodedEntry, segment: Segment) -> io::Result<()>;

    /// Writes requests that get no answer. `is_last`: nothing follows in their segment.
    fn unanswered(&mut self, dropped: Dropped, segment: Segment, is_last: bool) -> io::Result<()>;

    /// Begins a segment behind the entry before.
    fn begin_segment(&mut self) -> io::Result<()>;

    /// Completes the output.
    fn finish(self) -> io::Result<()>;
}

/// Writes the entries of a recording. Those before a damage are kept.
pub(super) fn write(
    mut reader: EntryReader,
    output: Option<&Path>,
    mut export: impl Export,
) -> Result<Outcome> {
    let failed = || cant_write_to(output);
    let mut open = OpenRequests::of(reader.channels());
    let mut segments = Segments::new();
    let end = reader.try_for_each(|decoded| {
        let decoded = decoded.context("what follows is left out")?;
        let segment = segments.present();
        export.add(&decoded, segment).with_context(failed)?;
        let dropped = open.follow(&decoded);
        let is_last = segments.follow(&decoded);
        export
            .unanswered(dropped, segment, is_last)
            .with_context(failed)?;
        if is_last {
            export.begin_segment().with_context(failed)?;
        }
        Ok(())
    });
    export
        .unanswered(open.take(), segments.present(), true)
        .with_context(failed)?;
    export.finish().with_context(failed)?;
    end.map(|()| Outcome::Passed)
}

/// Error of an output file, or of standard output.
pub(super) fn cant_write_to(output: Option<&Path>) -> String {
    match output {
        Some(output) => cant_write(output),
        None => "can't write to standard output".to_owned(),
    }
}
