//! `vhost trace export --parquet`: recordings as tables for an analytics engine.
//!
//! - `schema`: tables and their columns.
//! - `identity`: name and partition of a run.
//! - `rows`: rows of one run; `batch`: rows as columns, up to a row group.
//! - `table_files`: the files of one export in one partition.
//!
//! A recording is read once, and a table has one row group in memory, for any number and length of
//! recordings.

mod batch;
mod identity;
mod rows;
mod schema;
mod table_files;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Arguments;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use vhost::trace::{RunIdentity, Trace};

use crate::ExitOutcome;
use crate::incomplete::{self, INCOMPLETE, TRUNCATED};
use crate::output::{ERROR, NAME, Sanitized, WARNING, WholeStderr, out};
use crate::report::{Bounds, Collector, RecordingEnd, problem_of};
use crate::trace::EntryReader;
use identity::{Claim, OWN_ID, Partition, Source, encoded};
use rows::Rows;
use table_files::TableFiles;

/// Options of an export.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    pub(crate) files: &'a [PathBuf],
    /// Folder of the tables.
    pub(crate) output: &'a Path,
    pub(crate) has_messages: bool,
    pub(crate) allows_errors: bool,
    /// Properties that take precedence over those of the recordings.
    pub(crate) given: RunIdentity,
}

/// Limits of the kept data: only the run's own row needs it.
const BOUNDS: Bounds = Bounds {
    requests: 0,
    reports: 0,
    lines: 0,
};

/// Writes the recordings to tables. A recording that can't be read or written is reported, and the
/// others are exported.
pub(crate) fn export(options: &Options<'_>) -> Result<ExitOutcome> {
    let mut is_bad = false;
    let mut partitions: BTreeMap<Partition, Vec<Source>> = BTreeMap::new();
    let mut files: BTreeMap<String, &Path> = BTreeMap::new();
    for file in options.files {
        let source =
            source(file, options).and_then(|source| match files.entry(source.id.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(file);
                    Ok(source)
                }
                Entry::Occupied(other) => bail!(
                    "{}: run `{}` is in this export already, from {}: {OWN_ID}",
                    file.display(),
                    source.id,
                    other.get().display()
                ),
            });
        match source {
            Ok(source) => partitions
                .entry(source.partition.clone())
                .or_default()
                .push(source),
            Err(error) => {
                is_bad = true;
                print_error(format_args!("{}", Sanitized(&format!("{error:#}"))));
            }
        }
    }
    let mut exported = 0;
    for sources in partitions.values() {
        let (runs, all_is_well) = partition(options, sources);
        exported += runs;
        is_bad |= !all_is_well;
    }
    let mut out = out();
    let runs = if exported == 1 { "run" } else { "runs" };
    let name = options.output.display().to_string();
    writeln!(
        out,
        "{NAME}{exported} {runs}{NAME:#} to {}",
        Sanitized(&name)
    )?;
    out.flush()?;
    Ok(if is_bad {
        INCOMPLETE
    } else {
        ExitOutcome::Passed
    })
}

fn source(file: &Path, options: &Options<'_>) -> Result<Source> {
    // The errors contain the name of the file.
    let trace = Trace::open(file)?;
    Source::of(file, trace.header(), &options.given)
        .map_err(|error| error.context(file.display().to_string()))
}

/// Exports the runs of a partition. Returns their number, and true if there was no problem.
fn partition(options: &Options<'_>, sources: &[Source]) -> (usize, bool) {
    let mut all_is_well = true;
    let mut claims = Vec::new();
    // Dropped before the claims: after that, another export may claim the name and write files with
    // the same names.
    let mut files = None;
    for source in sources {
        let opened = EntryReader::of(&source.file, false);
        let exported = opened
            .map_err(|error| Fault::Run(error.into()))
            .and_then(|reader| {
                let (claim, files) = claimed(options, source, &mut files)?;
                claims.push((claim, source));
                one(options, source, reader, files)
            });
        match exported {
            Ok(is_whole) => all_is_well &= is_whole,
            Err(Fault::Run(error)) => {
                all_is_well = false;
                let name = source.file.display().to_string();
                let text = format!("{name}: {error:#}");
                print_error(format_args!("{}", Sanitized(&text)));
            }
            Err(Fault::Files(error)) => {
                print_lost(&claims, &error);
                return (0, false);
            }
        }
    }
    let Some(files) = files else {
        return (0, all_is_well);
    };
    if let Err(error) = files.commit() {
        print_lost(&claims, &error);
        return (0, false);
    }
    let runs = claims.len();
    claims.into_iter().for_each(|(claim, _)| claim.keep());
    (runs, all_is_well)
}

/// Reason why a run is not in the tables.
enum Fault {
    /// A problem of this run only.
    Run(anyhow::Error),
    /// The files can't be written.
    Files(anyhow::Error),
}

/// Claims the run's name, and creates the files for the first run.
fn claimed<'a>(
    options: &Options<'_>,
    source: &Source,
    files: &'a mut Option<TableFiles>,
) -> Result<(Claim, &'a mut TableFiles), Fault> {
    let claim = Claim::take(options.output, source).map_err(Fault::Run)?;
    let files = match files {
        Some(files) => files,
        None => {
            let name = encoded(&source.id);
            let created = TableFiles::create(
                options.output,
                &source.partition,
                &name,
                options.has_messages,
            );
            files.insert(created.map_err(Fault::Run)?)
        }
    };
    Ok((claim, files))
}

/// Exports a run. Returns true if its recording was read to its end.
fn one(
    options: &Options<'_>,
    source: &Source,
    mut reader: EntryReader,
    files: &mut TableFiles,
) -> Result<bool, Fault> {
    let mut collector = Collector::new(&source.file, &reader, BOUNDS);
    collector.pass_on();
    let mut rows = Rows::new(source, files, options.has_messages);
    let mut problem = None;
    for decoded in &mut reader {
        match decoded {
            Ok(decoded) => {
                collector.add(&decoded);
                rows.add(&decoded, &mut collector).map_err(Fault::Files)?;
            }
            Err(error) => problem = Some(problem_of(&error)),
        }
    }
    let mut run = collector.end(problem, reader.trace().is_truncated());
    let undecoded = rows
        .end(source, &mut run, options.allows_errors)
        .map_err(Fault::Files)?;
    if let Some(text) = &undecoded {
        print(format_args!(
            "{WARNING}warning:{WARNING:#} {}: {}",
            Sanitized(&run.file),
            Sanitized(text)
        ));
    }
    let problem = match &run.end {
        RecordingEnd::Whole | RecordingEnd::Open => return Ok(undecoded.is_none()),
        RecordingEnd::Truncated => TRUNCATED,
        RecordingEnd::Damaged(problem) => problem,
    };
    incomplete::warn(&run.file, problem);
    Ok(false)
}

/// Prints the names of the runs whose files could not be written.
fn print_lost(claims: &[(Claim, &Source)], error: &anyhow::Error) {
    for (_, source) in claims {
        let name = source.file.display().to_string();
        let text = format!("{name}: not exported: {error:#}");
        print_error(format_args!("{}", Sanitized(&text)));
    }
}

fn print_error(text: Arguments<'_>) {
    print(format_args!("{ERROR}error:{ERROR:#} {text}"));
}

fn print(text: Arguments<'_>) {
    // Without standard error there is no way to report.
    let _ = writeln!(WholeStderr::default(), "{text}");
}
