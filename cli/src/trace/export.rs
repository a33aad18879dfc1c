//! `vhost trace export`: recordings in formats of other programs.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::perfetto;
use crate::Outcome;
#[cfg(feature = "parquet")]
use crate::tables;

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("format").args(["perfetto", "parquet"]).required(true)))]
pub(crate) struct Args {
    /// The recording; with --parquet one or more
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// As Chrome's trace events in JSON, which ui.perfetto.dev and other viewers open
    #[arg(long)]
    perfetto: bool,
    /// As tables of runs, requests, reports and printed lines in Parquet, for DuckDB, Polars, Spark and others
    #[arg(long, requires = "output")]
    parquet: bool,
    /// The file to write, standard output without it; with --parquet the folder of the tables
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    tables: Tables,
}

/// Options of tables.
#[derive(clap::Args)]
struct Tables {
    /// With the table of all messages and replies
    #[arg(long, requires = "parquet")]
    messages: bool,
    /// Reports of severity error do not fail a run
    #[arg(long, requires = "parquet")]
    allow_errors: bool,
    /// Name of the run, unique in the tables, in place of VHOST_RUN_ID of the recorded run
    #[arg(long, value_name = "TEXT", requires = "parquet")]
    run_id: Option<String>,
    /// Name of the design or test, in place of VHOST_RUN_DESIGN
    #[arg(long, value_name = "TEXT", requires = "parquet")]
    design: Option<String>,
    /// Seed of the run, in place of VHOST_RUN_SEED
    #[arg(long, value_name = "TEXT", requires = "parquet")]
    seed: Option<String>,
    /// Revision of the sources, in place of VHOST_RUN_REVISION
    #[arg(long, value_name = "TEXT", requires = "parquet")]
    revision: Option<String>,
    /// Name of the machine, in place of VHOST_RUN_HOST
    #[arg(long, value_name = "TEXT", requires = "parquet")]
    host: Option<String>,
    /// Command that repeats the run, in place of VHOST_RUN_COMMAND
    #[arg(long, value_name = "TEXT", requires = "parquet")]
    command: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    if args.parquet {
        return parquet(args);
    }
    match &args.files[..] {
        [file] => perfetto::write(file, args.output.as_deref()),
        files => bail!(
            "--perfetto takes one recording, and there are {}",
            files.len()
        ),
    }
}

#[cfg(feature = "parquet")]
fn parquet(args: &Args) -> Result<Outcome> {
    use vhost::trace::RunIdentity;

    let Some(output) = &args.output else {
        bail!("--parquet needs a folder: give --output");
    };
    let of = &args.tables;
    if of.run_id.is_some() && args.files.len() > 1 {
        bail!(
            "--run-id names one run, and there are {} recordings",
            args.files.len()
        );
    }
    let mut given = RunIdentity::default();
    for (key, value) in [
        (RunIdentity::ID, &of.run_id),
        (RunIdentity::DESIGN, &of.design),
        (RunIdentity::SEED, &of.seed),
        (RunIdentity::REVISION, &of.revision),
        (RunIdentity::HOST, &of.host),
        (RunIdentity::COMMAND, &of.command),
    ] {
        if let Some(value) = value {
            given.set(key, value);
        }
    }
    tables::export(&tables::Options {
        files: &args.files,
        output,
        has_messages: of.messages,
        allows_errors: of.allow_errors,
        given,
    })
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: &Args) -> Result<Outcome> {
    bail!(
        "this vhost was built without Parquet: build it with `cargo install --path cli --features parquet`"
    )
}
