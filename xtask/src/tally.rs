//! Counts tests in the output of `cargo test -- --show-output`.
//!
//! A test that can't do its work on this machine prints a line `skipped: <reason>` and returns.
//! Those lines, and tests marked `#[ignore]`, are collected with the test's name.

use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Names of failed tests, with the number of failures.
    pub(crate) failures: BTreeMap<String, usize>,
    /// Skipped tests with their reasons, and the number of skips: the same test runs in many
    /// feature combinations.
    pub(crate) skipped: BTreeMap<String, usize>,
    /// True inside the part of the output that repeats the output of passing tests.
    in_successes: bool,
    /// Test whose output is being read.
    current: Option<String>,
}

impl Tally {
    /// Processes one line. Returns true if the line is to be printed: the output of passing tests
    /// is not.
    pub(crate) fn read(&mut self, line: &str) -> bool {
        if line == "successes:" {
            self.in_successes = true;
        } else if ["failures:", "running ", "test result: "]
            .iter()
            .any(|end| line.starts_with(end))
        {
            self.in_successes = false;
            self.current = None;
        }
        if let Some(name) = between(line, "---- ", " stdout ----") {
            self.current = Some(name.into());
        } else if let Some(why) = line.strip_prefix("skipped: ") {
            self.skip(match &self.current {
                Some(test) => format!("{test}: {why}"),
                None => why.into(),
            });
            return true;
        } else if let Some((name, how)) = ignored(line) {
            self.skip(format!("{name}: ignored{how}"));
        } else if let Some(name) = between(line, "test ", " ... FAILED") {
            *self.failures.entry(name.into()).or_default() += 1;
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += number_before(counts, " passed");
            self.failed += number_before(counts, " failed");
        }
        !self.in_successes
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
        for (what, times) in other.skipped {
            *self.skipped.entry(what).or_default() += times;
        }
    }
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.strip_prefix(before)?.strip_suffix(after)
}

/// Name and reason in `test <name> ... ignored, <reason>`.
fn ignored(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.split_once(" ... ignored")
}

fn number_before(counts: &str, word: &str) -> usize {
    let (before, _) = counts.split_once(word).unwrap_or_default();
    let digits = before.rsplit(' ').next().unwrap_or_default();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 4 tests
test a ... ok
test b ... ok
test c ... ignored, takes an hour
test d ... FAILED

successes:

---- a stdout ----
hello
skipped: clang is missing

successes:
    a
    b

failures:

---- d stdout ----
thread 'd' panicked

failures:
    d

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn counts_and_names_what_was_skipped() {
        let mut tally = Tally::default();
        let shown: Vec<&str> = OUTPUT.lines().filter(|line| tally.read(line)).collect();
        assert_eq!((tally.passed, tally.failed, tally.skips()), (2, 1, 2));
        assert_eq!(tally.failures, BTreeMap::from([("d".into(), 1)]));
        let skipped: Vec<&str> = tally.skipped.keys().map(String::as_str).collect();
        assert_eq!(
            skipped,
            ["a: clang is missing", "c: ignored, takes an hour"]
        );
        assert!(shown.contains(&"thread 'd' panicked"));
        assert!(shown.contains(&"skipped: clang is missing"));
        assert!(!shown.contains(&"hello"));
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
