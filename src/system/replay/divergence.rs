//! Divergence of a replay from its recording.

use std::fmt;

/// Divergence of the replay from the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// Frame number of the divergence.
    pub frame: u64,
    /// Recorded entry; `None` if the replay sent an extra one.
    pub recorded: Option<String>,
    /// Replayed entry; `None` if it is missing.
    pub replayed: Option<String>,
    /// Preceding entries, oldest first.
    pub before: Vec<String>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nothing = || "nothing".to_owned();
        writeln!(f, "frame {} differs", self.frame)?;
        writeln!(
            f,
            "  recorded: {}",
            self.recorded.clone().unwrap_or_else(nothing)
        )?;
        write!(
            f,
            "  replayed: {}",
            self.replayed.clone().unwrap_or_else(nothing)
        )?;
        if !self.before.is_empty() {
            write!(f, "\n  before:")?;
        }
        for line in &self.before {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Divergence {}
