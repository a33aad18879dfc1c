//! `vhost trace show`: prints messages and replies, one per line.

use std::io::Write;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use vhost::trace::{Trace, TraceError};

use super::entry::{HEAD, Line, MAX_CHARACTERS, write_json};
use super::entry_reader::{DecodedEntry, EntryReader};
use super::ticks::Ticks;
use crate::ExitOutcome;
use crate::incomplete;
use crate::output::{DIM, Sanitized, WholeStderr, out};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording
    file: PathBuf,
    /// Only messages of this channel; may be repeated
    #[arg(long, value_name = "NAME")]
    channel: Vec<String>,
    /// Only messages of this name and their replies, such as Served; may be repeated
    #[arg(long, value_name = "NAME")]
    kind: Vec<String>,
    /// Only messages from or to this endpoint, such as memory; may be repeated
    #[arg(long, value_name = "NAME", alias = "party")]
    endpoint: Vec<String>,
    /// Only these ticks: 7, 7..9 with both ends, 7.. or ..9
    #[arg(
        long,
        value_name = "RANGE",
        default_value = "..",
        hide_default_value = true
    )]
    ticks: Ticks,
    /// Only from this tick on: the same as --ticks TICK..
    #[arg(long, value_name = "TICK", conflicts_with = "ticks")]
    from: Option<u64>,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    /// Messages in full, however long
    #[arg(long, conflicts_with = "json")]
    full: bool,
}

impl Args {
    /// Range of shown ticks.
    fn range(&self) -> RangeInclusive<u64> {
        match self.from {
            Some(first) => first..=u64::MAX,
            None => self.ticks.range(),
        }
    }

    fn selects(&self, decoded: &DecodedEntry) -> bool {
        let is_in = |name: &str, selected: &[String]| {
            selected.is_empty() || selected.iter().any(|selected| selected == name)
        };
        let kind = &decoded.entry.kind;
        // A restore returns to earlier ticks.
        self.range().contains(&decoded.entry.tick)
            && is_in(&kind.name, &self.kind)
            && is_in(
                decoded.channel.as_deref().unwrap_or_default(),
                &self.channel,
            )
            && (is_in(&kind.from, &self.endpoint) || is_in(&kind.to, &self.endpoint))
    }
}

pub(super) fn run(args: &Args) -> Result<ExitOutcome> {
    let mut entry_reader = EntryReader::of(&args.file, true)?;
    // The channel of a reply is that of its message, which may be in any earlier chunk.
    if args.channel.is_empty() {
        entry_reader.skip_to(args.range())?;
    }
    let mut out = out();
    let (mut shown, mut unreadable) = (0_u64, 0_u64);
    let max_chars = if args.full {
        usize::MAX
    } else {
        MAX_CHARACTERS
    };
    let end = loop {
        let decoded = match entry_reader.next() {
            Some(Ok(decoded)) => decoded,
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        };
        if !args.selects(&decoded) {
            continue;
        }
        if args.json {
            write_json(&decoded, &mut out)?;
        } else {
            if shown == 0 {
                writeln!(out, "{DIM}{HEAD}{DIM:#}")?;
            }
            let decoded = &decoded;
            writeln!(out, "{}", Line { decoded, max_chars })?;
        }
        shown += 1;
        unreadable += u64::from(decoded.body.is_err());
    };
    out.flush()?;
    // Entries before the damage were shown.
    end.context("what follows can't be shown")?;
    if shown == 0 {
        check_whole(args).context("what was left out can't be read")?;
        report_no_match(&entry_reader);
    }
    if unreadable > 0 {
        bail!(
            "{}: {unreadable} messages can't be read; was it recorded by another version?",
            args.file.display()
        );
    }
    Ok(incomplete::outcome_of(entry_reader.trace()))
}

/// Reads the recording to its end. If entries are shown, chunks without the ticks are skipped, and
/// not checked.
fn check_whole(args: &Args) -> Result<(), TraceError> {
    Trace::open(&args.file)?.try_for_each(|entry| entry.map(drop))
}

/// Reports that no message matched, so that a mistyped name does not look like an empty run.
fn report_no_match(entry_reader: &EntryReader) {
    let names: Vec<String> = entry_reader
        .channels()
        .names()
        .map(|name| Sanitized(name).to_string())
        .collect();
    let channels = match names.as_slice() {
        [] => "no channel is known".to_owned(),
        _ => format!("channels: {}", names.join(", ")),
    };
    // The output is empty, with or without this report.
    let _ = writeln!(
        WholeStderr::default(),
        "nothing of it is in {}; {channels}; `vhost trace stat` lists endpoints and kinds of messages",
        entry_reader.trace().file().display()
    );
}
