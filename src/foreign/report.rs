//! Reports to the user, and failures of notifications of the testbench.

use std::io::Write as _;

use crate::guest;
use crate::messages::foreign::{NotifyError, Severity};
use crate::sim::{SimError, lifetime, testbench};

/// Reports to the testbench if it takes reports, else on stderr. A report made inside of the testbench's report function goes to stderr.
pub(crate) fn report(severity: Severity, id: &str, text: &str) {
    if testbench::report(severity as i32, id, text).is_err() {
        report_without_testbench(severity, id, text);
    }
}

/// Reports on stderr, where the testbench must not be called.
pub(crate) fn report_without_testbench(severity: Severity, id: &str, text: &str) {
    // One write: lines of processes side by side stay whole.
    let line = format!("vhost: {}: {id}: {text}\n", severity.name());
    // If stderr is closed, no output is left.
    let _ = guest::stderr().write_all(line.as_bytes());
}

/// Reports a failed notification of the testbench. After its simulation was deleted, only the first failure is reported.
pub(super) fn report_failure(symbol: &str, outcome: Result<(), SimError>) {
    let is_late = matches!(outcome, Err(SimError::Ended { .. }));
    if let Err(error) = notified(outcome)
        && (!is_late || lifetime::count_late())
    {
        report(Severity::Error, symbol, &error.to_string());
    }
}

/// Converts the outcome of a notification. A testbench without the function has not subscribed to it, which is no error.
pub(super) fn notified(outcome: Result<(), SimError>) -> Result<(), NotifyError> {
    match outcome {
        Ok(()) | Err(SimError::Absent(_)) => Ok(()),
        Err(error) => Err(NotifyError {
            cause: error.to_string(),
        }),
    }
}
