//! Reports of the system, on standard error, and the error of a run in its recording.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vhost::messages::foreign::Report;
use vhost::{Severity, Vhost};

/// Source of the report on the error of a run.
const ID: &str = "vhost run";

/// Printer of reports.
#[derive(Debug, Clone, Default)]
pub(super) struct Reports {
    /// True while the error of the run is reported, which is printed behind firmware's last text.
    is_silent: Arc<AtomicBool>,
}

impl Reports {
    /// Prints a report.
    pub(super) fn print(&self, report: &Report) {
        let Report { severity, id, text } = report;
        if !self.is_silent.load(Ordering::Relaxed) {
            // Without a standard error there is nothing left to report to.
            let _ = writeln!(
                anstream::stderr(),
                "vhost: {}: {id}: {text}",
                severity.name()
            );
        }
    }

    /// Records the error of a run, so that a reader of the recording sees why it ended.
    pub(super) fn record(&self, vhost: &Vhost, text: &str) {
        self.is_silent.store(true, Ordering::Relaxed);
        // The error is printed in any case.
        let _ = vhost.report(Severity::Fatal, ID, text);
        self.is_silent.store(false, Ordering::Relaxed);
    }
}
