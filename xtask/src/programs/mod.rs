//! `cargo xtask programs`: C programs as firmware of `vhost run`, compared with the same programs on this machine.
//!
//! - [`table`]: the programs, from `firmware/programs/programs.toml`.
//! - [`build`]: fetches sources, and compiles them for both.
//! - [`compare`]: runs both, and compares output, exit status and files.

mod build;
mod compare;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tool::{RISCV_GCC, Tool};
use table::Program;

/// Tools of the step.
pub(crate) const REQUIRED: [Tool; 2] = [RISCV_GCC, crate::tool::PICOLIBC];

/// The table, relative to the project's root.
pub(crate) const TABLE: &str = "firmware/programs/programs.toml";

/// Folder of sources, images and files, relative to the project's root.
const WORK: &str = "target/programs";

/// Instruction sets: pointers of 8 bytes, and of 4.
const ARCHITECTURES: [&str; 2] = ["rv64imac", "rv32imac"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run all programs, not the quick ones alone
    #[arg(long)]
    full: bool,
    /// Names of programs; without any, those of the quick or the full run
    names: Vec<String>,
}

/// Folders of a run.
struct Folders {
    root: PathBuf,
    work: PathBuf,
}

/// Returns true if all programs do the same on both.
pub(crate) fn run(root: &Path, args: &Args) -> Result<bool> {
    let file = root.join(TABLE);
    let text = fs::read_to_string(&file);
    let text = text.with_context(|| format!("cannot read {}", file.display()))?;
    let programs = table::parse(&text).with_context(|| format!("{TABLE} is wrong"))?;
    let selected = select(&programs, args)?;
    let folders = Folders {
        root: root.to_path_buf(),
        work: root.join(WORK),
    };
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--quiet", "--package", "vhost-cli"]);
    let status = cargo.current_dir(root).status();
    if !status.context("cannot start cargo")?.success() {
        bail!("vhost can't be built");
    }
    let mut failures = 0;
    for program in selected {
        for problem in check(&folders, program)? {
            println!("{}: {problem}", program.name);
            failures += 1;
        }
    }
    Ok(failures == 0)
}

fn select<'a>(programs: &'a [Program], args: &Args) -> Result<Vec<&'a Program>> {
    if let Some(name) = args
        .names
        .iter()
        .find(|name| programs.iter().all(|program| program.name != **name))
    {
        bail!("{TABLE} has no program `{name}`");
    }
    let is_selected = |program: &&Program| match args.names.as_slice() {
        [] => args.full || program.quick,
        names => names.contains(&program.name),
    };
    Ok(programs.iter().filter(is_selected).collect())
}

/// Differences of a program, by architecture. A program without sources is skipped.
fn check(folders: &Folders, program: &Program) -> Result<Vec<String>> {
    let Some(source) = build::source(folders, program)? else {
        println!("skipped: {}: its source could not be fetched", program.name);
        return Ok(vec![]);
    };
    let mut problems = vec![];
    let machine = build::for_machine(folders, program, &source)?;
    let expected = compare::on_machine(folders, program, &source, &machine)?;
    for architecture in ARCHITECTURES {
        let image = build::for_firmware(folders, program, &source, architecture)?;
        let got = compare::on_firmware(folders, program, &source, &image)?;
        let found = compare::differences(&expected, &got);
        println!(
            "{} on {architecture}: {}",
            program.name,
            if found.is_empty() {
                "same"
            } else {
                "different"
            }
        );
        problems.extend(
            found
                .into_iter()
                .map(|text| format!("{architecture}: {text}")),
        );
    }
    Ok(problems)
}

/// Creates an empty folder.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}
