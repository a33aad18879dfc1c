//! `vhost trace export --fst`: converts the requests of a recording to signals in FST, the format
//! of simulators' waves.
//!
//! A request is known when it is answered, but its signals change when it was taken. The recording
//! is therefore read twice: `survey` finds the channels and the long requests, and `order` sorts
//! changes in a limited window. `timing` provides the same times for both passes. `signals` has the
//! signals of channels.
//!
//! `file` writes the format, with `hierarchy` and `encoding`.

mod encoding;
mod file;
mod hierarchy;
mod order;
mod signals;
mod survey;
mod timing;

use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::steps::TimeBase;
use super::{output_file, period, request_text, result_text};
use crate::ExitOutcome;
use crate::incomplete;
use crate::output::{WARNING, WholeStderr};
use crate::output_file::cant_write;
use crate::trace::EntryReader;
use order::{Change, Order, What};
use signals::Signals;
use survey::Survey;
use timing::Timing;

/// Options of the export.
pub(crate) struct Options<'a> {
    pub(crate) recording: &'a Path,
    pub(crate) output: &'a Path,
    /// Period of a tick in picoseconds, if given.
    pub(crate) period: Option<u64>,
    /// Number of the segment; `None` for the first.
    pub(crate) segment: Option<u64>,
}

/// Writes a segment of a recording.
pub(crate) fn write(options: &Options<'_>) -> Result<ExitOutcome> {
    let Options {
        recording, output, ..
    } = options;
    let reader = EntryReader::of(recording, false)?;
    let base = TimeBase::of(period(options.period, &reader));
    let chosen = options.segment.unwrap_or(1);
    let survey = Survey::of(reader, base, chosen);
    if chosen > survey.segments {
        survey
            .end
            .with_context(|| format!("no segment {chosen} precedes it"))?;
        bail!(
            "{} has no segment {chosen}: it has {}",
            recording.display(),
            survey.segments
        );
    }
    let is_truncated = survey.is_truncated;
    let file = output_file(recording, output)?;
    let to = BufWriter::new(file.create().with_context(|| cant_write(output))?);
    let end = write_changes(options, base, survey, to)?;
    file.commit().with_context(|| cant_write(output))?;
    end.context("what follows is left out")?;
    Ok(incomplete::outcome(recording, is_truncated))
}

/// Writes the changes. `Ok` contains the error at which the recording ends.
fn write_changes(
    options: &Options<'_>,
    base: TimeBase,
    survey: Survey,
    to: impl Write + Seek,
) -> Result<Result<(), vhost::trace::TraceError>> {
    let failed = || cant_write(options.output);
    let chosen = options.segment.unwrap_or(1);
    let count = survey.segments;
    let mut signals =
        Signals::begin(to, base.exponent, survey.lanes.names()).with_context(failed)?;
    let mut order = Order::new(survey.long);
    let mut end = Ok(());
    let reader = EntryReader::of(options.recording, false)?;
    let mut timing = Timing::new(&reader, base, chosen, survey.lanes);
    for decoded in reader {
        let decoded = match decoded {
            Ok(decoded) => decoded,
            Err(error) => {
                end = Err(error);
                break;
            }
        };
        if let Some((timed, served)) = timing.request(&decoded) {
            if !order.is_long(&timed) {
                let (kind, request) = (served.kind(), request_text(served));
                let what = What::Taken { kind, request };
                order.push(Change::begin(&timed, what));
            }
            let what = What::Answered(result_text(served));
            order.push(Change::end(&timed, what));
            order.pass(&timed);
            while let Some(change) = order.next_ready() {
                signals.apply(change).with_context(failed)?;
            }
        }
        // The survey has the requests without a response.
        let (_, is_last) = timing.go_on(&decoded);
        if is_last {
            break;
        }
    }
    while let Some(change) = order.next() {
        signals.apply(change).with_context(failed)?;
    }
    let after = timing.after();
    signals.finish(after).with_context(failed)?;
    if options.segment.is_none() && count > 1 {
        // Without standard error there is no way to report.
        let _ = writeln!(
            WholeStderr::default(),
            "{WARNING}warning:{WARNING:#} the run goes back to a checkpoint, and has {count} segments: {} has the first one; give --segment for another",
            options.output.display()
        );
    }
    Ok(end)
}
