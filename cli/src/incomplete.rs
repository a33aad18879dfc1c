//! Recordings that were not read to their end: the same warning and exit status in all commands.

use std::fmt::Display;
use std::io::Write as _;
use std::path::Path;

use vhost::trace::Trace;

use crate::ExitOutcome;
use crate::output::{Sanitized, WARNING, WholeStderr};

/// Problem of a recording that ends inside of a block.
pub(crate) const TRUNCATED: &str = "the recording was cut off";

/// Outcome of a command with such a recording.
pub(crate) const INCOMPLETE: ExitOutcome = ExitOutcome::Status(2);

/// Prints the name of a recording, and the problem at which it ends.
pub(crate) fn warn(file: impl Display, problem: &str) {
    // Without standard error there is no way to report.
    let _ = writeln!(
        WholeStderr::default(),
        "{WARNING}warning:{WARNING:#} {}: {}; what follows is left out",
        Sanitized(&file.to_string()),
        Sanitized(problem)
    );
}

/// Outcome of a command that has read a recording. Warns of one that was cut off.
pub(crate) fn outcome(file: &Path, is_truncated: bool) -> ExitOutcome {
    if !is_truncated {
        return ExitOutcome::Passed;
    }
    warn(file.display(), TRUNCATED);
    INCOMPLETE
}

/// Outcome of a command that has read a recording up to its last entry.
pub(crate) fn outcome_of(trace: &Trace) -> ExitOutcome {
    outcome(trace.file(), trace.is_truncated())
}
