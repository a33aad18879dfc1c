//! Step of `cargo xtask test`: a name, and commands written as on a command line.

use std::path::Path;

use crate::tool::Tool;

/// Start of commands that run tests by cargo-nextest.
pub(crate) const NEXTEST: &str = "target/venv/bin/cargo-nextest nextest run";

/// Commands that run one after the other and form one row of the closing table.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) cases: Vec<Case>,
    /// Environment on top of the runner's own.
    pub(crate) env: Vec<(&'static str, &'static str)>,
    /// Required tools. Without one of these the step is skipped.
    pub(crate) required: Vec<Tool>,
    /// Optional tools. Without one of these the step runs, and tests that need it are skipped.
    pub(crate) optional: Vec<Tool>,
    /// Probe command and reason: the step is skipped for this reason if the command fails.
    pub(crate) probe: Option<(&'static str, &'static str)>,
    pub(crate) lane: Lane,
    /// Files of which one must exist for the step to apply. An empty list always applies.
    files: &'static [&'static str],
}

/// Lane of a step. Steps of one lane run one after the other, concurrently with the other lane. The
/// lanes build different profiles of `cargo`, so that one waits for the other only for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Profiles `dev` and `test`.
    Main,
    /// Profile `release`, which simulations are linked with.
    Simulation,
}

/// Command of a step, split at white space without quoting.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) command: String,
    pub(crate) expect: Expect,
    pub(crate) runs: Runs,
}

/// Runs of `cargo xtask test` that include a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    /// The quick run and the full one.
    Both,
    /// The run with `--full` alone.
    Full,
    /// Only the run without `--full`: the full run has all cases, of which this command runs
    /// representatives.
    Quick,
}

/// Condition for a command to pass.
#[derive(Clone)]
pub(crate) enum Expect {
    /// Exit status 0.
    Success,
    /// Failure with one compiler error for each list, which contains all words of that list.
    Refusal(Vec<Vec<String>>),
}

impl Case {
    pub(crate) fn new(command: impl Into<String>, expect: Expect, runs: Runs) -> Self {
        let command = command.into();
        Self {
            command,
            expect,
            runs,
        }
    }

    /// True if cargo-nextest runs the command's tests.
    pub(crate) fn is_nextest(&self) -> bool {
        self.command.starts_with(NEXTEST)
    }
}

impl Step {
    pub(crate) fn new<C: Into<String>>(
        name: &'static str,
        commands: impl IntoIterator<Item = C>,
    ) -> Self {
        Self::of_cases(name, vec![]).with(Runs::Both, commands)
    }

    /// Adds commands for some of the runs.
    pub(crate) fn with<C: Into<String>>(
        mut self,
        runs: Runs,
        commands: impl IntoIterator<Item = C>,
    ) -> Self {
        let case = |command| Case::new(command, Expect::Success, runs);
        self.cases.extend(commands.into_iter().map(case));
        self
    }

    /// Step of the full run only.
    pub(crate) fn full<C: Into<String>>(
        name: &'static str,
        commands: impl IntoIterator<Item = C>,
    ) -> Self {
        Self::of_cases(name, vec![]).with(Runs::Full, commands)
    }

    pub(crate) fn of_cases(name: &'static str, cases: Vec<Case>) -> Self {
        Self {
            name,
            cases,
            env: vec![],
            required: vec![],
            optional: vec![],
            probe: None,
            lane: Lane::Main,
            files: &[],
        }
    }

    pub(crate) fn env(mut self, key: &'static str, value: &'static str) -> Self {
        self.env.push((key, value));
        self
    }

    pub(crate) fn required(mut self, tools: &[Tool]) -> Self {
        self.required.extend(tools);
        self
    }

    pub(crate) fn optional(mut self, tools: &[Tool]) -> Self {
        self.optional.extend(tools);
        self
    }

    pub(crate) fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    pub(crate) fn probe(mut self, command: &'static str, otherwise: &'static str) -> Self {
        self.probe = Some((command, otherwise));
        self
    }

    pub(crate) fn only_with(mut self, files: &'static [&'static str]) -> Self {
        self.files = files;
        self
    }

    /// True if the step applies to this tree.
    pub(crate) fn belongs_to(&self, root: &Path) -> bool {
        let has_file = || self.files.iter().any(|file| root.join(file).is_file());
        !self.cases.is_empty() && (self.files.is_empty() || has_file())
    }

    /// Returns the step with the commands of the full or of the quick run; `None` if there are
    /// none. Tests of the full run take whole matrices.
    pub(crate) fn for_run(mut self, full: bool) -> Option<Self> {
        let other = match full {
            true => {
                self.env.push(("VHOST_WHOLE_MATRIX", "1"));
                Runs::Quick
            }
            false => Runs::Full,
        };
        self.cases.retain(|case| case.runs != other);
        (!self.cases.is_empty()).then_some(self)
    }

    /// Returns the step with the commands that match `only`, or with all commands if its name
    /// matches; `None` if nothing matches. An empty `only` keeps the step unchanged.
    pub(crate) fn narrowed(mut self, only: &[String]) -> Option<Self> {
        let matches = |text: &str| only.iter().any(|part| text.contains(part.as_str()));
        if !only.is_empty() && !matches(self.name) {
            self.cases.retain(|case| matches(&case.command));
        }
        (!self.cases.is_empty()).then_some(self)
    }
}

impl Expect {
    /// Reason why a finished command has failed; `None` if it passed.
    pub(crate) fn unmet(&self, success: bool, output: &[String]) -> Option<String> {
        match self {
            Self::Success => (!success).then(|| "it failed".into()),
            Self::Refusal(_) if success => Some("it compiles, and must not".into()),
            Self::Refusal(errors) => {
                let missing = errors.iter().find(|words| !refused_with(words, output))?;
                Some(format!("no error message names {}", missing.join(" and ")))
            }
        }
    }
}

/// True if one compiler error, from its first line to its source location, contains all `words`.
fn refused_with(words: &[String], output: &[String]) -> bool {
    let mut message = String::new();
    for line in output {
        if line.starts_with("error") {
            message.clear();
        } else if line.trim_start().starts_with("-->") || line.is_empty() {
            if words.iter().all(|word| has_word(&message, word)) {
                return true;
            }
            message.clear();
            continue;
        } else if message.is_empty() {
            continue;
        }
        message.push_str(line);
        message.push('\n');
    }
    false
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(String::from).collect()
    }

    #[test]
    fn a_refusal_must_name_both_features() {
        let expect = Expect::Refusal(vec![vec!["mem_uvm".into(), "mem_api".into()]]);
        let good = "   Compiling x\nerror: features `mem_uvm`\n       and `mem_api`\n --> src/lib.rs:1:1\n";
        let half = "error: feature `mem_uvm` clashes\n --> src/lib.rs:1:1\n  | `mem_api`\n\nerror: could not compile `vhost`";
        assert_eq!(expect.unmet(false, &lines(good)), None);
        assert!(expect.unmet(false, &lines(half)).is_some());
        assert!(expect.unmet(true, &lines(good)).is_some());
    }

    #[test]
    fn each_refusal_of_a_command_needs_an_error_of_its_own() {
        let words = |pair: [&str; 2]| pair.map(String::from).to_vec();
        let expect = Expect::Refusal(vec![words(["a", "b"]), words(["b", "c"])]);
        let first = "error: `a` and `b`\n --> src/lib.rs:1:1\n";
        let second = "error: `b` and `c`\n --> src/lib.rs:1:1\n";
        assert_eq!(
            expect.unmet(false, &lines(&format!("{first}{second}"))),
            None
        );
        let unmet = expect.unmet(false, &lines(first));
        assert_eq!(unmet.as_deref(), Some("no error message names b and c"));
    }

    #[test]
    fn a_run_has_its_own_commands_and_those_of_both() {
        let step = || {
            Step::new("s", ["both"])
                .with(Runs::Full, ["full"])
                .with(Runs::Quick, ["quick"])
        };
        let commands = |full| {
            let step = step().for_run(full).expect("it has commands");
            let commands: Vec<String> = step.cases.into_iter().map(|case| case.command).collect();
            commands.join(" ")
        };
        assert_eq!(commands(false), "both quick");
        assert_eq!(commands(true), "both full");
        assert!(Step::full("s", ["full"]).for_run(false).is_none());
    }

    #[test]
    fn only_takes_whole_steps_by_name_and_single_commands_by_their_text() {
        let step = || Step::new("clippy", ["cargo clippy -p a", "cargo clippy -p b"]);
        let left = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|part| String::from(*part)).collect();
            step().narrowed(&only).map_or(0, |step| step.cases.len())
        };
        assert_eq!(left(&[]), 2);
        assert_eq!(left(&["clip"]), 2);
        assert_eq!(left(&["-p b"]), 1);
        assert_eq!(left(&["rustfmt"]), 0);
    }
}
