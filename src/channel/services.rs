//! Services that a channel's configuration determines: standard streams, arguments, time, random
//! bytes, severities.

use std::ops::RangeInclusive;

use bytes::Bytes;
use mailbox_rs::{Errno, Request};

use super::severity::Severity;

/// Configured services of a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelServices {
    /// Source of descriptor 0.
    pub stdin: InputSource,
    /// Target of descriptor 1.
    pub stdout: OutputTarget,
    /// Target of descriptor 2.
    pub stderr: OutputTarget,
    /// Arguments of the program, each with its NUL.
    pub arguments: Bytes,
    /// Environment of the program: `NAME=value`, each with its NUL.
    pub environment: Bytes,
    /// Source of the time.
    pub clock: Clock,
    /// Seed of random bytes.
    pub seed: u64,
    /// Severities of failed requests, where they differ from the default.
    pub severities: Vec<SeverityRule>,
    /// Injected faults; `None` for none.
    pub faults: Option<Faults>,
    /// True if the host ignores offers of a newer protocol version, as an older host does.
    pub is_old: bool,
    /// True if a mailbox that is READY at the host's start is served without a handshake.
    pub adopts: bool,
}

/// Source of a channel's standard input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum InputSource {
    /// Empty input.
    #[default]
    Nothing,
    /// Bytes from the testbench. A read waits for them.
    Testbench,
    /// File below the root, by its path.
    File(String),
}

/// Target of a channel's standard output or standard error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OutputTarget {
    /// Lines of the console, with the channel's name.
    #[default]
    Console,
    /// Bytes of the console, unchanged.
    Raw,
    /// File below the root, by its path.
    File(String),
}

/// Source of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Number of ticks, each of this many picoseconds.
    Ticks {
        /// Period in picoseconds.
        picoseconds: u64,
    },
    /// Wall time.
    Wall,
}

/// Ticks of one nanosecond.
impl Default for Clock {
    fn default() -> Self {
        Self::Ticks { picoseconds: 1000 }
    }
}

/// Severity of one kind of failed requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityRule {
    /// Name of the operation, of [`OPERATION_NAMES`](mailbox_rs::OPERATION_NAMES).
    pub operation: &'static str,
    /// Error number; `None` for all error numbers without a rule of their own.
    pub errno: Option<Errno>,
    /// Severity of the report.
    pub severity: Severity,
}

/// Faults that are injected into the services of a channel. Probabilities are in units of 2⁻⁶³.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Seed of all choices.
    pub seed: u64,
    /// Failures of file operations, each with its probability.
    pub files: Vec<(Errno, u64)>,
    /// Probability that a read or write of a file moves only a part of its bytes.
    pub short: u64,
    /// Failures of MEMMOVE, MEMSET and MEMCMP, each with its probability.
    pub memory: Vec<(Errno, u64)>,
    /// Probability of a flipped bit, for each byte that a request writes to memory.
    pub flip: u64,
    /// Failures of CALL and of custom commands, each with its probability.
    pub calls: Vec<(Errno, u64)>,
    /// Delay of a response, in ticks; `None` for no delay.
    pub delay: Option<RangeInclusive<u64>>,
}

impl ChannelServices {
    /// Configured severity of a request that fails with an error number; `None` for the default.
    pub fn severity(&self, request: &Request, errno: Errno) -> Option<Severity> {
        let operation = request.operation_name();
        let of = |wanted: Option<Errno>| {
            let mut rules = self.severities.iter();
            rules.find(|rule| rule.operation == operation && rule.errno == wanted)
        };
        let rule = of(Some(errno)).or_else(|| of(None));
        rule.map(|rule| rule.severity)
    }
}
