//! What the outside is sent: the foreign calls.

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags, RequestEntry};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Name;
use super::rpc::{Answered, CallError, Target};
use crate::bus::inbox;
use crate::mem::{AccessError, Op, Outcome, Segments, SpaceId};

/// Carries out an access to memories of which at least one is not in this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The space that it was asked for in.
    pub space: SpaceId,
    /// What to do, all of it in one call.
    pub op: Op<Segments>,
    /// Whether the testbench is told of what it writes.
    pub observed: bool,
}

/// One poll of a method or custom command that the host program has registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCall {
    /// Name of the channel that calls.
    pub channel: Name,
    /// What.
    pub target: Target,
    /// Arguments.
    pub args: Vec<u64>,
}

/// One poll of a method that the host program has not registered: Python's, or where Python has none of that name, the
/// testbench's (`mb_sv_call`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodCall {
    /// Name of the channel that calls.
    pub channel: Name,
    /// Name of the method.
    pub method: Name,
    /// Arguments.
    pub args: Vec<u64>,
}

/// Simulated time went on: Python's event loop makes one turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PyTick;

/// A channel was reset: what it called in Python and is not over is cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PyCancel {
    /// Name of the channel.
    pub channel: Name,
}

/// A channel has exited: `mb_exited` and `mb_exit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Its name.
    pub channel: Name,
    /// With which code.
    pub code: u32,
}

/// A channel is there: `sv_registery_ch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// Its name.
    pub channel: Name,
}

/// The testbench wants to know of something, and can't be called.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{cause}")]
pub struct Untold {
    /// Why not.
    pub cause: String,
}

/// A line of a channel's text: `mb_print`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Name of the channel.
    pub channel: Name,
    /// The text, without its end of line.
    pub text: String,
}

/// A request was served, and the testbench has asked to be told: `mb_served`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Name of the channel.
    pub channel: Name,
    /// The slot of the request queue that it was in.
    pub slot: u32,
    /// The request as firmware wrote it. Boxed: it would be the largest part of every foreign call.
    pub entry: Box<RequestEntry>,
    /// How long ago it was taken, in ticks.
    pub ticks: u64,
    /// The word that answers it; none where it has no response.
    pub result: Option<u64>,
}

/// Something for the user to read: `mb_report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How bad.
    pub severity: Severity,
    /// Who says it: an actor, with the channel where there is one.
    pub id: String,
    /// What.
    pub text: String,
}

/// How bad a report is; the numbers are those of `mb_report`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Good to know.
    Info = 0,
    /// Worth a look.
    Warning = 1,
    /// A request, or a call, failed.
    Error = 2,
    /// The system can't go on.
    Fatal = 3,
}

impl Severity {
    /// From the mildest on.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Fatal];

    /// As users read and write it: `info`, `warning`, `error` or `fatal`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// The severity of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// Expands `~`, `$VAR` and `${VAR}` in a path of firmware's, from the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpandPath {
    /// The path as firmware gave it.
    pub path: String,
}

/// A variable that has no value.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error(
    "the environment variable `{variable}` is not set (or not text); set it, or write `$$` for a plain `$`"
)]
pub struct Unset {
    /// Its name.
    pub variable: String,
}

/// A file that the host program opens: by its extension, or below `virtual/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSpecial {
    /// Which of the registered openers.
    pub opener: Opener,
    /// The path, in which variables are expanded.
    pub path: String,
    /// How.
    pub flags: OpenFlags,
}

/// How an opener was registered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Opener {
    /// For an extension, without its dot.
    Extension(String),
    /// For a name below `virtual/`.
    Virtual(String),
}

/// A file that an opener gave, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpecialId(pub u64);

/// Reads from a special file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadSpecial {
    /// The file.
    pub file: SpecialId,
    /// The most bytes to give.
    pub len: u64,
}

/// Writes to a special file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteSpecial {
    /// The file.
    pub file: SpecialId,
    /// What to write.
    pub data: Bytes,
}

/// Moves in a special file to a position from the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeekSpecial {
    /// The file.
    pub file: SpecialId,
    /// Bytes from the start.
    pub position: u64,
}

/// Drops a special file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseSpecial {
    /// The file.
    pub file: SpecialId,
}

inbox! {
    /// All that the outside is sent.
    "foreign" {
        Access -> Result<Outcome, AccessError>,
        HostCall -> Result<Answered, CallError>,
        MethodCall -> Result<Answered, CallError>,
        PyTick -> (),
        PyCancel -> (),
        Exit -> (),
        Register -> Result<(), Untold>,
        Line -> (),
        Served -> (),
        Report -> (),
        OpenSpecial -> Result<SpecialId, Errno>,
        ReadSpecial -> Result<Bytes, Errno>,
        WriteSpecial -> Result<u64, Errno>,
        SeekSpecial -> Result<u64, Errno>,
        CloseSpecial -> (),
        ExpandPath -> Result<String, Unset>,
    }
}
