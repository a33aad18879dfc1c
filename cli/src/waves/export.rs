//! Formats that are written in one pass over a recording.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::output_file;
use super::requests::Dropped;
use super::segments::{Segment, Segments};
use crate::ExitOutcome;
use crate::incomplete;
use crate::output_file::{OutputFile, cant_write};
use crate::trace::{DecodedEntry, EntryReader, OpenRequests};

/// Export in progress. The time of each segment starts again.
pub(super) trait Export {
    /// Writes an entry.
    fn add(&mut self, decoded: &DecodedEntry, segment: Segment) -> io::Result<()>;

    /// Writes requests that get no response. `is_last`: nothing follows in their segment.
    fn unanswered(&mut self, dropped: Dropped, segment: Segment, is_last: bool) -> io::Result<()>;

    /// Begins a segment after the previous entry.
    fn begin_segment(&mut self) -> io::Result<()>;

    /// Completes the output.
    fn finish(self) -> io::Result<()>;
}

/// Destination of the output: a file, or standard output.
pub(super) struct Destination<'a> {
    output: Option<&'a Path>,
    file: Option<OutputFile>,
}

impl<'a> Destination<'a> {
    /// Destination of a recording.
    pub(super) fn of(recording: &Path, output: Option<&'a Path>) -> Result<Self> {
        let file = match output {
            Some(output) => Some(output_file(recording, output)?),
            None if io::stdout().is_terminal() => {
                bail!("the output is binary, and standard output is a terminal; give --output FILE")
            }
            None => None,
        };
        Ok(Self { output, file })
    }

    /// Creates a writer.
    pub(super) fn writer(&self) -> Result<Box<dyn Write>> {
        Ok(match &self.file {
            Some(file) => {
                let created = file.create().with_context(|| self.cant_write())?;
                Box::new(BufWriter::new(created))
            }
            None => Box::new(BufWriter::new(io::stdout().lock())),
        })
    }

    fn commit(self) -> Result<()> {
        let failed = self.cant_write();
        let committed = self.file.map_or(Ok(()), OutputFile::commit);
        committed.context(failed)
    }

    /// Text for an error of the destination.
    pub(super) fn cant_write(&self) -> String {
        match self.output {
            Some(output) => cant_write(output),
            None => "can't write to standard output".to_owned(),
        }
    }
}

/// Writes the entries of a recording. Entries before damage are kept.
pub(super) fn write(
    mut reader: EntryReader,
    destination: Destination<'_>,
    mut export: impl Export,
) -> Result<ExitOutcome> {
    let failed = || destination.cant_write();
    let mut open = OpenRequests::of(reader.channels());
    let mut segments = Segments::new();
    let end: Result<()> = reader.try_for_each(|decoded| {
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
    destination.commit()?;
    end?;
    Ok(incomplete::outcome_of(reader.trace()))
}
