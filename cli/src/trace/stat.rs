//! `vhost trace stat`: counts messages by kind, and requests by channel.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result};
use mailbox_rs::{FileRequest, Request, Response};
use serde::Serialize;
use vhost::messages::console::Print;
use vhost::messages::mailbox::Served;
use vhost::trace::{Header, Kind, Payloads, Said};

use super::entry::kind_of;
use super::reading::{Reading, Seen};
use crate::Verdict;
use crate::output::{ASIDE, NAME, Plain, Size, out};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording
    file: PathBuf,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Messages of one kind.
#[derive(Debug, Default, Clone, Copy, Serialize)]
struct Messages {
    messages: u64,
    replies: u64,
    dropped: u64,
    /// Bytes of messages and replies, as they are recorded.
    bytes: u64,
}

/// Requests of one kind of one channel.
#[derive(Debug, Default, Clone, Copy, Serialize)]
struct Requests {
    count: u64,
    failed: u64,
    /// Bytes that they printed, moved, read or wrote.
    bytes: u64,
    /// Ticks from taken to answered.
    ticks_min: u64,
    ticks_sum: u64,
    ticks_max: u64,
}

#[derive(Default)]
struct Counts {
    entries: u64,
    ticks: u64,
    kinds: HashMap<Arc<Kind>, Messages>,
    requests: BTreeMap<(Rc<str>, &'static str), Requests>,
    /// Bytes that a channel printed since its last request was served.
    printed: HashMap<Rc<str>, u64>,
}

impl Counts {
    fn add(&mut self, seen: &Seen) {
        let entry = &seen.entry;
        self.entries += 1;
        self.ticks = self.ticks.max(entry.tick);
        let kind = self.kinds.entry(entry.kind.clone()).or_default();
        match &entry.said {
            Said::Message { body, .. } => {
                kind.messages += 1;
                kind.bytes += body.len() as u64;
            }
            Said::Reply { body } => {
                kind.replies += 1;
                kind.bytes += body.len() as u64;
            }
            Said::Dropped => kind.dropped += 1,
        }
        let Some(channel) = &seen.channel else {
            return;
        };
        if let Some(print) = seen.is::<Print>() {
            *self.printed.entry(channel.clone()).or_default() += print.text.len() as u64;
        }
        if let Some(served) = seen.is::<Served>() {
            self.add_request(channel.clone(), served, entry.tick);
        }
    }

    fn add_request(&mut self, channel: Rc<str>, served: &Served, now: u64) {
        let ticks = now.saturating_sub(served.since);
        let printed = self.printed.remove(&channel).unwrap_or_default();
        let of_kind = self
            .requests
            .entry((channel, kind_of(served)))
            .or_insert(Requests {
                ticks_min: u64::MAX,
                ..Requests::default()
            });
        of_kind.count += 1;
        of_kind.failed += u64::from(matches!(served.response, Some(Response::Error(_))));
        of_kind.bytes = of_kind
            .bytes
            .saturating_add(moved(served))
            .saturating_add(printed);
        of_kind.ticks_min = of_kind.ticks_min.min(ticks);
        of_kind.ticks_max = of_kind.ticks_max.max(ticks);
        of_kind.ticks_sum = of_kind.ticks_sum.saturating_add(ticks);
    }

    /// Kinds in the order of their parties.
    fn kinds(&self) -> Vec<(&Kind, Messages)> {
        let kinds = self.kinds.iter().map(|(kind, counts)| (&**kind, *counts));
        let mut kinds: Vec<_> = kinds.collect();
        kinds.sort_by_key(|(kind, _)| (&kind.to, &kind.name, &kind.from));
        kinds
    }
}

/// Bytes of memory or of files that a request was about, where it succeeded; what it printed is known to the console.
fn moved(served: &Served) -> u64 {
    match (Request::try_from(&served.entry), served.response) {
        (Err(_), _) | (_, Some(Response::Error(_))) => 0,
        (
            Ok(
                Request::MemMove { len, .. }
                | Request::MemSet { len, .. }
                | Request::MemCmp { len, .. },
            ),
            _,
        ) => len,
        (
            Ok(Request::File(FileRequest::Read { .. } | FileRequest::Write { .. })),
            Some(Response::Value(bytes)),
        ) => bytes,
        _ => 0,
    }
}

pub(super) fn run(args: &Args) -> Result<Verdict> {
    let mut reading = Reading::of(&args.file, false)?;
    let header = reading.trace().header().clone();
    let mut counts = Counts::default();
    let end = reading.try_for_each(|seen| seen.map(|seen| counts.add(&seen)));
    drop(reading);
    let mut out = out();
    if args.json {
        write_json(&header, &counts, &mut out)?;
    } else {
        write_tables(&header, &counts, &mut out)?;
    }
    out.flush()?;
    end.context("what follows is not counted")?;
    Ok(Verdict::Good)
}

fn write_tables(header: &Header, counts: &Counts, to: &mut impl Write) -> io::Result<()> {
    let Counts { entries, ticks, .. } = counts;
    writeln!(
        to,
        "recorded by vhost {}, {}, {}: {entries} messages and replies in {ticks} ticks",
        Plain(&header.version),
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
    writeln!(
        to,
        "\n{ASIDE}{:<10} {:<16} {:<10} {:>9} {:>9} {:>8} {:>10}{ASIDE:#}",
        "to", "message", "from", "messages", "replies", "dropped", "recorded"
    )?;
    for (kind, of_kind) in counts.kinds() {
        let Messages {
            messages,
            replies,
            dropped,
            bytes,
        } = of_kind;
        let [party, name, from] =
            [&kind.to, &kind.name, &kind.from].map(|text| Plain(text).to_string());
        writeln!(
            to,
            "{party:<10} {NAME}{name:<16}{NAME:#} {from:<10} {messages:>9} {replies:>9} {dropped:>8} {:>10}",
            Size(bytes).to_string()
        )?;
    }
    if counts.requests.is_empty() {
        return writeln!(to, "\nno request was served");
    }
    writeln!(
        to,
        "\n{ASIDE}{:<10} {:<10} {:>9} {:>8} {:>10} {:>8} {:>8} {:>8}{ASIDE:#}",
        "channel", "request", "count", "failed", "bytes", "min", "mean", "max"
    )?;
    for ((channel, kind), requests) in &counts.requests {
        let Requests {
            count,
            failed,
            bytes,
            ticks_min,
            ticks_sum,
            ticks_max,
        } = *requests;
        let mean = ticks_sum as f64 / count as f64;
        writeln!(
            to,
            "{:<10} {NAME}{kind:<10}{NAME:#} {count:>9} {failed:>8} {:>10} {ticks_min:>8} {mean:>8.1} {ticks_max:>8}",
            Plain(channel).to_string(),
            Size(bytes).to_string()
        )?;
    }
    writeln!(
        to,
        "{ASIDE}min, mean, max: ticks from taken to answered{ASIDE:#}"
    )
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
    struct OfChannel<'a> {
        channel: &'a str,
        request: &'a str,
        #[serde(flatten)]
        counts: Requests,
    }
    #[derive(Serialize)]
    struct Stat<'a> {
        version: &'a str,
        whole: bool,
        payloads: Payloads,
        entries: u64,
        ticks: u64,
        messages: Vec<OfKind<'a>>,
        requests: Vec<OfChannel<'a>>,
    }
    let kinds = counts.kinds().into_iter();
    let messages = kinds.map(|(kind, counts)| OfKind {
        from: &kind.from,
        to: &kind.to,
        message: &kind.name,
        counts,
    });
    let requests = counts.requests.iter();
    let requests = requests.map(|((channel, request), counts)| OfChannel {
        channel,
        request,
        counts: *counts,
    });
    let stat = Stat {
        version: &header.version,
        whole: header.whole,
        payloads: header.payloads,
        entries: counts.entries,
        ticks: counts.ticks,
        messages: messages.collect(),
        requests: requests.collect(),
    };
    serde_json::to_writer(&mut to, &stat)?;
    writeln!(to)
}
