//! `vhost trace stat`: counts messages by kind, and requests by channel.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Serialize;
use vhost::attach::{Requests, Table};
use vhost::trace::{Content, Header, Kind, Payloads};

use super::entry_reader::{DecodedEntry, EntryReader};
use crate::ExitOutcome;
use crate::incomplete;
use crate::output::{DIM, NAME, Sanitized, Size, out};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording
    file: PathBuf,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Statistics of messages of one kind.
#[derive(Debug, Default, Clone, Copy, Serialize)]
struct Messages {
    messages: u64,
    replies: u64,
    dropped: u64,
    /// Recorded bytes of messages and replies.
    bytes: u64,
}

#[derive(Default)]
struct Counts {
    entries: u64,
    ticks: u64,
    kinds: HashMap<Arc<Kind>, Messages>,
    requests: Table,
}

impl Counts {
    fn add(&mut self, decoded: &DecodedEntry) {
        let entry = &decoded.entry;
        self.entries += 1;
        self.ticks = self.ticks.max(entry.tick);
        let kind = self.kinds.entry(entry.kind.clone()).or_default();
        match &entry.content {
            Content::Message { body, .. } => {
                kind.messages += 1;
                kind.bytes += body.len() as u64;
            }
            Content::Reply { body } => {
                kind.replies += 1;
                kind.bytes += body.len() as u64;
            }
            Content::Dropped => kind.dropped += 1,
        }
        let Some(channel) = &decoded.channel else {
            return;
        };
        if let Some(bytes) = decoded.printed_bytes() {
            self.requests.printed(channel, bytes);
        }
        if let Some(served) = decoded.served() {
            self.requests.served(channel, served, entry.tick);
        }
    }

    /// Kinds, ordered by sender and receiver.
    fn kinds(&self) -> Vec<(&Kind, Messages)> {
        let kinds = self.kinds.iter().map(|(kind, counts)| (&**kind, *counts));
        let mut kinds: Vec<_> = kinds.collect();
        kinds.sort_by_key(|(kind, _)| (&kind.to, &kind.name, &kind.from));
        kinds
    }
}

pub(super) fn run(args: &Args) -> Result<ExitOutcome> {
    let mut entry_reader = EntryReader::of(&args.file, false)?;
    let header = entry_reader.trace().header().clone();
    let mut counts = Counts::default();
    let end = entry_reader.try_for_each(|decoded| decoded.map(|decoded| counts.add(&decoded)));
    let is_truncated = entry_reader.trace().is_truncated();
    drop(entry_reader);
    let mut out = out();
    if args.json {
        write_json(&header, &counts, &mut out)?;
    } else {
        write_tables(&header, &counts, &mut out)?;
    }
    out.flush()?;
    end.context("what follows is not counted")?;
    Ok(incomplete::outcome(&args.file, is_truncated))
}

fn write_tables(header: &Header, counts: &Counts, to: &mut impl Write) -> io::Result<()> {
    let Counts { entries, ticks, .. } = counts;
    writeln!(
        to,
        "recorded by vhost {}, {}, {}: {entries} messages and replies in {ticks} ticks",
        Sanitized(&header.version),
        if header.whole {
            "from the start of the run"
        } else {
            "from the middle of the run"
        },
        match header.payloads {
            Payloads::Keep => "with payloads",
            Payloads::Hash => "payloads hashed",
            Payloads::Drop => "without payloads",
        },
    )?;
    if header.payloads != Payloads::Keep {
        writeln!(to, "bytes of PRINT and CPRINT are those that were recorded")?;
    }
    let kinds = counts.kinds();
    let widest = |least: usize, of: fn(&Kind) -> &str| {
        let texts = kinds.iter().map(|(kind, _)| of(kind).chars().count());
        texts.max().unwrap_or_default().max(least)
    };
    let receivers = widest(10, |kind| &kind.to);
    let names = widest(16, |kind| &kind.name);
    let froms = widest(10, |kind| &kind.from);
    writeln!(
        to,
        "\n{DIM}{:<receivers$} {:<names$} {:<froms$} {:>9} {:>9} {:>8} {:>10}{DIM:#}",
        "to", "message", "from", "messages", "replies", "dropped", "recorded"
    )?;
    for (kind, of_kind) in &kinds {
        let Messages {
            messages,
            replies,
            dropped,
            bytes,
        } = *of_kind;
        let [receiver, name, from] =
            [&kind.to, &kind.name, &kind.from].map(|text| Sanitized(text).to_string());
        writeln!(
            to,
            "{receiver:<receivers$} {NAME}{name:<names$}{NAME:#} {from:<froms$} {messages:>9} {replies:>9} {dropped:>8} {:>10}",
            Size(bytes).to_string()
        )?;
    }
    if counts.requests.iter().next().is_none() {
        return writeln!(to, "\nno request was served");
    }
    let (channels, kinds_wide) = counts.requests.widths();
    let (channels, kinds_wide) = (channels.max(10), kinds_wide.max(10));
    writeln!(
        to,
        "\n{DIM}{:<channels$} {:<kinds_wide$} {:>9} {:>8} {:>10} {:>8} {:>8} {:>8}  ticks from taken to answered{DIM:#}",
        "channel", "request", "count", "failed", "bytes", "min", "mean", "max"
    )?;
    for (channel, kind, requests) in counts.requests.iter() {
        let Requests {
            count,
            failed,
            bytes,
            ticks_min,
            ticks_max,
            ..
        } = requests;
        let mean = requests.ticks_mean();
        writeln!(
            to,
            "{:<channels$} {NAME}{kind:<kinds_wide$}{NAME:#} {count:>9} {failed:>8} {:>10} {ticks_min:>8} {mean:>8.1} {ticks_max:>8}  {}",
            Sanitized(channel).to_string(),
            Size(*bytes).to_string(),
            requests.histogram
        )?;
    }
    Ok(())
}

fn write_json(header: &Header, counts: &Counts, mut to: impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct OfKind<'a> {
        from: &'a str,
        to: &'a str,
        message: &'a str,
        #[serde(flatten)]
        counts: Messages,
    }
    #[derive(Serialize)]
    struct Stat<'a> {
        version: &'a str,
        whole: bool,
        payloads: Payloads,
        entries: u64,
        ticks: u64,
        messages: Vec<OfKind<'a>>,
        requests: &'a Table,
    }
    let kinds = counts.kinds().into_iter();
    let messages = kinds.map(|(kind, counts)| OfKind {
        from: &kind.from,
        to: &kind.to,
        message: &kind.name,
        counts,
    });
    let stat = Stat {
        version: &header.version,
        whole: header.whole,
        payloads: header.payloads,
        entries: counts.entries,
        ticks: counts.ticks,
        messages: messages.collect(),
        requests: &counts.requests,
    };
    serde_json::to_writer(&mut to, &stat)?;
    writeln!(to)
}
