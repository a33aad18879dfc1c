//! `vhost trace diff`: the first difference between two recordings.
//!
//! Messages and replies, their senders and receivers, order and ticks are compared. Numbers of
//! messages and frames, versions and file names may differ, and ticks with `--ignore-ticks`.

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;
use vhost::mem::Image;
use vhost::trace::{Content, Header, Matcher};

use super::channels::map;
use super::entry::{HEAD, Line, MAX_CHARACTERS};
use super::entry_reader::{DecodedEntry, EntryReader};
use crate::ExitOutcome;
use crate::incomplete::{self, INCOMPLETE};
use crate::output::{DIM, ERROR, NAME, OK, Out, Sanitized, debug_text, out};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The first recording
    one: PathBuf,
    /// The second recording
    other: PathBuf,
    /// Number of messages to show before the difference
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    context: u16,
    /// Leave out ticks, as between recordings of two simulators
    #[arg(long)]
    ignore_ticks: bool,
}

/// Messages with more bytes than this are compared as bytes only: decoded values take many times
/// their size.
const LONG: usize = 1 << 20;

pub(super) fn run(args: &Args) -> Result<ExitOutcome> {
    let mut one = EntryReader::of(&args.one, false)?;
    let mut other = EntryReader::of(&args.other, false)?;
    let differing = headers(one.trace().header(), other.trace().header());
    let mut same = match args.ignore_ticks {
        true => Matcher::ignoring_ticks(),
        false => Matcher::default(),
    };
    let context = usize::from(args.context);
    let mut before = VecDeque::new();
    let mut matched = 0_u64;
    let difference = loop {
        let (a, b) = (one.next().transpose()?, other.next().transpose()?);
        match (a, b) {
            (None, None) => break None,
            (Some(a), Some(b)) if same.is(&a.entry, &b.entry) => {
                matched += 1;
                before.push_back(a);
                if before.len() > context {
                    before.pop_front();
                }
            }
            different => break Some(different),
        }
    };
    // Known at the end of a recording.
    let cut = [&one, &other].map(|reader| reader.trace().is_truncated());
    drop((one, other));

    let mut out = out();
    for what in &differing {
        writeln!(out, "{ERROR}different:{ERROR:#} {what}")?;
    }
    if let Some((one, other)) = &difference {
        print_difference(&mut out, args, &before, one.as_ref(), other.as_ref())?;
    }
    let outcome = if difference.is_none() && differing.is_empty() {
        writeln!(out, "{OK}the same:{OK:#} {matched} messages and replies")?;
        ExitOutcome::Passed
    } else {
        writeln!(out, "{matched} messages and replies before are the same")?;
        ExitOutcome::Failed
    };
    out.flush()?;
    let ends = [(&args.one, cut[0]), (&args.other, cut[1])];
    let ends = ends.map(|(file, is_truncated)| incomplete::outcome(file, is_truncated));
    Ok(match ends {
        [ExitOutcome::Passed, ExitOutcome::Passed] => outcome,
        _ => INCOMPLETE,
    })
}

/// Differences of the headers, other than versions and names.
fn headers(one: &Header, other: &Header) -> Vec<String> {
    let text = |source: &Option<vhost::trace::Source>| source.as_ref().map(|it| it.text.clone());
    // Images are compared by content, independent of names and order. Older recordings contain them
    // in full.
    let contents = |header: &Header| {
        let outlines = header.files.values().map(|file| {
            let bytes = file.as_ref()?;
            let image = Image::parse(bytes.clone(), Path::new("")).ok();
            Some(image.map_or_else(|| bytes.clone(), |image| image.outline()))
        });
        let mut all: Vec<_> = outlines.collect();
        all.sort_unstable();
        all
    };
    let compared = [
        (
            text(&one.memories) == text(&other.memories),
            "the memory configurations",
        ),
        (
            text(&one.mailboxes) == text(&other.mailboxes),
            "the mailbox configurations",
        ),
        (
            contents(one) == contents(other),
            "the images (class, section .mailbox) and other files that the configurations name",
        ),
        (
            one.file_root == other.file_root
                && one.extensions == other.extensions
                && one.virtuals == other.virtuals,
            "the files that firmware could open",
        ),
        (
            one.whole == other.whole,
            "one recording begins with its run, the other does not",
        ),
        (
            one.payloads == other.payloads,
            "the settings of payloads: the bytes that messages carry can't be compared",
        ),
    ];
    let differing = compared.iter().filter(|(same, _)| !same);
    let differing = differing.map(|(_, what)| (*what).to_owned());
    differing.chain(defaults(one, other)).collect()
}

/// Differences of the defaults of configurations. That of the backend depends on the simulator, and
/// counts only for memories that name none.
fn defaults(one: &Header, other: &Header) -> Vec<String> {
    let (a, b) = (one.defaults, other.defaults);
    let mut differing = Vec::new();
    if a.backend != b.backend {
        let mut like_other = one.clone();
        like_other.defaults.backend = b.backend;
        if map(one) != map(&like_other) {
            let [a, b] = [a, b].map(|it| it.backend.name());
            differing.push(format!(
                "the default backend, {a} and {b}, of memories without the key `backend`"
            ));
        }
    }
    if a.ptr_width != b.ptr_width {
        let [a, b] = [a, b].map(|it| match it.ptr_width {
            Some(width) => format!("{}", 8 * width.bytes()),
            None => "none".to_owned(),
        });
        differing.push(format!("the default of `ptr`, {a} and {b}"));
    }
    if a.cache_line != b.cache_line {
        let [a, b] = [a, b].map(|it| it.cache_line.bytes());
        differing.push(format!("the default of `cache_line`, {a} and {b}"));
    }
    differing
}

fn line(decoded: &DecodedEntry) -> Line<'_> {
    Line {
        decoded,
        max_chars: MAX_CHARACTERS,
    }
}

fn print_difference(
    out: &mut Out,
    args: &Args,
    before: &VecDeque<DecodedEntry>,
    one: Option<&DecodedEntry>,
    other: Option<&DecodedEntry>,
) -> Result<()> {
    if !before.is_empty() {
        writeln!(out, "{DIM}{HEAD}{DIM:#}")?;
    }
    for decoded in before {
        writeln!(out, "{}", line(decoded))?;
    }
    let mut side = |file: &Path, decoded: Option<&DecodedEntry>| {
        let file = file.to_string_lossy();
        let file = Sanitized(&file);
        match decoded {
            None => writeln!(out, "{NAME}{file}{NAME:#}: its end"),
            Some(decoded) => {
                let frame = decoded.entry.frame;
                writeln!(out, "{NAME}{file}{NAME:#}, frame {frame}:")?;
                writeln!(out, "{}", line(decoded))
            }
        }
    };
    side(&args.one, one)?;
    side(&args.other, other)?;
    if let (Some(one), Some(other)) = (one, other) {
        writeln!(
            out,
            "{ERROR}different:{ERROR:#} {}",
            differing_property(one, other, args.ignore_ticks)
        )?;
    }
    Ok(())
}

/// First property that differs between two entries.
fn differing_property(one: &DecodedEntry, other: &DecodedEntry, ignore_ticks: bool) -> String {
    let (a, b) = (&one.entry, &other.entry);
    if a.kind != b.kind || std::mem::discriminant(&a.content) != std::mem::discriminant(&b.content)
    {
        return format!("the message, {} and {}", message(one), message(other));
    }
    if a.tick != b.tick && !ignore_ticks {
        return format!("the tick, {} and {}", a.tick, b.tick);
    }
    let (bytes, others) = match (&a.content, &b.content) {
        (
            Content::Message { body, awaited },
            Content::Message {
                body: other,
                awaited: by_other,
            },
        ) => {
            if awaited != by_other {
                return "whether the reply is awaited".to_owned();
            }
            (body, other)
        }
        (Content::Reply { body }, Content::Reply { body: other }) => (body, other),
        _ => return "which message has no reply".to_owned(),
    };
    if bytes == others {
        return "which message it belongs to".to_owned();
    }
    if bytes.len().max(others.len()) <= LONG
        && let (Some(value), Some(by_other)) = (value(one), value(other))
        && let Some(difference) = first_difference("", &value, &by_other)
    {
        return difference;
    }
    let same = bytes.iter().zip(others).take_while(|(a, b)| a == b);
    format!("recorded bytes from {} on", same.count())
}

/// Name of an entry's message and its direction.
fn message(decoded: &DecodedEntry) -> String {
    let kind = &decoded.entry.kind;
    let what = match decoded.entry.content {
        Content::Message { .. } => "",
        Content::Reply { .. } => "the reply to ",
        Content::Dropped => "no reply to ",
    };
    format!("{what}`{}` from {} to {}", kind.name, kind.from, kind.to)
}

fn value(decoded: &DecodedEntry) -> Option<Value> {
    let body: &dyn erased_serde::Serialize = decoded.body.as_ref().ok()?.as_deref()?;
    serde_json::to_value(body).ok()
}

/// Path of the first difference between two values, as keys and positions. The recursion is as deep
/// as the nesting of the message types.
fn first_difference(path: &str, one: &Value, other: &Value) -> Option<String> {
    const FEW: usize = 60;
    let below = |key: &str| match path {
        "" => key.to_owned(),
        _ => format!("{path}.{key}"),
    };
    match (one, other) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            let mut pairs = one.iter().zip(other.values());
            pairs.find_map(|((key, one), other)| first_difference(&below(key), one, other))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(at, (one, other))| {
                (one != other)
                    .then(|| first_difference(&below(&at.to_string()), one, other))
                    .flatten()
            })
        }
        (one, other) if one == other => None,
        (one, other) => {
            let [one, other] = [one, other].map(|value| debug_text(&Text(value), FEW));
            Some(match path {
                "" => format!("{one} and {other}"),
                _ => format!("`{path}`, {one} and {other}"),
            })
        }
    }
}

/// Display of a value as JSON.
struct Text<'a>(&'a Value);

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named_by_its_path() {
        let one = json!({"op": {"Write": [[1, 2], [3, 4]]}, "space": 0});
        let other = json!({"op": {"Write": [[1, 2], [3, 5]]}, "space": 1});
        let reported = first_difference("", &one, &other);
        assert_eq!(reported.as_deref(), Some("`op.Write.1.1`, 4 and 5"));
        assert_eq!(first_difference("", &one, &one), None);
        let other = json!({"op": "Read", "space": 0});
        let reported = first_difference("", &one, &other).unwrap();
        assert!(reported.starts_with("`op`, {\"Write\""), "{reported}");
        assert_eq!(
            first_difference("", &json!(1), &json!([])).as_deref(),
            Some("1 and []")
        );
    }
}
