//! Runs as JUnit results, for continuous integration.

use chrono::{DateTime, SecondsFormat};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use vhost::trace::RunIdentity;

use super::columns::replay_command;
use super::columns::request_text;
use super::run::{Failure, Run, Step};
use super::verdict::{Judgement, Verdict};
use crate::junit::{attribute, text_of};

/// Maximum number of lines of firmware's text in a result.
const MAX_LINES: usize = 100;

/// Test suite with a test case for each run.
pub(super) struct Results(TestSuite);

impl Results {
    pub(super) fn new() -> Self {
        Self(TestSuite::new("vhost report"))
    }

    /// Adds a run; `None` for a file that could not be read.
    pub(super) fn add(&mut self, file: &str, run: Option<&Run>, judgement: &Judgement) {
        let status = match judgement.verdict {
            Verdict::Passed => TestCaseStatus::success(),
            Verdict::Failed | Verdict::Unfinished => {
                not_passed(NonSuccessKind::Failure, run, judgement)
            }
            Verdict::Unreadable => not_passed(NonSuccessKind::Error, run, judgement),
        };
        let mut case = TestCase::new(attribute(file), status);
        case.set_classname("vhost.run");
        if let Some(run) = run {
            let (requests, failed) = run.counts();
            for (key, value) in run.identity.run.iter() {
                let time = (key == RunIdentity::STARTED)
                    .then(|| time_of(value))
                    .flatten();
                let value = time.unwrap_or_else(|| attribute(value));
                case.add_property((key, value.as_str()));
            }
            let numbers = [
                ("ticks", run.ticks),
                ("requests", requests),
                ("failed_requests", failed),
            ];
            for (name, number) in numbers {
                case.add_property((name, number.to_string().as_str()));
            }
            let printed = last_lines(run);
            if !printed.is_empty() {
                case.set_system_out(printed);
            }
        }
        self.0.add_test_case(case);
    }

    /// Text of the file.
    pub(super) fn text(self) -> Result<String, quick_junit::SerializeError> {
        let mut report = Report::new("vhost");
        report.add_test_suite(self.0);
        text_of(&report)
    }
}

/// Milliseconds since 1970 as a time of ISO 8601, in UTC.
fn time_of(milliseconds: &str) -> Option<String> {
    let time = DateTime::from_timestamp_millis(milliseconds.parse().ok()?)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn not_passed(kind: NonSuccessKind, run: Option<&Run>, judgement: &Judgement) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let message = judgement.reasons.first().map_or("", String::as_str);
    status.set_message(attribute(message));
    status.set_type(judgement.verdict.name());
    let mut lines = judgement.reasons.clone();
    if let Some(failure) = run.and_then(|run| run.failure(judgement.allows_errors)) {
        lines.extend(first_error(failure));
    }
    if let Some(run) = run {
        let command = run.identity.run.get(RunIdentity::COMMAND);
        lines.extend(command.map(|command| format!("run again: {command}")));
        lines.push(match run.no_replay() {
            Some(reason) => reason.to_owned(),
            None => format!("reproduce: {}", replay_command(&run.path)),
        });
    }
    status.set_description(lines.join("\n"));
    status
}

fn first_error(failure: &Failure) -> Vec<String> {
    let Failure { tick, id, text, .. } = failure;
    let mut lines = vec![format!("first error, tick {tick}, {id}: {text}")];
    let before = failure.before.iter().map(|step| match step {
        Step::Request(row) => format!("  tick {}: {}", row.answered, request_text(row)),
        Step::Report(row) => format!("  tick {}: {}: {}", row.tick, row.severity.name(), row.text),
    });
    if !failure.before.is_empty() {
        lines.push("before it:".to_owned());
    }
    lines.extend(before);
    lines
}

/// Last lines of firmware's text, with channels and marks as on the console.
fn last_lines(run: &Run) -> String {
    let lines: Vec<_> = run.console.lines().iter().collect();
    let last = &lines[lines.len().saturating_sub(MAX_LINES)..];
    let texts = last.iter().map(|line| {
        let channel = run.channels.get(line.channel);
        let name = channel.map_or("", |channel| &channel.name);
        let mark = match &*line.source {
            "" => String::new(),
            source => format!("{source}: "),
        };
        format!("[{name}] {mark}{}", line.text)
    });
    texts.collect::<Vec<_>>().join("\n")
}
