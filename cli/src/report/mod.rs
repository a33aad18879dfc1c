//! `vhost report`: recorded runs as a web page, and as JUnit results.
//!
//! - `run`: the data of one run, collected by `collect` in one pass.
//! - `kept`, `console`, `activity`: parts of it with bounded memory; `memories`: the memory map.
//! - `verdict`: verdict, reasons, and signature of a failure.
//! - `columns`: the data as compressed JSON; `page`: the file with style, script and data.
//! - `junit`: results for continuous integration.

mod activity;
mod bounded;
mod collect;
mod columns;
mod console;
mod junit;
mod memories;
mod page;
mod run;
#[cfg(test)]
mod tests;
mod verdict;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;

#[cfg(feature = "parquet")]
pub(crate) use {
    collect::Collector,
    console::Line,
    run::{MAX_TEXT_LEN, Unanswered, bounded, problem_of},
};
pub(crate) use {
    columns::replay_command,
    run::{Bounds, RecordingEnd, Run},
    verdict::Judgement,
};

use crate::ExitOutcome;
use crate::files::Files;
use crate::incomplete::{self, INCOMPLETE, TRUNCATED};
use crate::output::{ERROR, NAME, Sanitized, WholeStderr, is_broken_pipe, out};
use crate::output_file::write_file;
use columns::{Detail, packed};
use junit::Results;
use page::{Data, Row};
use run::cause_of;
use verdict::Verdict;

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("results").args(["output", "junit"]).required(true).multiple(true)))]
pub(crate) struct Args {
    /// The recordings
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The page to write: one file of HTML
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// JUnit results to write: a test case for each recording
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Reports of severity error do not fail a run
    #[arg(long)]
    allow_errors: bool,
    /// Most requests on the page, shared among the runs
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    requests: usize,
}

/// Maximum number of reports, and of lines of text, on the page, shared among the runs.
const MAX_LINES: usize = 10_000;

/// Minimum number of requests, reports and lines of each run.
const MIN_SHARE: usize = 16;

impl Args {
    fn are_distinct(&self) -> Result<()> {
        let mut files = Files::default();
        for file in &self.files {
            files.input("a recording", file);
        }
        if let Some(page) = &self.output {
            files.output("the page", page);
        }
        if let Some(junit) = &self.junit {
            files.output("the JUnit results", junit);
        }
        files.are_distinct()
    }

    /// Limits of one run.
    fn bounds(&self) -> Bounds {
        let share = |most: usize| (most / self.files.len().max(1)).max(MIN_SHARE);
        Bounds {
            requests: share(self.requests),
            reports: share(MAX_LINES),
            lines: share(MAX_LINES),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitOutcome> {
    args.are_distinct()?;
    let mut rows = Vec::new();
    let mut runs = Vec::new();
    let mut results = Results::new();
    let mut is_bad = false;
    for file in &args.files {
        let read = Run::read(file, args.bounds());
        let name = file.display().to_string();
        let (row, detail) = match &read {
            Ok(run) => {
                let judgement = Judgement::of(run, args.allow_errors);
                results.add(&name, Some(run), &judgement);
                is_bad |= warn(run);
                let detail = match args.output {
                    Some(_) => Detail::of(run, &judgement).packed()?,
                    None => String::new(),
                };
                (row_of(run, judgement), detail)
            }
            Err(error) => {
                is_bad = true;
                print(format_args!(
                    "{ERROR}error:{ERROR:#} {}",
                    Sanitized(&error.to_string())
                ));
                let judgement = Judgement::unreadable(&cause_of(error));
                results.add(&name, None, &judgement);
                (unread(name, judgement), String::new())
            }
        };
        rows.push(row);
        runs.push(detail);
    }
    let page = args.output.as_ref().map(|page| {
        let index = packed(&rows, &[])?;
        write_file(page, |to| page::write(&Data { index, runs }, to))
    });
    let junit = args.junit.as_ref().map(|junit| {
        let text = results.text()?;
        write_file(junit, |to| to.write_all(text.as_bytes()))
    });
    // One of them is written also if the other can't be.
    for written in [page, junit].into_iter().flatten() {
        // A reader that has closed its pipe wants no more output.
        if let Err(error) = written
            && !is_broken_pipe(&error)
        {
            is_bad = true;
            print(format_args!("{ERROR}error:{ERROR:#} {error:#}"));
        }
    }
    let mut out = out();
    writeln!(out, "{}", counts(&rows))?;
    out.flush()?;
    if is_bad {
        return Ok(INCOMPLETE);
    }
    Ok(ExitOutcome::Passed)
}

/// Warns of a recording that was not read to its end. Returns true for such a recording.
fn warn(run: &Run) -> bool {
    let problem = match &run.end {
        RecordingEnd::Whole | RecordingEnd::Open => return false,
        RecordingEnd::Truncated => TRUNCATED,
        RecordingEnd::Damaged(problem) => problem,
    };
    incomplete::warn(&run.file, problem);
    true
}

fn print(text: std::fmt::Arguments<'_>) {
    // Without standard error there is no way to report.
    let _ = writeln!(WholeStderr::default(), "{text}");
}

fn row_of(run: &Run, judgement: Judgement) -> Row {
    let failure = run.failure(judgement.allows_errors);
    let (requests, failed) = run.counts();
    Row {
        file: run.file.clone(),
        verdict: judgement.verdict,
        reason: judgement.reasons.into_iter().next().unwrap_or_default(),
        signature: judgement.signature,
        ticks: run.ticks,
        requests,
        failed,
        activity: run.activity.up_to(run.ticks).to_vec(),
        first: failure.map(|failure| failure.tick),
        replay: match run.no_replay() {
            Some(_) => String::new(),
            None => replay_command(&run.path),
        },
        run: page::Identity::of(&run.identity.run),
    }
}

fn unread(file: String, judgement: Judgement) -> Row {
    Row {
        file,
        verdict: judgement.verdict,
        reason: judgement.reasons.into_iter().next().unwrap_or_default(),
        signature: judgement.signature,
        ticks: 0,
        requests: 0,
        failed: 0,
        activity: Vec::new(),
        first: None,
        replay: String::new(),
        run: page::Identity::default(),
    }
}

/// Number of runs by verdict: `3 runs: 2 passed, 1 failed`.
fn counts(rows: &[Row]) -> String {
    let of = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let counted = Verdict::ALL.into_iter().filter(|verdict| of(*verdict) > 0);
    let texts: Vec<String> = counted
        .map(|verdict| format!("{} {}", of(verdict), verdict.name()))
        .collect();
    let runs = if rows.len() == 1 { "run" } else { "runs" };
    format!("{NAME}{} {runs}:{NAME:#} {}", rows.len(), texts.join(", "))
}
