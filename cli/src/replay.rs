//! `vhost replay`: a recorded run, once more, without its simulator.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use vhost::{ActorName, Replay, ReplayError};

use crate::Verdict;
use crate::output::{ERROR, GOOD, out, progress};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording
    file: PathBuf,
    /// Print what firmware printed
    #[arg(long)]
    print: bool,
    /// Replay one actor: what it was sent goes in, what it says is compared
    #[arg(
        long,
        value_name = "ACTOR",
        value_parser = PossibleValuesParser::new(ActorName::ALL.map(ActorName::name)).try_map(|name| name.parse::<ActorName>())
    )]
    only: Option<ActorName>,
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let progress = progress(None, args.print);
    if !progress.is_hidden() {
        progress.enable_steady_tick(Duration::from_millis(200));
    }
    let begin = Instant::now();
    let mut replay = Replay::of(&args.file).printing(args.print);
    if let Some(actor) = args.only {
        replay = replay.only(actor);
    }
    let replayed = replay.run();
    let seconds = begin.elapsed().as_secs_f64();
    progress.finish_and_clear();

    let mut out = out();
    let verdict = match replayed {
        Ok(replayed) => {
            let (messages, ticks) = (replayed.messages, replayed.ticks);
            let of = args.only.map(|actor| format!(" of {actor}"));
            let of = of.unwrap_or_default();
            writeln!(
                out,
                "{GOOD}replayed:{GOOD:#} {messages} messages{of} in {ticks} ticks, all as recorded, in {seconds:.3} s"
            )?;
            Verdict::Good
        }
        Err(ReplayError::Difference(difference)) => {
            writeln!(out, "{ERROR}different:{ERROR:#} {difference}")?;
            Verdict::Bad
        }
        // It may hold an error of a callback's, which stays on its thread.
        Err(error) => bail!("{error}"),
    };
    out.flush()?;
    Ok(verdict)
}
