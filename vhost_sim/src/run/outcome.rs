//! Outcome of a run.

use std::fmt;

use crate::coverage::Coverage;
use crate::event::channel_name;

/// Result of a run without a violation.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Counters of the run.
    pub coverage: Coverage,
    /// Hash of all observations.
    pub hash: u64,
    /// Number of messages of the run, including elided ones.
    pub messages: u64,
}

/// Violation found in a run.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Phase of the run: `start`, `safety`, `liveness`, `end`, `replay`.
    pub phase: &'static str,
    /// Tick of the host.
    pub tick: u64,
    /// Channel of the violation, if it concerns one.
    pub channel: Option<usize>,
    /// Description of the violation.
    pub text: String,
}

impl Failed {
    /// True for the same kind of violation, by the words of both texts.
    pub fn resembles(&self, other: &Self) -> bool {
        let words = |text: &str| -> Vec<String> {
            let words = text
                .split(' ')
                .filter(|word| word.chars().all(char::is_alphabetic));
            words.take(5).map(str::to_owned).collect()
        };
        self.phase == other.phase && words(&self.text) == words(&other.text)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, tick {}", self.phase, self.tick)?;
        if let Some(channel) = self.channel {
            write!(f, ", channel {}", channel_name(channel))?;
        }
        write!(f, ": {}", self.text)
    }
}
