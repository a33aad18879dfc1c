//! Summary of the cases that have run, and the outcome of each.

use std::error::Error;
use std::fmt;
use std::path::Path;

use anyhow::Result;

use super::results::{self, CaseResult};
use crate::clock::{Clock, Elapsed};
use crate::tally::COST;

/// Results in the format of `cargo test`, and the time of each case.
pub(super) struct Summary<'a> {
    root: &'a Path,
    /// Version of the simulator of the next case.
    pub(super) version: Option<String>,
    passed: usize,
    failed: usize,
    times: Vec<(String, Elapsed)>,
}

impl<'a> Summary<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self {
            root,
            version: None,
            passed: 0,
            failed: 0,
            times: vec![],
        }
    }

    /// Runs a case. A case that can't be built or run counts as failed, and the others still run. A
    /// [`Skipped`] case has no result.
    pub(super) fn run(&mut self, name: &str, case: impl FnOnce() -> Result<Option<String>>) {
        let clock = Clock::start();
        let unmet = case();
        self.times.push((name.to_owned(), clock.elapsed()));
        let passed = match CaseOutcome::of(unmet) {
            CaseOutcome::Skipped(why) => return println!("skipped: {name}: {why}"),
            CaseOutcome::Passed => {
                println!("test cosim::{name} ... ok");
                self.passed += 1;
                true
            }
            CaseOutcome::Failed(why) => {
                println!("{why}\ntest cosim::{name} ... FAILED");
                self.failed += 1;
                false
            }
        };
        let version = self.version.clone();
        if let Err(error) = results::keep(self.root, name, CaseResult { passed, version }) {
            println!("its result is not kept: {error:#}");
        }
    }

    /// Prints the summary; returns true if no case failed.
    pub(super) fn close(self) -> bool {
        println!("\ntimes, building included:");
        for (name, took) in &self.times {
            println!("  {name}: {took}");
            println!("{COST}{:.1} s cosim::{name}", took.cpu.as_secs_f64());
        }
        let verdict = if self.failed == 0 { "ok" } else { "FAILED" };
        println!(
            "\ntest result: {verdict}. {} passed; {} failed",
            self.passed, self.failed
        );
        self.failed == 0
    }
}

/// Outcome of a case.
#[derive(Debug, PartialEq, Eq)]
enum CaseOutcome {
    Passed,
    Failed(String),
    Skipped(String),
}

impl CaseOutcome {
    /// CaseOutcome by the reason of a failure, or by an error.
    fn of(unmet: Result<Option<String>>) -> Self {
        match unmet {
            Ok(None) => Self::Passed,
            Ok(Some(why)) => Self::Failed(why),
            Err(error) if error.is::<Skipped>() => Self::Skipped(error.to_string()),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

/// Reason why a case can't run here: an error that is not a failure.
#[derive(Debug)]
pub(super) struct Skipped(pub(super) &'static str);

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Skipped {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_failure_unless_the_case_is_skipped() {
        let skipped = Skipped("its source is not here").into();
        for (unmet, expected) in [
            (Ok(None), CaseOutcome::Passed),
            (
                Ok(Some("x".to_owned())),
                CaseOutcome::Failed("x".to_owned()),
            ),
            (
                Err(skipped),
                CaseOutcome::Skipped("its source is not here".to_owned()),
            ),
            (
                Err(anyhow::anyhow!("y")),
                CaseOutcome::Failed("y".to_owned()),
            ),
        ] {
            assert_eq!(CaseOutcome::of(unmet), expected);
        }
    }
}
