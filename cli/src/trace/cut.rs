//! `vhost trace cut`: cuts a part out of a recording, which replays by itself.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use vhost::trace::TraceError;
use vhost::{Cut, ReplayError};

use super::ticks::Ticks;
use crate::ExitOutcome;
use crate::files::Files;
use crate::incomplete::{self, TRUNCATED};
use crate::output::{OK, Sanitized, out, truncated};
use crate::output_file::{OutputFile, cant_write};

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

/// Maximum number of characters per line in the reason why a part begins earlier.
const MAX_REASON_CHARACTERS: usize = 120;

/// Shortens a reason to one line. A difference keeps its place and both sides, whose state may be
/// long.
fn short(reason: &str) -> String {
    let lines = reason.lines().map(str::trim);
    let lines = lines.take_while(|line| *line != "before:");
    let lines =
        lines.map(|line| truncated(format_args!("{}", Sanitized(line)), MAX_REASON_CHARACTERS));
    lines.collect::<Vec<_>>().join("; ")
}

/// Error of the file `written` as one of the file `output`.
fn of_file(mut error: ReplayError, written: &Path, output: &Path) -> ReplayError {
    if let ReplayError::Trace(
        TraceError::Io { file, .. }
        | TraceError::NoFile { file, .. }
        | TraceError::Empty { file }
        | TraceError::TruncatedHeader { file, .. }
        | TraceError::NoTrace { file }
        | TraceError::Version { file, .. }
        | TraceError::Damaged { file, .. },
    ) = &mut error
        && file == written
    {
        *file = output.to_owned();
    }
    error
}

pub(super) fn run(args: &Args) -> Result<ExitOutcome> {
    let range = args.ticks.range();
    let wanted = *range.start();
    let name = args.output.to_string_lossy();
    let name = Sanitized(&name);
    let mut files = Files::default();
    files.input("the recording", &args.file);
    files.output("the output", &args.output).are_distinct()?;
    let file = OutputFile::new(&args.output).with_context(|| cant_write(&args.output))?;
    file.create().with_context(|| cant_write(&args.output))?;
    let cut = match Cut::of(&args.file, range, file.written()) {
        Ok(cut) => cut,
        Err(error) => {
            if let ReplayError::NoTicks {
                is_truncated: true, ..
            } = error
            {
                incomplete::warn(args.file.display(), TRUNCATED);
            }
            bail!("{}", of_file(error, file.written(), &args.output));
        }
    };
    file.commit().with_context(|| cant_write(&args.output))?;
    let Cut {
        first,
        entries,
        is_truncated,
        earlier,
    } = cut;
    let mut out = out();
    writeln!(
        out,
        "{OK}cut:{OK:#} {entries} messages and replies to {name}, which replays"
    )?;
    if let Some(reason) = earlier.filter(|_| first < wanted) {
        let place = match first {
            0 => "with the run".to_owned(),
            tick => format!("at tick {tick}"),
        };
        writeln!(out, "it begins {place}: {}", short(&reason))?;
    }
    out.flush()?;
    Ok(incomplete::outcome(&args.file, is_truncated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line() {
        let state = "x".repeat(1000);
        let reason = format!(
            "a replay differs: frame 23 differs\n  recorded: {state}\n  replayed: nothing\n  before:\n    {state}"
        );
        let short = short(&reason);
        let begin = "a replay differs: frame 23 differs; recorded: xxx";
        assert!(short.starts_with(begin), "{short}");
        assert!(short.ends_with("…; replayed: nothing"), "{short}");
        assert!(short.chars().count() < 300);
    }
}
