//! Data of a run for the page: JSON, and requests as columns of bytes, deflated, as base64.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{self, Path};

use data_encoding::BASE64;
use serde::Serialize;
use vhost::attach::Requests;
use vhost::trace::{Payloads, RunIdentity};

use super::bounded::Gap;
use super::memories::SpaceRow;
use super::run::{RecordingEnd, ReportRow, RequestResult, RequestRow, Run, Step};
use super::verdict::Judgement;
use crate::waves::Segment;

/// Compression level; higher ones take more time than they save size.
const LEVEL: u8 = 8;

/// Version of the data's layout, for other readers: the page has its own script.
const LAYOUT: u32 = 3;

/// Packs a value as JSON and the bytes that it refers to: length of the JSON in 4 bytes, JSON,
/// bytes, as raw deflate in base64.
pub(super) fn packed(value: &impl Serialize, bytes: &[u8]) -> serde_json::Result<String> {
    let json = serde_json::to_vec(value)?;
    let len = u32::try_from(json.len()).unwrap_or(u32::MAX);
    let whole = [&len.to_le_bytes(), &json[..], bytes].concat();
    let deflated = miniz_oxide::deflate::compress_to_vec(&whole, LEVEL);
    Ok(BASE64.encode(&deflated))
}

/// Column of numbers: the lowest bytes of all, then the second bytes, and so on.
///
/// Deflate encodes bytes, so that a column takes little more than the entropy of its numbers.
/// Decimal digits with commas would take half as much again.
#[derive(Serialize)]
struct Column {
    /// Position of the first byte behind the JSON.
    at: usize,
    /// Number of bytes of a number.
    width: u32,
}

impl Column {
    /// Appends numbers to `to`.
    fn of(values: &[u64], to: &mut Vec<u8>) -> Self {
        let most = values.iter().max().copied().unwrap_or_default();
        let width = (u64::BITS - most.leading_zeros()).div_ceil(8);
        let at = to.len();
        for place in 0..width {
            to.extend(values.iter().map(|value| (value >> (8 * place)) as u8));
        }
        Self { at, width }
    }
}

/// Data of one run. Numbers of 64 bits other than ticks and counts are texts.
#[derive(Serialize)]
pub(super) struct Detail<'a> {
    layout: u32,
    file: &'a str,
    verdict: &'static str,
    reasons: &'a [String],
    facts: Vec<(&'static str, String)>,
    /// Command that replays the run, or the reason why there is none.
    replay: String,
    has_replay: bool,
    /// Period of a tick in picoseconds.
    period: Option<u64>,
    ticks: u64,
    channels: Vec<Channel<'a>>,
    requests: Columns,
    latencies: Vec<Latency<'a>>,
    reports: Vec<Report<'a>>,
    /// Gap in the reports of the page.
    reports_gap: Gap,
    console: Vec<Line<'a>>,
    /// Gap in the lines of the page.
    console_gap: Gap,
    failure: Option<Failure<'a>>,
    spaces: &'a [SpaceRow],
}

#[derive(Serialize)]
struct Channel<'a> {
    name: &'a str,
    protocol: &'static str,
    exit: Option<u32>,
    waits: bool,
    requests: u64,
    failed: u64,
    state: &'a str,
}

/// Requests in the order of their completion, with a column for each property.
#[derive(Serialize)]
struct Columns {
    count: usize,
    kinds: Vec<&'static str>,
    /// Texts, in the order in which they occur first.
    texts: Vec<String>,
    /// Text of each outcome, with 1 for a failure, 2 for none.
    outcomes: Vec<(String, u8)>,
    channel: Column,
    /// Segments of a run that returns to checkpoints, in order: tick of the checkpoint at the
    /// beginning of each, none for the first one.
    segments: Vec<Option<u64>>,
    /// Position of the segment.
    segment: Column,
    kind: Column,
    /// 0 for the next new text; otherwise the position of a known one plus 1.
    text: Column,
    /// Encoded like `text`.
    outcome: Column,
    /// Tick of the response, minus that of the previous response in the same segment.
    answered: Column,
    /// Number of ticks from taken to answered.
    ticks: Column,
    /// Gap in the requests of the page.
    gap: Gap,
    #[serde(skip)]
    bytes: Vec<u8>,
}

#[derive(Serialize)]
struct Latency<'a> {
    channel: &'a str,
    kind: &'a str,
    #[serde(flatten)]
    requests: &'a Requests,
}

#[derive(Serialize)]
struct Report<'a> {
    tick: u64,
    severity: &'static str,
    id: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    channel: usize,
    tick: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    source: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Failure<'a> {
    tick: u64,
    id: &'a str,
    text: &'a str,
    before: Vec<Before<'a>>,
}

/// Request or report before a failure.
#[derive(Serialize)]
struct Before<'a> {
    tick: u64,
    of: &'a str,
    text: String,
}

/// Distinct values of a column.
struct Values<T> {
    numbers: HashMap<T, usize>,
    values: Vec<T>,
}

impl<T: Clone + Eq + Hash> Values<T> {
    fn new() -> Self {
        Self {
            numbers: HashMap::new(),
            values: Vec::new(),
        }
    }

    /// 0 for a new value; otherwise the position of a known one plus 1.
    fn number(&mut self, value: T) -> u64 {
        let next = self.values.len();
        let number = *self.numbers.entry(value.clone()).or_insert(next);
        if number == next {
            self.values.push(value);
            return 0;
        }
        number as u64 + 1
    }
}

impl Columns {
    fn of(run: &Run) -> Self {
        let (mut kinds, mut texts, mut outcomes) = (Values::new(), Values::new(), Values::new());
        let mut numbers: [Vec<u64>; 7] = Default::default();
        let mut before = 0;
        let mut segments: Vec<Segment> = Vec::new();
        for request in run.requests.iter() {
            // Requests of a segment are adjacent.
            if segments.last() != Some(&request.segment) {
                segments.push(request.segment);
                before = 0;
            }
            let row = [
                request.channel as u64,
                segments.len() as u64 - 1,
                kinds.number(request.kind),
                texts.number(request.text.as_str()),
                outcomes.number(request.result),
                request.answered.saturating_sub(before),
                request.answered - request.taken,
            ];
            for (column, number) in numbers.iter_mut().zip(row) {
                column.push(number);
            }
            before = request.answered;
        }
        let count = numbers[0].len();
        let mut bytes = Vec::new();
        let columns = numbers.map(|column| Column::of(&column, &mut bytes));
        let [channel, segment, kind, text, outcome, answered, ticks] = columns;
        let text_of = |outcome: RequestResult| (outcome.text(), outcome.mark());
        Self {
            count,
            kinds: kinds.values,
            texts: texts.values.into_iter().map(str::to_owned).collect(),
            outcomes: outcomes.values.into_iter().map(text_of).collect(),
            channel,
            segments: segments.iter().map(|segment| segment.checkpoint).collect(),
            segment,
            kind,
            text,
            outcome,
            answered,
            ticks,
            gap: run.requests.gap(),
            bytes,
        }
    }
}

impl<'a> Detail<'a> {
    /// Packs the data.
    pub(super) fn packed(&self) -> serde_json::Result<String> {
        packed(self, &self.requests.bytes)
    }

    pub(super) fn of(run: &'a Run, judgement: &'a Judgement) -> Self {
        let channels = run.channels.iter().map(|channel| Channel {
            name: &channel.name,
            protocol: channel.protocol,
            exit: channel.exit.map(|(code, _)| code),
            waits: channel.has_exit && run.exit_of(channel).is_none(),
            requests: channel.requests,
            failed: channel.failed,
            state: &channel.state,
        });
        let latencies = run.table.iter().map(|(channel, kind, requests)| Latency {
            channel,
            kind,
            requests,
        });
        let lines = run.console.lines();
        let console = lines.iter().map(|line| Line {
            channel: line.channel,
            tick: line.tick,
            source: &line.source,
            text: &line.text,
        });
        let no_replay = run.no_replay();
        let failure = run.failure(judgement.allows_errors).map(|failure| Failure {
            tick: failure.tick,
            id: &failure.id,
            text: &failure.text,
            before: failure
                .before
                .iter()
                .map(|step| before(run, step))
                .collect(),
        });
        Self {
            layout: LAYOUT,
            file: &run.file,
            verdict: judgement.verdict.name(),
            reasons: &judgement.reasons,
            facts: facts(run),
            replay: no_replay.map_or_else(|| replay_command(&run.path), str::to_owned),
            has_replay: no_replay.is_none(),
            period: run.identity.period,
            ticks: run.ticks,
            channels: channels.collect(),
            requests: Columns::of(run),
            latencies: latencies.collect(),
            reports: run.reports.iter().map(report).collect(),
            reports_gap: run.reports.gap(),
            console: console.collect(),
            console_gap: lines.gap(),
            failure,
            spaces: &run.spaces,
        }
    }
}

fn report(row: &ReportRow) -> Report<'_> {
    Report {
        tick: row.tick,
        severity: row.severity.name(),
        id: &row.id,
        text: &row.text,
    }
}

fn before<'a>(run: &'a Run, step: &'a Step) -> Before<'a> {
    match step {
        Step::Report(row) => Before {
            tick: row.tick,
            of: &row.id,
            text: format!("{}: {}", row.severity.name(), row.text),
        },
        Step::Request(row) => Before {
            tick: row.answered,
            of: run
                .channels
                .get(row.channel)
                .map_or("", |channel| &channel.name),
            text: request_text(row),
        },
    }
}

/// Request and outcome.
pub(super) fn request_text(row: &RequestRow) -> String {
    format!("{}; {}", row.text, row.result.text())
}

/// Properties of a run, by name.
fn facts(run: &Run) -> Vec<(&'static str, String)> {
    let identity = &run.identity;
    let named = [
        ("Run", RunIdentity::ID),
        ("Design", RunIdentity::DESIGN),
        ("Seed", RunIdentity::SEED),
        ("Revision", RunIdentity::REVISION),
        ("Machine", RunIdentity::HOST),
        ("Command", RunIdentity::COMMAND),
    ];
    let named = named.map(|(name, key)| (name, identity.run.get(key).unwrap_or_default()));
    let mut facts: Vec<_> = named.map(|(name, value)| (name, value.to_owned())).into();
    facts.extend([
        ("Recorded by", format!("vhost {}", identity.version)),
        (
            "Recording",
            format!(
                "{}, {}, {}",
                if identity.is_whole {
                    "from the start of the run"
                } else {
                    "from the middle of the run"
                },
                match identity.payloads {
                    Payloads::Keep => "with payloads",
                    Payloads::Hash => "payloads hashed",
                    Payloads::Drop => "without payloads",
                },
                match run.end {
                    RecordingEnd::Whole => "up to the end of the system",
                    RecordingEnd::Open => "without the end of the system",
                    RecordingEnd::Truncated => "cut off",
                    RecordingEnd::Damaged(_) => "up to a damaged frame",
                }
            ),
        ),
        ("Messages and replies", run.entries.to_string()),
        ("Configuration", identity.configurations.join(", ")),
        ("Images", identity.images.join(", ")),
        (
            "Loaded content",
            identity
                .loaded
                .map(|hash| format!("CRC-32 {hash:08x}"))
                .unwrap_or_default(),
        ),
    ]);
    let variables = identity.variables.iter().map(|(name, value)| {
        let value = value.as_deref().unwrap_or("(not set)");
        format!("{name}={value}")
    });
    facts.push(("Variables", variables.collect::<Vec<_>>().join(" ")));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// Shell command that replays a recording, from any folder.
pub(crate) fn replay_command(file: &Path) -> String {
    // Only an empty path has no absolute one.
    let path = path::absolute(file).unwrap_or_else(|_| file.into());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,%@".contains(c);
    match path.to_str() {
        Some(path) if path.chars().all(is_plain) => format!("vhost replay {path}"),
        Some(path) if !path.contains(char::is_control) => {
            format!("vhost replay '{}'", path.replace('\'', r"'\''"))
        }
        // Syntax of bash, ksh and zsh.
        _ => {
            let bytes = path.as_os_str().as_encoded_bytes().iter();
            let quoted = bytes.map(|byte| match byte {
                b' '..=b'~' if !b"'\\".contains(byte) => char::from(*byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            });
            format!("vhost replay $'{}'", quoted.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn names_of_files_are_quoted_for_a_shell() {
        let commands: [(&[u8], &str); 4] = [
            (b"/a/run-1.trace", "vhost replay /a/run-1.trace"),
            (b"/it's $(x)", r"vhost replay '/it'\''s $(x)'"),
            (b"/two\nlines", r"vhost replay $'/two\x0alines'"),
            (b"/it's\\ \xff", r"vhost replay $'/it\x27s\x5c \xff'"),
        ];
        for (file, expected) in commands {
            let file = Path::new(OsStr::from_bytes(file));
            assert_eq!(replay_command(file), expected);
        }
        assert!(replay_command(Path::new("-x")).contains("/-x"));
    }
}
