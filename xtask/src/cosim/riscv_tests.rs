//! The official instruction tests (riscv-tests) on the RTL, with only a mailbox configuration, if
//! their sources are available.
//!
//! `RISCV_TESTS` names a checkout with its submodule `env`. Each test for machine mode with
//! physical addresses (`-p`) is assembled and run. Its exit code is 0, or the number of the failed
//! check.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::abi;
use super::build::{Builder, mailboxes, memories};
use super::case::{Core, family};
use super::simulate::command;
use super::simulation::Model;
use crate::tool::{RISCV_GCC, ROCKET, Tool, VEXRISCV};

/// Variable with the folder of the sources.
pub(super) const VARIABLE: &str = "RISCV_TESTS";

/// Clocks after which a test counts as hanging.
const CLOCKS: &str = "+clocks=200000";

/// Linker script for words in uncached memory.
const SCRIPT: &str = "integration/firmware/uncached_words.ld";

/// Exit status of a simulation that ended without firmware's exit.
const HANGS: i32 = 255;

/// Tests of a core, run like a case.
pub(super) struct Suite {
    pub(super) name: &'static str,
    pub(super) required: [Tool; 2],
    design: &'static str,
    core: Core,
    memories: &'static str,
    groups: &'static [&'static str],
    /// Address of the words that the host polls, if not in the cached RAM.
    words: Option<&'static str>,
    /// Tests of features that the core does not have.
    lacking: &'static [&'static str],
}

pub(super) const SUITES: [Suite; 3] = [
    Suite {
        name: "riscv-tests-vexriscv",
        required: [VEXRISCV, RISCV_GCC],
        design: "vexriscv",
        core: Core {
            // Misaligned accesses trap.
            architecture: "rv32g",
            ram: 0x8000_0000,
            ..Core::SMALL
        },
        // The core starts at 0, so its RAM is there, too.
        memories: "rocket-large",
        groups: &["rv32ui", "rv32um", "rv32mi"],
        words: None,
        lacking: &[
            "rv32ui-p-ma_data",
            "rv32mi-p-breakpoint",
            "rv32mi-p-illegal",
            "rv32mi-p-instret_overflow",
            "rv32mi-p-ma_fetch",
            "rv32mi-p-pmpaddr",
            "rv32mi-p-sbreak",
            "rv32mi-p-shamt",
        ],
    },
    Suite {
        name: "riscv-tests-rocket",
        required: [ROCKET, RISCV_GCC],
        design: "rocket",
        core: Core {
            architecture: "rv64g",
            ..Core::ROCKET
        },
        memories: "rocket-uncached",
        groups: &["rv64ui", "rv64um", "rv64ua", "rv64uc", "rv64mi", "rv64si"],
        words: Some("0x600f0000"),
        lacking: &["rv64ui-p-ma_data"],
    },
    // The tests stop all harts except the first.
    Suite {
        name: "riscv-tests-rocket-4",
        required: [ROCKET, RISCV_GCC],
        design: "rocket-4",
        core: Core {
            architecture: "rv64g",
            ..Core::ROCKET
        },
        memories: "rocket-uncached",
        groups: &["rv64ui", "rv64ua"],
        words: Some("0x600f0000"),
        lacking: &["rv64ui-p-ma_data"],
    },
];

/// Runs the tests of a core and prints a table. Returns the tests that failed although the core has
/// their features, or `None`.
pub(super) fn run(builder: &mut Builder<'_>, suite: &Suite) -> Result<Option<String>> {
    let tests = env::var_os(VARIABLE).map(PathBuf::from);
    let tests = tests.with_context(|| format!("{VARIABLE} is not set"))?;
    let mut simulation = builder.simulation(Model::of(suite.design))?;
    simulation.memories = memories(suite.memories);
    simulation.mailboxes = mailboxes(family(suite.design));
    let root = builder.root();
    let folder = format!("target/cosim/firmware/{}", suite.name);
    fs::create_dir_all(root.join(&folder)).with_context(|| format!("cannot make {folder}"))?;
    let (mut passed, mut total, mut unexpected) = (0, 0, vec![]);
    for group in suite.groups {
        let (mut of_group, mut failed) = (0, vec![]);
        let sources = sources(&tests.join("isa").join(group))?;
        for source in &sources {
            let test = source.file_stem().unwrap_or_default().to_string_lossy();
            let name = format!("{group}-p-{test}");
            let image = format!("{folder}/{name}");
            let outcome = match assemble(root, suite, &tests, source, &image)? {
                Some(error) => Some(error),
                None => {
                    let plusargs = [CLOCKS.to_owned()];
                    let images = [image];
                    let mut command = command(root, &simulation, suite.name, &images, &plusargs)?;
                    let output = command.stdin(Stdio::null()).output()?;
                    why(output.status.code())
                }
            };
            match outcome {
                None => of_group += 1,
                Some(why) => {
                    if !suite.lacking.contains(&&*name) {
                        unexpected.push(format!("{name} {why}"));
                    }
                    failed.push(format!("{test} {why}"));
                }
            }
        }
        println!(
            "  {group:8} {of_group:3} of {:3}  {}",
            sources.len(),
            failed.join(", ")
        );
        passed += of_group;
        total += sources.len();
    }
    println!("  {:8} {passed:3} of {total:3}", "all");
    Ok((!unexpected.is_empty()).then(|| unexpected.join("\n")))
}

/// Reason of a failed test, by the status of its simulation; `None` for a pass.
fn why(status: Option<i32>) -> Option<String> {
    match status {
        Some(0) => None,
        Some(HANGS) => Some("hangs".to_owned()),
        Some(check) => Some(format!("fails at {check}")),
        None => Some("ends by a signal".to_owned()),
    }
}

/// Sources of a group, by name.
fn sources(group: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(group).with_context(|| format!("cannot read {}", group.display()))?;
    let mut sources = vec![];
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "S") {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

/// Assembles a test as the Makefile of riscv-tests does. Returns the assembler's error, or `None`.
fn assemble(
    root: &Path,
    suite: &Suite,
    tests: &Path,
    source: &Path,
    image: &str,
) -> Result<Option<String>> {
    let mut gcc = Command::new("riscv64-unknown-elf-gcc");
    gcc.args(abi::machine(suite.core))
        .args(["-static", "-fvisibility=hidden"])
        .args(["-nostdlib", "-nostartfiles", "-I"])
        .arg(tests.join("env/p"))
        .arg("-I")
        .arg(tests.join("isa/macros/scalar"))
        .arg("-T");
    match suite.words {
        None => gcc.arg(tests.join("env/p/link.ld")),
        Some(address) => gcc.args([SCRIPT.to_owned(), format!("-Wl,--defsym=WORDS={address}")]),
    };
    gcc.arg(source).args(["-o", image]).current_dir(root);
    let output = gcc.output().context("cannot start the assembler")?;
    if output.status.success() {
        return Ok(None);
    }
    let printed = String::from_utf8_lossy(&output.stderr);
    let error = printed.lines().find(|line| line.contains("rror: "));
    Ok(Some(format!(
        "can't be assembled: {}",
        error.unwrap_or("no reason is given")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_the_number_of_a_check() {
        assert_eq!(why(Some(0)), None);
        assert_eq!(why(Some(7)).as_deref(), Some("fails at 7"));
        assert_eq!(why(Some(HANGS)).as_deref(), Some("hangs"));
    }

    #[test]
    fn lacking_tests_are_of_the_groups() {
        for suite in SUITES {
            for test in suite.lacking {
                let is_known = suite.groups.iter().any(|group| test.starts_with(group));
                assert!(is_known, "{test}");
            }
        }
    }
}
