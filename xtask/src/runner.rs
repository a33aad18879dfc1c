//! Runs steps one after the other, shows what they print as it comes, and closes with a table.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, pipe};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::clock::{Clock, Took, seconds};
use crate::step::{Case, Expect, Step};
use crate::tally::Tally;
use crate::tool::{Missing, Toolbox, program};

/// How many lines of a failed command are shown again at the end.
const TAIL: usize = 60;

/// What every command gets: many feature combinations in one target folder, so nothing that is only good for a debugger
/// or for the next edit.
const ENV: [(&str, &str); 3] = [
    ("CARGO_PROFILE_DEV_DEBUG", "0"),
    ("CARGO_PROFILE_TEST_DEBUG", "0"),
    ("CARGO_INCREMENTAL", "0"),
];

pub(crate) struct Runner<'a> {
    root: &'a Path,
    tools: Toolbox,
    /// Environment of this run's commands, on top of [`ENV`].
    env: &'a [(&'a str, &'a str)],
    rows: Vec<Row>,
    tally: Tally,
    failures: Vec<Failure>,
    begun: Clock,
}

/// One line of the closing table.
struct Row {
    step: &'static str,
    outcome: Outcome,
    took: Took,
    remark: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

struct Failure {
    title: String,
    why: String,
    tail: Vec<String>,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(root: &'a Path, may_install: bool, env: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            root,
            tools: Toolbox::new(may_install),
            env,
            rows: vec![],
            tally: Tally::default(),
            failures: vec![],
            begun: Clock::start(),
        }
    }

    /// Runs all steps, also after one has failed, and says whether none did.
    pub(crate) fn run(mut self, steps: &[Step]) -> Result<bool> {
        for (index, step) in steps.iter().enumerate() {
            let number = format!("[{}/{}]", index + 1, steps.len());
            let begun = Clock::start();
            println!("\n{number} {}", step.name);
            let (outcome, remark) = match self.obstacle(step) {
                Some(reason) => (Outcome::Skipped, reason),
                None => self.run_cases(&number, step)?,
            };
            let took = begun.elapsed();
            println!("{number} {} {} in {took}", step.name, outcome.word());
            if outcome == Outcome::Skipped {
                println!("  {remark}");
            }
            self.rows.push(Row {
                step: step.name,
                outcome,
                took,
                remark,
            });
        }
        self.close();
        Ok(self.failures.is_empty())
    }

    /// Why the step can't run.
    fn obstacle(&mut self, step: &Step) -> Option<String> {
        for tool in &step.needs {
            if let Err(Missing(reason)) = self.tools.get(*tool) {
                return Some(reason);
            }
        }
        let (command, otherwise) = step.probe?;
        let answer = program(command).current_dir(self.root).output();
        let works = answer.is_ok_and(|answer| answer.status.success());
        (!works).then(|| otherwise.into())
    }

    fn run_cases(&mut self, number: &str, step: &Step) -> Result<(Outcome, String)> {
        let mut lacking = vec![];
        for tool in &step.wants {
            if let Err(Missing(reason)) = self.tools.get(*tool) {
                println!("  {reason}");
                lacking.push(reason);
            }
        }
        let (mut failed, mut tally) = (0, Tally::default());
        for (index, case) in step.cases.iter().enumerate() {
            let title = match step.cases.len() {
                1 => format!("{number} {}", case.command),
                many => format!("{number} ({}/{many}) {}", index + 1, case.command),
            };
            println!("{title}");
            let mut counted = Tally::default();
            let failure = self.run_case(title, case, &step.env, &mut counted)?;
            tally.add(counted);
            if let Some(failure) = failure {
                println!("  FAILED: {}", failure.why);
                self.failures.push(failure);
                failed += 1;
            }
        }
        let mut remarks = vec![];
        if step.cases.len() > 1 {
            remarks.push(format!(
                "{}/{} commands",
                step.cases.len() - failed,
                step.cases.len()
            ));
        }
        if tally.passed + tally.failed > 0 {
            remarks.push(format!("{} tests", tally.passed + tally.failed));
        }
        if tally.skips() > 0 {
            remarks.push(format!("{} skipped", tally.skips()));
        }
        remarks.extend(lacking);
        self.tally.add(tally);
        let outcome = match failed {
            0 => Outcome::Passed,
            _ => Outcome::Failed,
        };
        Ok((outcome, remarks.join(", ")))
    }

    fn run_case(
        &self,
        title: String,
        case: &Case,
        env: &[(&str, &str)],
        tally: &mut Tally,
    ) -> Result<Option<Failure>> {
        // One pipe for both streams keeps their lines in the order they were written.
        let (reader, writer) = pipe().context("cannot make a pipe")?;
        let mut command = program(&case.command);
        command
            .current_dir(self.root)
            .envs(ENV)
            .envs(self.env.iter().copied())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(writer.try_clone().context("cannot share a pipe")?)
            .stderr(writer);
        let child = command.spawn();
        drop(command); // with its ends of the pipe, or reading would never end
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                let (why, tail) = (format!("it can't be started: {error}"), vec![]);
                return Ok(Some(Failure { title, why, tail }));
            }
        };

        let show_all = matches!(case.expect, Expect::Success);
        let (mut output, mut raw) = (vec![], vec![]);
        let mut reader = BufReader::new(reader);
        while reader
            .read_until(b'\n', &mut raw)
            .context("cannot read a command's output")?
            > 0
        {
            let line = String::from_utf8_lossy(&raw).trim_end().to_owned();
            raw.clear();
            if tally.read(&line) {
                if show_all {
                    println!("{line}");
                }
                output.push(line);
            }
        }
        let status = child.wait().context("cannot wait for a command")?;
        let failure = case.expect.unmet(status.success(), &output).map(|why| {
            output.retain(|line| !is_progress(line));
            let tail = output.split_off(output.len().saturating_sub(TAIL));
            let why = format!("{why} ({status})");
            Failure { title, why, tail }
        });
        if let (Some(failure), false) = (&failure, show_all) {
            failure.tail.iter().for_each(|line| println!("{line}"));
        }
        Ok(failure)
    }

    fn close(&self) {
        for failure in &self.failures {
            println!(
                "\n---- {} ----\n{}; the end of its output:",
                failure.title, failure.why
            );
            failure.tail.iter().for_each(|line| println!("  {line}"));
        }
        let width = self
            .rows
            .iter()
            .map(|row| row.step.len())
            .max()
            .unwrap_or(0);
        println!("\n{:width$}  {:7}  {:>8}  {:>8}", "step", "", "time", "CPU");
        for row in &self.rows {
            let (step, outcome) = (row.step, row.outcome.word());
            let [wall, cpu] = [row.took.wall, row.took.cpu].map(seconds);
            let line = format!(
                "{step:width$}  {outcome:7}  {wall:>8}  {cpu:>8}  {}",
                row.remark
            );
            println!("{}", line.trim_end());
        }
        print_counted("failed:", &self.tally.failures);
        print_counted("skipped:", &self.tally.skipped);
        let count = |outcome| {
            self.rows
                .iter()
                .filter(|row| row.outcome == outcome)
                .count()
        };
        println!(
            "\ntests: {} passed, {} failed, {} skipped",
            self.tally.passed,
            self.tally.failed,
            self.tally.skips()
        );
        println!(
            "steps: {} passed, {} failed, {} skipped, in {}",
            count(Outcome::Passed),
            count(Outcome::Failed),
            count(Outcome::Skipped),
            self.begun.elapsed()
        );
    }
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}

fn print_counted(title: &str, items: &BTreeMap<String, usize>) {
    if !items.is_empty() {
        println!("\n{title}");
    }
    for (item, times) in items {
        match times {
            1 => println!("  {item}"),
            _ => println!("  {item} ({times} times)"),
        }
    }
}

/// Lines about crates that built well and tests that passed.
fn is_progress(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let built = ["Compiling", "Checking", "Downloaded", "Documenting"].contains(&first);
    (line.starts_with(' ') && built) || (first == "test" && line.ends_with(" ... ok"))
}
