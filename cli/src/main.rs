//! The command `vhost`: checks a system before it runs, runs firmware, and examines recordings.
//!
//! - [`check`]: configurations and images, before a simulator is started.
//! - [`run`]: an image on the instruction-set simulator.
//! - [`trace`]: a recording as text, JSON or statistics; comparison of two; exports.
//! - [`replay`]: replay of a recorded run.
//! - [`report`]: recordings as a page and as JUnit results.
//! - `tables`: recordings as tables in Parquet, with the feature `parquet`.
//! - [`waves`]: recordings as files for waveform and trace viewers.
//! - [`selftest`]: a small simulation in a simulator on this machine.
//! - [`files`]: input and output files of a command, which must be distinct.
//! - [`incomplete`]: recordings that were not read to their end.
//! - [`output`]: terminal output: colours, progress, sanitised text.
//! - [`output_file`]: output files, which are renamed when they are complete.
//!
//! Results go to standard output, everything else to standard error.

mod check;
mod files;
mod incomplete;
mod junit;
mod output;
mod output_file;
mod replay;
mod report;
mod run;
mod selftest;
#[cfg(feature = "parquet")]
mod tables;
mod trace;
mod waves;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use output::{ERROR, WholeStderr, is_broken_pipe};

/// Runs firmware on a verification host, checks configurations, and looks into recordings of runs.
#[derive(Parser)]
#[command(
    name = "vhost",
    version,
    after_help = "Exit status: 0 where all is well, 1 where a check failed or runs differ, 2 where a file can't be read to its end \
                  or the command line is wrong. `vhost run` has that of firmware."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Check both configurations and the images, and draw the memory map
    Check(check::Args),
    /// Run firmware on an instruction-set simulator, and serve it
    Run(Box<run::Args>),
    /// Inspect, compare, cut and export recordings
    #[command(subcommand)]
    Trace(trace::Verb),
    /// Replay a recorded run without its simulator, and compare every message
    Replay(replay::Args),
    /// Write recorded runs as a page to look at, or as JUnit results
    Report(report::Args),
    /// Compile and run a small simulation with the library in a simulator of this machine
    Selftest(selftest::Args),
}

/// Outcome of a command that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExitOutcome {
    Passed,
    /// A check failed, or runs differ.
    Failed,
    /// Exit status of a command that defines its own.
    Status(u8),
}

fn main() -> ExitCode {
    let outcome = perform(&Cli::parse().verb);
    match outcome {
        Ok(ExitOutcome::Passed) => ExitCode::SUCCESS,
        Ok(ExitOutcome::Failed) => ExitCode::from(1),
        Ok(ExitOutcome::Status(status)) => ExitCode::from(status),
        // The reader closed the output on purpose.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Without standard error there is no way to report.
            let _ = writeln!(WholeStderr::default(), "{ERROR}error:{ERROR:#} {error:#}");
            ExitCode::from(2)
        }
    }
}

fn perform(verb: &Verb) -> Result<ExitOutcome> {
    match verb {
        Verb::Check(args) => check::run(args),
        Verb::Run(args) => run::run(args),
        Verb::Trace(verb) => trace::run(verb),
        Verb::Replay(args) => replay::run(args),
        Verb::Report(args) => report::run(args),
        Verb::Selftest(args) => selftest::run(args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
