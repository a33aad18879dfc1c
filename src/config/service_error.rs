//! Errors of a channel's services.

use mailbox_rs::{NEWEST, OPERATION_NAMES, VERSION};

/// Maximum number of bytes of all arguments, and of the environment, each with its NUL.
pub(super) const BLOCK_MAX: usize = 1 << 20;

/// Problem of a channel's services.
#[derive(Debug, thiserror::Error)]
pub enum ServiceProblem {
    /// A name of no operation.
    #[error("`errors`: unknown operation `{name}`{}; valid are {}", did_you_mean(.meant), OPERATION_NAMES.join(", "))]
    Operation {
        /// The unknown name.
        name: String,
        /// Name that may be meant.
        meant: Option<&'static str>,
    },
    /// A name of no error number.
    #[error(
        "`errors.{operation}`: unknown error `{name}`{}; valid are names of Linux's error numbers, as ENOENT, and `any`",
        did_you_mean(.meant)
    )]
    Errno {
        /// Name of the operation.
        operation: &'static str,
        /// The unknown name.
        name: String,
        /// Name that may be meant.
        meant: Option<&'static str>,
    },
    /// A name of no severity.
    #[error("`errors.{operation}.{errno}`: unknown severity `{name}`{}; valid are info, warning, error, fatal", did_you_mean(.meant))]
    Level {
        /// Name of the operation.
        operation: &'static str,
        /// Name of the error number.
        errno: String,
        /// The unknown name.
        name: String,
        /// Name that may be meant.
        meant: Option<&'static str>,
    },
    /// A value of another stream.
    #[error(
        "`stdio.{key}` is `{value}`, which is for {other}; for a file of this name, give `./{value}`"
    )]
    Stream {
        /// Key of the stream.
        key: &'static str,
        /// The value.
        value: String,
        /// Streams that take it.
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
    /// A name of no fault.
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
        /// Name that may be meant.
        meant: Option<&'static str>,
    },
    /// A text that is no probability.
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
    /// Probabilities of failures whose sum is more than 1.
    #[error("`faults.{group}`: the probabilities of its error numbers are more than 100% together")]
    Certain {
        /// `files`, `memory` or `calls`.
        group: &'static str,
    },
    /// A text that is no delay.
    #[error(
        "`faults.delay` is `{text}`; give the least and the largest number of ticks, as 0..1000, at most 1000000000"
    )]
    Delay {
        /// The value.
        text: String,
    },
    /// A clock that does not exist.
    #[error("`time.clock` is `{text}`{}; valid are ticks and wall", did_you_mean(.meant))]
    Clock {
        /// The value.
        text: String,
        /// Value that may be meant.
        meant: Option<&'static str>,
    },
    /// A text that is no period.
    #[error(
        "`time.period` is `{text}`; give the time between two ticks as a number with its unit, as 10ns, 2500ps or 1us, at most 1s"
    )]
    Period {
        /// The value.
        text: String,
    },
    /// A period of wall time.
    #[error("`time.period` is for `clock: ticks`; wall time has none")]
    PeriodOfWall,
    /// A version that the host does not have.
    #[error("`protocol` is `{text}`; valid are {VERSION} and {NEWEST}")]
    Protocol {
        /// The value.
        text: String,
    },
    /// A text with a NUL.
    #[error("`{key}`: a text contains NUL, which ends it for firmware")]
    Nul {
        /// `args` or `env`.
        key: &'static str,
    },
    /// A name of no variable.
    #[error("`env`: `{name}` is no name of a variable; it must not be empty nor contain `=`")]
    Name {
        /// The name.
        name: String,
    },
    /// More text than firmware can read.
    #[error("`{key}` has {len} bytes, more than the limit of {BLOCK_MAX}")]
    TooLong {
        /// `args` or `env`.
        key: &'static str,
        /// Number of bytes.
        len: usize,
    },
}

/// "; did you mean `open`?", or empty.
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
