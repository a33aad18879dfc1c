//! Recorder of a system.

use std::path::Path;

use crate::foreign::report_without_testbench;
use crate::messages::foreign::Severity;
use crate::trace::{Header, Recorder, TraceError};

/// Starts a recording. A failure goes to stderr: a call to the testbench is impossible here.
pub(in crate::system) fn recorder(file: &Path, header: &Header) -> Result<Recorder, TraceError> {
    let recorder = Recorder::create(file, header)?;
    Ok(recorder.on_failure(|error| {
        let text = format!("{error}; the recording ends there");
        report_without_testbench(Severity::Error, "trace", &text);
    }))
}
