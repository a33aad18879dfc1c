//! Results of cases, kept for the table of simulators: `target/cosim/results.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::case::{Case, Simulator};
use crate::library::replace_by;
use crate::tool::VERILATOR;

const FILE: &str = "target/cosim/results.json";
const LOCK: &str = "target/cosim/results.lock";

/// Results by the names of cases.
pub(crate) type Results = BTreeMap<String, CaseResult>;

/// Last result of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CaseResult {
    pub(crate) passed: bool,
    /// Version of its simulator; `None` if the case does not belong to one simulator.
    pub(crate) version: Option<String>,
}

/// Results of all cases that have run here.
pub(crate) fn read(root: &Path) -> Result<Results> {
    match fs::read_to_string(root.join(FILE)) {
        Ok(text) => {
            serde_json::from_str(&text).with_context(|| format!("{FILE} is wrong; remove it"))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Results::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {FILE}")),
    }
}

/// Keeps the result of a case. Cases may run in several processes.
pub(super) fn keep(root: &Path, name: &str, result: CaseResult) -> Result<()> {
    let lock = fs::File::create(root.join(LOCK)).with_context(|| format!("cannot open {LOCK}"))?;
    lock.lock().with_context(|| format!("cannot lock {LOCK}"))?;
    let mut results = read(root)?;
    results.insert(name.to_owned(), result);
    let text = serde_json::to_string_pretty(&results).context("cannot write the results")?;
    replace_by(text.as_bytes(), &root.join(FILE))
}

/// Version of the simulator of a case.
pub(super) fn version(case: &Case) -> Option<String> {
    match case.simulator() {
        Simulator::Verilator => {
            let newest = VERILATOR.version().unwrap_or_default();
            Some(of_verilator(case.version.as_deref().unwrap_or(newest)))
        }
        Simulator::Icarus => printed("iverilog", "-V"),
        Simulator::Ghdl => printed("ghdl", "--version"),
    }
}

/// Version in Verilator's notation, from that of a Python package: `5.048` from `5.48.0`.
pub(super) fn of_verilator(package: &str) -> String {
    let mut parts = package.split('.');
    let major = parts.next().unwrap_or_default();
    let minor: u32 = parts.next().and_then(|it| it.parse().ok()).unwrap_or(0);
    format!("{major}.{minor:03}")
}

/// First word that begins with a digit, in the first line of a program's version output.
pub(super) fn printed(program: &str, option: &str) -> Option<String> {
    let output = Command::new(program).arg(option).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next()?;
    let is_version = |word: &&str| word.starts_with(|it: char| it.is_ascii_digit());
    line.split_whitespace().find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_packages_are_those_of_verilator() {
        for (package, expected) in [
            ("5.006", "5.006"),
            ("5.30.3", "5.030"),
            ("5.48.0", "5.048"),
            ("5.100.1", "5.100"),
        ] {
            assert_eq!(of_verilator(package), expected);
        }
    }

    #[test]
    fn results_of_other_cases_stay() {
        let root = std::env::temp_dir().join(format!("results-{}", std::process::id()));
        fs::create_dir_all(root.join("target/cosim")).expect("a folder");
        let result = |passed| CaseResult {
            passed,
            version: None,
        };
        for (name, passed) in [("a", true), ("b", true), ("a", false)] {
            keep(&root, name, result(passed)).expect("it is kept");
        }
        let results = read(&root).expect("they are read");
        fs::remove_dir_all(&root).expect("it is removed");
        let expected = [
            ("a".to_owned(), result(false)),
            ("b".to_owned(), result(true)),
        ];
        assert_eq!(results, Results::from(expected));
    }
}
