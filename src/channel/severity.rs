//! Severities of reports.

use serde::{Deserialize, Serialize};

/// Severity of a report. The values are those of `mb_report`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Information for the user.
    Info = 0,
    /// Warning that needs no action.
    Warning = 1,
    /// Failure of a request or a call.
    Error = 2,
    /// Failure after which the system can't continue.
    Fatal = 3,
}

impl Severity {
    /// All severities, in ascending order.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Fatal];

    /// Name in user interfaces: `info`, `warning`, `error` or `fatal`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// Returns the severity with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}
