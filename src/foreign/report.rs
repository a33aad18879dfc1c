//! Reports to the user, and failed notifications of the testbench.

use std::io::Write as _;

use crate::guest;
use crate::messages::foreign::{NotifyError, Severity};
use crate::sim::{SimError, lifetime, testbench};

/// Reports to the testbench if it has a report function, else on stderr. A report from inside of
/// that function goes to stderr.
pub(crate) fn report(severity: Severity, id: &str, text: &str) {
    if testbench::report(severity as i32, id, text).is_err() {
        report_without_testbench(severity, id, text);
    }
}

/// Reports on stderr. For code that must not call the testbench.
pub(crate) fn report_without_testbench(severity: Severity, id: &str, text: &str) {
    // One write, so that lines of concurrent processes are not mixed.
    let line = format!("vhost: {}: {id}: {text}\n", severity.name());
    // If stderr is closed, there is no other output.
    let _ = guest::stderr().write_all(line.as_bytes());
}

/// Reports a failed notification of the testbench. After its simulation was deleted, only the first
/// failure is reported.
pub(super) fn report_failure(symbol: &str, outcome: Result<(), SimError>) {
    let is_late = matches!(outcome, Err(SimError::Ended { .. }));
    if let Err(error) = notified(outcome)
        && (!is_late || lifetime::count_late())
    {
        report(Severity::Error, symbol, &error.to_string());
    }
}

/// Converts the outcome of a notification. A testbench without the function does not subscribe to
/// it, which is not an error.
pub(super) fn notified(outcome: Result<(), SimError>) -> Result<(), NotifyError> {
    match outcome {
        Ok(()) | Err(SimError::Absent(_)) => Ok(()),
        Err(error) => Err(NotifyError {
            cause: error.to_string(),
        }),
    }
}
