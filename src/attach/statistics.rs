//! Request statistics: counts, latencies and bytes by channel and kind.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Serialize, Serializer};

use super::{AtExit, Attach, AttachContext, AttachError, Counts, Findings, end_at_exit};
use crate::bus::{Observation, Spawner, Tap};
use crate::guest::{self, OutputFile};
use crate::messages::checkpoint::{SavedRequests, SavedStatistics};
use crate::messages::events::RestoreBegun;
use crate::messages::foreign::Severity;
use crate::messages::{ServedRequest, printed_bytes, served_request};

/// Counter of requests while it is attached. At the end of the system or process, the table is
/// written to the destination, if there is one. Clones share the counts.
///
/// ```
/// use vhost::Vhost;
/// use vhost::attach::Statistics;
///
/// let statistics = Statistics::new();
/// let vhost = Vhost::builder().attach(statistics.clone()).start()?;
/// // … the simulation runs …
/// println!("{}", statistics.table());
/// # Ok::<(), vhost::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    counted: Arc<Mutex<Table>>,
    to: Option<To>,
}

/// Destination of a table.
#[derive(Debug, Clone)]
enum To {
    Stderr,
    File(PathBuf),
}

impl Statistics {
    /// Creates statistics without a destination.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes the table to `file` at the end, as JSON if the file's name ends in `.json`. The name
    /// may have `%p` for the process id, `%t` for the time of the start, `%s` for the system's
    /// name.
    #[must_use]
    pub fn file(self, file: impl Into<PathBuf>) -> Self {
        Self {
            to: Some(To::File(file.into())),
            ..self
        }
    }

    /// Writes the table to stderr at the end.
    #[must_use]
    pub fn stderr(self) -> Self {
        Self {
            to: Some(To::Stderr),
            ..self
        }
    }

    /// Snapshot of the counts.
    pub fn table(&self) -> Table {
        self.counted.lock().clone()
    }
}

impl Attach for Statistics {
    fn attach(
        self: Box<Self>,
        context: &AttachContext,
        _: &Spawner,
    ) -> Result<Box<dyn Tap>, AttachError> {
        let output = match &self.to {
            None => None,
            Some(To::Stderr) => Some(Output::Stderr),
            // Created now, so that an error is reported at the start of a run.
            Some(To::File(file)) => Some(Output::File(OutputFile::create(file)?)),
        };
        let last = Arc::new(Mutex::new(FinalTable {
            name: match &output {
                Some(Output::File(file)) => format!("the table {}", file.path().display()),
                Some(Output::Stderr) | None => "the table of statistics".to_owned(),
            },
            output,
            counted: self.counted.clone(),
        }));
        end_at_exit(&last);
        Ok(Box::new(Collector {
            position: context.keep(Arc::new(SharedCounts(self.counted.clone()))),
            counted: self.counted,
            context: context.clone(),
            findings: context.findings("statistics"),
            last,
        }))
    }
}

/// Attached tap of [`Statistics`].
struct Collector {
    counted: Arc<Mutex<Table>>,
    /// Position of the counts in checkpoints.
    position: usize,
    context: AttachContext,
    findings: Findings,
    last: Arc<Mutex<FinalTable>>,
}

impl Tap for Collector {
    fn observe(&mut self, seen: &Observation<'_>) {
        if let Some((channel, bytes)) = seen.content.body().and_then(printed_bytes) {
            let channel = self.context.name_of(channel);
            self.counted.lock().printed(&channel, bytes);
        }
        if let Some(served) = seen.content.body().and_then(served_request) {
            let channel = self.context.name_of(served.channel());
            self.counted.lock().served(&channel, served, seen.tick);
        }
        if let Some(begun) = seen.content.downcast_ref::<RestoreBegun>()
            && let Some(saved) = begun.statistics.get(self.position)
        {
            *self.counted.lock() = Table::restored(saved);
        }
    }
}

/// Counts for a checkpoint.
#[derive(Debug)]
struct SharedCounts(Arc<Mutex<Table>>);

impl Counts for SharedCounts {
    fn saved(&self) -> SavedStatistics {
        self.0.lock().saved()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let (ended, name) = {
            let mut last = self.last.lock();
            (last.end(), last.name())
        };
        if let Err(error) = ended {
            let text = format!("{name} can't be written: {error}");
            self.findings.raise(Severity::Warning, text);
        }
    }
}

/// The final table, written once.
struct FinalTable {
    /// Name of the table with its file, for reports.
    name: String,
    output: Option<Output>,
    counted: Arc<Mutex<Table>>,
}

/// An open destination.
enum Output {
    Stderr,
    File(OutputFile),
}

impl AtExit for FinalTable {
    fn end(&mut self) -> io::Result<()> {
        let output = self.output.take();
        let table = self.counted.lock();
        match output {
            None => Ok(()),
            Some(Output::Stderr) => write!(guest::stderr(), "{table}"),
            Some(Output::File(mut file)) => {
                let json = file.path().extension().is_some_and(|json| json == "json");
                let text = if json {
                    serde_json::to_string(&*table).map_err(io::Error::other)? + "\n"
                } else {
                    table.to_string()
                };
                file.write_all(text.as_bytes())
            }
        }
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// Requests by channel and kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    requests: BTreeMap<(Arc<str>, Cow<'static, str>), Requests>,
    /// Bytes printed by a channel since its last served request.
    printed: HashMap<Arc<str>, u64>,
}

/// Requests of one kind on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// Number of requests.
    pub count: u64,
    /// Number of requests answered by an error.
    pub failed: u64,
    /// Bytes printed, moved, read or written.
    pub bytes: u64,
    /// Minimum latency, in ticks from taken to answered.
    pub ticks_min: u64,
    /// Sum of latencies, in ticks.
    pub ticks_sum: u64,
    /// Maximum latency, in ticks.
    pub ticks_max: u64,
    /// Distribution of latencies.
    pub histogram: Histogram,
}

/// Latency histogram in ticks, with bins 0, 1, up to 3, up to 7, and so on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram(Vec<u64>);

impl Histogram {
    /// Maximum number of bins.
    const MAX_BINS: usize = u64::BITS as usize + 1;

    fn add(&mut self, ticks: u64) {
        let at = (u64::BITS - ticks.leading_zeros()) as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        self.0[at] = self.0[at].saturating_add(1);
    }

    /// Upper bound of each bin in ticks, and its number of requests.
    pub fn steps(&self) -> impl Iterator<Item = (u64, u64)> {
        let most = |at: u32| 1_u64.checked_shl(at).map_or(u64::MAX, |most| most - 1);
        (0..).map(most).zip(self.0.iter().copied())
    }
}

/// Format: `0: 10  ≤15: 2`, with bins that are not empty.
impl Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps().filter(|(_, count)| *count > 0);
        for (number, (most, count)) in steps.enumerate() {
            let gap = if number == 0 { "" } else { "  " };
            let up_to = if most < 2 { "" } else { "≤" };
            write!(f, "{gap}{up_to}{most}: {count}")?;
        }
        Ok(())
    }
}

/// List of pairs: upper bound of each bin, and its number of requests.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.steps())
    }
}

impl Requests {
    const NONE: Self = Self {
        count: 0,
        failed: 0,
        bytes: 0,
        ticks_min: u64::MAX,
        ticks_sum: 0,
        ticks_max: 0,
        histogram: Histogram(Vec::new()),
    };

    /// Mean latency, in ticks.
    pub fn ticks_mean(&self) -> f64 {
        self.ticks_sum as f64 / self.count as f64
    }
}

impl Table {
    /// Adds printed bytes of a channel.
    pub fn printed(&mut self, channel: &Arc<str>, bytes: u64) {
        let printed = self.printed.entry(channel.clone()).or_default();
        *printed = printed.saturating_add(bytes);
    }

    /// Adds a request served in tick `now`.
    pub fn served(&mut self, channel: &Arc<str>, served: &dyn ServedRequest, now: u64) {
        let ticks = now.saturating_sub(served.since());
        let printed = self.printed.remove(channel).unwrap_or_default();
        let key = (channel.clone(), served.kind().into());
        let of_kind = self.requests.entry(key).or_insert(Requests::NONE);
        of_kind.count = of_kind.count.saturating_add(1);
        let failed = u64::from(served.error().is_some());
        of_kind.failed = of_kind.failed.saturating_add(failed);
        of_kind.bytes = of_kind.bytes.saturating_add(served.bytes(printed));
        of_kind.ticks_min = of_kind.ticks_min.min(ticks);
        of_kind.ticks_max = of_kind.ticks_max.max(ticks);
        of_kind.ticks_sum = of_kind.ticks_sum.saturating_add(ticks);
        of_kind.histogram.add(ticks);
    }

    /// Channel, kind and requests, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &str, &Requests)> {
        let requests = self.requests.iter();
        requests.map(|((channel, kind), requests)| (channel, &**kind, requests))
    }

    /// Lengths of the longest channel name and of the longest kind, in characters.
    pub fn widths(&self) -> (usize, usize) {
        let names = self
            .iter()
            .map(|(channel, kind, _)| (channel.chars().count(), kind.chars().count()));
        names.fold((0, 0), |(channels, kinds), (channel, kind)| {
            (channels.max(channel), kinds.max(kind))
        })
    }

    /// Counts for a checkpoint.
    fn saved(&self) -> SavedStatistics {
        let requests = self.iter().map(|(channel, kind, requests)| SavedRequests {
            channel: channel.to_string(),
            kind: kind.to_owned(),
            count: requests.count,
            failed: requests.failed,
            bytes: requests.bytes,
            ticks_min: requests.ticks_min,
            ticks_sum: requests.ticks_sum,
            ticks_max: requests.ticks_max,
            histogram: requests.histogram.0.clone(),
        });
        let printed = self.printed.iter();
        let mut printed: Vec<_> = printed
            .map(|(channel, bytes)| (channel.to_string(), *bytes))
            .collect();
        printed.sort_unstable();
        SavedStatistics {
            requests: requests.collect(),
            printed,
        }
    }

    /// Counts of a checkpoint.
    fn restored(saved: &SavedStatistics) -> Self {
        let requests = saved.requests.iter().map(|saved| {
            let bins = saved.histogram.len().min(Histogram::MAX_BINS);
            let requests = Requests {
                count: saved.count,
                failed: saved.failed,
                bytes: saved.bytes,
                ticks_min: saved.ticks_min,
                ticks_sum: saved.ticks_sum,
                ticks_max: saved.ticks_max,
                histogram: Histogram(saved.histogram[..bins].to_vec()),
            };
            let channel = Arc::from(saved.channel.as_str());
            ((channel, saved.kind.clone().into()), requests)
        });
        let printed = saved.printed.iter();
        Self {
            requests: requests.collect(),
            printed: printed
                .map(|(channel, bytes)| (channel.as_str().into(), *bytes))
                .collect(),
        }
    }

    /// Requests of one kind on one channel, such as `"PRINT"`.
    pub fn of(&self, channel: &str, kind: &str) -> Option<&Requests> {
        let mut all = self.iter();
        let found = all.find(|(name, of, _)| ***name == *channel && *of == kind);
        found.map(|(_, _, requests)| requests)
    }
}

/// One line per channel and kind.
impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (channels, kinds) = self.widths();
        let (channels, kinds) = (channels.max(12), kinds.max(10));
        writeln!(
            f,
            "{:<channels$} {:<kinds$} {:>9} {:>8} {:>12} {:>8} {:>10} {:>8}  ticks from taken to answered",
            "channel", "request", "count", "failed", "bytes", "min", "mean", "max"
        )?;
        for (channel, kind, requests) in self.iter() {
            let Requests {
                count,
                failed,
                bytes,
                ticks_min,
                ticks_max,
                ..
            } = requests;
            let mean = requests.ticks_mean();
            write!(
                f,
                "{channel:<channels$} {kind:<kinds$} {count:>9} {failed:>8} {bytes:>12} {ticks_min:>8} {mean:>10.1} {ticks_max:>8} "
            )?;
            writeln!(f, " {}", requests.histogram)?;
        }
        Ok(())
    }
}

/// List of objects, one per channel and kind.
impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Row<'a> {
            channel: &'a str,
            request: &'a str,
            #[serde(flatten)]
            requests: &'a Requests,
        }
        serializer.collect_seq(self.iter().map(|(channel, request, requests)| Row {
            channel,
            request,
            requests,
        }))
    }
}
