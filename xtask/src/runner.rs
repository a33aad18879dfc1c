//! Runs steps in lanes, prints their output, and closes with a table.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, pipe};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use wait4::Wait4;

use crate::clock::{Clock, Elapsed, seconds};
use crate::step::{Case, Expect, Lane, Step};
use crate::tally::Tally;
use crate::tool::{CARGO_NEXTEST, Missing, Toolbox, program};

/// Number of lines at the end of a failed command's output that are printed again at the end of the
/// run.
const TAIL: usize = 60;

/// Number of the most expensive simulations that are listed at the end.
const COSTLY: usize = 12;

/// Report of cargo-nextest, as `.config/nextest.toml` names it.
const REPORT: &str = "target/nextest/default/junit.xml";

/// Environment of every command. Many feature combinations share one target folder, so output for
/// debuggers and incremental builds is disabled.
const ENV: [(&str, &str); 4] = [
    ("CARGO_PROFILE_DEV_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_PROFILE_TEST_DEBUG", "0"),
    ("CARGO_INCREMENTAL", "0"),
];

pub(crate) struct Runner<'a> {
    root: &'a Path,
    tools: Mutex<Toolbox>,
}

/// Results of finished steps.
struct Summary {
    rows: Vec<Row>,
    tally: Tally,
    failures: Vec<Failure>,
    started: Clock,
}

/// Results and cost of the commands of a step.
#[derive(Default)]
struct Counted {
    tally: Tally,
    /// Processor time of the commands and their children.
    cpu: Duration,
}

/// Result of one step.
struct StepResult {
    row: Row,
    tally: Tally,
    failures: Vec<Failure>,
    /// Lines that are not yet printed.
    held: Vec<String>,
}

/// Row of the closing table.
struct Row {
    /// Position of the step in the list.
    index: usize,
    step: &'static str,
    outcome: StepOutcome,
    time: Elapsed,
    remark: String,
}

#[derive(Clone, Copy, PartialEq)]
enum StepOutcome {
    Passed,
    Failed,
    Skipped,
}

struct Failure {
    title: String,
    why: String,
    tail: Vec<String>,
}

/// Output of a step: printed at once in the main lane, otherwise held until the step has finished.
enum Output {
    Shown,
    Held(Vec<String>),
}

impl Output {
    fn line(&mut self, line: impl Into<String>) {
        match self {
            Self::Shown => println!("{}", line.into()),
            Self::Held(lines) => lines.push(line.into()),
        }
    }
}

impl<'a> Runner<'a> {
    pub(crate) fn new(root: &'a Path, may_install: bool) -> Self {
        Self {
            root,
            tools: Mutex::new(Toolbox::new(may_install)),
        }
    }

    /// Runs all steps, also after a failure. The lanes run concurrently. Returns true if none
    /// failed.
    pub(crate) fn run(&self, steps: &[Step]) -> Result<bool> {
        let mut summary = Summary::new();
        let run = |lane, output: fn() -> Output, report: &mut dyn FnMut(Result<StepResult>)| {
            for (index, step) in steps.iter().enumerate() {
                if step.lane == lane {
                    let number = format!("[{}/{}]", index + 1, steps.len());
                    report(self.run_step(index, &number, step, output()));
                }
            }
        };
        let (sender, other) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                run(Lane::Simulation, || Output::Held(vec![]), &mut |done| {
                    // The receiver outlives the lanes.
                    let _ = sender.send(done);
                });
            });
            let mut main = vec![];
            run(Lane::Main, || Output::Shown, &mut |done| {
                main.push(done);
                other
                    .try_iter()
                    .for_each(|done| main.push(print_held(done)));
            });
            other.iter().for_each(|done| main.push(print_held(done)));
            main.into_iter().try_for_each(|done| {
                summary.add(done?);
                anyhow::Ok(())
            })
        })?;
        summary.close();
        Ok(summary.failures.is_empty())
    }

    fn run_step(
        &self,
        index: usize,
        number: &str,
        step: &Step,
        mut output: Output,
    ) -> Result<StepResult> {
        let started = Instant::now();
        output.line(format!("\n{number} {}", step.name));
        let (mut counted, mut failures) = (Counted::default(), vec![]);
        let (outcome, remark) = match self.skip_reason(step) {
            Some((outcome, reason)) => (outcome, reason),
            None => self.run_cases(number, step, &mut output, &mut counted, &mut failures)?,
        };
        let Counted { tally, cpu } = counted;
        let wall = started.elapsed();
        let time = Elapsed { wall, cpu };
        let (name, word) = (step.name, outcome.word());
        output.line(format!("{number} {name} {word} in {time}"));
        if outcome != StepOutcome::Passed && failures.is_empty() {
            output.line(format!("  {remark}"));
        }
        Ok(StepResult {
            row: Row {
                index,
                step: name,
                outcome,
                time,
                remark,
            },
            tally,
            failures,
            held: match output {
                Output::Shown => vec![],
                Output::Held(lines) => lines,
            },
        })
    }

    /// Outcome and reason of a step that can't run.
    fn skip_reason(&self, step: &Step) -> Option<(StepOutcome, String)> {
        if step.cases.iter().any(Case::is_nextest)
            && let Err(Missing(reason)) = self.tools().get(CARGO_NEXTEST)
        {
            // The run exists for the tests of this project.
            return Some((StepOutcome::Failed, reason));
        }
        for tool in &step.required {
            if let Err(Missing(reason)) = self.tools().get(*tool) {
                return Some((StepOutcome::Skipped, reason));
            }
        }
        let (command, otherwise) = step.probe?;
        let answer = program(command).current_dir(self.root).output();
        let works = answer.is_ok_and(|answer| answer.status.success());
        (!works).then(|| (StepOutcome::Skipped, otherwise.into()))
    }

    /// Toolbox. Only one lane at a time installs.
    fn tools(&self) -> impl std::ops::DerefMut<Target = Toolbox> + '_ {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_cases(
        &self,
        number: &str,
        step: &Step,
        output: &mut Output,
        counted: &mut Counted,
        failures: &mut Vec<Failure>,
    ) -> Result<(StepOutcome, String)> {
        let mut lacking = vec![];
        for tool in &step.optional {
            if let Err(Missing(reason)) = self.tools().get(*tool) {
                output.line(format!("  {reason}"));
                lacking.push(reason);
            }
        }
        let mut cpu = vec![];
        for (index, case) in step.cases.iter().enumerate() {
            let title = match step.cases.len() {
                1 => format!("{number} {}", case.command),
                many => format!("{number} ({}/{many}) {}", index + 1, case.command),
            };
            output.line(title.as_str());
            let mut of_case = Counted::default();
            let failure = self.run_case(title, case, &step.env, output, &mut of_case)?;
            counted.cpu += of_case.cpu;
            cpu.push(seconds(of_case.cpu));
            counted.tally.add(of_case.tally);
            if let Some(failure) = failure {
                output.line(format!("  FAILED: {}", failure.why));
                failures.push(failure);
            }
        }
        let tally = &counted.tally;
        let mut remarks = vec![];
        if step.cases.len() > 1 {
            let passed = step.cases.len() - failures.len();
            let cpu = cpu.join(" + ");
            remarks.push(format!("{passed}/{} commands ({cpu})", step.cases.len()));
        }
        if tally.passed + tally.failed > 0 {
            remarks.push(format!("{} tests", tally.passed + tally.failed));
        }
        if tally.skips() > 0 {
            remarks.push(format!("{} skipped", tally.skips()));
        }
        remarks.extend(lacking);
        let outcome = match failures.len() {
            0 => StepOutcome::Passed,
            _ => StepOutcome::Failed,
        };
        Ok((outcome, remarks.join(", ")))
    }

    fn run_case(
        &self,
        title: String,
        case: &Case,
        env: &[(&str, &str)],
        shown: &mut Output,
        counted: &mut Counted,
    ) -> Result<Option<Failure>> {
        // One pipe for both streams keeps their lines in the order they were written.
        let (reader, writer) = pipe().context("cannot make a pipe")?;
        let report = case.is_nextest().then(|| self.root.join(REPORT));
        if let Some(old) = &report {
            // A report of an earlier run must not count for this one.
            let _ = fs::remove_file(old);
        }
        let mut command = program(&case.command);
        command
            .current_dir(self.root)
            .envs(ENV)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(writer.try_clone().context("cannot share a pipe")?)
            .stderr(writer);
        let child = command.spawn();
        drop(command); // closes the parent's ends of the pipe, or reading would never end
        let child = match child {
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
            counted.tally.read(&line);
            if show_all {
                shown.line(line.as_str());
            }
            output.push(line);
        }
        let ended = child.wait4().context("cannot wait for a command")?;
        counted.cpu = ended.rusage.utime + ended.rusage.stime;
        let status = ended.status;
        // Without a report, the tests did not compile.
        if let Some(report) = report.filter(|report| report.exists()) {
            let xml = fs::read_to_string(&report);
            xml.map_err(anyhow::Error::new)
                .and_then(|xml| counted.tally.add_report(&xml))
                .with_context(|| format!("cannot read {}", report.display()))?;
        }
        let failure = case.expect.unmet(status.success(), &output).map(|why| {
            output.retain(|line| !is_progress(line));
            let tail = output.split_off(output.len().saturating_sub(TAIL));
            let why = format!("{why} ({status})");
            Failure { title, why, tail }
        });
        if let (Some(failure), false) = (&failure, show_all) {
            failure
                .tail
                .iter()
                .for_each(|line| shown.line(line.as_str()));
        }
        Ok(failure)
    }
}

/// Prints the held output of another lane's step.
fn print_held(done: Result<StepResult>) -> Result<StepResult> {
    if let Ok(done) = &done {
        done.held.iter().for_each(|line| println!("{line}"));
    }
    done
}

impl Summary {
    fn new() -> Self {
        Self {
            rows: vec![],
            tally: Tally::default(),
            failures: vec![],
            started: Clock::start(),
        }
    }

    fn add(&mut self, done: StepResult) {
        self.rows.push(done.row);
        self.rows.sort_by_key(|row| row.index);
        self.tally.add(done.tally);
        self.failures.extend(done.failures);
    }

    fn close(&self) {
        for failure in &self.failures {
            println!(
                "\n---- {} ----\n{}; the end of its output:",
                failure.title, failure.why
            );
            failure.tail.iter().for_each(|line| println!("  {line}"));
        }
        self.print_costs();
        let width = self
            .rows
            .iter()
            .map(|row| row.step.len())
            .max()
            .unwrap_or(0);
        println!("\n{:width$}  {:7}  {:>8}  {:>8}", "step", "", "time", "CPU");
        for row in &self.rows {
            let (step, outcome) = (row.step, row.outcome.word());
            let [wall, cpu] = [row.time.wall, row.time.cpu].map(seconds);
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
            count(StepOutcome::Passed),
            count(StepOutcome::Failed),
            count(StepOutcome::Skipped),
            self.started.elapsed()
        );
    }
}

impl Summary {
    /// Prints the simulations with the most processor time. The first of a design includes its
    /// build.
    fn print_costs(&self) {
        let mut costs = self.tally.costs.clone();
        if costs.is_empty() {
            return;
        }
        costs.sort_by(|one, other| other.0.total_cmp(&one.0));
        let all: f64 = costs.iter().map(|(cost, _)| cost).sum();
        let costly: Vec<String> = costs
            .iter()
            .take(COSTLY)
            .map(|(cost, case)| format!("{case} {cost:.0} s"))
            .collect();
        println!(
            "\nCPU of simulations, builds included: {all:.0} s; most: {}",
            costly.join(", ")
        );
    }
}

impl StepOutcome {
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

/// True for lines about successful builds and tests.
fn is_progress(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let built = ["Compiling", "Checking", "Downloaded", "Documenting"].contains(&first);
    (line.starts_with(' ') && built) || (first == "test" && line.ends_with(" ... ok"))
}
