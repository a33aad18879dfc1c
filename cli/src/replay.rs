//! `vhost replay`: a recorded run, once more, without its simulator.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use vhost::{Replay, ReplayError};

use crate::Verdict;
use crate::output::{ERROR, GOOD, out, progress};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording
    file: PathBuf,
    /// Print what firmware printed
    #[arg(long)]
    print: bool,
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let progress = progress(None, args.print);
    if !progress.is_hidden() {
        progress.enable_steady_tick(Duration::from_millis(200));
    }
    let begin = Instant::now();
    let replayed = Replay::of(&args.file).printing(args.print).run();
    let seconds = begin.elapsed().as_secs_f64();
    progress.finish_and_clear();

    let mut out = out();
    let verdict = match replayed {
        Ok(replayed) => {
            let (messages, ticks) = (replayed.messages, replayed.ticks);
            writeln!(
                out,
                "{GOOD}replayed:{GOOD:#} {messages} messages in {ticks} ticks, all as recorded, in {seconds:.3} s"
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
