//! The project's own commands, run as `cargo xtask <verb>`. One file per verb; they share
//!
//! - [`step`]: what a step is (commands as text, what must come out), and nothing of how it runs;
//! - [`runner`]: runs steps one after the other, shows what they print, and closes with a table;
//! - [`tally`]: counts tests, and the skipped ones among them, in what `cargo test` prints;
//! - [`clock`]: what a command takes of time;
//! - [`tool`]: the programs that steps need, and how each is installed.
#![allow(clippy::print_stdout, reason = "a command-line tool talks on stdout")]

mod bench;
mod clock;
mod cosim;
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

/// The project's own commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run what guards a change: format, lints, docs, tests, RTL simulations; with --full every check there is
    Test(test::Args),
    /// Run RTL simulations with the library loaded, most with firmware on a CPU: cases of integration/cases.toml
    Cosim(cosim::Args),
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

/// The folder that holds the workspace's `Cargo.toml`: every command runs there. Cargo says where it is now; the compiler
/// knew where it was, and a checkout may have been moved or copied with its `target/`.
fn enter_project_root() -> Result<PathBuf> {
    let xtask = env::var_os("CARGO_MANIFEST_DIR").context("this is for `cargo xtask` to run")?;
    let root = Path::new(&xtask)
        .parent()
        .context("the folder of xtask has no parent")?;
    env::set_current_dir(root).with_context(|| format!("cannot go to {}", root.display()))?;
    Ok(root.to_path_buf())
}
