//! `vhost trace export`: recordings in the formats of other programs.

use std::path::PathBuf;

use anyhow::{Result, bail};
use vhost::config;

use crate::ExitOutcome;
use crate::waves;
#[cfg(feature = "parquet")]
use crate::{files::Files, tables};

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("format").args(["perfetto", "fst", "ftr", "parquet"]).required(true)))]
pub(crate) struct Args {
    /// The recording; with --parquet one or more
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// As a trace of Perfetto, which ui.perfetto.dev opens: messages and requests
    #[arg(long)]
    perfetto: bool,
    /// As signals in FST, which GTKWave and Surfer open beside the simulator's waves: requests
    #[arg(long, requires = "output")]
    fst: bool,
    /// As transactions in FTR, which Surfer and SCViewer open: requests
    #[arg(long)]
    ftr: bool,
    /// As tables of runs, requests, reports and printed lines in Parquet, for DuckDB, Polars, Spark
    /// and others
    #[arg(long, requires = "output")]
    parquet: bool,
    /// With --fst the file to write, with --parquet the folder of the tables; with --perfetto or
    /// --ftr the file, and standard output without it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    waves: Waves,
    #[command(flatten)]
    tables: Tables,
}

/// Options of waves.
#[derive(clap::Args)]
struct Waves {
    /// Time of a tick, such as 10ns, in place of the configured one; with --fst or --ftr
    #[arg(long, value_name = "TIME", value_parser = period, conflicts_with_all = ["perfetto", "parquet"])]
    clock_period: Option<u64>,
    /// Part of a run that goes back to checkpoints: 1 for entries before the first return; with
    /// --fst
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with_all = ["perfetto", "ftr", "parquet"])]
    segment: Option<u64>,
}

/// Picoseconds of a time.
fn period(text: &str) -> Result<u64, String> {
    let parsed = config::parse_period(text);
    parsed.ok_or_else(|| "it is no time of 1ps to 1s: give a number and ps, ns, us, ms or s".into())
}

/// Parses a property of a run, which must not be blank.
fn property(text: &str) -> Result<String, String> {
    match text.trim().is_empty() {
        true => Err("it is blank: give a text, or leave the option out".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// Formats of waves. They exclude `parquet`: otherwise options that require it would be ignored
/// beside them.
const WAVES: [&str; 3] = ["perfetto", "fst", "ftr"];

/// Options of tables.
#[derive(clap::Args)]
struct Tables {
    /// With the table of all messages and replies
    #[arg(long, conflicts_with_all = WAVES)]
    messages: bool,
    /// Reports of severity error do not fail a run
    #[arg(long, conflicts_with_all = WAVES)]
    allow_errors: bool,
    /// Name of the run, unique in the tables, in place of VHOST_RUN_ID of the recorded run
    #[arg(long, value_name = "TEXT", value_parser = property, conflicts_with_all = WAVES)]
    run_id: Option<String>,
    /// Name of the design or test, in place of VHOST_RUN_DESIGN
    #[arg(long, value_name = "TEXT", value_parser = property, conflicts_with_all = WAVES)]
    design: Option<String>,
    /// Seed of the run, in place of VHOST_RUN_SEED
    #[arg(long, value_name = "TEXT", value_parser = property, conflicts_with_all = WAVES)]
    seed: Option<String>,
    /// Revision of the sources, in place of VHOST_RUN_REVISION
    #[arg(long, value_name = "TEXT", value_parser = property, conflicts_with_all = WAVES)]
    revision: Option<String>,
    /// Name of the machine, in place of VHOST_RUN_HOST
    #[arg(long, value_name = "TEXT", value_parser = property, conflicts_with_all = WAVES)]
    host: Option<String>,
    /// Command that repeats the run, in place of VHOST_RUN_COMMAND
    #[arg(long, value_name = "TEXT", value_parser = property, conflicts_with_all = WAVES)]
    command: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitOutcome> {
    if args.parquet {
        return parquet(args);
    }
    let [file] = &args.files[..] else {
        let names = args.files.iter().map(|file| file.display().to_string());
        bail!(
            "waves are of one recording, and there are {} ({}): give one; the file to write is that of -o",
            args.files.len(),
            names.collect::<Vec<_>>().join(", ")
        );
    };
    let output = args.output.as_deref();
    if args.perfetto {
        return waves::write_perfetto(file, output);
    }
    if args.ftr {
        return waves::write_ftr(file, output, args.waves.clock_period);
    }
    let Some(output) = output else {
        bail!("--fst needs a file: give --output");
    };
    waves::write_fst(&waves::FstOptions {
        recording: file,
        output,
        period: args.waves.clock_period,
        segment: args.waves.segment,
    })
}

#[cfg(feature = "parquet")]
fn parquet(args: &Args) -> Result<ExitOutcome> {
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
    let mut distinct = Files::default();
    distinct.output("the tables", output).are_distinct()?;
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
fn parquet(_: &Args) -> Result<ExitOutcome> {
    bail!(
        "this vhost was built without Parquet: build it with `cargo install --path cli --features parquet`"
    )
}
