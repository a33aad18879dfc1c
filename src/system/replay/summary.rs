//! Summary of a replay.

/// Result of a replay without divergence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplaySummary {
    /// Number of messages equal to the recorded ones, replies included.
    pub messages: u64,
    /// Number of ticks of the run.
    pub ticks: u64,
    /// True if the recording was cut off: it ends inside of a block, as after a crash.
    pub is_truncated: bool,
}
