//! `vhost trace cut`: a part of a recording as a recording that replays by itself.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Result, bail};
use vhost::Cut;

use super::ticks::Ticks;
use crate::Outcome;
use crate::output::{OK, Sanitized, out};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording
    file: PathBuf,
    /// These ticks: 7, 7..9 with both ends, 7.. or ..9
    #[arg(long, value_name = "RANGE")]
    ticks: Ticks,
    /// The file to write, which is compressed
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let range = args.ticks.range();
    let wanted = *range.start();
    let Cut { first, entries } = match Cut::of(&args.file, range, &args.output) {
        Ok(cut) => cut,
        // The error may hold a callback's error, which is not `Send`.
        Err(error) => bail!("{error}"),
    };
    let mut out = out();
    let name = args.output.to_string_lossy();
    let name = Sanitized(&name);
    writeln!(
        out,
        "{OK}cut:{OK:#} {entries} messages and replies to {name}, which replays"
    )?;
    if first == 0 && wanted > 1 {
        writeln!(
            out,
            "it begins with the run: no later state is all that the run depends on"
        )?;
    } else if first < wanted {
        writeln!(
            out,
            "it begins at tick {first}: the state of tick {wanted} is not all that the run depends on"
        )?;
    }
    out.flush()?;
    Ok(Outcome::Passed)
}
