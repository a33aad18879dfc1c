//! Commands of the project, run as `cargo xtask <verb>`, one file per verb. Shared modules:
//!
//! - [`step`]: steps as data (commands as text, expected results), independent of their execution;
//! - [`runner`]: runs steps, prints their output, and closes with a table;
//! - [`tally`]: counts passed, failed and skipped tests in the output of `cargo test`;
//! - [`matrix`]: the table of simulators, from results of cases;
//! - [`clock`]: wall and processor time of commands;
//! - [`tool`]: programs that steps need, and their installation.
#![allow(clippy::print_stdout, reason = "a command-line tool talks on stdout")]

mod bench;
mod clock;
mod cosim;
mod coverage;
mod library;
mod matrix;
mod programs;
mod runner;
mod stage;
mod step;
mod tally;
mod test;
mod tool;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// Commands of the project.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the checks of a change: format, lints, docs, tests, RTL simulations; with --full every
    /// check there is
    Test(test::Args),
    /// Run RTL simulations with the library loaded, most with firmware on a CPU: cases of
    /// integration/cases.toml
    Cosim(cosim::Args),
    /// Write the table of simulators in docs/simulators.md from the results of the cases that have
    /// run here
    Matrix,
    /// Run C programs as firmware, and compare them with the same programs on this machine:
    /// firmware/programs/programs.toml
    Programs(programs::Args),
    /// Build the library with methods in Python for simulations of a quick run, as its tests have
    /// it
    PythonLibrary,
    /// Run the library's tests, and print the share of its code that they reach
    Coverage(coverage::Args),
    /// Run the benches
    Bench(bench::Args),
    /// Copy library, header, SystemVerilog and Python to a folder, for a simulator flow
    Stage(stage::Args),
}

fn main() -> ExitCode {
    let verb = Cli::parse().verb;
    let outcome = enter_project_root().and_then(|root| match verb {
        Verb::Test(args) => test::run(&root, &args),
        Verb::Cosim(args) => cosim::run(&root, &args),
        Verb::Matrix => matrix::run(&root),
        Verb::Programs(args) => programs::run(&root, &args),
        Verb::PythonLibrary => library::keep_python(&root),
        Verb::Coverage(args) => coverage::run(&root, &args),
        Verb::Bench(args) => bench::run(&root, &args),
        Verb::Stage(args) => stage::run(&root, &args),
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Enters the folder with the workspace's `Cargo.toml`, in which every command runs.
///
/// Cargo sets it in the environment. The path that was compiled in may be outdated: a checkout may
/// have been moved or copied with its `target/`.
fn enter_project_root() -> Result<PathBuf> {
    let xtask = env::var_os("CARGO_MANIFEST_DIR").context("this is for `cargo xtask` to run")?;
    let root = Path::new(&xtask)
        .parent()
        .context("the folder of xtask has no parent")?;
    env::set_current_dir(root).with_context(|| format!("cannot go to {}", root.display()))?;
    Ok(root.to_path_buf())
}
