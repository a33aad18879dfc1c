//! Counts tests, in the JUnit report of cargo-nextest and in the output of other commands.
//!
//! A test that can't run on this machine prints a line `skipped: <reason>` and returns. Those lines
//! are collected with the test's name.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use quick_junit::{Report, TestCase, TestCaseStatus};

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Names of failed tests, with the number of failures.
    pub(crate) failures: BTreeMap<String, usize>,
    /// Skipped tests with their reasons, and the number of skips: the same test runs in many
    /// feature combinations.
    pub(crate) skipped: BTreeMap<String, usize>,
    /// Processor time of cases of `cargo xtask cosim`, in seconds, with their names.
    pub(crate) costs: Vec<(f64, String)>,
}

/// Prefix of the line with the processor time of a case: `cost: <seconds> s <name>`.
pub(crate) const COST: &str = "cost: ";

impl Tally {
    /// Reads one line of a command's output: of documentation tests, which cargo-nextest does not
    /// run, and of commands that skip a part of their work.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(why) = line.strip_prefix("skipped: ") {
            self.skip(why.into());
        } else if let Some(name) = between(line, "test ", " ... FAILED") {
            self.fail(name.into());
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += number_before(counts, " passed");
            self.failed += number_before(counts, " failed");
        } else if let Some((seconds, case)) = line
            .strip_prefix(COST)
            .and_then(|cost| cost.split_once(" s "))
        {
            let cost = seconds.parse().unwrap_or_default();
            self.costs.push((cost, case.into()));
        }
    }

    /// Adds the results of a JUnit report.
    pub(crate) fn add_report(&mut self, xml: &str) -> Result<()> {
        let report = Report::deserialize_from_str(xml).context("it is no JUnit report")?;
        for suite in &report.test_suites {
            for test in &suite.test_cases {
                let name = format!("{} {}", suite.name.as_str(), test.name.as_str());
                self.add_test(&name, test);
            }
        }
        Ok(())
    }

    fn add_test(&mut self, name: &str, test: &TestCase) {
        if let TestCaseStatus::NonSuccess { .. } = test.status {
            self.failed += 1;
            self.fail(name.into());
        } else {
            self.passed += 1;
        }
        for output in [&test.system_out, &test.system_err].into_iter().flatten() {
            for why in output.as_str().lines() {
                if let Some(why) = why.trim().strip_prefix("skipped: ") {
                    self.skip(format!("{name}: {why}"));
                }
            }
        }
    }

    fn fail(&mut self, test: String) {
        *self.failures.entry(test).or_default() += 1;
    }

    fn skip(&mut self, what: String) {
        *self.skipped.entry(what).or_default() += 1;
    }

    pub(crate) fn skips(&self) -> usize {
        self.skipped.values().sum()
    }

    pub(crate) fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        for (name, times) in other.failures {
            *self.failures.entry(name).or_default() += times;
        }
        self.costs.extend(other.costs);
        for (what, times) in other.skipped {
            *self.skipped.entry(what).or_default() += times;
        }
    }
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.strip_prefix(before)?.strip_suffix(after)
}

fn number_before(counts: &str, word: &str) -> usize {
    let (before, _) = counts.split_once(word).unwrap_or_default();
    let digits = before.rsplit(' ').next().unwrap_or_default();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="3" failures="1" errors="0" time="0.2">
    <testsuite name="vhost::c_abi" tests="3" disabled="0" errors="0" failures="1">
        <testcase name="a" classname="vhost::c_abi" time="0.02">
            <system-out>running 1 test
skipped: clang is missing
test a ... ok</system-out>
        </testcase>
        <testcase name="b" classname="vhost::c_abi" time="0.02"/>
        <testcase name="d" classname="vhost::c_abi" time="0.02">
            <failure type="test failure with exit code 101">thread 'd' panicked</failure>
        </testcase>
    </testsuite>
</testsuites>
"#;

    #[test]
    fn counts_and_names_skipped_tests() {
        let mut tally = Tally::default();
        assert!(tally.add_report(REPORT).is_ok());
        for line in [
            "test src/lib.rs - Migrating (line 489) ... ok",
            "test result: ok. 23 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            "skipped: picorv32: verilator is missing",
            "cost: 12.5 s cosim::selftest",
        ] {
            tally.read(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.skips()), (25, 1, 2));
        assert_eq!(tally.costs, [(12.5, "cosim::selftest".into())]);
        let failures = BTreeMap::from([("vhost::c_abi d".into(), 1)]);
        assert_eq!(tally.failures, failures);
        let skipped: Vec<&str> = tally.skipped.keys().map(String::as_str).collect();
        assert_eq!(
            skipped,
            [
                "picorv32: verilator is missing",
                "vhost::c_abi a: clang is missing"
            ]
        );
    }

    #[test]
    fn a_report_that_is_none_is_an_error() {
        assert!(Tally::default().add_report("<testsuites").is_err());
    }

    #[test]
    fn the_same_skip_is_counted_not_repeated() {
        let mut sum = Tally::default();
        for _ in 0..3 {
            let mut tally = Tally::default();
            tally.read("skipped: no clang");
            sum.add(tally);
        }
        assert_eq!(sum.skipped, BTreeMap::from([("no clang".into(), 3)]));
    }
}
