//! Messages to code outside of the host: foreign calls.

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags, RequestEntry, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::rpc::{CallError, PollOutcome, Target};
use super::{Name, escaped_name};
use crate::bus::{Attributes, Body, Payload, Redaction, inbox};
pub use crate::channel::Severity;
use crate::mem::{AccessError, Op, OpOutcome, Segments, SpaceId};

/// Executes an access to memories, at least one of them outside of this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Space of the original request.
    pub space: SpaceId,
    /// Operation, executed in one call.
    pub op: Op<Segments>,
    /// True if the testbench is notified of writes.
    pub observed: bool,
}

/// Polls a method or custom command that the host program has registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCall {
    /// Name of the calling channel.
    pub channel: Name,
    /// Target to poll.
    pub target: Target,
    /// Argument words.
    pub args: Vec<u64>,
}

/// Polls a method that the host program has not registered. Python is polled first, then the
/// testbench (`mb_sv_call`) if Python has no method of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodCall {
    /// Name of the calling channel.
    pub channel: Name,
    /// Name of the method.
    pub method: Name,
    /// Argument words.
    pub args: Vec<u64>,
}

/// Runs one turn of Python's event loop, after an advance of simulated time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PyTick;

/// Cancels the pending Python calls of a channel that was reset or has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PyCancel {
    /// Name of the channel.
    pub channel: Name,
}

/// Reports the exit of a channel: `mb_exited` and `mb_exit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Name of the channel.
    pub channel: Name,
    /// Exit code.
    pub code: u32,
}

/// Registers a channel: `sv_registery_ch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// Name of the channel.
    pub channel: Name,
}

/// Failure to notify the testbench: it asks for the notification, but can't be called.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{cause}")]
pub struct NotifyError {
    /// Reason, a clause.
    pub cause: String,
}

/// Prints a line of a channel's text: `mb_print`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLine {
    /// Name of the channel.
    pub channel: Name,
    /// Text without its end of line.
    pub text: String,
}

/// Notifies the testbench of a served request: `mb_served`. Sent only if the testbench has asked
/// for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Name of the channel.
    pub channel: Name,
    /// Slot in the request queue.
    pub slot: u32,
    /// Request as firmware wrote it. Boxed to keep the other foreign calls small.
    pub entry: Box<RequestEntry>,
    /// Latency in ticks, from the tick in which the request was taken.
    pub ticks: u64,
    /// Result word; `None` if the request has no response.
    pub result: Option<u64>,
}

/// Prints a report for the user: `mb_report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Severity of the report.
    pub severity: Severity,
    /// Source: an actor, and its channel if there is one.
    pub id: String,
    /// Text of the report.
    pub text: String,
}

/// Prints a report with text of firmware: a frame of defmt. The text is payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameReport(pub Report);

impl Payload for FrameReport {
    fn redact(&mut self, with: Redaction<'_>) {
        Payload::redact(&mut self.0.text, with);
    }
}

/// Report in a message, of the host or of firmware.
pub fn report_in(message: &dyn Body) -> Option<&Report> {
    let of_firmware = || {
        let FrameReport(report) = message.downcast_ref()?;
        Some(report)
    };
    message.downcast_ref().or_else(of_firmware)
}

/// Expands `~`, `$VAR` and `${VAR}` in a path from firmware, by the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpandPath {
    /// Path as firmware wrote it.
    pub path: String,
}

/// Error of an environment variable that is not set, or is not text.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error(
    "the environment variable `{}` is not set (or not text); set it, or write `$$` for a plain `$`",
    escaped_name(.variable.as_bytes())
)]
pub struct Unset {
    /// Name of the variable.
    pub variable: String,
}

/// Opens a file of the host program, selected by extension or by its name below `virtual/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSpecial {
    /// Registered opener.
    pub opener: Opener,
    /// Path. Variables in it are expanded.
    pub path: String,
    /// Open flags.
    pub flags: OpenFlags,
}

/// Key of a registered opener.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Opener {
    /// Extension without its dot.
    Extension(String),
    /// Name below `virtual/`.
    Virtual(String),
}

/// Number of a file that an opener returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpecialId(pub u64);

/// Reads from a special file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadSpecial {
    /// Special file.
    pub file: SpecialId,
    /// Maximum number of bytes to read.
    pub len: u64,
}

/// Writes to a special file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteSpecial {
    /// Special file.
    pub file: SpecialId,
    /// Bytes to write.
    pub data: Bytes,
}

/// Sets the position in a special file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeekSpecial {
    /// Special file.
    pub file: SpecialId,
    /// Position in bytes from the start.
    pub position: u64,
}

/// Drops a special file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseSpecial {
    /// Special file.
    pub file: SpecialId,
}

/// Asks for the wall time, since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallTime;

impl Attributes for SpecialId {}
impl Attributes for Timestamp {}

inbox! {
    /// All foreign calls.
    "foreign" {
        Access -> Result<OpOutcome, AccessError> { channel: none, payload: op },
        HostCall -> Result<PollOutcome, CallError> { channel: channel, payload: none },
        MethodCall -> Result<PollOutcome, CallError> { channel: channel, payload: none },
        PyTick -> () { channel: none, payload: none },
        PyCancel -> () { channel: channel, payload: none },
        Exit -> () { channel: channel, payload: none },
        Register -> Result<(), NotifyError> { channel: channel, payload: none },
        ConsoleLine -> () { channel: channel, payload: text },
        Served -> () { channel: channel, payload: none },
        Report -> () { channel: none, payload: none },
        FrameReport -> () { channel: none, payload: self },
        OpenSpecial -> Result<SpecialId, Errno> { channel: none, payload: none },
        ReadSpecial -> Result<Bytes, Errno> { channel: none, payload: none },
        WriteSpecial -> Result<u64, Errno> { channel: none, payload: data },
        SeekSpecial -> Result<u64, Errno> { channel: none, payload: none },
        CloseSpecial -> () { channel: none, payload: none },
        ExpandPath -> Result<String, Unset> { channel: none, payload: none },
        WallTime -> Timestamp { channel: none, payload: none },
    }
}
