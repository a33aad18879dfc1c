//! `cargo xtask test`: runs the checks of a change; with `--full`, every check.
//!
//! The steps are the data in [`mod@steps`]. A command either represents its kind in the quick run,
//! or is marked as part of the full run.
//!
//! - [`mod@steps`]: steps of both runs;
//! - [`features`]: sets of features, and features that exclude each other.

mod features;
mod steps;

use std::path::Path;

use anyhow::{Result, bail};

use self::steps::steps;
use crate::runner::Runner;
use crate::step::Step;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run everything: whole matrices, long runs, the library optimised as it is shipped
    #[arg(long)]
    full: bool,
    /// Run only steps whose name, and commands whose text, contains this word; may be repeated
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Install nothing: skip steps that lack a tool, by name
    #[arg(long)]
    no_install: bool,
    /// List the steps and their commands, and run nothing
    #[arg(long)]
    list: bool,
}

/// Runs the selected steps; returns true if none failed.
pub(crate) fn run(root: &Path, args: &Args) -> Result<bool> {
    let chosen = |step: Step| step.for_run(args.full)?.narrowed(&args.only);
    let steps: Vec<Step> = steps(root)?.into_iter().filter_map(chosen).collect();
    if steps.is_empty() {
        bail!(
            "no step or command contains {}; see cargo xtask test --full --list{}",
            args.only.join(" or "),
            if args.full {
                ""
            } else {
                ", and give --full for what only that run has"
            }
        );
    }
    if args.list {
        for step in &steps {
            println!("{}", step.name);
            step.cases
                .iter()
                .for_each(|case| println!("    {}", case.command));
        }
        return Ok(true);
    }
    Runner::new(root, !args.no_install).run(&steps)
}
