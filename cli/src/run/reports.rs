//! Reports of the system on standard error, and the error of a run in its recording.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vhost::config::vhost_variables::RUN_DESIGN;
use vhost::messages::foreign::Report;
use vhost::trace::RunIdentity;
use vhost::{Severity, Vhost};

use super::Args;
use super::files::recording;
use crate::output::WholeStderr;

/// Id of the report on the error of a run.
const ID: &str = "vhost run";

/// Records the error of a run that can't start, so that an older recording of this name does not
/// count for it.
pub(super) fn record_unstarted(args: &Args, error: &anyhow::Error) {
    let Some(file) = recording(args) else {
        return;
    };
    let mut builder = Vhost::builder().environment_identity().record(file);
    // Name of the image, which the recording does not contain.
    if let (None, Some(stem)) = (RUN_DESIGN.value(), args.image.file_stem()) {
        builder = builder.identify(RunIdentity::DESIGN, stem.to_string_lossy());
    }
    // The error is printed in any case. The recording may belong to another run that is in
    // progress.
    let _ = builder.record_failure(ID, &format!("{error:#}"));
}

/// Printer of reports.
#[derive(Debug, Clone, Default)]
pub(super) struct Reports {
    /// True while the error of the run is reported, since it is printed after firmware's last text.
    is_silent: Arc<AtomicBool>,
    /// True after a report on a signature that can't be written.
    has_lost_signature: Arc<AtomicBool>,
}

/// Prefix of the report on a signature that can't be written.
const SIGNATURE: &str = "the signature from ";

impl Reports {
    /// Prints a report.
    pub(super) fn print(&self, report: &Report) {
        let Report { severity, id, text } = report;
        if *severity == Severity::Error && text.starts_with(SIGNATURE) {
            self.has_lost_signature.store(true, Ordering::Relaxed);
        }
        if !self.is_silent.load(Ordering::Relaxed) {
            // Without standard error there is no way to report.
            let _ = writeln!(
                WholeStderr::default(),
                "vhost: {}: {id}: {text}",
                severity.name()
            );
        }
    }

    /// True if a signature could not be written.
    pub(super) fn has_lost_signature(&self) -> bool {
        self.has_lost_signature.load(Ordering::Relaxed)
    }

    /// Records the error of a run, so that the recording has the reason of its end.
    pub(super) fn record(&self, vhost: &Vhost, text: &str) {
        self.is_silent.store(true, Ordering::Relaxed);
        // The error is printed in any case.
        let _ = vhost.report(Severity::Fatal, ID, text);
        self.is_silent.store(false, Ordering::Relaxed);
    }
}
