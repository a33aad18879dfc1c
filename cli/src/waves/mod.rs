//! Recordings as files for waveform and trace viewers.
//!
//! - `perfetto`: messages and requests as trace packets of Perfetto.
//! - `fst`: requests as signals in FST, the format of simulators' waves.
//! - `ftr`: requests as transactions in FTR.
//! - `steps`: times from ticks.
//! - `requests`: requests with beginning and end.
//! - `export`: formats that are written in one pass over a recording.
//! - `segments`: parts of a run in which its time does not go back.
//!
//! Memory does not grow with the length of a recording.

mod export;
mod fst;
mod ftr;
mod perfetto;
mod requests;
mod segments;
mod steps;

use std::path::Path;

use anyhow::{Context, Result};
use vhost::messages::ServedRequest;

pub(crate) use fst::{Options as FstOptions, write as write_fst};
pub(crate) use ftr::write as write_ftr;
pub(crate) use perfetto::write as write_perfetto;
pub(crate) use segments::{Segment, Segments};

use crate::files::Files;
use crate::output::{Sanitized, truncated};
use crate::output_file::{OutputFile, cant_write};
use crate::trace::EntryReader;

/// Default period of a tick in picoseconds.
const DEFAULT_PERIOD: u64 = 1000;

/// Maximum number of channels, and of endpoints, with a name. Further ones share the last name.
const MAX_NAMES: usize = 1 << 17;

/// Result of a request without a response.
pub(crate) const UNANSWERED: &str = "not answered";

/// Maximum number of characters of a request's text.
const MAX_TEXT_LEN: usize = 200;

/// Period of a tick in picoseconds: the given one, else the configured one.
fn period(given: Option<u64>, reader: &EntryReader) -> u64 {
    given
        .or_else(|| reader.channels().period())
        .unwrap_or(DEFAULT_PERIOD)
}

/// Output file of a recording.
fn output_file(recording: &Path, output: &Path) -> Result<OutputFile> {
    let mut files = Files::default();
    files.input("the recording", recording);
    files.output("the output", output).are_distinct()?;
    OutputFile::new(output).with_context(|| cant_write(output))
}

/// Text of a request, without control characters.
fn request_text(served: &dyn ServedRequest) -> String {
    truncated(
        format_args!("{}", Sanitized(&served.request_text())),
        MAX_TEXT_LEN,
    )
}

/// Result of a request: `done`, a value, or the error.
fn result_text(served: &dyn ServedRequest) -> String {
    match (served.error(), served.value()) {
        (Some(errno), _) => errno.to_string(),
        (None, Some(value)) => format!("{value:#x}"),
        (None, None) => "done".to_owned(),
    }
}
