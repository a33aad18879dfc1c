//! Errors of a channel's services.

use mailbox_rs::{NEWEST, OPERATION_NAMES, VERSION};

/// Maximum size of all arguments, and of the environment, in bytes with each NUL.
pub(super) const BLOCK_MAX: usize = 1 << 20;

/// Problem of a channel's services.
#[derive(Debug, thiserror::Error)]
pub enum ServiceProblem {
    /// Name that is not an operation.
    #[error("`errors`: unknown operation `{name}`{}; valid are {}", did_you_mean(.meant), OPERATION_NAMES.join(", "))]
    Operation {
        /// The unknown name.
        name: String,
        /// Similar known name.
        meant: Option<&'static str>,
    },
    /// Name that is not an error number.
    #[error(
        "`errors.{operation}`: unknown error `{name}`{}; valid are names of Linux's error numbers, as ENOENT, and `any`",
        did_you_mean(.meant)
    )]
    Errno {
        /// Name of the operation.
        operation: &'static str,
        /// The unknown name.
        name: String,
        /// Similar known name.
        meant: Option<&'static str>,
    },
    /// Name that is not a severity.
    #[error("`errors.{operation}.{errno}`: unknown severity `{name}`{}; valid are info, warning, error, fatal", did_you_mean(.meant))]
    Level {
        /// Name of the operation.
        operation: &'static str,
        /// Name of the error number.
        errno: String,
        /// The unknown name.
        name: String,
        /// Similar known name.
        meant: Option<&'static str>,
    },
    /// Value for another stream.
    #[error(
        "`stdio.{key}` is `{value}`, which is for {other}; for a file of this name, give `./{value}`"
    )]
    Stream {
        /// Key of the stream.
        key: &'static str,
        /// The value.
        value: String,
        /// Streams that accept the value.
        other: &'static str,
    },
    /// An empty name of a file.
    #[error(
        "`stdio.{key}` is empty; give a path below the root of firmware's files, or leave the key out"
    )]
    NoFile {
        /// Key of the stream.
        key: &'static str,
    },
    /// Name that is not a fault.
    #[error(
        "`faults.{group}`: unknown fault `{name}`{}; valid are names of Linux's error numbers, as EIO{}",
        did_you_mean(.meant),
        match *.group { "files" => ", and `short`", "memory" => ", and `flip`", _ => "" }
    )]
    Fault {
        /// `files`, `memory` or `calls`.
        group: &'static str,
        /// The unknown name.
        name: String,
        /// Similar known name.
        meant: Option<&'static str>,
    },
    /// Text that is not a probability.
    #[error(
        "`faults.{group}.{name}` is `{text}`; give a probability from 0 to 1, as 1e-6, or a percentage, as 0.1%"
    )]
    Probability {
        /// `files`, `memory` or `calls`.
        group: &'static str,
        /// Name of the fault.
        name: String,
        /// The value.
        text: String,
    },
    /// Probabilities of failures with a sum above 1.
    #[error("`faults.{group}`: the probabilities of its error numbers are more than 100% together")]
    Certain {
        /// `files`, `memory` or `calls`.
        group: &'static str,
    },
    /// Text that is not a delay.
    #[error(
        "`faults.delay` is `{text}`; give the least and the largest number of ticks, as 0..1000, at most 1000000000"
    )]
    Delay {
        /// The value.
        text: String,
    },
    /// Unknown clock.
    #[error("`time.clock` is `{text}`{}; valid are ticks and wall", did_you_mean(.meant))]
    Clock {
        /// The value.
        text: String,
        /// Similar known value.
        meant: Option<&'static str>,
    },
    /// Text that is not a period.
    #[error(
        "`time.period` is `{text}`; give the time between two ticks as a number with its unit, as 10ns, 2500ps or 1us, at most 1s"
    )]
    Period {
        /// The value.
        text: String,
    },
    /// Period for wall time.
    #[error("`time.period` is for `clock: ticks`; wall time has none")]
    PeriodOfWall,
    /// Version that the host lacks.
    #[error("`protocol` is `{text}`; valid are {VERSION} and {NEWEST}")]
    Protocol {
        /// The value.
        text: String,
    },
    /// Text with a NUL.
    #[error("`{key}`: a text contains NUL, which ends it for firmware")]
    Nul {
        /// `args` or `env`.
        key: &'static str,
    },
    /// Text that is not a variable's name.
    #[error("`env`: `{name}` is no name of a variable; it must not be empty nor contain `=`")]
    Name {
        /// The name.
        name: String,
    },
    /// Text that is too long for firmware.
    #[error("`{key}` has {len} bytes, more than the limit of {BLOCK_MAX}")]
    TooLong {
        /// `args` or `env`.
        key: &'static str,
        /// Number of bytes.
        len: usize,
    },
}

/// Formats a suggestion, such as "; did you mean `open`?"; empty without one.
fn did_you_mean(meant: &Option<&'static str>) -> String {
    meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
}

impl ServiceProblem {
    /// Keys from the channel to the wrong value.
    pub(super) fn path(&self) -> Vec<&str> {
        match self {
            Self::Operation { name, .. } => vec!["errors", name],
            Self::Errno {
                operation, name, ..
            } => vec!["errors", operation, name],
            Self::Level {
                operation, errno, ..
            } => vec!["errors", operation, errno],
            Self::Fault { group, name, .. } | Self::Probability { group, name, .. } => {
                vec!["faults", group, name]
            }
            Self::Certain { group } => vec!["faults", group],
            Self::Delay { .. } => vec!["faults", "delay"],
            Self::Stream { key, .. } | Self::NoFile { key } => vec!["stdio", key],
            Self::Clock { .. } => vec!["time", "clock"],
            Self::Period { .. } | Self::PeriodOfWall => vec!["time", "period"],
            Self::Protocol { .. } => vec!["protocol"],
            Self::Nul { key } | Self::TooLong { key, .. } => vec![key],
            Self::Name { name } => vec!["env", name],
        }
    }
}
